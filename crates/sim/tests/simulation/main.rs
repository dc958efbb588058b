//! The simulation over real HTTP, as its users meet it.

mod catalog;
mod client;
mod control;
mod datazone;
mod datazone_bulk;
mod datazone_faults;
mod datazone_mutations;
mod datazone_security;
mod faults;
mod load;
mod paging;
mod security;

use serde_json::{Value, json};
use sim::{Account, Running, Simulation};

use client::Client;

/// A running simulation and a client with its long-lived keys.
async fn start(account: Account) -> (Running, Client) {
    let running = Simulation::builder().account(account).start().await.expect("a free port");
    let client = Client::new(&running);
    (running, client)
}

fn names(items: &Value) -> Vec<String> {
    let items = items.as_array().expect("a list").iter();
    items.map(|item| item.as_str().or(item["Name"].as_str()).expect("a name").to_owned()).collect()
}

/// All pages of a listing; panics where it does not end.
async fn list(client: &Client, operation: &str, member: &str, input: Value) -> Vec<Vec<String>> {
    const PAGES_MAX: usize = 2_000;
    let mut pages = Vec::new();
    let mut input = input;
    while pages.len() < PAGES_MAX {
        let reply = client.glue(operation, input.clone()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let page = reply.json();
        pages.push(names(&page[member]));
        let Some(token) = page["NextToken"].as_str() else {
            return pages;
        };
        input["NextToken"] = json!(token);
    }
    panic!("{operation} did not end within {PAGES_MAX} pages");
}
