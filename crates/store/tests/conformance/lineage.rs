//! Lineage graphs.

use model::attribute::{Attribute, Value};
use model::document::AssetStatus;
use model::lineage::{ProcessKind, column_process, process, process_name};
use model::{Asset, Item, Kind, QualifiedName, Reference};
use store::{Direction, Graph, LineageLevel, LineageQuery, StoredAsset};

use crate::fresh::{Fresh, asset, batch, connection, crawl, export_all, located, name, table};

fn query(start: QualifiedName, direction: Direction, depth: u32) -> LineageQuery {
    LineageQuery { start, direction, depth, level: LineageLevel::Assets, nodes_max: 1000 }
}

fn to_table(path: &str) -> Reference {
    Reference::new(Kind::Table, name(path))
}

fn to_object(url: &str) -> Reference {
    Reference::new(Kind::S3Object, QualifiedName::from_encoded(url))
}

fn with_process(asset: Asset, kind: ProcessKind, inputs: Vec<Reference>, outputs: Vec<Reference>) -> Item {
    let lineage = process(kind, asset.qualified_name.as_str(), &asset.name, inputs, outputs);
    Item { asset, derived: vec![lineage], source: None }
}

/// Names of all nodes but the start, the connection left out.
fn reached(graph: &Graph) -> Vec<&str> {
    graph.nodes[1..].iter().map(|node| node.reference.qualified_name.as_str().trim_start_matches("default/glue/1/")).collect()
}

pub(crate) async fn locations_jobs_and_views_join_to_one_graph(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let items: Vec<Item> = vec![
        located(table("c/s/raw", &["a"]), "s3://b/raw").into(),
        located(table("c/s/clean", &["a"]), "s3://b/clean/").into(),
        located(table("c/s/cleaner", &[]), "s3://b/cleaner").into(),
        // Reads a table, writes below the location of another, which no table is nearer to.
        with_process(
            asset(Kind::GlueJob, "jobs/j"),
            ProcessKind::GlueJob,
            vec![to_table("c/s/raw")],
            vec![to_object("s3://b/clean/2024")],
        ),
        with_process(asset(Kind::View, "c/s/v"), ProcessKind::View, vec![to_table("c/s/clean")], vec![to_table("c/s/v")]),
        // A view on a view: its SQL does not tell that the first is one.
        with_process(
            asset(Kind::View, "c/s/w"),
            ProcessKind::View,
            vec![to_table("c/s/v"), to_table("c/s/unknown")],
            vec![to_table("c/s/w")],
        ),
    ];
    crawl(&store, &glue, batch("s", items)).await;

    let down = store.lineage(&query(name("c/s/raw"), Direction::Downstream, 10)).await.unwrap();
    assert_eq!(reached(&down), ["c/s/clean", "c/s/v", "c/s/w", "s3://b/clean/2024"]);
    let view = down.nodes.iter().find(|node| node.name == "v").unwrap();
    assert_eq!(
        (view.reference.kind, view.status),
        (Kind::View, Some(AssetStatus::Active)),
        "the catalog knows better than the SQL"
    );

    let up = store.lineage(&query(name("c/s/w"), Direction::Upstream, 10)).await.unwrap();
    let expected = ["c/s/clean", "c/s/raw", "c/s/unknown", "c/s/v", "s3://b/clean", "s3://b/clean/2024", "s3://b/raw"];
    assert_eq!(reached(&up), expected);
    let unknown = up.nodes.iter().find(|node| node.name == "unknown").unwrap();
    assert_eq!(unknown.status, None);
    let kinds: Vec<&str> = up.edges.iter().map(|edge| edge.process_kind.as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "location").count(), 3);

    let one_hop = store.lineage(&query(name("c/s/v"), Direction::Both, 1)).await.unwrap();
    assert_eq!(reached(&one_hop), ["c/s/clean", "c/s/w"]);
    let from_object = store.lineage(&query(QualifiedName::from_encoded("s3://b/raw"), Direction::Downstream, 1)).await.unwrap();
    assert_eq!(reached(&from_object), ["c/s/raw"]);
    assert_eq!(store.lineage(&query(name("nothing"), Direction::Both, 3)).await.unwrap().nodes.len(), 1);
}

