//! Names: odd ones, their order, and what goes by them.

use model::lineage::{ProcessKind, process_name};
use model::{Kind, QualifiedName};
use store::{ConnectionId, ExportFilter, Found, SearchQuery, Store, Subject};

use crate::fresh::{Fresh, asset, batch, connection, crawl, crawl_and_remove, export, export_all, located, name, table};

const ODD: &[&str] =
    &["a/b", "100%", "it's", "say \"hi\"", "🧊 ice", "ÄÖÜ", "日本語", "tab\there", "_", "%_%", "a-b", "a.b", "^x$", "*", "[]"];

pub(crate) async fn odd_names_are_stored_listed_found_and_exported(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let mut raw: Vec<String> = ODD.iter().map(|name| (*name).to_owned()).collect();
    raw.push("x".repeat(255));
    raw.push("ü".repeat(255));
    let tables: Vec<_> = raw
        .iter()
        .map(|raw| {
            let mut asset = model::Asset::new(Kind::Table, name("c/s").child(raw), raw);
            crate::fresh::push_column(&mut asset, raw, "string");
            asset
        })
        .collect();
    crawl(&store, &glue, batch("s", tables.clone())).await;
    for table in &tables {
        let subject = store.asset(&table.qualified_name).await.unwrap().unwrap();
        assert_eq!(&subject.stored().asset, table);
        let column = table.qualified_name.child(&table.name);
        let subject = store.asset(&column).await.unwrap().unwrap();
        assert_eq!((subject.qualified_name(), subject.column().unwrap().name), (column, table.name.as_str()));
        if table.name.chars().count() > 2 {
            let query = SearchQuery { text: table.name.clone(), limit: 3, ..SearchQuery::default() };
            let hits = store.search(&query).await.unwrap().hits;
            assert_eq!(hits.first().map(|hit| hit.name.as_str()), Some(table.name.as_str()));
        }
    }
    let mut sorted: Vec<&str> = tables.iter().map(|table| table.qualified_name.as_str()).collect();
    sorted.sort_unstable();
    let children = store.children(&name("c/s"), 100, None).await.unwrap();
    let listed: Vec<&str> = children.assets.iter().map(|stored| stored.asset.qualified_name.as_str()).collect();
    assert_eq!(listed, sorted);
    assert_eq!(export_all(&store).await.len(), tables.len());
}

pub(crate) async fn children_and_exports_are_ordered_bytewise_and_page_without_gaps(fresh: Fresh) {
    let store = fresh.open().await;
    let (glue, other) = (connection(&store, 1).await, connection(&store, 2).await);
    let paths =
        ["c", "c/s", "c-d", "c-d/s", "c/s/B", "c/s/a", "c/s/Z", "c/s/é", "c/s/a b", "c/t", "c/t/x", "jobs/j1", "workflows/w"];
    let kind = |path: &str| match (path.starts_with("jobs"), path.split('/').count()) {
        (true, _) => Kind::GlueJob,
        (false, 1) => Kind::Database,
        (false, 2) => Kind::Schema,
        (false, _) => Kind::Table,
    };
    let mut assets: Vec<_> = paths.iter().map(|path| asset(kind(path), path)).collect();
    assets.push(asset(Kind::View, "c/s/a"));
    crawl(&store, &glue, batch("s", assets)).await;
    crawl(&store, &other, batch("s", [model::Asset::new(Kind::Schema, QualifiedName::from_encoded("default/glue/2/c/s"), "s")]))
        .await;

    let relative = |stored: &store::StoredAsset| stored.asset.qualified_name.as_str()["default/glue/".len()..].to_owned();
    let whole: Vec<String> = export(&store, &ExportFilter::default(), 1000).await.iter().map(relative).collect();
    let expected = [
        "c",
        "c-d",
        "c-d/s",
        "c/s",
        "c/t",
        "c/s/B",
        "c/s/Z",
        "c/s/a",
        "c/s/a",
        "c/s/a b",
        "c/s/é",
        "c/t/x",
        "jobs/j1",
        "workflows/w",
    ];
    let mut expected: Vec<String> = expected.iter().map(|path| format!("1/{path}")).collect();
    expected.push("2/c/s".to_owned());
    assert_eq!(whole, expected);
    for page in 1..6 {
        let paged: Vec<String> = export(&store, &ExportFilter::default(), page).await.iter().map(relative).collect();
        assert_eq!(paged, whole, "in pages of {page}");
    }
    check_filters(&store, glue.id).await;
    check_children(&store).await;
}

async fn check_filters(store: &Store, glue: ConnectionId) {
    let count = async |filter: ExportFilter| export(store, &filter, 2).await.len();
    assert_eq!(count(ExportFilter { connection: Some(glue), ..ExportFilter::default() }).await, 14);
    assert_eq!(count(ExportFilter { kinds: vec![Kind::Schema], ..ExportFilter::default() }).await, 5);
    let below = |path: &str| ExportFilter { below: Some(name(path).as_str().to_owned()), ..ExportFilter::default() };
    assert_eq!(count(below("c")).await, 10);
    assert_eq!(count(below("c/s")).await, 7);
    assert_eq!(count(below("c/s/a")).await, 2);
    assert_eq!(count(below("nothing")).await, 0);
}

