//! The end of connections, and of what grows with time.

use model::Outcome;
use model::document::AssetStatus;
use store::{ChangeKind, ConnectionId, EnrichmentText, JobEnd, NewEvent, RunRef, RunState, SearchQuery, Store, StoreError};

use crate::control::{person, system};
use crate::fresh::{Fresh, asset, batch, begin, connection, crawl, end, export_all, exported_lines, located, name, table};
use crate::leases::claim;
use crate::work::workflow;

fn assets() -> model::AssetBatch {
    let tables = (0..30).map(|number| located(table(&format!("c/s/t{number:02}"), &["a"]), &format!("s3://b/{number}")));
    batch("s", [asset(model::Kind::Schema, "c/s")].into_iter().chain(tables))
}

async fn statuses(store: &Store) -> Vec<AssetStatus> {
    let mut all: Vec<AssetStatus> = export_all(store).await.iter().map(|stored| stored.status).collect();
    all.dedup();
    all
}

pub(crate) async fn an_archived_connection_keeps_everything_until_it_is_crawled_again(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, assets()).await;
    let nightly = workflow(&store, 1, "nightly").await;
    let queued = store.enqueue(nightly, &system(), 0).await.unwrap();
    let archived = store.archive_connection(glue.id, &person(1), 9000).await.unwrap();
    // The schema; thirty tables, each with a column, its location and the process between the two.
    assert_eq!(archived.archived, 1 + 30 * 4);
    assert_eq!(statuses(&store).await, [AssetStatus::Archived]);
    let stored = store.managed_connection(glue.id).await.unwrap();
    assert_eq!((stored.archived_ms, store.workflow(nightly).await.unwrap().paused_ms), (Some(9000), Some(9000)));
    assert_eq!(store.run(RunRef::Id(queued.run)).await.unwrap().state, RunState::Ended(Outcome::Cancelled));
    let run = store.run(RunRef::Latest).await.unwrap();
    assert_eq!((run.id, run.state, run.changes.archived), (archived.run, RunState::Ended(Outcome::Complete), 121));
    let again = store.archive_connection(glue.id, &system(), 9001).await.unwrap();
    assert_eq!(again.archived, 0);

    let finished = crawl(&store, &glue, assets()).await;
    assert_eq!((finished.changes.restored, finished.changes.created), (121, 0));
    assert_eq!(store.managed_connection(glue.id).await.unwrap().archived_ms, None);
    let history = store.history(&name("c/s/t00")).await.unwrap();
    let changes: Vec<ChangeKind> = history.iter().map(|event| event.change).collect();
    assert_eq!(changes, [ChangeKind::Restored, ChangeKind::Archived, ChangeKind::Created]);
}

pub(crate) async fn a_connection_that_is_crawled_is_neither_archived_nor_purged(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let by_hand = begin(&store, &glue).await;
    assert!(matches!(store.purge_connection(glue.id, &system(), 0).await.unwrap_err(), StoreError::Busy { .. }));
    by_hand.finish(end(vec![])).await.unwrap();
    drop(by_hand);
    let nightly = workflow(&store, 1, "nightly").await;
    store.enqueue(nightly, &system(), 0).await.unwrap();
    let lease = claim(&store, 1).await.unwrap();
    for refused in
        [store.purge_connection(glue.id, &system(), 0).await.err(), store.archive_connection(glue.id, &system(), 0).await.err()]
    {
        assert!(matches!(refused, Some(StoreError::Busy { run: Some(run), .. }) if run == lease.run), "{refused:?}");
    }
    assert_eq!(store.managed_connection(glue.id).await.unwrap().archived_ms, None, "a refusal changes nothing");
    let none = ConnectionId(99);
    assert!(matches!(store.archive_connection(none, &system(), 0).await.unwrap_err(), StoreError::NotFound { .. }));
}

