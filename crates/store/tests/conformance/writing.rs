//! What runs write and count.

use std::collections::BTreeMap;

use model::attribute::Attribute;
use model::lineage::{ProcessKind, column_process, process};
use model::{Asset, ChangeCounts, Item, Kind, QualifiedName, Reference, SourceHash};
use store::{SearchQuery, Store, StoreError, StoreOptions};

use crate::fresh::{
    Fresh, asset, batch, begin, connection, crawl, crawl_and_remove, described, end, export_all, exported_lines, hashed, located,
    name, push_column, table, unchanged,
};

fn total(changes: ChangeCounts) -> u64 {
    changes.created + changes.updated + changes.unchanged + changes.restored
}

pub(crate) async fn a_batch_applied_twice_changes_nothing(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let assets = [asset(Kind::Schema, "c/s"), located(table("c/s/t", &["a", "b"]), "s3://b/t/")];
    let run = begin(&store, &glue).await;
    for _ in 0..2 {
        run.apply(batch("s", assets.clone())).await.unwrap();
    }
    run.flush().await.unwrap();
    run.apply(batch("s", assets.clone())).await.unwrap();
    let first = run.finish(end(vec![])).await.unwrap();
    // Schema, table, two columns, the S3 object and the process between.
    assert_eq!(first.changes, ChangeCounts { created: 6, ..ChangeCounts::default() });
    drop(run);

    let before = export_all(&store).await;
    let run = begin(&store, &glue).await;
    for _ in 0..2 {
        run.apply(batch("s", assets.clone())).await.unwrap();
        run.flush().await.unwrap();
    }
    let second = run.finish(end(vec![])).await.unwrap();
    assert_eq!(second.changes, ChangeCounts { unchanged: 6, ..ChangeCounts::default() });
    assert_eq!(export_all(&store).await, before);
}

pub(crate) async fn an_unchanged_crawl_writes_next_to_nothing(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let tables: Vec<Item> = (0..3000_u64).map(|number| hashed(table(&format!("c/s/t{number:05}"), &["a", "b"]), number)).collect();
    assert!(begin(&store, &glue).await.is_empty());
    let first = crawl(&store, &glue, batch("s", tables.clone())).await;
    assert_eq!(first.changes.created, 9000);

    let run = begin(&store, &glue).await;
    assert!(!run.is_empty());
    let mut slices: Vec<_> = tables.iter().map(|item| (item.asset.qualified_name.clone(), item.source.unwrap())).collect();
    slices[7].1 = SourceHash(u64::MAX);
    slices.push((name("c/s/unheard of"), SourceHash(0)));
    let known = run.unchanged(slices).await.unwrap();
    assert_eq!((known.len(), known.iter().flatten().count()), (3001, 2999));
    assert!(known[7].is_none() && known[3000].is_none());
    for _ in 0..2 {
        run.apply(unchanged("s", known.iter().copied().flatten())).await.unwrap();
    }
    // The one whose bytes differ turns out to be the same.
    run.apply(batch("s", [hashed(tables[7].asset.clone(), u64::MAX)])).await.unwrap();
    let second = run.finish(end(vec![])).await.unwrap();
    assert_eq!(second.changes, ChangeCounts { unchanged: 9000, ..ChangeCounts::default() });
    assert_eq!(second.counts, first.counts);
    assert!(second.rows_written <= 6, "{} rows for 9000 assets", second.rows_written);
}

pub(crate) async fn changed_columns_are_counted_one_by_one(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, batch("s", [located(table("c/s/t", &["same", "retyped", "dropped"]), "s3://b/t")])).await;
    let mut changed = located(table("c/s/t", &["same"]), "s3://b/t");
    push_column(&mut changed, "retyped", "int");
    push_column(&mut changed, "added1", "int");
    push_column(&mut changed, "added2", "int");
    let finished = crawl(&store, &glue, batch("s", [changed])).await;
    // Updated: the table and a column. Unchanged: a column, the S3 object, the process between.
    let expected = ChangeCounts { created: 2, updated: 2, unchanged: 3, archived: 1, ..ChangeCounts::default() };
    assert_eq!(finished.changes, expected);
    assert_eq!(finished.counts[&Kind::Column], 4);
}

fn view_with_lineage() -> Item {
    let view = asset(Kind::View, "c/s/v");
    let reference = |path: &str| Reference::new(Kind::Table, name(path));
    let whole = process(ProcessKind::View, view.qualified_name.as_str(), "v", vec![reference("c/s/t1")], vec![reference("c/s/v")]);
    let of_column = column_process(ProcessKind::View, "x", vec![name("c/s/t1/a")], name("c/s/v/x"));
    Item { asset: view, derived: vec![whole, of_column], source: Some(SourceHash(5)) }
}

