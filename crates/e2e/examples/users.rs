//! Many people who search at once: `cargo run --release -p e2e --example users -- BASE_URL TOKEN USERS SECONDS`. Prints how many answers
//! came, how many of them were no success, and how long they took.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark prints, reads the clock and may panic"
)]

use std::time::{Duration, Instant};

const WORDS: &str = "customer order amount price currency status created updated deleted date time zone country region city street postal \
    code email phone first last middle name birth gender product category brand sku quantity unit discount tax total shipping";

#[derive(Default)]
struct Seen {
    times: Vec<Duration>,
    errors: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, token, users, seconds] = arguments.as_slice() else { panic!("BASE_URL TOKEN USERS SECONDS") };
    rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    let until = Instant::now() + Duration::from_secs(seconds.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let all = runtime.block_on(async {
        let users: usize = users.parse().unwrap();
        let tasks: Vec<_> = (0..users).map(|user| tokio::spawn(search(user, base.clone(), token.clone(), until))).collect();
        let mut all = Seen::default();
        for task in tasks {
            let seen = task.await.unwrap();
            all.times.extend(seen.times);
            all.errors += seen.errors;
        }
        all
    });
    let mut times = all.times;
    times.sort_unstable();
    let at =
        |percent: usize| times.get(times.len().saturating_sub(1) * percent / 100).map_or(0.0, |time| time.as_secs_f64() * 1000.0);
    println!(
        "{users} people at once: {} answers in {seconds} s, {} errors; median {:.1} ms, 95th percentile {:.1} ms, longest {:.1} ms",
        times.len(),
        all.errors,
        at(50),
        at(95),
        at(100)
    );
}

/// One person, who reads each answer for a moment.
async fn search(user: usize, base: String, token: String, until: Instant) -> Seen {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let words: Vec<&str> = WORDS.split_ascii_whitespace().collect();
    let mut seen = Seen::default();
    let mut number = user * 7919;
    while Instant::now() < until {
        number = number.wrapping_mul(31).wrapping_add(17);
        let (one, other) = (words[number % words.len()], words[number / 64 % words.len()]);
        let query = match number % 3 {
            0 => one.to_owned(),
            1 => format!("{one}_{other}"),
            _ => format!("{one}%20{other}"),
        };
        let at = Instant::now();
        let sent = client.get(format!("{base}/api/v1/search?q={query}")).bearer_auth(&token).send().await;
        let read = match sent.and_then(reqwest::Response::error_for_status) {
            Ok(answer) => answer.bytes().await.map(|_| ()),
            Err(error) => Err(error),
        };
        match read {
            Ok(()) => seen.times.push(at.elapsed()),
            Err(_) => seen.errors += 1,
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    seen
}
