//! Lineage through twins, and through the ARNs that name Glue tables.

use model::document::AssetStatus;
use model::lineage::{ProcessKind, column_process, process, process_name};
use model::{Asset, Item, Kind, QualifiedName, Reference};
use store::{Connection, Direction, Graph, LineageLevel, LineageQuery, Store};

use crate::fresh::{Fresh, batch, crawl, name};
use crate::studio::{ACCOUNT, arn, glue, in_studio, link, published, studio, table_in};

const ORDERS: &str = "AwsDataCatalog/sales/orders";
const REPORT: &str = "AwsDataCatalog/sales/report";

async fn lineage(store: &Store, start: &QualifiedName, direction: Direction, level: LineageLevel) -> Graph {
    let query = LineageQuery { start: start.clone(), direction, depth: 10, level, nodes_max: 1000 };
    store.lineage(&query).await.unwrap()
}

async fn assets(store: &Store, start: &QualifiedName, direction: Direction) -> Vec<String> {
    reached(&lineage(store, start, direction, LineageLevel::Assets).await)
}

/// Names of all nodes but the start, in short.
fn reached(graph: &Graph) -> Vec<String> {
    let short = |name: &str| name.trim_start_matches("default/").replace("AwsDataCatalog/", "").replace(&arn(""), "arn:");
    graph.nodes[1..].iter().map(|node| short(node.reference.qualified_name.as_str())).collect()
}

fn outside(kind: Kind, name: impl Into<String>) -> Reference {
    Reference::new(kind, QualifiedName::from_encoded(name))
}

/// A process that SageMaker Unified Studio reports.
fn reported(subject: &str, inputs: Vec<Reference>, outputs: Vec<Reference>) -> Asset {
    process(ProcessKind::DataZone, in_studio(subject).as_str(), subject, inputs, outputs)
}

fn job(path: &str, inputs: &[&str], outputs: &[&str]) -> Item {
    let tables = |paths: &[&str]| paths.iter().map(|path| Reference::new(Kind::Table, name(path))).collect();
    let job = crate::fresh::asset(Kind::GlueJob, path);
    let lineage = process(ProcessKind::GlueJob, job.qualified_name.as_str(), &job.name, tables(inputs), tables(outputs));
    Item { asset: job, derived: vec![lineage], source: None }
}

async fn both(store: &Store) -> (Connection, Connection) {
    (glue(store, 1, Some(ACCOUNT)).await, studio(store, 1).await)
}

pub(crate) async fn lineage_goes_from_a_table_to_what_is_made_from_it_and_back(fresh: Fresh) {
    let store = fresh.open().await;
    let (tables, studio) = both(&store).await;
    let items = vec![
        table_in(1, "AwsDataCatalog/raw/orders", &[]).into(),
        table_in(1, ORDERS, &[]).into(),
        job("jobs/j", &["AwsDataCatalog/raw/orders"], &[ORDERS]),
    ];
    crawl(&store, &tables, batch("s", items)).await;
    let made = published("d/p/a", &arn("sales/orders"), &[]);
    let read = reported(
        "run",
        vec![Reference::new(made.kind, made.qualified_name.clone())],
        vec![outside(Kind::Dataset, "kafka://broker/topic")],
    );
    crawl(&store, &studio, batch("p", [Item::from(made.clone()), read.into()])).await;

    let raw = name("AwsDataCatalog/raw/orders");
    let down = lineage(&store, &raw, Direction::Downstream, LineageLevel::Assets).await;
    assert_eq!(reached(&down), ["aws-smus/1/d/p/a", "glue/1/sales/orders", "kafka://broker/topic"]);
    let hop = down.edges.iter().find(|edge| edge.to == made.qualified_name).unwrap();
    assert_eq!((hop.from.as_str(), hop.process_kind.as_str()), (name(ORDERS).as_str(), "datazone"));
    let expected = process_name(ProcessKind::DataZone, made.qualified_name.as_str());
    assert_eq!(hop.process, Reference::new(Kind::Process, expected));
    let node = |kind: Kind| down.nodes.iter().find(|node| node.reference.kind == kind).unwrap();
    assert_eq!(node(Kind::SmusPublishedAsset).name, "Asset d/p/a");
    assert_eq!((node(Kind::Dataset).name.as_str(), node(Kind::Dataset).status), ("topic", None));

    let topic = QualifiedName::from_encoded("kafka://broker/topic");
    let up = assets(&store, &topic, Direction::Upstream).await;
    assert_eq!(up, ["aws-smus/1/d/p/a", "glue/1/raw/orders", "glue/1/sales/orders"]);
    assert_eq!(assets(&store, &made.qualified_name, Direction::Upstream).await, ["glue/1/raw/orders", "glue/1/sales/orders"]);
    assert_eq!(assets(&store, &name(ORDERS), Direction::Both).await.len(), 3);
}

