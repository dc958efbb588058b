//! Crawls under a lease: fenced writes, and runs that are tried again.

use model::{ChangeCounts, Outcome, RunId};
use store::{FinishedRun, JobEnd, Lease, RemovalPolicy, RunEnd, RunRef, RunState, Store, StoreError};

use crate::control::{person, system};
use crate::fresh::{
    Fresh, batch, begin, complete, connection, crawl, end, export_all, exported_lines, hashed, located, name, table,
};
use crate::leases::claim;
use crate::work::workflow;

async fn lease(store: &Store, name: &str, now_ms: i64) -> Lease {
    let id = match store.workflows(None, None, 50).await.unwrap().iter().find(|workflow| workflow.spec.name == name) {
        Some(workflow) => workflow.id,
        None => workflow(store, 1, name).await,
    };
    store.enqueue(id, &system(), now_ms).await.unwrap();
    claim(store, now_ms).await.unwrap()
}

pub(crate) async fn a_run_that_was_taken_over_writes_nothing_any_more(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let lost = lease(&store, "w", 0).await;
    let zombie = store.begin_run_of(&glue, &lost, 0).await.unwrap();
    zombie.apply(batch("s", [table("c/s/kept", &[])])).await.unwrap();
    zombie.flush().await.unwrap();
    store.expire(0, 60_000).await.unwrap();
    // Not leased any more is enough: nobody else has to have it yet.
    zombie.apply(batch("s", [table("c/s/late", &[])])).await.unwrap();
    assert!(matches!(zombie.flush().await.unwrap_err(), StoreError::Fenced { run } if run == lost.run));

    let other_program = fresh.open().await;
    let taken = claim(&other_program, 60_000).await.unwrap();
    let run = other_program.begin_run_of(&glue, &taken, 60_000).await.unwrap();
    assert_eq!((run.run(), run.is_empty()), (lost.run, false));
    run.apply(batch("s", [table("c/s/new", &[])])).await.unwrap();
    zombie.apply(batch("s", [table("c/s/late", &[])])).await.unwrap();
    assert!(matches!(zombie.flush().await.unwrap_err(), StoreError::Fenced { .. }));
    assert!(matches!(zombie.finish(end(vec![])).await.unwrap_err(), StoreError::Fenced { .. }));
    assert!(matches!(zombie.fail(0).await.unwrap_err(), StoreError::Fenced { .. }));
    assert!(matches!(store.begin_run_of(&glue, &lost, 0).await.unwrap_err(), StoreError::Fenced { .. }));
    run.finish(end(vec![])).await.unwrap();
    assert!(store.asset(&name("c/s/late")).await.unwrap().is_none());
    assert_eq!(export_all(&store).await.len(), 2);
    let summary = store.run(RunRef::Latest).await.unwrap();
    assert_eq!((summary.id, summary.state, summary.attempt), (lost.run, RunState::Ended(Outcome::Complete), 2));
    assert_eq!(claim(&store, 900_000).await, None, "the end of the run is the end of its job");
    store.finish_job(&taken, &JobEnd { outcome: Outcome::Failed, failure: Some("{}".to_owned()) }, 0).await.unwrap();
    let summary = store.run(RunRef::Latest).await.unwrap();
    assert_eq!((summary.state, summary.failure.as_deref()), (RunState::Ended(Outcome::Complete), Some("{}")));
}

/// Two tables as they stay, one with a location, one that changes with the attempt.
fn delivered(attempt: usize) -> model::AssetBatch {
    let columns: &[&str] = if attempt == 1 { &["a"] } else { &["a", "b", "c"] };
    let mut batch = batch("s", [table("c/s/same", &["a", "b"]), located(table("c/s/at", &["a"]), "s3://b/at")]);
    batch.items.push(hashed(table("c/s/hashed", &["a"]), 7));
    batch.items.push(table("c/s/changed", columns).into());
    batch
}