async fn check_children(store: &Store) {
    let mut names = Vec::new();
    let mut after = None;
    loop {
        let page = store.children(&name("c/s"), 2, after.as_ref()).await.unwrap();
        names.extend(page.assets.iter().map(|stored| (stored.asset.name.clone(), stored.asset.kind)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected =
        [("B", Kind::Table), ("Z", Kind::Table), ("a", Kind::Table), ("a", Kind::View), ("a b", Kind::Table), ("é", Kind::Table)];
    assert_eq!(names, expected.map(|(name, kind)| (name.to_owned(), kind)));
    let root = store.children(&QualifiedName::from_encoded("default/glue/1"), 10, None).await.unwrap();
    let databases: Vec<&str> = root.assets.iter().map(|stored| stored.asset.name.as_str()).collect();
    assert_eq!((databases, root.folders), (vec!["c", "c-d"], vec!["jobs".to_owned(), "workflows".to_owned()]));
    assert_eq!(store.children(&name("jobs"), 10, None).await.unwrap().assets.len(), 1);
}

pub(crate) async fn columns_objects_and_location_processes_have_names_too(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let mut nested = located(table("c/s/t", &["a"]), "s3://b/path/t/");
    let parent = nested.columns.len() - 1;
    let draft = model::ColumnDraft {
        name: "in/ner",
        data_type: "int",
        raw_type: "int",
        description: None,
        order: 1,
        partition_order: None,
        parent: Some(parent),
        nested_count: 0,
    };
    nested.columns.push(&draft);
    crawl(&store, &glue, batch("s", [nested.clone()])).await;

    let column = store.asset(&name("c/s/t/a/in%2Fner")).await.unwrap().unwrap();
    assert!(matches!(&column, Subject::Column { index: 1, .. }));
    assert_eq!(store.asset(&name("c/s/t/b")).await.unwrap(), None);
    let object = store.asset(&QualifiedName::from_encoded("s3://b/path/t")).await.unwrap().unwrap();
    assert_eq!((object.stored().asset.kind, object.stored().known), (Kind::S3Object, None));
    assert_eq!(store.asset(&QualifiedName::from_encoded("s3://b/path")).await.unwrap(), None);
    let process = process_name(ProcessKind::Location, nested.qualified_name.as_str());
    let process = store.asset(&process).await.unwrap().unwrap();
    assert_eq!((process.stored().asset.kind, process.stored().asset.name.as_str()), (Kind::Process, "t"));
    assert_eq!(store.asset(&name("lineage/0123")).await.unwrap(), None);
}

pub(crate) async fn what_people_type_is_resolved(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let paths = ["c/sales/orders", "c/crm/orders", "c/crm/order items", "c/crm/clients"];
    crawl(&store, &glue, batch("s", paths.map(|path| table(path, &["id"])))).await;
    let one = async |typed: &str| match store.find(typed).await.unwrap() {
        Found::One(subject) => subject.qualified_name().as_str()["default/glue/1/c/".len()..].to_owned(),
        Found::Candidates(candidates) => panic!("{typed}: {candidates:?}"),
    };
    assert_eq!(one("default/glue/1/c/crm/orders").await, "crm/orders");
    assert_eq!(one("default/glue/1/c/crm/orders/id").await, "crm/orders/id");
    assert_eq!(one("sales/orders").await, "sales/orders");
    assert_eq!(one(" clients ").await, "crm/clients");
    assert_eq!(one("crm/order items").await, "crm/order items");
    let candidates = async |typed: &str| match store.find(typed).await.unwrap() {
        Found::One(subject) => panic!("{typed}: {}", subject.qualified_name()),
        Found::Candidates(candidates) => candidates.len(),
    };
    assert_eq!(candidates("orders").await, 2);
    assert_eq!(candidates("client").await, 1, "did you mean clients");
    assert_eq!(candidates("nothing of the kind").await, 0);
    assert_eq!(candidates("").await, 0);
    assert_eq!(candidates("sales/id").await, 0, "tables that have a column of the name are not meant");
}

pub(crate) async fn what_is_archived_is_meant_where_nothing_active_is(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let kept = || [table("c/crm/stores", &[]), table("c/crm/x", &[])];
    let gone = [table("c/sales/stores", &[]), table("c/sales/orders", &[]), table("c/wholesales/a%2Fb", &[])];
    crawl(&store, &glue, batch("s", kept().into_iter().chain(gone))).await;
    crawl_and_remove(&store, &glue, batch("s", kept())).await;
    let found = async |typed: &str| match store.find(typed).await.unwrap() {
        Found::One(subject) => vec![subject.qualified_name().as_str()["default/glue/1/c/".len()..].to_owned()],
        Found::Candidates(candidates) => candidates.iter().map(|one| format!("? {}", one.qualified_name)).collect(),
    };
    assert_eq!(found("sales/stores").await, ["sales/stores"]);
    assert_eq!(found("/orders").await, ["sales/orders"]);
    assert_eq!(found("orders").await, ["sales/orders"]);
    assert_eq!(found("a%2Fb").await, ["wholesales/a%2Fb"]);
    assert_eq!(found("stores").await, ["crm/stores"], "the active one");
    assert_eq!(found("ales/orders").await, Vec::<String>::new(), "parts of names are whole");
}