pub(crate) async fn a_table_that_lineage_names_by_its_arn_is_the_table(fresh: Fresh) {
    let store = fresh.open().await;
    let (tables, studio) = both(&store).await;
    // ORDERS -> (job outside) -> REPORT -> topic, told by ARNs alone, in another spelling.
    let run = reported(
        "run",
        vec![outside(Kind::Table, arn("Sales/Orders"))],
        vec![outside(Kind::Table, arn("sales/report")), outside(Kind::Table, arn("sales/unheard"))],
    );
    let more = reported("more", vec![outside(Kind::Table, arn("sales/REPORT"))], vec![outside(Kind::Dataset, "kafka://b/t")]);
    crawl(&store, &studio, batch("p", [run, more])).await;
    let start = QualifiedName::from_encoded(arn("sales/orders"));
    let unheld = assets(&store, &start, Direction::Downstream).await;
    assert_eq!(unheld, ["arn:sales/report", "arn:sales/unheard", "kafka://b/t"], "as long as no connection holds them");

    crawl(&store, &tables, batch("s", [table_in(1, ORDERS, &[]), table_in(1, REPORT, &[])])).await;
    let expected = ["arn:sales/unheard", "glue/1/sales/report", "kafka://b/t"];
    let down = lineage(&store, &name(ORDERS), Direction::Downstream, LineageLevel::Assets).await;
    assert_eq!(reached(&down), expected);
    let unheard = down.nodes.iter().find(|node| node.name == "unheard").unwrap();
    assert_eq!((unheard.reference.kind, unheard.status), (Kind::Table, None));
    assert_eq!(assets(&store, &start, Direction::Downstream).await, expected, "the ARN is the table");
    let start = lineage(&store, &start, Direction::Downstream, LineageLevel::Assets).await.nodes[0].clone();
    assert_eq!((start.reference.qualified_name, start.status), (name(ORDERS), Some(AssetStatus::Active)));
    assert_eq!(assets(&store, &name(REPORT), Direction::Upstream).await, ["glue/1/sales/orders"]);
    let topic = QualifiedName::from_encoded("kafka://b/t");
    assert_eq!(assets(&store, &topic, Direction::Upstream).await, ["glue/1/sales/orders", "glue/1/sales/report"]);

    // A second connection of the account holds it too: both are it.
    let again = glue(&store, 2, Some(ACCOUNT)).await;
    crawl(&store, &again, batch("s", [table_in(2, REPORT, &[])])).await;
    let down = assets(&store, &name(ORDERS), Direction::Downstream).await;
    assert_eq!(down, ["arn:sales/unheard", "glue/1/sales/report", "glue/2/sales/report", "kafka://b/t"]);
}

pub(crate) async fn lineage_by_the_arn_of_a_link_is_lineage_of_its_owner(fresh: Fresh) {
    let store = fresh.open().await;
    let (tables, studio) = both(&store).await;
    crawl(&store, &tables, batch("s", [table_in(1, ORDERS, &[]).into(), link("AwsDataCatalog/l/one", ORDERS)])).await;
    let run = reported("run", vec![outside(Kind::Table, arn("l/one"))], vec![outside(Kind::Dataset, "kafka://b/t")]);
    crawl(&store, &studio, batch("p", [Item::from(published("d/p/a", &arn("l/one"), &[])), run.into()])).await;
    assert_eq!(assets(&store, &name(ORDERS), Direction::Downstream).await, ["aws-smus/1/d/p/a", "glue/1/l/one", "kafka://b/t"]);
    assert_eq!(assets(&store, &in_studio("d/p/a"), Direction::Upstream).await, ["glue/1/sales/orders"]);
}

