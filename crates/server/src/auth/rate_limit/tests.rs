//! What a guesser meets, and what those who share a name or an address with one meet.

use std::net::IpAddr;

use super::{ACCOUNT, CLIENT, RetryAfter, SignInLimiter, client_key};

const NOW_MS: i64 = 1_800_000_000_000;

fn client(number: u32) -> IpAddr {
    IpAddr::from(number.to_be_bytes())
}

/// Fails `times` times, each as soon as it is allowed, from a new client each time; says when that was done.
fn fail(limiter: &mut SignInLimiter, account: &str, times: u32, clients_from: u32) -> i64 {
    let mut now_ms = NOW_MS;
    for number in 0..times {
        if let Err(RetryAfter { wait_ms }) = limiter.attempt(now_ms, account, client(clients_from + number)) {
            now_ms += wait_ms;
            limiter.attempt(now_ms, account, client(clients_from + number)).unwrap();
        }
    }
    now_ms
}

#[test]
fn an_account_waits_twice_as_long_after_each_failure_up_to_a_minute() {
    let mut limiter = SignInLimiter::default();
    let mut now_ms = fail(&mut limiter, "ada", ACCOUNT.free, 0);
    let mut waits = Vec::new();
    for number in 100..110 {
        limiter.attempt(now_ms, "ada", client(number)).unwrap();
        let wait = limiter.attempt(now_ms, "ada", client(number)).unwrap_err();
        waits.push(wait.seconds());
        now_ms += wait.wait_ms;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
}

#[test]
fn a_client_waits_whatever_accounts_it_tries() {
    let mut limiter = SignInLimiter::default();
    for number in 0..=CLIENT.free {
        limiter.attempt(NOW_MS, &format!("user {number}"), client(1)).unwrap();
    }
    assert_eq!(limiter.attempt(NOW_MS, "another", client(1)), Err(RetryAfter { wait_ms: 1000 }));
    assert_eq!(limiter.attempt(NOW_MS, "another", client(2)), Ok(()));
    assert_eq!(limiter.attempt(NOW_MS + 1000, "another", client(1)), Ok(()));
}

#[test]
fn waiting_callers_that_try_on_do_not_prolong_the_wait() {
    let mut limiter = SignInLimiter::default();
    let now_ms = fail(&mut limiter, "ada", ACCOUNT.free + 1, 0);
    for _ in 0..1000 {
        assert_eq!(limiter.attempt(now_ms, "ada", client(999)), Err(RetryAfter { wait_ms: 1000 }));
    }
    assert_eq!(limiter.attempt(now_ms + 1000, "ADA ", client(999)), Ok(()));
}

#[test]
fn attempts_at_the_same_time_are_counted_before_they_are_answered() {
    let mut limiter = SignInLimiter::default();
    let allowed = (0..1000).filter(|number| limiter.attempt(NOW_MS, "ada", client(*number)).is_ok()).count();
    assert_eq!(allowed, 6);
}

#[test]
fn a_right_password_frees_the_account_but_gives_the_client_one_attempt_back_only() {
    let mut limiter = SignInLimiter::default();
    for number in 0..CLIENT.free {
        limiter.attempt(NOW_MS, &format!("victim {number}"), client(1)).unwrap();
    }
    for _ in 0..10 {
        limiter.attempt(NOW_MS, "mallory", client(1)).unwrap();
        limiter.succeeded("mallory", client(1));
    }
    limiter.attempt(NOW_MS, "victim", client(1)).unwrap();
    assert!(limiter.attempt(NOW_MS, "mallory", client(1)).is_err());

    let now_ms = fail(&mut limiter, "ada", ACCOUNT.free, 100);
    limiter.attempt(now_ms, "ada", client(2)).unwrap();
    limiter.succeeded("ada", client(2));
    assert_eq!(limiter.attempt(now_ms, "ada", client(3)), Ok(()));
}

#[test]
fn failures_are_forgotten_after_an_hour() {
    let mut limiter = SignInLimiter::default();
    let now_ms = fail(&mut limiter, "ada", 10, 0) + ACCOUNT.forget_after_ms;
    for number in 0..=ACCOUNT.free {
        assert_eq!(limiter.attempt(now_ms, "ada", client(200 + number)), Ok(()));
    }
    assert!(limiter.attempt(now_ms, "ada", client(300)).is_err());
}

#[test]
fn a_victims_counter_outlives_as_many_other_names_as_fit_and_memory_is_bounded() {
    let mut limiter = SignInLimiter::new(100);
    let now_ms = fail(&mut limiter, "ada", ACCOUNT.free + 1, 0);
    let flood = |limiter: &mut SignInLimiter, names: std::ops::Range<u32>| {
        for number in names {
            limiter.attempt(now_ms + 1, &format!("invented {number}"), client(1000 + number)).unwrap();
        }
    };
    flood(&mut limiter, 0..99);
    assert!(limiter.attempt(now_ms + 1, "ada", client(99_999)).is_err());
    flood(&mut limiter, 99..10_000);
    assert!(limiter.attempt(now_ms + 1, "ada", client(99_999)).is_ok(), "the table is too small for this flood");
    assert_eq!((limiter.accounts.counters.len(), limiter.accounts.oldest.len()), (100, 100));
    assert_eq!((limiter.clients.counters.len(), limiter.clients.oldest.len()), (100, 100));
}

#[test]
fn a_network_of_ipv6_is_one_client_and_a_mapped_address_is_its_ipv4() {
    let key = |text: &str| client_key(text.parse().unwrap());
    assert_eq!(key("2001:db8:1:2:3:4:5:6"), key("2001:db8:1:2::1"));
    assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
}

#[test]
fn a_clock_that_goes_back_makes_nobody_wait_longer_than_the_longest_delay() {
    let mut limiter = SignInLimiter::default();
    fail(&mut limiter, "ada", ACCOUNT.free + 1, 0);
    let wait = limiter.attempt(NOW_MS - 86_400_000, "ada", client(99)).unwrap_err();
    assert_eq!(wait.wait_ms, ACCOUNT.longest_delay_ms);
}
