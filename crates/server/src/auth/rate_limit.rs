//! The limit on guessing passwords: after a few failures an account and a client have to wait, each time twice as long.
//!
//! A state machine without a clock. An attempt is counted before the password is checked and taken back when it was right,
//! so that attempts at the same time cannot slip through. While somebody has to wait nothing more is counted: whoever
//! floods an account cannot make its owner wait longer than [`ACCOUNT`]'s longest delay at a time.
//!
//! Memory is bounded. When a table is full the counter goes whose last failure is the longest ago. To have a victim's
//! counter forgotten, an attacker has to fail [`ENTRIES_MAX`] times with other names. Each failure costs the server a slow
//! hash, of which it makes about a hundred a second: for the free attempts so gained the attacker waits longer than the
//! longest delay would have asked for.
//!
//! A replica counts on its own: behind a load balancer a client gets its free attempts once per replica.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use aws_lc_rs::digest::{SHA256, digest};

/// How many accounts and how many clients are counted at most.
pub const ENTRIES_MAX: usize = 50_000;
const KEY_BYTES: usize = 16;
const MILLISECONDS_PER_SECOND: i64 = 1000;
/// The provider of a client hands out a /64 at least: an address of it is no identity.
const IPV6_CLIENT_BITS: u32 = 64;

/// How a counter grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Failures without a wait.
    pub free: u32,
    /// The first wait, milliseconds; each failure doubles it.
    pub first_delay_ms: i64,
    /// The longest wait, milliseconds.
    pub longest_delay_ms: i64,
    /// After this time without a failure a counter starts afresh, milliseconds.
    pub forget_after_ms: i64,
}

/// For an account name, which everybody can try: the longest wait is short, or strangers could shut the owner out.
pub const ACCOUNT: Pace = Pace { free: 5, first_delay_ms: 1000, longest_delay_ms: 60_000, forget_after_ms: 3_600_000 };
/// For a client's address: an office may share one, so more is free, but a guesser waits longer.
pub const CLIENT: Pace = Pace { free: 20, first_delay_ms: 1000, longest_delay_ms: 900_000, forget_after_ms: 3_600_000 };

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many sign-ins failed: try again in {} s", self.seconds())]
pub struct RetryAfter {
    /// Milliseconds from now.
    pub wait_ms: i64,
}

impl RetryAfter {
    /// Whole seconds, rounded up: the value of the header `Retry-After`.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        (self.wait_ms + MILLISECONDS_PER_SECOND - 1) / MILLISECONDS_PER_SECOND
    }
}

/// Counts sign-ins by account and by client.
#[derive(Debug)]
pub struct SignInLimiter {
    accounts: Counters,
    clients: Counters,
}

impl Default for SignInLimiter {
    fn default() -> Self {
        Self::new(ENTRIES_MAX)
    }
}

impl SignInLimiter {
    /// At most `entries_max` accounts and as many clients are counted.
    #[must_use]
    pub fn new(entries_max: usize) -> Self {
        Self { accounts: Counters::new(ACCOUNT, entries_max), clients: Counters::new(CLIENT, entries_max) }
    }

    /// Asks for an attempt, and counts it as failed until [`SignInLimiter::succeeded`] says otherwise. Upper and lower case
    /// of an account name are the same. `now_ms` is in milliseconds since 1970 UTC.
    ///
    /// # Errors
    /// [`RetryAfter`]; the attempt is not counted then and must not be made.
    pub fn attempt(&mut self, now_ms: i64, account: &str, client: IpAddr) -> Result<(), RetryAfter> {
        let (account, client) = (account_key(account), client_key(client));
        let wait_ms = self.accounts.wait_ms(now_ms, &account).max(self.clients.wait_ms(now_ms, &client));
        if wait_ms > 0 {
            return Err(RetryAfter { wait_ms });
        }
        self.accounts.count(now_ms, account);
        self.clients.count(now_ms, client);
        Ok(())
    }

    /// The attempt was right: the account starts afresh. The client only gets this attempt back, as somebody with one
    /// password could otherwise guess others for ever.
    pub fn succeeded(&mut self, account: &str, client: IpAddr) {
        self.accounts.remove(&account_key(account));
        self.clients.take_back(&client_key(client));
    }
}

type Key = [u8; KEY_BYTES];

fn account_key(name: &str) -> Key {
    let hash = digest(&SHA256, name.trim().to_lowercase().as_bytes());
    let mut key = [0; KEY_BYTES];
    key.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    key
}

fn client_key(address: IpAddr) -> Key {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> IPV6_CLIENT_BITS << IPV6_CLIENT_BITS).octets(),
    }
}

#[derive(Clone, Copy, Debug)]
struct Counter {
    failures: u32,
    last_ms: i64,
    open_at_ms: i64,
}

#[derive(Debug)]
struct Counters {
    pace: Pace,
    entries_max: usize,
    counters: BTreeMap<Key, Counter>,
    /// The same counters, the first to go first.
    oldest: BTreeSet<(i64, Key)>,
}

impl Counters {
    fn new(pace: Pace, entries_max: usize) -> Self {
        Self { pace, entries_max: entries_max.max(1), counters: BTreeMap::new(), oldest: BTreeSet::new() }
    }

    fn wait_ms(&self, now_ms: i64, key: &Key) -> i64 {
        self.counters.get(key).map_or(0, |counter| counter.open_at_ms.saturating_sub(now_ms).clamp(0, self.pace.longest_delay_ms))
    }

    fn count(&mut self, now_ms: i64, key: Key) {
        let before = self.remove(&key).filter(|counter| now_ms.saturating_sub(counter.last_ms) < self.pace.forget_after_ms);
        let failures = before.map_or(0, |counter| counter.failures).saturating_add(1);
        while self.counters.len() >= self.entries_max
            && let Some((_last_ms, oldest)) = self.oldest.pop_first()
        {
            self.counters.remove(&oldest);
        }
        self.insert(key, Counter { failures, last_ms: now_ms, open_at_ms: now_ms.saturating_add(self.pace.delay_ms(failures)) });
    }

    fn take_back(&mut self, key: &Key) {
        if let Some(counter) = self.remove(key)
            && counter.failures > 1
        {
            self.insert(*key, Counter { failures: counter.failures - 1, open_at_ms: counter.last_ms, ..counter });
        }
    }

    fn insert(&mut self, key: Key, counter: Counter) {
        self.oldest.insert((counter.last_ms, key));
        self.counters.insert(key, counter);
    }

    fn remove(&mut self, key: &Key) -> Option<Counter> {
        let counter = self.counters.remove(key)?;
        self.oldest.remove(&(counter.last_ms, *key));
        Some(counter)
    }
}

impl Pace {
    fn delay_ms(&self, failures: u32) -> i64 {
        match failures.checked_sub(self.free) {
            None | Some(0) => 0,
            Some(over) => {
                let doubled = 1_i64.checked_shl(over - 1).filter(|factor| *factor > 0).unwrap_or(i64::MAX);
                self.first_delay_ms.saturating_mul(doubled).min(self.longest_delay_ms)
            }
        }
    }
}

#[cfg(test)]
mod tests;
