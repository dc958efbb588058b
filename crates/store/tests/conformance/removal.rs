//! Archiving what is gone, and refusing to.

use std::collections::BTreeMap;

use model::document::AssetStatus;
use model::lineage::{ProcessKind, process};
use model::{ChangeCounts, Item, Kind, Outcome, Reference, Scope, ScopeReport};
use store::{Connection, FinishedRun, RemovalPolicy, RunEnd, Store};

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

pub(crate) async fn what_the_run_has_seen_is_not_archived(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let whole = || [vec![asset(Kind::Database, "c"), asset(Kind::Schema, "c/s")], tables(10)].concat();
    crawl(&store, &glue, batch("s", whole())).await;
    let run = begin(&store, &glue).await;
    let missing = run.missing(&complete(&["s"]), 1).await.unwrap();
    assert_eq!(missing[0].known.kind, Kind::Database);
    // The catalog was not listed, but the schema in it was after all: it stays, with all that is in it.
    run.apply(batch("s", [asset(Kind::Schema, "c/s"), table("c/s/t00", &["a"])])).await.unwrap();
    run.flush().await.unwrap();
    let schema = store.asset(&name("c/s")).await.unwrap().unwrap().stored().known.unwrap();
    let gone = vec![missing[0].known, schema];
    let finished = run.finish(RunEnd { removal: RemovalPolicy::Confirmed, ..end(gone) }).await.unwrap();
    assert_eq!(finished.changes.archived, 1);
    assert_eq!(status(&store, "c").await, Some(AssetStatus::Archived));
    assert_eq!(status(&store, "c/s/t00").await, Some(AssetStatus::Active));
    assert_eq!(status(&store, "c/s/t09").await, Some(AssetStatus::Active));
}

/// The last scope of each is the container that the tables are read into, which is not complete: it went while they were read.
async fn crawl_while_the_schema_goes(store: &Store, glue: &Connection, read: Vec<model::Asset>) -> FinishedRun {
    let run = begin(store, glue).await;
    run.apply(batch("c", [asset(Kind::Schema, "c/kept")])).await.unwrap();
    run.apply(batch("c/s", read)).await.unwrap();
    let missing = run.missing(&complete(&["c"]), 10).await.unwrap();
    let names: Vec<&str> = missing.iter().map(|missing| missing.qualified_name.as_str()).collect();
    assert_eq!(names, ["default/glue/1/c/s"]);
    let gone = missing.into_iter().map(|missing| missing.known).collect();
    run.finish(RunEnd { removal: RemovalPolicy::Confirmed, ..end(gone) }).await.unwrap()
}

pub(crate) async fn what_was_read_before_its_container_went_goes_with_it(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let located_table = located(table("c/s/located", &["a"]), "s3://b/located");
    let flow = process(ProcessKind::View, name("c/s/v").as_str(), "v", vec![], vec![Reference::new(Kind::View, name("c/s/v"))]);
    let view = Item { asset: asset(Kind::View, "c/s/v"), derived: vec![flow], source: None };
    let mut first = batch("c/s", tables(4));
    first.items.extend([Item::from(located_table.clone()), view]);
    let run = begin(&store, &glue).await;
    run.apply(batch("c", [asset(Kind::Schema, "c/kept"), asset(Kind::Schema, "c/s")])).await.unwrap();
    run.apply(first).await.unwrap();
    run.finish(end(vec![])).await.unwrap();
    drop(run);

    // Two as they were, one changed, one new; the rest was not read any more.
    let read = vec![table("c/s/t00", &["a"]), located_table, table("c/s/t01", &["b", "a"]), table("c/s/new", &["a"])];
    let finished = crawl_while_the_schema_goes(&store, &glue, read).await;
    // Schema, four tables and their first columns, the changed one's second, the located one with object and process, the view's.
    assert_eq!(finished.changes.archived, 1 + 4 * 2 + 1 + 4 + 2, "{:?}", finished.changes);
    assert_eq!(finished.counts, BTreeMap::from([(Kind::Schema, 1)]), "what is counted is what is exported");
    assert_eq!(exported_lines(&store, &glue).await.len(), 1);
    assert_eq!(status(&store, "c/s/new").await, Some(AssetStatus::Archived));
    let again = crawl_and_remove(&store, &glue, batch("c", [asset(Kind::Schema, "c/kept")])).await;
    assert_eq!((again.changes.archived, again.changes.unchanged), (0, 1));
}

pub(crate) async fn what_came_to_lie_below_an_archived_container_is_found_by_it(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let schemas = [asset(Kind::Schema, "c/kept"), asset(Kind::Schema, "c/s")];
    crawl(&store, &glue, batch("c", schemas)).await;
    crawl_while_the_schema_goes(&store, &glue, vec![]).await;
    // A run that fails before it comes to the schema itself.
    let run = begin(&store, &glue).await;
    run.apply(batch("c/s", tables(3))).await.unwrap();
    run.fail(0).await.unwrap();
    drop(run);
    assert_eq!(status(&store, "c/s/t01").await, Some(AssetStatus::Active));

    let run = begin(&store, &glue).await;
    run.apply(batch("c", [asset(Kind::Schema, "c/kept")])).await.unwrap();
    assert_eq!(run.missing(&complete(&["other"]), 10).await.unwrap(), [], "only a complete list says that it is still gone");
    drop(run);
    let finished = crawl_while_the_schema_goes(&store, &glue, vec![]).await;
    assert_eq!((finished.changes.archived, finished.changes.unchanged), (6, 1));
    assert_eq!(status(&store, "c/s/t01").await, Some(AssetStatus::Archived));
}
