//! The limiter against simulated services, in simulated time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;
use crate::retry::{Attempts, Decision, RetryClass};

/// A service with a token bucket, as AWS describes its request throttling.
struct Service {
    per_second: f64,
    burst: f64,
    tokens: f64,
    at: Duration,
    /// Another client takes every token in the last part of each period.
    others: Option<(Duration, Duration)>,
}

impl Service {
    fn new(per_second: f64, burst: f64) -> Self {
        Self { per_second, burst, tokens: burst, at: Duration::ZERO, others: None }
    }

    /// A service with a bucket of one second's worth.
    fn with_rate(per_second: f64) -> Self {
        Self::new(per_second, per_second)
    }

    fn allows(&mut self, now: Duration) -> bool {
        while self.at < now {
            let until = now.min(self.at + Duration::from_millis(10));
            let filled = (self.tokens + self.per_second * (until - self.at).as_secs_f64()).min(self.burst);
            self.tokens = if self.is_taken_by_others() { 0.0 } else { filled };
            self.at = until;
        }
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
        }
        allowed
    }

    fn is_taken_by_others(&self) -> bool {
        self.others.is_some_and(|(period, busy)| self.at.as_secs_f64() % period.as_secs_f64() > (period - busy).as_secs_f64())
    }
}

struct Run {
    took: Duration,
    sent: usize,
    most_attempts: u32,
}

/// `requests` requests by `workers` workers against a service, each retried as the client does; answers take 20 ms.
fn run(seed: u64, service: Service, workers: usize, requests: usize, ceiling: Option<u32>) -> Run {
    run_of(ReadOperation::GetTables, seed, service, workers, requests, ceiling)
}

fn run_of(operation: ReadOperation, seed: u64, mut service: Service, workers: usize, requests: usize, ceiling: Option<u32>) -> Run {
    let mut paces = Paces { ceiling: ceiling.and_then(NonZeroU32::new).map(Ceiling::new), by_operation: BTreeMap::new() };
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut waiting = BinaryHeap::new();
    let mut attempts = vec![Attempts::default(); workers];
    let mut left = requests;
    for worker in 0..workers.min(requests) {
        left -= 1;
        waiting.push(Reverse((paces.reserve(operation, Duration::ZERO), worker)));
    }
    let mut result = Run { took: Duration::ZERO, sent: 0, most_attempts: 0 };
    while let Some(Reverse((sent_at, worker))) = waiting.pop() {
        result.sent += 1;
        let now = sent_at + Duration::from_millis(20);
        result.took = result.took.max(now);
        let ready_at = if service.allows(sent_at) {
            paces.of(operation).learn(sent_at, now, Outcome::Succeeded);
            result.most_attempts = result.most_attempts.max(attempts[worker].made() + 1);
            attempts[worker] = Attempts::default();
            if left == 0 {
                continue;
            }
            left -= 1;
            now
        } else {
            paces.of(operation).learn(sent_at, now, Outcome::Throttled);
            match attempts[worker].next(RetryClass::Throttled, None, rng.f64()) {
                Decision::RetryAfter(wait) => now + wait,
                Decision::GiveUp => panic!("a request used up its attempts after {:?}", result.took),
            }
        };
        waiting.push(Reverse((paces.reserve(operation, ready_at), worker)));
    }
    result
}

#[test]
fn a_service_that_allows_five_a_second_is_read_to_the_end_without_wasting_attempts() {
    for seed in 0..20 {
        let run = run(seed, Service::new(5.0, 5.0), 16, 500, None);
        assert!(run.most_attempts <= 6, "seed {seed}: {} attempts", run.most_attempts);
        assert!(run.sent < 600, "seed {seed}: {} requests for 500 answers", run.sent);
        assert!(run.took < Duration::from_secs(125), "seed {seed}: {:?} where 99 s is the least", run.took);
    }
}

#[test]
fn a_service_with_a_large_burst_is_slowed_down_to_in_time() {
    for seed in 0..20 {
        let run = run(seed, Service::new(10.0, 200.0), 32, 1000, None);
        assert!(run.most_attempts <= 6, "seed {seed}: {} attempts", run.most_attempts);
        assert!(run.sent < 1200, "seed {seed}: {} requests for 1000 answers", run.sent);
        assert!(run.took < Duration::from_secs(110), "seed {seed}: {:?} where 80 s is the least", run.took);
    }
}