pub(crate) async fn cycles_through_twins_end(fresh: Fresh) {
    let store = fresh.open().await;
    let (tables, studio) = both(&store).await;
    crawl(&store, &tables, batch("s", [table_in(1, ORDERS, &[])])).await;
    let made: Vec<Asset> = (0..3).map(|number| published(&format!("d/p{number}/a"), &arn("sales/orders"), &[])).collect();
    let of = |asset: &Asset| Reference::new(asset.kind, asset.qualified_name.clone());
    let back = reported("back", vec![of(&made[0])], vec![outside(Kind::Table, arn("sales/orders")), of(&made[1])]);
    crawl(&store, &studio, batch("p", made.into_iter().chain([back]))).await;
    for direction in [Direction::Upstream, Direction::Downstream, Direction::Both] {
        let query =
            |nodes_max| LineageQuery { start: name(ORDERS), direction, depth: 1000, level: LineageLevel::Assets, nodes_max };
        let graph = store.lineage(&query(1000)).await.unwrap();
        assert!(graph.nodes.len() >= 2 && !graph.truncated);
        assert!(store.lineage(&query(2)).await.unwrap().nodes.len() <= 2);
    }
    let down = assets(&store, &name(ORDERS), Direction::Downstream).await;
    assert_eq!(down, ["aws-smus/1/d/p0/a", "aws-smus/1/d/p1/a", "aws-smus/1/d/p2/a"]);
}

pub(crate) async fn columns_of_twins_are_one_hop_apart(fresh: Fresh) {
    let store = fresh.open().await;
    let (tables, studio) = both(&store).await;
    let report = table_in(1, REPORT, &["total"]);
    let total =
        column_process(ProcessKind::GlueJob, "total", vec![name(&format!("{ORDERS}/amount"))], name(&format!("{REPORT}/total")));
    let report = Item { asset: report, derived: vec![total], source: None };
    crawl(&store, &tables, batch("s", [table_in(1, ORDERS, &["id", "amount", "hidden"]).into(), report])).await;
    let made = published("d/p/a", &arn("sales/report"), &["Total", "extra"]);
    // Told by ARN, to a column that the table has in another spelling.
    let by_arn = column_process(
        ProcessKind::DataZone,
        "id",
        vec![QualifiedName::from_encoded(format!("{}/ID", arn("sales/orders")))],
        in_studio("d/p/a/extra"),
    );
    crawl(&store, &studio, batch("p", [Item { asset: made, derived: vec![by_arn], source: None }])).await;

    let columns = async |start: QualifiedName, direction| lineage(&store, &start, direction, LineageLevel::Columns).await;
    let down = columns(name(&format!("{ORDERS}/amount")), Direction::Downstream).await;
    assert_eq!(reached(&down), ["aws-smus/1/d/p/a/Total", "glue/1/sales/report/total"]);
    let twin = down.nodes.iter().find(|node| node.name == "Total").unwrap();
    assert_eq!((twin.reference.kind, twin.status), (Kind::SmusAssetSchema, Some(AssetStatus::Active)));
    let up = columns(in_studio("d/p/a/Total"), Direction::Upstream).await;
    assert_eq!(reached(&up), ["glue/1/sales/orders/amount", "glue/1/sales/report/total"]);
    assert_eq!(reached(&columns(in_studio("d/p/a/extra"), Direction::Upstream).await), ["glue/1/sales/orders/id"]);
    assert_eq!(reached(&columns(name(&format!("{ORDERS}/id")), Direction::Downstream).await), ["aws-smus/1/d/p/a/extra"]);
    // From the whole table, or the whole asset.
    let whole = columns(name(REPORT), Direction::Downstream).await;
    assert_eq!(reached(&whole), ["aws-smus/1/d/p/a/Total", "glue/1/sales/report/total"]);
    assert_eq!(reached(&columns(in_studio("d/p/a"), Direction::Upstream).await).len(), 5);
    let by_name = columns(QualifiedName::from_encoded(format!("{}/id", arn("sales/orders"))), Direction::Downstream).await;
    assert_eq!((by_name.nodes[0].reference.qualified_name.clone(), by_name.edges.len()), (name(&format!("{ORDERS}/id")), 1));
}
