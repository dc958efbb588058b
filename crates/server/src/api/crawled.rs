//! A service whose catalog two runs have filled: names of several scripts, a table with many columns, lineage, something archived.

use model::attribute::Attribute;
use model::lineage::{ProcessKind, process};
use model::{Asset, AssetBatch, ColumnDraft, Item, Kind, Outcome, QualifiedName, Reference, Scope, ScopeReport};
use store::{Connection, ConnectionSpec, RemovalPolicy, RunEnd};

use super::testing::Service;

/// Columns of the wide table.
pub(crate) const WIDE: usize = 501;

/// The qualified name at a path below the one connection.
pub(crate) fn name(path: &str) -> String {
    format!("default/glue/1/{path}")
}

/// A qualified name as a value in a query.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn asset(kind: Kind, path: &str) -> Asset {
    Asset::new(kind, QualifiedName::from_encoded(name(path)), model::name::decode_part(path.rsplit('/').next().unwrap()))
}

fn table(path: &str, columns: &[&str]) -> Asset {
    let mut table = asset(Kind::Table, path);
    for (index, column) in columns.iter().enumerate() {
        table.columns.push(&ColumnDraft {
            name: column,
            data_type: "string",
            raw_type: "string",
            description: None,
            order: u32::try_from(index + 1).unwrap(),
            partition_order: None,
            parent: None,
            nested_count: 0,
        });
    }
    table
}

fn orders(columns: &[&str]) -> Asset {
    let mut orders = table("c/sales/orders", columns);
    orders.attributes.set(Attribute::Description, "Orders of every customer");
    orders.attributes.set(Attribute::ExternalLocation, "s3://lake/orders");
    orders
}

fn assets(orders: Asset) -> Vec<Asset> {
    let wide: Vec<String> = (0..WIDE).map(|number| format!("column_{number:04}")).collect();
    let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
    let reference = |path: &str| Reference::new(Kind::Table, QualifiedName::from_encoded(name(path)));
    let job = name("jobs/nightly");
    vec![
        asset(Kind::Database, "c"),
        asset(Kind::Schema, "c/sales"),
        asset(Kind::Schema, "c/größe%2F日本"),
        orders,
        table("c/sales/raw", &["order_id"]),
        table("c/sales/wide", &wide),
        table("c/größe%2F日本/Überweisung &+#", &["Betrag"]),
        asset(Kind::GlueJob, "jobs/nightly"),
        process(ProcessKind::GlueJob, &job, "nightly", vec![reference("c/sales/raw")], vec![reference("c/sales/orders")]),
    ]
}

async fn run(service: &Service, connection: &Connection, assets: Vec<Asset>, at_ms: i64) {
    let run = service.app.store.begin_run(connection, "{}", at_ms).await.unwrap();
    let scope = Scope::new("all");
    let items = assets.into_iter().map(Item::from).collect();
    run.apply(AssetBatch { scope: scope.clone(), items, unchanged: Vec::new() }).await.unwrap();
    let scopes = vec![ScopeReport { scope, complete: true }];
    let gone = run.missing(&scopes, 100).await.unwrap().into_iter().map(|missing| missing.known).collect();
    let end = RunEnd { outcome: Outcome::Complete, scopes, gone, removal: RemovalPolicy::Confirmed, now_ms: at_ms + 1000 };
    run.finish(end).await.unwrap();
}

/// The service. Its second run found a column more in `orders`, and `gone` gone.
pub(crate) async fn service() -> Service {
    let service = Service::start().await;
    let spec = ConnectionSpec { name: "prod".into(), connector: "glue", number: Some(1), region: None, account: None };
    let connection = service.app.store.connection(&spec, 1).await.unwrap();
    let first = assets(orders(&["order_id", "customer"]));
    run(&service, &connection, first.into_iter().chain([table("c/sales/gone", &[])]).collect(), 1000).await;
    run(&service, &connection, assets(orders(&["order_id", "customer", "amount"])), 5000).await;
    service
}