#[test]
fn a_service_that_never_throttles_is_read_as_fast_as_it_answers() {
    let run = run(0, Service::new(1e9, 1e9), 10, 1000, None);
    assert_eq!((run.sent, run.took), (1000, Duration::from_secs(2)));
}

#[test]
fn the_ceiling_of_a_run_is_kept() {
    let run = run(0, Service::new(1e9, 1e9), 10, 100, Some(10));
    assert!(run.took >= Duration::from_millis(9900), "{:?}", run.took);
}

/// Asserts how long 2,000 reads of an operation took, as a share of the least time possible, and how many were throttled on the way.
fn assert_close_to_the_floor(
    operation: ReadOperation,
    service: impl Fn() -> Service,
    floor: f64,
    share: f64,
    throttled_max: usize,
) {
    for seed in 0..20 {
        let run = run_of(operation, seed, service(), 16, 2000, None);
        let took = run.took.as_secs_f64();
        assert!(took <= floor * share, "{operation}, seed {seed}: {took} s where {floor} s is the least");
        assert!(run.sent - 2000 <= throttled_max, "{operation}, seed {seed}: {} throttled answers", run.sent - 2000);
        assert!(run.most_attempts <= 7, "{operation}, seed {seed}: {} attempts", run.most_attempts);
    }
}

#[test]
fn a_published_rate_is_used_in_full_without_one_throttled_answer() {
    for (operation, rate) in [
        (ReadOperation::Search, 20.0),
        (ReadOperation::SearchListings, 16.0),
        (ReadOperation::ListProjectMemberships, 8.0),
        (ReadOperation::GetSubscription, 8.0),
    ] {
        assert_close_to_the_floor(operation, || Service::with_rate(rate), (2000.0 - rate) / rate, 1.03, 0);
    }
}

#[test]
fn a_bucket_that_somebody_else_has_just_emptied_costs_a_moment_only() {
    let emptied = || Service { tokens: 0.0, ..Service::with_rate(20.0) };
    assert_close_to_the_floor(ReadOperation::Search, emptied, 100.0, 1.06, 40);
}

#[test]
fn a_service_that_allows_half_of_what_is_published_is_read_at_that_half() {
    assert_close_to_the_floor(ReadOperation::Search, || Service::with_rate(10.0), 199.0, 1.05, 120);
    assert_close_to_the_floor(ReadOperation::ListProjects, || Service::with_rate(4.0), 499.0, 1.05, 240);
}

#[test]
fn another_client_that_takes_everything_now_and_then_does_not_hold_the_rate_down_afterwards() {
    let shared = || Service { others: Some((Duration::from_secs(20), Duration::from_secs(2))), ..Service::with_rate(20.0) };
    assert_close_to_the_floor(ReadOperation::Search, shared, 99.0 / 0.9, 1.1, 240);
}

#[test]
fn an_operation_without_a_published_rate_finds_the_one_it_is_allowed() {
    for (rate, share, throttled_max) in [(5.0, 1.05, 300), (10.0, 1.1, 200), (30.0, 1.3, 60)] {
        assert_close_to_the_floor(
            ReadOperation::GetAsset,
            || Service::with_rate(rate),
            (2000.0 - rate) / rate,
            share,
            throttled_max,
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_in_flight_than_allowed() {
    let limiter = Limiter::new(NonZeroUsize::new(2).unwrap(), None);
    let first = limiter.permit(ReadOperation::GetTables).await;
    let _second = limiter.permit(ReadOperation::GetJobs).await;
    let third = limiter.permit(ReadOperation::GetTables);
    tokio::pin!(third);
    assert!(tokio::time::timeout(Duration::from_secs(60), &mut third).await.is_err());
    limiter.finish(first, Outcome::Succeeded);
    assert!(tokio::time::timeout(Duration::from_secs(60), third).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_its_time_leaves_its_place_to_another_operation() {
    let limiter = Limiter::new(NonZeroUsize::new(1).unwrap(), None);
    let throttled = limiter.permit(ReadOperation::GetTables).await;
    tokio::time::advance(Duration::from_millis(1)).await;
    limiter.finish(throttled, Outcome::Throttled);
    let slow = limiter.permit(ReadOperation::GetTables);
    tokio::pin!(slow);
    assert!(tokio::time::timeout(Duration::from_millis(1), &mut slow).await.is_err());
    let fast = tokio::time::timeout(Duration::from_millis(1), limiter.permit(ReadOperation::GetJobs)).await;
    limiter.finish(fast.expect("the place is free"), Outcome::Succeeded);
    slow.await;
}
