//! The queue: who works on what, under which fence, and how it ends.

use std::collections::BTreeSet;

use model::Outcome;
use store::{
    Cancellation, ConnectionProfile, Fate, Heartbeat, JobEnd, Lease, RunFilter, RunRef, RunStage, RunState, RunsOn, Schedule, Slot,
    Store, StoreError, Trigger, UserId, WorkflowSpec,
};

use crate::control::{person, system};
use crate::fresh::{Fresh, begin, connection, end};
use crate::work::{spec, workflow};

const LEASE: i64 = 30_000;

pub(crate) async fn claim(store: &Store, now_ms: i64) -> Option<Lease> {
    store.claim(&RunsOn::Direct, "a worker", LEASE, now_ms).await.unwrap()
}

fn done(outcome: Outcome) -> JobEnd {
    JobEnd { outcome, failure: None }
}

async fn state(store: &Store, lease: &Lease) -> RunState {
    store.run(RunRef::Id(lease.run)).await.unwrap().state
}

pub(crate) async fn run_now_is_refused_while_a_run_of_the_workflow_is_open(fresh: Fresh) {
    let store = fresh.open().await;
    let nightly = workflow(&store, 1, "nightly").await;
    let enqueued = store.enqueue(nightly, &person(4), 10).await.unwrap();
    let refused = store.enqueue(nightly, &system(), 11).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Exists { noun: "run", id, .. } if *id == enqueued.run.0), "{refused}");
    let run = store.run(RunRef::Latest).await.unwrap();
    assert_eq!((run.state, run.attempt, run.trigger, run.workflow), (RunState::Queued, 0, Trigger::Manual, Some(nightly)));
    assert_eq!((run.requested_by, run.queued_ms, run.settings), (Some(UserId(4)), Some(10), spec("").settings));

    let lease = claim(&store, 20).await.unwrap();
    assert_eq!((lease.run, lease.job, lease.attempt, lease.fence), (enqueued.run, enqueued.job, 1, 1));
    assert_eq!(state(&store, &lease).await, RunState::Running);
    assert!(store.enqueue(nightly, &system(), 21).await.is_err());
    store.finish_job(&lease, &done(Outcome::Complete), 30).await.unwrap();
    assert_eq!(state(&store, &lease).await, RunState::Ended(Outcome::Complete));
    store.enqueue(nightly, &system(), 40).await.unwrap();
    let open = RunFilter { workflow: Some(nightly), stage: Some(RunStage::Queued), ..RunFilter::default() };
    assert_eq!(store.runs_page(&open, None, 9).await.unwrap().len(), 1);
    let before = store.runs_page(&RunFilter::default(), Some(model::RunId(2)), 9).await.unwrap();
    assert_eq!(before.len(), 1);
}

