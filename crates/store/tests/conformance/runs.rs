//! Runs beside and after one another.

use model::document::report::Report;
use model::{Kind, Outcome, RunId};
use store::{RunRef, RunState, Store, StoreError};

use crate::fresh::{Fresh, asset, batch, begin, connection, crawl, end, export_all, name, table};

pub(crate) async fn a_second_crawl_of_a_connection_is_refused_while_one_runs(fresh: Fresh) {
    let store = fresh.open().await;
    let other_program = Store::open(&fresh.url()).await.unwrap();
    let glue = connection(&store, 1).await;
    let run = begin(&store, &glue).await;
    let error = other_program.begin_run(&glue, "{}", 0).await.unwrap_err();
    assert!(matches!(error, StoreError::Busy { run: Some(busy), since_ms: Some(1_500_000) } if busy == run.run()), "{error}");
    run.finish(end(vec![])).await.unwrap();
    drop(run);
    begin(&other_program, &glue).await;
}

pub(crate) async fn a_run_that_was_killed_is_marked_by_the_next(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let run = begin(&store, &glue).await;
    run.apply(batch("s", [table("c/s/kept", &[])])).await.unwrap();
    run.flush().await.unwrap();
    run.apply(batch("s", [table("c/s/lost", &[])])).await.unwrap();
    // As far as the catalog can tell, this is a kill: what is held lets go, nothing is said.
    drop(run);
    drop(store);
    let store = fresh.open().await;
    assert_eq!(store.run(RunRef::Latest).await.unwrap().state, RunState::Running);
    let next = begin(&store, &glue).await;
    let killed = store.run(RunRef::Id(RunId(1))).await.unwrap();
    assert_eq!((killed.state, killed.finished_ms), (RunState::Ended(Outcome::Interrupted), Some(1_500_000)));
    assert!(store.asset(&name("c/s/kept")).await.unwrap().is_some());
    assert!(store.asset(&name("c/s/lost")).await.unwrap().is_none());
    assert!(!next.is_empty());
}

pub(crate) async fn two_connections_are_crawled_at_once_by_two_programs(fresh: Fresh) {
    let store = fresh.open().await;
    let other_program = Store::open(&fresh.url()).await.unwrap();
    let (one, two) = (connection(&store, 1).await, connection(&store, 2).await);
    let many = |path: &'static str| async move {
        (0..30)
            .map(|page| batch("s", (0..100).map(|number| table(&format!("{path}/t{page}_{number}"), &["a"]))))
            .collect::<Vec<_>>()
    };
    let (first, second) = (begin(&store, &one).await, begin(&other_program, &two).await);
    let (pages_one, pages_two) = (many("c/one").await, many("c/two").await);
    let write = async |run: &store::RunWriter, pages: Vec<model::AssetBatch>| {
        for page in pages {
            run.apply(page).await.unwrap();
        }
        run.finish(end(vec![])).await.unwrap()
    };
    let (first, second) = tokio::join!(write(&first, pages_one), write(&second, pages_two));
    assert_eq!((first.changes.created, second.changes.created), (6000, 6000));
    assert_eq!(export_all(&store).await.len(), 6000);
}

pub(crate) async fn a_caller_that_gives_up_in_the_middle_leaves_whole_batches_or_nothing(fresh: Fresh) {
    const TABLES: usize = 20;
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let mut kept = 0;
    // Gives up after more and more steps of a write, until one is through.
    let more = |steps: &usize| Some(steps + 1 + steps / 16);
    for steps in std::iter::successors(Some(0), more).take(400) {
        let run = begin(&store, &glue).await;
        run.apply(batch("s", (0..TABLES).map(|number| table(&format!("c/s/t{steps}_{number}"), &["a"])))).await.unwrap();
        let through = tokio::select! {
            biased;
            flushed = run.flush() => { flushed.unwrap(); true }
            () = some_steps(steps) => false,
        };
        let after = run.finish(end(vec![])).await;
        kept += if after.is_ok() && through { TABLES } else { 0 };
        drop(run);
        let stored = export_all(&store).await.len();
        assert!(stored == kept || (!through && stored == kept + TABLES), "{stored} tables after {steps} steps");
        kept = stored;
        if through {
            return;
        }
    }
    panic!("no write came through");
}

async fn some_steps(steps: usize) {
    // Steps of a database in another process take time.
    for step in 0..steps {
        if step % 8 == 7 {
            tokio::time::sleep(std::time::Duration::from_micros(100)).await;
        } else {
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) async fn a_report_is_kept_with_its_run(fresh: Fresh) {
    let store = fresh.open().await;
    assert!(matches!(store.run(RunRef::Latest).await.unwrap_err(), StoreError::NotFound { .. }));
    let glue = connection(&store, 1).await;
    let finished = crawl(&store, &glue, batch("s", [asset(Kind::Schema, "c/s")])).await;
    assert_eq!(store.report(RunRef::Latest).await.unwrap(), None);
    let report = Report { outcome: "complete".into(), run: Some(finished.run.0), ..Report::default() };
    store.save_report(finished.run, &report).await.unwrap();
    assert_eq!(store.report(RunRef::Id(finished.run)).await.unwrap(), Some(report.clone()));
    assert!(store.save_report(RunId(77), &report).await.is_err());
    let run = store.run(RunRef::Latest).await.unwrap();
    assert_eq!((run.state, run.changes.created, run.settings.as_str()), (RunState::Ended(Outcome::Complete), 1, "{}"));
    crawl(&store, &glue, batch("s", [asset(Kind::Schema, "c/s")])).await;
    let ids: Vec<i64> = store.runs(10).await.unwrap().iter().map(|run| run.id.0).collect();
    assert_eq!(ids, [2, 1]);
    assert_eq!(store.runs(1).await.unwrap().len(), 1);
}

pub(crate) async fn a_failed_run_keeps_what_it_stored_and_archives_nothing(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, batch("s", [table("c/s/old", &[])])).await;
    let run = begin(&store, &glue).await;
    run.apply(batch("s", [table("c/s/new", &[])])).await.unwrap();
    let failed = run.fail(3_000_000).await.unwrap();
    assert_eq!((failed.outcome, failed.changes.created, failed.changes.archived), (Outcome::Failed, 1, 0));
    assert!(run.finish(end(vec![])).await.is_err());
    assert_eq!(store.run(RunRef::Latest).await.unwrap().state, RunState::Ended(Outcome::Failed));
    assert_eq!(export_all(&store).await.len(), 2);
}
