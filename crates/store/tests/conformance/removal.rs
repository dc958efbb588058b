//! Archiving what is gone, and refusing to.

use model::document::AssetStatus;
use model::{ChangeCounts, Kind, Outcome, Scope, ScopeReport};
use store::{RemovalPolicy, RunEnd, Store};

use crate::fresh::{
    Fresh, asset, batch, begin, complete, connection, crawl, crawl_and_remove, end, export_all, exported_lines, located, name,
    table,
};

async fn status(store: &Store, path: &str) -> Option<AssetStatus> {
    store.asset(&name(path)).await.unwrap().map(|subject| subject.stored().status)
}

fn tables(count: usize) -> Vec<model::Asset> {
    (0..count).map(|number| table(&format!("c/s/t{number:02}"), &["a"])).collect()
}

pub(crate) async fn what_a_complete_scope_no_longer_lists_is_missing(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let run = begin(&store, &glue).await;
    run.apply(batch("databases", [asset(Kind::Schema, "c/s"), asset(Kind::Schema, "c/s2")])).await.unwrap();
    run.apply(batch("c/s", tables(3))).await.unwrap();
    run.apply(batch("c/s2", [table("c/s2/below", &[])])).await.unwrap();
    run.finish(end(vec![])).await.unwrap();
    drop(run);

    let run = begin(&store, &glue).await;
    run.apply(batch("databases", [asset(Kind::Schema, "c/s")])).await.unwrap();
    run.apply(batch("c/s", tables(1))).await.unwrap();
    let scopes = complete(&["databases", "c/s", "c/s2"]);
    let missing = run.missing(&scopes, 10).await.unwrap();
    let names: Vec<&str> = missing.iter().map(|missing| missing.qualified_name.as_str()).collect();
    let expected = ["default/glue/1/c/s2", "default/glue/1/c/s/t01", "default/glue/1/c/s/t02"];
    assert_eq!(names, expected, "the table below the missing schema is not listed");
    assert_eq!(run.missing(&scopes, 2).await.unwrap().len(), 2);
}

pub(crate) async fn nothing_is_concluded_from_an_incomplete_scope(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, batch("c/s", tables(3))).await;
    let run = begin(&store, &glue).await;
    run.apply(batch("c/s", tables(1))).await.unwrap();
    let scopes = [ScopeReport { scope: Scope::new("c/s"), complete: false }];
    assert_eq!(run.missing(&scopes, 10).await.unwrap(), []);
    assert_eq!(run.missing(&[], 10).await.unwrap(), []);
    assert_eq!(run.missing(&complete(&["c/other"]), 10).await.unwrap(), []);
}

pub(crate) async fn what_is_gone_is_archived_with_what_lies_below_and_comes_back(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let gone = || [asset(Kind::Schema, "c/gone"), located(table("c/gone/t", &["a", "b"]), "s3://b/gone")];
    let kept = || (0..30).map(|number| table(&format!("c/gone2/t{number}"), &[]));
    crawl(&store, &glue, batch("s", gone().into_iter().chain(kept()))).await;
    let before = export_all(&store).await;

    let finished = crawl_and_remove(&store, &glue, batch("s", kept())).await;
    // Schema, table, two columns, location, process.
    assert_eq!(finished.changes, ChangeCounts { unchanged: 30, archived: 6, ..ChangeCounts::default() });
    assert_eq!(status(&store, "c/gone").await, Some(AssetStatus::Archived));
    assert_eq!(status(&store, "c/gone/t").await, Some(AssetStatus::Archived));
    assert_eq!(status(&store, "c/gone2/t1").await, Some(AssetStatus::Active), "a name that only begins the same");
    assert_eq!(exported_lines(&store, &glue).await.len(), 30);
    let again = crawl_and_remove(&store, &glue, batch("s", kept())).await;
    assert_eq!(again.changes.archived, 0);

    let finished = crawl(&store, &glue, batch("s", gone().into_iter().chain(kept()))).await;
    assert_eq!(finished.changes, ChangeCounts { unchanged: 30, restored: 6, ..ChangeCounts::default() });
    let after = export_all(&store).await;
    let known = |assets: &[store::StoredAsset]| assets.iter().map(|stored| stored.known).collect::<Vec<_>>();
    assert_eq!(known(&after), known(&before), "they are the same assets as before");
    assert!(after.iter().all(|stored| stored.status == AssetStatus::Active));
}

pub(crate) async fn too_much_at_once_is_kept_until_confirmed(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, batch("s", tables(10))).await;
    let removal = |removal| async move {
        let store = fresh.open().await;
        let run = begin(&store, &glue).await;
        run.apply(batch("s", tables(7))).await.unwrap();
        let missing = run.missing(&complete(&["s"]), 10).await.unwrap();
        let gone = missing.into_iter().map(|missing| missing.known).collect();
        (run.finish(RunEnd { removal, ..end(gone) }).await.unwrap(), fresh)
    };
    let (guarded, fresh) = removal(RemovalPolicy::default()).await;
    assert_eq!((guarded.changes.protected, guarded.changes.archived, guarded.outcome), (6, 0, Outcome::Partial));
    assert_eq!(status(&store, "c/s/t09").await, Some(AssetStatus::Active));
    let glue = connection(&store, 1).await;
    let run = begin(&store, &glue).await;
    run.apply(batch("s", tables(7))).await.unwrap();
    let missing = run.missing(&complete(&["s"]), 10).await.unwrap();
    let gone = missing.into_iter().map(|missing| missing.known).collect();
    let finished = run.finish(RunEnd { removal: RemovalPolicy::Confirmed, ..end(gone) }).await.unwrap();
    assert_eq!((finished.changes.protected, finished.changes.archived, finished.outcome), (0, 6, Outcome::Complete));
    drop(fresh);
}

pub(crate) async fn a_run_that_saw_nothing_archives_nothing(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, batch("s", tables(10))).await;
    let run = begin(&store, &glue).await;
    let missing = run.missing(&complete(&["s"]), 1).await.unwrap();
    let gone = missing.into_iter().map(|missing| missing.known).collect();
    let finished = run.finish(end(gone)).await.unwrap();
    assert_eq!((finished.changes.protected, finished.changes.archived), (2, 0));
}

pub(crate) async fn what_the_run_has_seen_is_never_archived(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, batch("s", [vec![asset(Kind::Schema, "c/s")], tables(10)].concat())).await;
    let run = begin(&store, &glue).await;
    let missing = run.missing(&complete(&["s"]), 1).await.unwrap();
    assert_eq!(missing[0].known.kind, Kind::Schema);
    // The schema was not listed, but a table in it was after all.
    run.apply(batch("s", tables(1))).await.unwrap();
    let gone = vec![missing[0].known];
    let finished = run.finish(RunEnd { removal: RemovalPolicy::Confirmed, ..end(gone) }).await.unwrap();
    assert_eq!(finished.changes.archived, 1 + 9 * 2);
    assert_eq!(status(&store, "c/s/t00").await, Some(AssetStatus::Active));
}