pub(crate) async fn jobs_come_oldest_first_from_their_queue_and_one_at_a_time_for_a_connection(fresh: Fresh) {
    let store = fresh.open().await;
    let (first, second) = (workflow(&store, 1, "first").await, workflow(&store, 1, "second").await);
    let other = workflow(&store, 2, "other").await;
    for workflow in [first, second, other] {
        store.enqueue(workflow, &system(), 10).await.unwrap();
    }
    let one = claim(&store, 20).await.unwrap();
    let two = claim(&store, 20).await.unwrap();
    assert_eq!((one.run.0, two.run.0), (1, 3), "the second job of the first connection waits");
    assert_eq!(claim(&store, 20).await, None);

    // A run that is tried again later comes before those behind it: what changed when is told from their numbers.
    let fate = store.retry(&one, 5000, r#"{"code":"network"}"#, 30).await.unwrap();
    assert_eq!(fate, Fate::Requeued { run_after_ms: 5000 });
    assert_eq!(claim(&store, 4999).await, None);
    let again = claim(&store, 5000).await.unwrap();
    assert_eq!((again.run, again.attempt, again.fence), (one.run, 2, 2));
    store.finish_job(&again, &done(Outcome::Partial), 5001).await.unwrap();
    assert_eq!(claim(&store, 5001).await.unwrap().run.0, 2);

    let vpc = RunsOn::Runtime("vpc".to_owned());
    let moved = ConnectionProfile {
        name: "elsewhere".to_owned(),
        region: None,
        description: None,
        runs_on: vpc.clone(),
        credential: None,
        settings: "{}".to_owned(),
    };
    store.finish_job(&two, &done(Outcome::Complete), 5002).await.unwrap();
    store.enqueue(other, &system(), 5003).await.unwrap();
    store.update_connection(two.connection, 1, &moved, &system(), 5004).await.unwrap();
    assert_eq!(claim(&store, 6000).await, None);
    assert!(store.claim(&vpc, "a runtime", LEASE, 6000).await.unwrap().is_some(), "what waited went to the other queue");
}

pub(crate) async fn a_lost_lease_is_found_out_whatever_its_holder_does(fresh: Fresh) {
    let store = fresh.open().await;
    let nightly = workflow(&store, 1, "nightly").await;
    store.enqueue(nightly, &system(), 0).await.unwrap();
    let lost = claim(&store, 0).await.unwrap();
    assert_eq!(store.heartbeat(&lost, LEASE, 1000).await.unwrap(), Heartbeat::Extended { cancel_requested: false });
    assert_eq!(store.expire(100, 31_000).await.unwrap(), [], "the heartbeat has extended the lease");
    // A clock that is behind does not shorten it.
    store.heartbeat(&lost, LEASE, -5000).await.unwrap();
    assert_eq!(store.expire(100, 31_000).await.unwrap(), []);

    let expired = store.expire(100, 31_001).await.unwrap();
    assert_eq!((expired.len(), expired[0].run, expired[0].fate), (1, lost.run, Fate::Requeued { run_after_ms: 31_101 }));
    assert_eq!(store.heartbeat(&lost, LEASE, 31_002).await.unwrap(), Heartbeat::Lost);
    let taken = claim(&store, 31_101).await.unwrap();
    assert_eq!((taken.fence, taken.attempt), (2, 2));
    for result in [
        store.finish_job(&lost, &done(Outcome::Complete), 0).await,
        store.give_back(&lost, 0).await.map(drop),
        store.retry(&lost, 0, "{}", 0).await.map(drop),
        store.save_preflight(&lost, "{}").await,
    ] {
        assert!(matches!(result, Err(StoreError::Fenced { run }) if run == lost.run));
    }
    // The second attempt and the third are lost as well.
    let fates: Vec<Fate> = store.expire(100, 90_000).await.unwrap().iter().map(|expired| expired.fate).collect();
    assert_eq!(fates, [Fate::Requeued { run_after_ms: 90_200 }]);
    claim(&store, 90_200).await.unwrap();
    assert_eq!(store.expire(100, 190_000).await.unwrap()[0].fate, Fate::Ended(Outcome::Interrupted));
    let run = store.run(RunRef::Latest).await.unwrap();
    assert_eq!((run.state, run.attempt), (RunState::Ended(Outcome::Interrupted), 3));
    assert!(run.failure.unwrap().contains("worker-lost"));
    assert_eq!(store.events(run.id, 0, 10).await.unwrap().len(), 3);
}

pub(crate) async fn what_is_given_back_does_not_count_and_what_fails_too_often_ends(fresh: Fresh) {
    let store = fresh.open().await;
    let nightly = workflow(&store, 1, "nightly").await;
    store.enqueue(nightly, &system(), 0).await.unwrap();
    for _ in 0..5 {
        let lease = claim(&store, 10).await.unwrap();
        assert_eq!(lease.attempt, 1);
        assert_eq!(store.give_back(&lease, 10).await.unwrap(), Fate::Requeued { run_after_ms: 10 });
        assert_eq!(state(&store, &lease).await, RunState::Queued);
    }
    for attempt in 1..=2 {
        let lease = claim(&store, 10).await.unwrap();
        assert_eq!(lease.attempt, attempt);
        store.retry(&lease, 10, "{}", 10).await.unwrap();
    }
    let last = claim(&store, 10).await.unwrap();
    assert_eq!(store.retry(&last, 10, r#"{"code":"x"}"#, 10).await.unwrap(), Fate::Ended(Outcome::Failed));
    assert_eq!(store.run(RunRef::Latest).await.unwrap().failure.as_deref(), Some(r#"{"code":"x"}"#));
    assert_eq!(claim(&store, 100).await, None);
}

pub(crate) async fn a_queued_run_is_cancelled_at_once_and_a_running_one_by_its_worker(fresh: Fresh) {
    let store = fresh.open().await;
    let nightly = workflow(&store, 1, "nightly").await;
    let queued = store.enqueue(nightly, &system(), 0).await.unwrap();
    assert_eq!(store.request_cancel(queued.run, &system(), 5).await.unwrap(), Cancellation::Ended);
    assert_eq!(store.request_cancel(queued.run, &system(), 5).await.unwrap(), Cancellation::AlreadyEnded);
    assert_eq!(claim(&store, 10).await, None);

    for ending in ["said", "given back", "lost"] {
        store.enqueue(nightly, &system(), 10).await.unwrap();
        let lease = claim(&store, 20).await.unwrap();
        assert_eq!(store.request_cancel(lease.run, &system(), 25).await.unwrap(), Cancellation::Requested);
        assert_eq!(store.heartbeat(&lease, LEASE, 25).await.unwrap(), Heartbeat::Extended { cancel_requested: true });
        match ending {
            "said" => store.finish_job(&lease, &done(Outcome::Cancelled), 30).await.unwrap(),
            "given back" => drop(store.give_back(&lease, 30).await.unwrap()),
            _ => drop(store.expire(0, 100_000).await.unwrap()),
        }
        assert_eq!(state(&store, &lease).await, RunState::Ended(Outcome::Cancelled), "{ending}");
        assert_eq!(claim(&store, 200_000).await, None);
    }
    let glue = connection(&store, 1).await;
    let run = begin(&store, &glue).await;
    assert!(matches!(store.request_cancel(run.run(), &system(), 0).await.unwrap_err(), StoreError::Conflict { .. }));
    assert!(matches!(store.request_cancel(model::RunId(99), &system(), 0).await.unwrap_err(), StoreError::NotFound { .. }));
    run.finish(end(vec![])).await.unwrap();
    assert_eq!(store.request_cancel(run.run(), &system(), 0).await.unwrap(), Cancellation::AlreadyEnded);
}

pub(crate) async fn a_time_of_a_schedule_starts_one_run_or_is_skipped(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let schedule = Some(Schedule { cron: "* * * * *".to_owned(), time_zone: "UTC".to_owned() });
    let minutely = WorkflowSpec { schedule, next_run_ms: Some(60), ..spec("minutely") };
    let id = store.create_workflow(glue.id, &minutely, &system(), 0).await.unwrap();
    let Slot::Started(started) = store.claim_slot(id, 60, Some(120), 61).await.unwrap() else { panic!("it was free") };
    assert_eq!(store.claim_slot(id, 60, Some(120), 61).await.unwrap(), Slot::Taken);
    assert_eq!(store.claim_slot(id, 120, Some(180), 121).await.unwrap(), Slot::Skipped(started.run));
    let events = store.events(started.run, 0, 10).await.unwrap();
    assert_eq!((events.len(), events[0].kind.as_str(), events[0].data.as_str()), (1, "slot-skipped", r#"{"slotMs":120}"#));
    let run = store.run(RunRef::Latest).await.unwrap();
    assert_eq!((run.trigger, run.id), (Trigger::Schedule, started.run));
    let lease = claim(&store, 130).await.unwrap();
    store.finish_job(&lease, &done(Outcome::Complete), 140).await.unwrap();
    // The schedule is edited so that it comes to a time once more.
    store.resume_workflow(id, Some(60), &system(), 0).await.unwrap();
    assert_eq!(store.claim_slot(id, 60, Some(180), 150).await.unwrap(), Slot::Taken);
    assert_eq!(store.workflow(id).await.unwrap().spec.next_run_ms, Some(180));
    store.pause_workflow(id, &system(), 160).await.unwrap();
    assert_eq!(store.claim_slot(id, 180, None, 181).await.unwrap(), Slot::Taken);
    store.resume_workflow(id, Some(180), &system(), 0).await.unwrap();
    assert!(matches!(store.claim_slot(id, 180, None, 181).await.unwrap(), Slot::Started(_)));
}

pub(crate) async fn many_workers_and_schedulers_at_once_get_distinct_leases(fresh: Fresh) {
    const JOBS: usize = 200;
    const TASKS: usize = 16;
    let stores = [fresh.open().await, fresh.open().await];
    for number in 0..JOBS {
        let glue = connection(&stores[0], number as u64 + 1).await;
        let schedule = Some(Schedule { cron: "* * * * *".to_owned(), time_zone: "UTC".to_owned() });
        let due = WorkflowSpec { schedule, next_run_ms: Some(60), ..spec(&format!("w{number}")) };
        stores[0].create_workflow(glue.id, &due, &system(), 0).await.unwrap();
    }
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let store = stores[task % 2].clone();
        tasks.spawn(async move {
            let mut started = 0;
            for due in store.due(JOBS, 61).await.unwrap() {
                started += usize::from(matches!(store.claim_slot(due.id, 60, Some(120), 61).await.unwrap(), Slot::Started(_)));
            }
            let mut leases = Vec::new();
            while let Some(lease) = claim(&store, 70).await {
                leases.push(lease);
            }
            (started, leases)
        });
    }
    let all = tasks.join_all().await;
    assert_eq!(all.iter().map(|(started, _)| started).sum::<usize>(), JOBS);
    let mut leases: Vec<&Lease> = all.iter().flat_map(|(_, leases)| leases).collect();
    // Who came too early found nothing; the rest is claimed now.
    let mut late = Vec::new();
    while let Some(lease) = claim(&stores[1], 70).await {
        late.push(lease);
    }
    leases.extend(&late);
    let jobs: BTreeSet<i64> = leases.iter().map(|lease| lease.job.0).collect();
    assert_eq!((leases.len(), jobs.len()), (JOBS, JOBS));
}