pub(crate) async fn a_process_says_which_of_its_ends_are_views(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let view = name("c/s/w");
    let inputs = ["c/s/v", "c/s/t", "c/s/unknown"].map(to_table).to_vec();
    let items = [
        with_process(asset(Kind::View, "c/s/w"), ProcessKind::View, inputs, vec![Reference::new(Kind::View, view.clone())]),
        asset(Kind::View, "c/s/v").into(),
        table("c/s/t", &[]).into(),
    ];
    crawl(&store, &glue, batch("s", items)).await;
    let kinds = |stored: &StoredAsset| match stored.asset.attributes.get(Attribute::Inputs) {
        Some(Value::References(inputs)) => inputs.iter().map(|input| input.kind).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let exported = export_all(&store).await;
    let process = exported.iter().find(|stored| stored.asset.kind == Kind::Process).unwrap();
    assert_eq!(kinds(process), [Kind::View, Kind::Table, Kind::Table]);
    let alone = store.asset(&process_name(ProcessKind::View, view.as_str())).await.unwrap().unwrap();
    assert_eq!(kinds(alone.stored()), kinds(process));
    assert_eq!(crawl(&store, &glue, batch("s", [asset(Kind::View, "c/s/v")])).await.changes.updated, 0);
}

pub(crate) async fn cycles_end_and_large_graphs_are_cut(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let mut items: Vec<Item> = vec![
        table("c/s/a", &[]).into(),
        table("c/s/b", &[]).into(),
        with_process(asset(Kind::GlueJob, "jobs/ab"), ProcessKind::GlueJob, vec![to_table("c/s/a")], vec![to_table("c/s/b")]),
        with_process(asset(Kind::GlueJob, "jobs/ba"), ProcessKind::GlueJob, vec![to_table("c/s/b")], vec![to_table("c/s/a")]),
    ];
    let many = (0..50).map(|number| to_table(&format!("c/s/t{number:02}"))).collect();
    items.push(with_process(asset(Kind::GlueJob, "jobs/many"), ProcessKind::GlueJob, vec![to_table("c/s/b")], many));
    crawl(&store, &glue, batch("s", items)).await;
    let graph = store.lineage(&query(name("c/s/a"), Direction::Both, 1000)).await.unwrap();
    assert_eq!((graph.nodes.len(), graph.edges.len(), graph.truncated), (52, 52, false));
    let cut = store.lineage(&LineageQuery { nodes_max: 10, ..query(name("c/s/a"), Direction::Downstream, 5) }).await.unwrap();
    assert_eq!((cut.nodes.len(), cut.truncated), (10, true));
}

pub(crate) async fn columns_have_lineage_of_their_own(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let mut view = asset(Kind::View, "c/s/v");
    crate::fresh::push_column(&mut view, "total", "int");
    let lineage = column_process(ProcessKind::View, "total", vec![name("c/s/t/price"), name("c/s/t/tax")], name("c/s/v/total"));
    let item = Item { asset: view, derived: vec![lineage], source: None };
    crawl(&store, &glue, batch("s", [Item::from(table("c/s/t", &["price", "tax", "other"])), item])).await;
    let columns = |start, direction| LineageQuery { level: LineageLevel::Columns, ..query(start, direction, 3) };
    let up = store.lineage(&columns(name("c/s/v/total"), Direction::Upstream)).await.unwrap();
    assert_eq!(reached(&up), ["c/s/t/price", "c/s/t/tax"]);
    assert!(up.nodes.iter().all(|node| node.reference.kind == Kind::Column && node.status == Some(AssetStatus::Active)));
    let of_table = store.lineage(&columns(name("c/s/t"), Direction::Downstream)).await.unwrap();
    assert_eq!(reached(&of_table), ["c/s/t/price", "c/s/t/tax", "c/s/v/total"]);
    // Between assets, column lineage does not show.
    let assets = store.lineage(&query(name("c/s/v/total"), Direction::Upstream, 3)).await.unwrap();
    assert_eq!(assets.edges, []);
}
