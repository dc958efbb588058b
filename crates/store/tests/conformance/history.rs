//! What is kept of changes.

use model::attribute::Attribute;
use store::{ChangeKind, Difference, StoreError};

use crate::fresh::{Fresh, batch, connection, crawl, crawl_and_remove, described, name, push_column, table};

pub(crate) async fn every_change_is_kept_with_its_columns(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let kept = || table("c/s/kept", &[]);
    crawl(&store, &glue, batch("s", [described(table("c/s/t", &["a", "b"]), "first"), kept()])).await;
    crawl(&store, &glue, batch("s", [described(table("c/s/t", &["a", "b"]), "first"), kept()])).await;
    let mut changed = described(table("c/s/t", &["a"]), "second");
    push_column(&mut changed, "c", "int");
    changed.attributes.set(Attribute::RowCount, 5);
    crawl(&store, &glue, batch("s", [changed.clone(), kept()])).await;
    crawl_and_remove(&store, &glue, batch("s", [kept()])).await;
    push_column(&mut changed, "d", "int");
    crawl(&store, &glue, batch("s", [changed, kept()])).await;

    let events = store.history(&name("c/s/t")).await.unwrap();
    let kinds: Vec<(i64, ChangeKind)> = events.iter().map(|event| (event.run.0, event.change)).collect();
    let expected = [(5, ChangeKind::Restored), (4, ChangeKind::Archived), (3, ChangeKind::Updated), (1, ChangeKind::Created)];
    assert_eq!(kinds, expected);
    assert_eq!(events[0].differences, [Difference::ColumnAdded { path: "d".into(), raw_type: "int".into() }]);
    let attribute = |name: &str, before: Option<&str>, after: &str| Difference::Attribute {
        name: name.into(),
        before: before.map(str::to_owned),
        after: Some(after.into()),
    };
    let expected = [
        attribute("description", Some("\"first\""), "\"second\""),
        attribute("rowCount", None, "5"),
        Difference::ColumnAdded { path: "c".into(), raw_type: "int".into() },
        Difference::ColumnRemoved { path: "b".into(), raw_type: "string".into() },
    ];
    assert_eq!(events[2].differences, expected);
    assert_eq!(events[2].at_ms, 1_500_000);

    let of_column = store.history(&name("c/s/t/d")).await.unwrap();
    assert_eq!((of_column.len(), of_column[0].differences.len()), (3, 1));
    assert_eq!(store.history(&name("c/s/kept")).await.unwrap().len(), 1);
    assert!(matches!(store.history(&name("c/s/never")).await.unwrap_err(), StoreError::NotFound { .. }));
}

pub(crate) async fn two_runs_are_compared_by_their_net_difference(fresh: Fresh) {
    let store = fresh.open().await;
    let (glue, other) = (connection(&store, 1).await, connection(&store, 2).await);
    let kept = || (0..10).map(|number| table(&format!("c/s/kept{number}"), &[]));
    let crawl_of = async |tables: Vec<model::Asset>| crawl_and_remove(&store, &glue, batch("s", kept().chain(tables))).await.run;
    let one = crawl_of(vec![table("c/s/changing", &["a"]), table("c/s/going", &[]), table("c/s/away", &[])]).await;
    let two = crawl_of(vec![table("c/s/changing", &["a", "b"]), table("c/s/going", &[]), table("c/s/brief", &[])]).await;
    let three = crawl_of(vec![table("c/s/changing", &["a", "b", "c"]), table("c/s/away", &[]), table("c/s/new", &["x"])]).await;
    let four = crawl_of(vec![table("c/s/changing", &["a"]), table("c/s/away", &[]), table("c/s/new", &["x", "y"])]).await;

    let diff = async |from, to| {
        let diff = store.diff(from, to, 100).await.unwrap();
        let last = |name: &model::QualifiedName| name.as_str().rsplit('/').next().unwrap().to_owned();
        diff.changed
            .iter()
            .map(|changed| (last(&changed.qualified_name), changed.change, changed.differences.len()))
            .collect::<Vec<_>>()
    };
    let entry = |name: &str, change, differences| (name.to_owned(), change, differences);
    let first =
        [entry("away", ChangeKind::Archived, 0), entry("brief", ChangeKind::Created, 0), entry("changing", ChangeKind::Updated, 1)];
    assert_eq!(diff(one, two).await, first);
    assert_eq!(diff(two, one).await, first);
    // What came and went again, or changed and changed back, is no difference.
    let whole = [entry("going", ChangeKind::Archived, 0), entry("new", ChangeKind::Created, 0)];
    assert_eq!(diff(one, four).await, whole);
    assert_eq!(diff(three, four).await, [entry("changing", ChangeKind::Updated, 2), entry("new", ChangeKind::Updated, 1)]);
    assert!(diff(two, three).await.contains(&entry("away", ChangeKind::Restored, 0)));
    assert_eq!(diff(four, four).await, []);
    let cut = store.diff(one, two, 1).await.unwrap();
    assert_eq!((cut.changed.len(), cut.truncated), (1, true));

    let elsewhere = crawl(&store, &other, batch("s", Vec::<model::Asset>::new())).await.run;
    assert!(matches!(store.diff(one, elsewhere, 5).await.unwrap_err(), StoreError::Conflict { .. }));
    assert!(store.diff(one, model::RunId(99), 5).await.is_err());
}
