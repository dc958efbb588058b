//! Runtimes: how they become known, sign in, are asked and are revoked.

use store::{
    AuditFilter, ConnectionProfile, Enrolment, Fate, Lease, NewEnrolment, PageRequest, RunsOn, Runtime, RuntimeId, RuntimeNews,
    RuntimeSignIn, RuntimeState, Standing, Store, StoreError, TaskState,
};

use crate::control::{MINUTE, NOW, audit_log, hash, person, system};
use crate::fresh::{Fresh, connection};
use crate::work::workflow;

pub(crate) const LEASE: i64 = 60_000;

pub(crate) fn queue() -> RunsOn {
    RunsOn::Runtime("vpc".to_owned())
}

fn enrolment(token: u8, key: u8) -> Enrolment {
    Enrolment { hash: hash(token), name: "vpc".to_owned(), public_key: [key; 32], version: "0.1.0".to_owned() }
}

pub(crate) async fn runtime(store: &Store, number: u8) -> Runtime {
    let new = NewEnrolment { hash: hash(number), name: None, expires_ms: NOW + MINUTE };
    store.create_enrolment(&new, &person(1), NOW).await.unwrap();
    store.enrol(&enrolment(number, number), &system(), NOW).await.unwrap()
}

/// A run of a connection that is crawled by a runtime, leased to one.
pub(crate) async fn leased(store: &Store, runtime: &Runtime) -> Lease {
    let nightly = workflow(store, 1, "nightly").await;
    let glue = connection(store, 1).await;
    let profile = ConnectionProfile {
        name: glue.name.clone(),
        region: None,
        description: None,
        runs_on: queue(),
        credential: None,
        settings: "{}".to_owned(),
    };
    store.update_connection(glue.id, 1, &profile, &system(), NOW).await.unwrap();
    store.enqueue(nightly, &person(1), NOW).await.unwrap();
    store.claim(&queue(), &runtime.id.holder(), LEASE, NOW).await.unwrap().unwrap()
}

pub(crate) async fn an_enrolment_token_works_once_in_its_time_for_its_name_and_for_a_repeated_request(fresh: Fresh) {
    let store = fresh.open().await;
    let new = NewEnrolment { hash: hash(1), name: Some("vpc".to_owned()), expires_ms: NOW + MINUTE };
    store.create_enrolment(&new, &person(1), NOW).await.unwrap();
    let elsewhere = Enrolment { name: "other".to_owned(), ..enrolment(1, 1) };
    for (refused, at_ms) in [(enrolment(2, 1), NOW), (elsewhere, NOW), (enrolment(1, 1), NOW + MINUTE)] {
        let error = store.enrol(&refused, &system(), at_ms).await.unwrap_err();
        assert!(matches!(&error, StoreError::NotFound { .. }), "{error}");
    }
    let runtime = store.enrol(&enrolment(1, 1), &system(), NOW).await.unwrap();
    assert_eq!(store.enrol(&enrolment(1, 1), &system(), NOW + 1).await.unwrap().id, runtime.id, "the answer was lost");
    let error = store.enrol(&enrolment(1, 2), &system(), NOW + 1).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    store.create_enrolment(&NewEnrolment { hash: hash(3), name: None, ..new }, &person(1), NOW).await.unwrap();
    let error = store.enrol(&enrolment(3, 1), &system(), NOW + 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "one key, two runtimes: {error}");
    let second = store.enrol(&enrolment(3, 3), &system(), NOW + 1).await.unwrap();
    assert_eq!((second.name.as_str(), store.runtimes_named("vpc").await.unwrap().len()), ("vpc", 2), "two share a queue");
    let log = audit_log(&store, &AuditFilter::default()).await;
    let enrolled: Vec<_> = log.iter().filter(|entry| entry.action == "runtime.enroll").collect();
    assert_eq!(enrolled.len(), 2, "{log:?}");
}