pub(crate) async fn a_purged_connection_leaves_nothing_and_others_alone(fresh: Fresh) {
    let store = fresh.open().await;
    let (glue, other) = (connection(&store, 1).await, connection(&store, 2).await);
    crawl(&store, &other, batch("s", [located(table("../2/c/s/kept", &["a"]), "s3://b/1")])).await;
    crawl(&store, &glue, assets()).await;
    crawl(&store, &glue, batch("s", [table("c/s/t00", &["b"])])).await;
    let known = store.asset(&name("c/s/t01")).await.unwrap().unwrap().stored().known.unwrap();
    let text = EnrichmentText { tags: vec!["gold".to_owned()], ..EnrichmentText::default() };
    store.set_enrichment(known, "", 0, &text, &system(), 0).await.unwrap();
    let nightly = workflow(&store, 1, "nightly").await;
    let queued = store.enqueue(nightly, &system(), 0).await.unwrap();
    store.append_events(queued.run, &[NewEvent { kind: "x".to_owned(), data: "{}".to_owned() }], 0).await.unwrap();

    assert_eq!(store.purge_connection(glue.id, &system(), 5).await.unwrap(), 31);
    assert!(matches!(store.purge_connection(glue.id, &system(), 6).await.unwrap_err(), StoreError::NotFound { .. }));
    assert_eq!(export_all(&store).await.len(), 1);
    assert_eq!(exported_lines(&store, &other).await.len(), 4, "the table, its column, its location and the process");
    assert_eq!(store.enrichment(known).await.unwrap(), []);
    assert!(store.run(RunRef::Id(queued.run)).await.is_err() && store.workflow(nightly).await.is_err());
    assert_eq!(store.events(queued.run, 0, 9).await.unwrap(), []);
    let query = SearchQuery { text: "gold".to_owned(), limit: 9, ..SearchQuery::default() };
    assert_eq!(store.search(&query).await.unwrap().hits, []);
    assert_eq!(claim(&store, 1_000_000).await, None);
    // The same account once more, from nothing.
    let glue = connection(&store, 1).await;
    let finished = crawl(&store, &glue, assets()).await;
    assert_eq!((finished.changes.created, finished.changes.restored), (121, 0));
    let fresh_asset = store.asset(&name("c/s/t01")).await.unwrap().unwrap().stored().known.unwrap();
    assert_eq!(store.enrichment(fresh_asset).await.unwrap(), []);
}

pub(crate) async fn events_are_numbered_paged_and_the_newest_kept(fresh: Fresh) {
    let store = fresh.open().await;
    let nightly = workflow(&store, 1, "nightly").await;
    let run = store.enqueue(nightly, &system(), 0).await.unwrap().run;
    let events = |count: usize| vec![NewEvent { kind: "page".to_owned(), data: "{}".to_owned() }; count];
    assert_eq!(store.append_events(run, &events(3), 1).await.unwrap(), 3);
    assert_eq!(store.append_events(run, &events(2010), 2).await.unwrap(), 2013);
    let kept = store.events(run, 0, 5000).await.unwrap();
    assert_eq!((kept.len(), kept[0].sequence, kept[1999].sequence), (2000, 14, 2013));
    let page = store.events(run, 2011, 1).await.unwrap();
    assert_eq!((page.len(), page[0].sequence, page[0].at_ms), (1, 2012, 2));
    assert!(store.append_events(model::RunId(99), &events(1), 0).await.is_err());

    assert_eq!(store.prune_events(100, 10).await.unwrap(), 0, "a run that has not ended keeps them");
    store.request_cancel(run, &system(), 50).await.unwrap();
    assert_eq!(store.prune_events(51, 10).await.unwrap(), 1);
    assert_eq!(store.events(run, 0, 10).await.unwrap(), []);
    assert_eq!(store.append_events(run, &events(1), 60).await.unwrap(), 2014, "no number is given twice");
}

pub(crate) async fn old_runs_go_and_the_times_of_what_they_changed_stay(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    for columns in [&["a"][..], &["a"], &["a", "b"], &["a", "b"]] {
        crawl(&store, &glue, batch("s", [table("c/s/t", columns)])).await;
    }
    begin(&store, &glue).await.fail(2_000_000).await.unwrap();
    begin(&store, &glue).await.fail(2_000_000).await.unwrap();
    let before = store.history(&name("c/s/t")).await.unwrap();
    assert_eq!(store.prune_runs(2_000_000, 10).await.unwrap(), 0);
    assert_eq!(store.prune_runs(2_000_001, 1).await.unwrap(), 1);
    assert_eq!(store.prune_runs(2_000_001, 10).await.unwrap(), 3);
    assert_eq!(store.prune_runs(2_000_001, 10).await.unwrap(), 0);
    let left: Vec<i64> = store.runs(10).await.unwrap().iter().map(|run| run.id.0).collect();
    assert_eq!(left, [6, 4], "the last one, and the last good one");
    assert_eq!(store.history(&name("c/s/t")).await.unwrap(), before);
    assert_eq!(store.asset(&name("c/s/t")).await.unwrap().unwrap().stored().first_seen_ms, 1_500_000);
    assert!(store.run(RunRef::Id(model::RunId(2))).await.is_err(), "it had changed nothing");

    let nightly = workflow(&store, 1, "nightly").await;
    store.enqueue(nightly, &system(), 0).await.unwrap();
    let lease = claim(&store, 1).await.unwrap();
    assert_eq!(store.prune_jobs(1000, 10).await.unwrap(), 0);
    store.finish_job(&lease, &JobEnd { outcome: Outcome::Failed, failure: None }, 10).await.unwrap();
    assert_eq!((store.prune_jobs(10, 10).await.unwrap(), store.prune_jobs(11, 10).await.unwrap()), (0, 1));
}