pub(crate) async fn a_later_attempt_counts_what_an_earlier_one_created_as_created(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, batch("s", [table("c/s/old", &["a"])])).await;
    let first = lease(&store, "w", 0).await;
    let run = store.begin_run_of(&glue, &first, 0).await.unwrap();
    run.apply(delivered(1)).await.unwrap();
    run.flush().await.unwrap();
    drop(run);
    store.retry(&first, 10, "{}", 5).await.unwrap();

    let second = claim(&store, 10).await.unwrap();
    let run = store.begin_run_of(&glue, &second, 10).await.unwrap();
    let known = run.unchanged(vec![(name("c/s/hashed"), model::SourceHash(7))]).await.unwrap();
    run.apply(crate::fresh::unchanged("s", known.into_iter().flatten())).await.unwrap();
    let mut again = delivered(2);
    again.items.retain(|item| item.asset.name != "hashed");
    run.apply(again).await.unwrap();
    run.apply(batch("s", [table("c/s/old", &["a"]), table("c/s/late", &[])])).await.unwrap();
    let finished: FinishedRun = run.finish(end(vec![])).await.unwrap();
    // same 3, at 2 + process + object, hashed 2, changed 4, late 1; old 2.
    assert_eq!(finished.changes, ChangeCounts { created: 14, unchanged: 2, ..ChangeCounts::default() });
    assert_eq!(exported_lines(&store, &glue).await.len(), 16);
    assert_eq!(finished.counts.values().sum::<u64>(), 16);
    let diff = store.diff(RunId(1), finished.run, 10).await.unwrap();
    assert_eq!(diff.changed.len(), 5, "those of the first attempt are among them");
}

pub(crate) async fn command_lines_and_leases_keep_out_of_each_others_way(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let by_hand = begin(&store, &glue).await;
    let lease = lease(&store, "w", 0).await;
    let refused = store.begin_run_of(&glue, &lease, 0).await.unwrap_err();
    assert!(matches!(refused, StoreError::Busy { .. }), "{refused}");
    // The command line's program is killed; its run is noticed by whoever comes next.
    drop(by_hand);
    let refused = store.begin_run(&glue, "{}", 0).await.unwrap_err();
    assert!(matches!(refused, StoreError::Busy { run: Some(run), .. } if run == lease.run), "{refused}");
    let run = store.begin_run_of(&glue, &lease, 7).await.unwrap();
    assert_eq!(store.run(RunRef::Id(RunId(1))).await.unwrap().state, RunState::Ended(Outcome::Interrupted));
    assert!(matches!(store.begin_run(&glue, "{}", 0).await.unwrap_err(), StoreError::Busy { .. }));
    run.cancel(8).await.unwrap();
    assert_eq!(store.run(RunRef::Id(lease.run)).await.unwrap().state, RunState::Ended(Outcome::Cancelled));

    // What waits is not taken for something that was killed.
    let workflow = store.workflows(None, None, 1).await.unwrap()[0].id;
    let queued = store.enqueue(workflow, &system(), 9).await.unwrap();
    begin(&store, &glue).await.finish(end(vec![])).await.unwrap();
    assert_eq!(store.run(RunRef::Id(queued.run)).await.unwrap().state, RunState::Queued);
}

pub(crate) async fn removals_are_confirmed_for_the_last_run_only_and_then_archived(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let tables = |count: usize| (0..count).map(|number| table(&format!("c/s/t{number}"), &[])).collect::<Vec<_>>();
    crawl(&store, &glue, batch("s", tables(10))).await;
    let crawl_under = async |lease: &Lease| {
        let run = store.begin_run_of(&glue, lease, 0).await.unwrap();
        run.apply(batch("s", tables(5))).await.unwrap();
        let missing = run.missing(&complete(&["s"]), 10).await.unwrap();
        let gone = missing.into_iter().map(|missing| missing.known).collect();
        let removal = store.run(RunRef::Id(lease.run)).await.unwrap().removal;
        run.finish(RunEnd { removal, ..end(gone) }).await.unwrap()
    };
    let guarded = crawl_under(&lease(&store, "w", 0).await).await;
    assert_eq!((guarded.changes.protected, guarded.changes.archived), (5, 0));
    assert!(matches!(store.confirm_removals(RunId(1), &system(), 0).await.unwrap_err(), StoreError::Conflict { .. }));

    let confirmed = store.confirm_removals(guarded.run, &person(2), 5).await.unwrap();
    assert!(matches!(store.confirm_removals(guarded.run, &system(), 6).await.unwrap_err(), StoreError::Exists { .. }));
    assert_eq!(store.run(RunRef::Id(confirmed.run)).await.unwrap().removal, RemovalPolicy::Confirmed);
    let finished = crawl_under(&claim(&store, 10).await.unwrap()).await;
    assert_eq!((finished.changes.protected, finished.changes.archived), (0, 5));
    for run in [guarded.run, finished.run] {
        assert!(matches!(store.confirm_removals(run, &system(), 20).await.unwrap_err(), StoreError::Conflict { .. }));
    }
}