pub(crate) async fn an_assertion_is_good_once_and_a_revoked_runtime_has_no_token(fresh: Fresh) {
    let store = fresh.open().await;
    let runtime = runtime(&store, 1).await;
    let key = store.runtime_key(runtime.id).await.unwrap().unwrap();
    assert_eq!((key.public_key, store.runtime_key(RuntimeId(9)).await.unwrap()), ([1; 32], None));
    let sign_in = RuntimeSignIn {
        runtime: runtime.id,
        jti: "a".to_owned(),
        jti_expires_ms: NOW + MINUTE,
        token: hash(7),
        token_expires_ms: NOW + 15 * MINUTE,
    };
    assert!(store.sign_in_runtime(&sign_in, NOW).await.unwrap());
    assert!(!store.sign_in_runtime(&RuntimeSignIn { token: hash(8), ..sign_in.clone() }, NOW).await.unwrap(), "shown again");
    assert_eq!(store.runtime_of_token(&hash(8), NOW).await.unwrap(), None);
    assert_eq!(store.runtime_of_token(&hash(7), NOW).await.unwrap().unwrap().id, runtime.id);
    assert_eq!(store.runtime_of_token(&hash(7), NOW + 15 * MINUTE).await.unwrap(), None, "too old");

    let revoked = store.revoke_runtime(runtime.id, &person(1), NOW + 1).await.unwrap();
    assert_eq!(revoked.state(NOW + 1), RuntimeState::Revoked);
    assert_eq!(store.runtime_of_token(&hash(7), NOW + 1).await.unwrap(), None);
    let next = RuntimeSignIn { jti: "b".to_owned(), token: hash(9), ..sign_in };
    assert!(!store.sign_in_runtime(&next, NOW + 1).await.unwrap());
    assert!(store.enrol(&enrolment(1, 1), &system(), NOW + 1).await.is_err(), "its token brings it not back");
    assert!(store.runtimes_named("vpc").await.unwrap().is_empty());
    assert_eq!(store.revoke_runtime(runtime.id, &person(1), NOW + 2).await.unwrap().revoked_ms, Some(NOW + 1));
}

pub(crate) async fn revoking_a_runtime_takes_its_run_away_at_once(fresh: Fresh) {
    let store = fresh.open().await;
    let runtime = runtime(&store, 1).await;
    let lease = leased(&store, &runtime).await;
    store.revoke_runtime(runtime.id, &person(1), NOW + 1).await.unwrap();
    let error = store.lease_of_runtime(lease.job.0, lease.fence, runtime.id).await.unwrap_err();
    assert!(matches!(error, StoreError::Fenced { .. }), "{error}");
    assert!(store.regain_lease(&lease, LEASE, NOW + 1).await.is_err());
    let expired = store.expire(100, NOW + 1).await.unwrap();
    assert!(matches!(expired[0].fate, Fate::Requeued { .. }), "{expired:?}");
    assert!(store.regain_lease(&lease, LEASE, NOW + 2).await.is_err());
    assert!(store.claim(&queue(), "another", LEASE, NOW + 1000).await.unwrap().is_some());
}

pub(crate) async fn a_runtime_that_was_out_of_reach_takes_its_run_back_unless_another_has_it(fresh: Fresh) {
    let store = fresh.open().await;
    let runtime = runtime(&store, 1).await;
    let lease = leased(&store, &runtime).await;
    let hour = 60 * MINUTE;
    assert_eq!(store.expire_direct(100, NOW + hour).await.unwrap(), [], "nobody listened: it is waited for");
    assert_eq!(store.expire(100, NOW + hour).await.unwrap().len(), 1);
    let (found, standing) = store.lease_of_runtime(lease.job.0, lease.fence, runtime.id).await.unwrap();
    assert_eq!((found.run, found.attempt, standing), (lease.run, 1, Standing::Queued));
    assert!(store.lease_of_runtime(lease.job.0, lease.fence, RuntimeId(77)).await.is_err(), "it is not theirs");
    store.regain_lease(&lease, LEASE, NOW + hour).await.unwrap();
    let (_, standing) = store.lease_of_runtime(lease.job.0, lease.fence, runtime.id).await.unwrap();
    assert_eq!(standing, Standing::Leased);
    assert_eq!(store.claim(&queue(), "another", LEASE, NOW + hour + 1000).await.unwrap(), None);

    store.expire(100, NOW + 2 * hour).await.unwrap();
    let taken = store.claim(&queue(), "another", LEASE, NOW + 2 * hour + 1000).await.unwrap().unwrap();
    assert_eq!(taken.run, lease.run);
    assert!(matches!(store.regain_lease(&lease, LEASE, NOW + 2 * hour).await, Err(StoreError::Fenced { .. })));
    // What was given back of its own accord is nobody's.
    store.give_back(&taken, NOW + 2 * hour).await.unwrap();
    assert!(matches!(store.regain_lease(&taken, LEASE, NOW + 2 * hour).await, Err(StoreError::Fenced { .. })));
}