pub(crate) async fn counts_are_the_lines_of_the_export(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let mut link = table("c/s/link", &[]);
    link.attributes.set(Attribute::LinkedTableQualifiedName, name("c/s/t1").as_str());
    let items: Vec<Item> = vec![
        asset(Kind::Database, "c").into(),
        asset(Kind::Schema, "c/s").into(),
        hashed(located(table("c/s/t1", &["a"]), "s3://b/shared/"), 1),
        hashed(located(table("c/s/t2", &["a", "b"]), "s3a://b/shared"), 2),
        hashed(located(table("c/s/t3", &[]), "s3://b/own"), 3),
        hashed(located(table("c/s/t4", &["a"]), "hdfs://elsewhere/x"), 4),
        located(link, "s3://b/linked").into(),
        view_with_lineage(),
        asset(Kind::GlueJob, "jobs/j").into(),
    ];
    let first = crawl(&store, &glue, batch("s", items.clone())).await;
    let lines = exported_lines(&store, &glue).await;
    let mut by_kind: BTreeMap<Kind, u64> = BTreeMap::new();
    for line in &lines {
        let kind = line.split('"').nth(3).unwrap();
        *by_kind.entry(Kind::from_type_name(kind).unwrap()).or_default() += 1;
    }
    assert_eq!(first.counts, by_kind);
    assert_eq!((by_kind[&Kind::S3Object], by_kind[&Kind::Process], by_kind[&Kind::ColumnProcess]), (2, 4, 1));
    assert_eq!(first.changes.created, lines.len() as u64);

    let again = crawl(&store, &glue, batch("s", items.clone())).await;
    assert_eq!((again.counts.clone(), again.changes.unchanged), (first.counts.clone(), lines.len() as u64));

    // The same as unchanged, known and not asked for before: the counts do not depend on who asked.
    let known: Vec<_> = export_all(&store).await.iter().filter_map(|stored| stored.known).collect();
    let derived = |kind: Kind| matches!(kind, Kind::Process | Kind::ColumnProcess);
    let run = begin(&store, &glue).await;
    run.apply(unchanged("s", known.into_iter().filter(|known| !derived(known.kind)))).await.unwrap();
    let third = run.finish(end(vec![])).await.unwrap();
    assert_eq!((third.counts, third.changes), (again.counts, again.changes));
}

pub(crate) async fn a_location_that_changes_hands_is_still_counted_once(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let at = |path: &str, location: &str| located(table(path, &[]), location);
    crawl(&store, &glue, batch("s", [at("c/s/t1", "s3://b/x"), at("c/s/t2", "s3://b/x"), at("c/s/t3", "s3://b/y")])).await;
    // t1 moves away, so t2 stands for the location; t3 joins it, and its own location goes.
    let moved = [at("c/s/t1", "s3://b/z"), at("c/s/t2", "s3://b/x"), at("c/s/t3", "s3://b/x")];
    let finished = crawl(&store, &glue, batch("s", moved.clone())).await;
    let lines = exported_lines(&store, &glue).await;
    assert_eq!(total(finished.changes), lines.len() as u64);
    assert_eq!((finished.counts[&Kind::S3Object], finished.changes.archived), (2, 1));
    // The one that stood for the location is archived.
    let finished = crawl_and_remove(&store, &glue, batch("s", [moved[0].clone(), moved[2].clone()])).await;
    assert_eq!(finished.changes.archived, 2, "the table and its process, not the location");
    assert_eq!(total(finished.changes), exported_lines(&store, &glue).await.len() as u64);
}

pub(crate) async fn processes_that_are_no_longer_derived_go(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, batch("s", [view_with_lineage()])).await;
    let mut fewer = view_with_lineage();
    fewer.derived.pop();
    let finished = crawl(&store, &glue, batch("s", [fewer.clone()])).await;
    let expected = ChangeCounts { unchanged: 2, archived: 1, ..ChangeCounts::default() };
    assert_eq!(finished.changes, expected);
    // They come back with what they are derived from.
    let finished = crawl(&store, &glue, batch("s", [view_with_lineage()])).await;
    assert_eq!((finished.changes.unchanged, finished.changes.restored), (2, 1));
    let finished = crawl_and_remove(&store, &glue, batch("s", Vec::<Item>::new())).await;
    assert_eq!(finished.changes.protected, 0);
    assert_eq!(finished.changes.archived, 3);
    assert!(exported_lines(&store, &glue).await.is_empty());
}

