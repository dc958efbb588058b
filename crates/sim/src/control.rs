//! `/_sim/…`: the test's hand on a simulation that runs in another process. Not signed, loopback only.
//!
//! - `GET /_sim/requests`: counts, errors, refused and calls; `DELETE` forgets them.
//! - `GET /_sim/faults`, `POST /_sim/faults`: a list of rules replaces all (text or JSON form), `DELETE` removes all.
//! - `GET /_sim/account`: id, region, keys, roles, databases, domains, canaries; `POST`: one mutation or a list of them,
//!   e.g. `{"action": "in_domain", "domain": "dzd_1", "change": {"action": "unpublish", "entity": "a1"}}`.

use http::Method;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::account::{Account, Mutation};
use crate::faults::Fault;
use crate::log::Requests;
use crate::payload::{Answer, JSON};
use crate::world::World;

pub(crate) const PATH_PREFIX: &str = "/_sim/";

pub(crate) fn answer(world: &World, method: &Method, path: &str, body: &[u8]) -> Answer {
    let noun = path.strip_prefix(PATH_PREFIX).unwrap_or_default();
    let outcome = match (method.as_str(), noun) {
        ("GET", "requests") => serde_json::to_value(&*world.requests()).map_err(|error| error.to_string()),
        ("DELETE", "requests") => {
            *world.requests() = Requests::default();
            Ok(json!({}))
        }
        ("GET", "faults") => Ok(world.faults().to_value()),
        ("POST", "faults") => set_faults(world, body),
        ("DELETE", "faults") => {
            world.faults().set(Vec::new());
            Ok(json!({}))
        }
        ("GET", "account") => Ok(describe(&world.account())),
        ("POST", "account") => mutate(world, body),
        ("POST", "latency") => set_latency(world, body),
        _ => return Answer::new(404, JSON, json!({"error": format!("no {method} {path}")}).to_string().into_bytes()),
    };
    match outcome {
        Ok(value) => Answer::new(200, JSON, value.to_string().into_bytes()),
        Err(error) => Answer::new(400, JSON, json!({"error": error}).to_string().into_bytes()),
    }
}

fn set_faults(world: &World, body: &[u8]) -> Result<Value, String> {
    let faults: Result<Vec<Fault>, String> =
        one_or_many(body)?.iter().map(|rule| Fault::from_value(rule).map_err(|error| in_full(&error))).collect();
    let mut table = world.faults();
    table.set(faults?);
    Ok(table.to_value())
}

fn mutate(world: &World, body: &[u8]) -> Result<Value, String> {
    let mutations: Result<Vec<Mutation>, _> = one_or_many(body)?.into_iter().map(Mutation::deserialize).collect();
    let mutations = mutations.map_err(|error| error.to_string())?;
    let applied = mutations.len();
    let now_ms = world.clock.now_ms();
    let mut account = world.account_mut();
    for mutation in mutations {
        account.apply(mutation, now_ms).map_err(|error| error.to_string())?;
    }
    Ok(json!({"applied": applied}))
}

fn set_latency(world: &World, body: &[u8]) -> Result<Value, String> {
    let latency_ms: u64 = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    world.set_latency_ms(latency_ms);
    Ok(json!({"latency_ms": latency_ms}))
}

fn one_or_many(body: &[u8]) -> Result<Vec<Value>, String> {
    let mut value: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    Ok(value.as_array_mut().map(std::mem::take).unwrap_or_else(|| vec![value]))
}

fn describe(account: &Account) -> Value {
    let catalogs: serde_json::Map<String, Value> =
        account.catalogs.iter().map(|(id, catalog)| (id.clone(), catalog.databases.keys().cloned().collect())).collect();
    json!({
        "id": account.id(), "region": account.region(), "keys": account.keys(), "roles": account.role_arns(),
        "catalogs": catalogs, "domains": account.datazone.domains.keys().collect::<Vec<_>>(),
        "canaries": Account::canaries(), "opt_in_canaries": Account::datazone_opt_in_canaries(),
    })
}

fn in_full(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
