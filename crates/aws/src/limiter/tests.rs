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
}

impl Service {
    fn new(per_second: f64, burst: f64) -> Self {
        Self { per_second, burst, tokens: burst, at: Duration::ZERO }
    }

    fn allows(&mut self, now: Duration) -> bool {
        self.tokens = (self.tokens + self.per_second * (now - self.at).as_secs_f64()).min(self.burst);
        self.at = now;
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
        }
        allowed
    }
}

struct Run {
    took: Duration,
    sent: usize,
    most_attempts: u32,
}

/// `requests` requests by `workers` workers against a service, each retried as the client does; answers take 20 ms.
fn run(seed: u64, mut service: Service, workers: usize, requests: usize, ceiling: Option<u32>) -> Run {
    let mut paces = Paces { ceiling: ceiling.and_then(NonZeroU32::new).map(Ceiling::new), by_operation: BTreeMap::new() };
    let operation = ReadOperation::GetTables;
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
        let pace = paces.by_operation.entry(operation).or_default();
        let ready_at = if service.allows(sent_at) {
            pace.succeeded(now);
            result.most_attempts = result.most_attempts.max(attempts[worker].made() + 1);
            attempts[worker] = Attempts::default();
            if left == 0 {
                continue;
            }
            left -= 1;
            now
        } else {
            pace.throttled(sent_at, now);
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