pub(crate) async fn what_differs_twice_in_one_run_is_stored_as_last_delivered(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, batch("s", [table("c/s/t", &["a"])])).await;
    let run = begin(&store, &glue).await;
    run.apply(batch("s", [table("c/s/t", &["a", "b"]), table("c/s/new", &["a"])])).await.unwrap();
    run.apply(batch("s", [table("c/s/t", &["a", "b", "c"]), table("c/s/new", &[])])).await.unwrap();
    let finished = run.finish(end(vec![])).await.unwrap();
    assert_eq!(finished.counts[&Kind::Column], 3);
    assert_eq!(total(finished.changes), exported_lines(&store, &glue).await.len() as u64);
    // History tells what was before the run, once.
    let events = store.history(&name("c/s/t")).await.unwrap();
    assert_eq!((events.len(), events[0].differences.len()), (2, 2));
    assert_eq!(store.history(&name("c/s/new")).await.unwrap().len(), 1);
}

pub(crate) async fn ten_thousand_columns_are_stored_and_found(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let columns: Vec<String> = (0..10_000).map(|number| format!("column_{number}")).collect();
    let wide = table("c/s/wide", &columns.iter().map(String::as_str).collect::<Vec<_>>());
    let finished = crawl(&store, &glue, batch("s", [wide.clone()])).await;
    assert_eq!(finished.counts[&Kind::Column], 10_000);
    let stored = store.asset(&wide.qualified_name).await.unwrap().unwrap();
    assert_eq!(stored.stored().asset, wide);
    let hits = store.search(&SearchQuery { text: "column_9999".into(), limit: 5, ..SearchQuery::default() }).await.unwrap().hits;
    assert_eq!(hits[0].matched, store::Matched::Column("column_9999".into()));
}

pub(crate) async fn a_full_catalog_says_so_and_keeps_what_it_has(fresh: Fresh) {
    let options = StoreOptions { size_limit_bytes: Some(600_000), ..StoreOptions::default() };
    let store = Store::open_with(&fresh.url(), options).await.unwrap();
    let glue = connection(&store, 1).await;
    crawl(&store, &glue, batch("s", [table("c/s/kept", &["a"])])).await;
    let run = begin(&store, &glue).await;
    let large = |number: usize| described(table(&format!("c/s/t{number}"), &[]), &"x".repeat(1000));
    let mut outcome = Ok(());
    for page in 0..20 {
        outcome = run.apply(batch("s", (page * 100..page * 100 + 100).map(large))).await;
        if outcome.is_err() {
            break;
        }
    }
    assert!(matches!(outcome, Err(StoreError::DiskFull { .. })), "{outcome:?}");
    let after = run.apply(batch("s", [table("c/s/more", &[])])).await.and(run.flush().await);
    assert!(matches!(after, Err(StoreError::RunBroken { .. })), "{after:?}");
    assert!(run.finish(end(vec![])).await.is_err());
    drop(run);
    store.close().await;
    let again = fresh.open().await;
    assert!(again.asset(&name("c/s/kept")).await.unwrap().is_some());
    assert!(again.asset(&name("c/s/t0")).await.unwrap().is_none(), "of a batch that failed nothing is there");
    crawl(&again, &glue, batch("s", (0..100).map(large))).await;
}

pub(crate) async fn readers_see_flushed_batches_in_the_middle_of_a_run(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let run = begin(&store, &glue).await;
    let one: Asset = located(table("c/s/one", &["a"]), "s3://b/one");
    run.apply(batch("s", [one.clone()])).await.unwrap();
    // The answer counts what was just taken, so it is written first.
    let tables = run.tables_at(&[one.data_location().unwrap()]).await.unwrap();
    assert_eq!(tables, [(one.data_location().unwrap(), one.qualified_name.clone())]);
    let reader = Store::open_existing(&fresh.url()).await.unwrap();
    assert!(reader.asset(&one.qualified_name).await.unwrap().is_some());
    assert_eq!(run.counts()[&Kind::Table], 1);
    assert_eq!(run.changes().created, 4);
    let nothing = run.tables_at(&[model::S3Location::parse("s3://b/o").unwrap()]).await.unwrap();
    assert_eq!(nothing, Vec::<(model::S3Location, QualifiedName)>::new());
}