pub(crate) async fn what_a_runtime_says_of_itself_is_kept_and_silence_is_seen(fresh: Fresh) {
    let store = fresh.open().await;
    let new = runtime(&store, 1).await;
    let news = RuntimeNews { version: "0.2.0".to_owned(), capacity: 3, is_draining: true };
    store.runtime_seen(&new, Some(&news), NOW + 1).await.unwrap();
    let seen = store.runtime(new.id).await.unwrap();
    assert_eq!((seen.version.as_deref(), seen.capacity, seen.is_draining), (Some("0.2.0"), Some(3), true));
    store.runtime_seen(&seen, None, NOW + 100).await.unwrap();
    assert_eq!(store.runtime(new.id).await.unwrap().last_seen_ms, Some(NOW + 1), "that often it is not written down");
    store.runtime_seen(&seen, None, NOW + MINUTE).await.unwrap();
    let seen = store.runtime(new.id).await.unwrap();
    assert_eq!((seen.last_seen_ms, seen.capacity), (Some(NOW + MINUTE), Some(3)));
    let states = [0, 2, 20].map(|minutes| seen.state(NOW + MINUTE + minutes * MINUTE));
    assert_eq!(states, [RuntimeState::Online, RuntimeState::Stale, RuntimeState::Offline]);
    runtime(&store, 2).await;
    let first = store.runtimes(PageRequest::first(1)).await.unwrap();
    let rest = store.runtimes(PageRequest { after: first.next, limit: 1 }).await.unwrap();
    assert_eq!((first.items[0].id, rest.items.len(), rest.next), (new.id, 1, None));
    assert!(matches!(store.runtime(RuntimeId(99)).await, Err(StoreError::NotFound { .. })));
}

pub(crate) async fn a_question_is_taken_once_and_answered_by_who_took_it(fresh: Fresh) {
    let store = fresh.open().await;
    let (one, two) = (runtime(&store, 1).await, runtime(&store, 2).await);
    let id = store.ask_runtime(&queue(), r#"{"a":1}"#, NOW + MINUTE, NOW).await.unwrap();
    assert_eq!(store.task_state(id).await.unwrap(), TaskState::Waiting);
    assert_eq!(store.take_task(&RunsOn::Runtime("other".to_owned()), one.id, NOW).await.unwrap(), None);
    let task = store.take_task(&queue(), one.id, NOW).await.unwrap().unwrap();
    assert_eq!((task.id, task.task.as_str(), task.deadline_ms), (id, r#"{"a":1}"#, NOW + MINUTE));
    assert_eq!(store.take_task(&queue(), two.id, NOW).await.unwrap(), None);
    assert_eq!(store.task_state(id).await.unwrap(), TaskState::Taken);
    assert!(store.answer_task(id, two.id, "{}").await.is_err(), "it was not asked");
    store.answer_task(id, one.id, "[1]").await.unwrap();
    store.answer_task(id, one.id, "[2]").await.unwrap();
    assert_eq!(store.task_state(id).await.unwrap(), TaskState::Answered("[1]".to_owned()));
    store.drop_task(id).await.unwrap();
    assert!(store.task_state(id).await.is_err());
    store.ask_runtime(&queue(), "{}", NOW + 10, NOW).await.unwrap();
    assert_eq!(store.take_task(&queue(), one.id, NOW + 10).await.unwrap(), None, "nobody waits any more");
}
