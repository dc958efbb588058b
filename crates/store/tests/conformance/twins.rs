//! Which Glue table and which asset of SageMaker Unified Studio have the same data.

use model::document::AssetStatus;
use model::{Item, Kind, QualifiedName};
use store::{Found, Twin};

use crate::fresh::{Fresh, asset, batch, begin, crawl, crawl_and_remove, end, export_all, name};
use crate::studio::{
    ACCOUNT, OTHER, all_twins, arn, arn_in, connect, glue, in_studio, link, made_from, published, schema_link, studio,
    studio_asset, table_in, twins,
};

const ORDERS: &str = "AwsDataCatalog/sales/orders";
const NONE: [&str; 0] = [];

pub(crate) async fn twins_find_each_other_whichever_is_crawled_first(fresh: Fresh) {
    let store = fresh.open().await;
    let (tables, assets) = (glue(&store, 1, Some(ACCOUNT)).await, studio(&store, 1).await);
    let made = published("d/p/a1", &arn("sales/orders"), &["id"]);
    crawl(&store, &assets, batch("p", [made.clone()])).await;
    assert_eq!(twins(&store, &made.qualified_name).await, NONE, "the table is not there yet");
    crawl(&store, &tables, batch("s", [table_in(1, ORDERS, &["id"]), table_in(1, "AwsDataCatalog/sales/late", &[])])).await;
    assert_eq!(twins(&store, &made.qualified_name).await, ["glue/1/AwsDataCatalog/sales/orders"]);
    assert_eq!(twins(&store, &name(ORDERS)).await, ["aws-smus/1/d/p/a1"]);

    let late = published("d/p/a2", &arn("sales/late"), &[]);
    crawl(&store, &assets, batch("p", [made, late])).await;
    let found = all_twins(&store, &name("AwsDataCatalog/sales/late")).await;
    let reference = model::Reference::new(Kind::SmusPublishedAsset, in_studio("d/p/a2"));
    let expected = Twin { reference, name: "Asset d/p/a2".into(), status: AssetStatus::Active };
    assert_eq!((found.assets.as_slice(), found.truncated), ([expected].as_slice(), false));
    let column = store.asset(&in_studio("d/p/a1/id")).await.unwrap().unwrap();
    assert_eq!(column.column().unwrap().name, "id");
    assert_eq!(twins(&store, &in_studio("d/p/a1")).await.len(), 1);
}

pub(crate) async fn a_source_that_changes_or_goes_takes_its_twin_along(fresh: Fresh) {
    let store = fresh.open().await;
    let (tables, assets) = (glue(&store, 1, Some(ACCOUNT)).await, studio(&store, 1).await);
    let other = "AwsDataCatalog/sales/other";
    crawl(&store, &tables, batch("s", [table_in(1, ORDERS, &[]), table_in(1, other, &[])])).await;
    crawl(&store, &assets, batch("p", [published("d/p/a", &arn("sales/orders"), &[])])).await;
    crawl(&store, &assets, batch("p", [published("d/p/a", &arn("sales/other"), &[])])).await;
    assert_eq!(twins(&store, &name(ORDERS)).await, NONE);
    assert_eq!(twins(&store, &name(other)).await, ["aws-smus/1/d/p/a"]);
    // What is no ARN of a Glue table is nobody's twin.
    crawl(&store, &assets, batch("p", [published("d/p/a", "arn:aws:redshift:eu-west-1:111122223333:x/y", &[])])).await;
    assert_eq!((twins(&store, &name(other)).await, twins(&store, &in_studio("d/p/a")).await), (vec![], vec![]));
}

pub(crate) async fn what_is_archived_has_no_twin_until_it_is_restored(fresh: Fresh) {
    let store = fresh.open().await;
    let (tables, assets) = (glue(&store, 1, Some(ACCOUNT)).await, studio(&store, 1).await);
    let table = || batch("s", [table_in(1, ORDERS, &[])]);
    let made = || batch("p", [published("d/p/a", &arn("sales/orders"), &[])]);
    let nothing = |scope| batch(scope, Vec::<Item>::new());
    let both = async || (twins(&store, &name(ORDERS)).await.len(), twins(&store, &in_studio("d/p/a")).await.len());
    crawl(&store, &tables, table()).await;
    crawl(&store, &assets, made()).await;
    assert_eq!(both().await, (1, 1));
    crawl_and_remove(&store, &tables, nothing("s")).await;
    assert_eq!(both().await, (0, 0));
    crawl(&store, &tables, table()).await;
    assert_eq!(both().await, (1, 1));
    crawl_and_remove(&store, &assets, nothing("p")).await;
    assert_eq!(both().await, (0, 0));
    crawl(&store, &assets, made()).await;
    assert_eq!(both().await, (1, 1));
}

pub(crate) async fn every_connection_that_holds_the_table_is_a_twin(fresh: Fresh) {
    let store = fresh.open().await;
    let assets = studio(&store, 1).await;
    for number in [1, 2] {
        let connection = glue(&store, number, Some(ACCOUNT)).await;
        crawl(&store, &connection, batch("s", [table_in(number, ORDERS, &[])])).await;
    }
    // The same table as another account sees it, and tables of that name that are others.
    let sharing = glue(&store, 3, Some(OTHER)).await;
    crawl(&store, &sharing, batch("s", [table_in(3, "111122223333/sales/orders", &[]), table_in(3, ORDERS, &[])])).await;
    let elsewhere = connect(&store, "glue", 4, "us-east-1", Some(ACCOUNT)).await;
    crawl(&store, &elsewhere, batch("s", [table_in(4, ORDERS, &[])])).await;
    let unknown = glue(&store, 5, None).await;
    crawl(&store, &unknown, batch("s", [table_in(5, ORDERS, &[])])).await;
    let inventory = made_from(studio_asset(Kind::SmusInventoryAsset, "d/p2/b", "B"), &arn("sales/orders"), &[]);
    let subscribed = made_from(studio_asset(Kind::SmusSubscribedAsset, "d/p/subscriptions/s", "S"), &arn("sales/orders"), &[]);
    let made = published("d/p/a", &arn("sales/orders"), &[]);
    crawl(&store, &assets, batch("p", [inventory, subscribed, made])).await;

    let holders = ["glue/1/AwsDataCatalog/sales/orders", "glue/2/AwsDataCatalog/sales/orders", "glue/3/111122223333/sales/orders"];
    let made = ["aws-smus/1/d/p/a", "aws-smus/1/d/p/subscriptions/s", "aws-smus/1/d/p2/b"];
    for asset in made {
        assert_eq!(twins(&store, &QualifiedName::from_encoded(format!("default/{asset}"))).await, holders);
    }
    for holder in holders {
        assert_eq!(twins(&store, &QualifiedName::from_encoded(format!("default/{holder}"))).await, made);
    }
    for other in [3, 4, 5] {
        assert_eq!(twins(&store, &QualifiedName::from_encoded(format!("default/glue/{other}/{ORDERS}"))).await, NONE);
    }
    // An account that becomes known makes the connection's tables findable, without another crawl.
    glue(&store, 5, Some(ACCOUNT)).await;
    assert_eq!(twins(&store, &in_studio("d/p/a")).await.len(), 4);
}

pub(crate) async fn many_assets_of_one_table_are_cut_and_it_says_so(fresh: Fresh) {
    let store = fresh.open().await;
    let (tables, assets) = (glue(&store, 1, Some(ACCOUNT)).await, studio(&store, 1).await);
    crawl(&store, &tables, batch("s", [table_in(1, ORDERS, &[])])).await;
    let made = (0..150).map(|number| published(&format!("d/p{number:03}/a"), &arn("sales/orders"), &[]));
    crawl(&store, &assets, batch("p", made)).await;
    let found = all_twins(&store, &name(ORDERS)).await;
    assert_eq!((found.assets.len(), found.truncated), (100, true));
    assert_eq!(found.assets[99].reference.qualified_name, in_studio("d/p099/a"));
}

pub(crate) async fn spellings_nested_catalogs_and_odd_names_are_understood(fresh: Fresh) {
    let store = fresh.open().await;
    let (tables, assets) = (glue(&store, 1, Some(ACCOUNT)).await, studio(&store, 1).await);
    let pairs = [
        ("AwsDataCatalog/sales/orders", arn("Sales/ORDERS")),
        ("AwsDataCatalog/sales/orders.v2", arn("sales/orders.v2")),
        ("AwsDataCatalog/sales/a%2Fb", arn("sales/a/b")),
        ("AwsDataCatalog/sales/100%25", arn("sales/100%")),
        ("s3tablescatalog%2Fanalytics/web/hits", arn("s3tablescatalog/analytics/web/hits")),
        ("Lake/web/hits", arn("lake/web/hits")),
        ("444455556666/sales/orders", arn_in(OTHER, "sales/orders")),
        ("444455556666:fed/sales/orders", arn_in(OTHER, "fed/sales/orders")),
    ];
    let mut views = vec![asset(Kind::View, "AwsDataCatalog/sales/view"), asset(Kind::Database, "Lake")];
    views.push(asset(Kind::Schema, "AwsDataCatalog/sales"));
    let all = pairs.iter().map(|(path, _)| table_in(1, path, &[])).chain(views);
    crawl(&store, &tables, batch("s", all)).await;
    let made = pairs.iter().enumerate().map(|(number, (_, source))| published(&format!("d/p/a{number}"), source, &[]));
    crawl(&store, &assets, batch("p", made.chain([published("d/p/v", &arn("sales/view"), &[])]))).await;
    for (number, (path, source)) in pairs.iter().enumerate() {
        let made = in_studio(&format!("d/p/a{number}"));
        assert_eq!(twins(&store, &made).await, [format!("glue/1/{path}")], "{source}");
        assert_eq!(twins(&store, &name(path)).await, [format!("aws-smus/1/d/p/a{number}")], "{path}");
    }
    assert_eq!(twins(&store, &name("AwsDataCatalog/sales/view")).await, ["aws-smus/1/d/p/v"]);
    assert_eq!(all_twins(&store, &in_studio("d/p/v")).await.assets[0].reference.kind, Kind::View);
}

pub(crate) async fn links_lead_to_the_table_that_they_stand_for(fresh: Fresh) {
    let store = fresh.open().await;
    let (tables, assets) = (glue(&store, 1, Some(ACCOUNT)).await, studio(&store, 1).await);
    let items: Vec<Item> = vec![
        table_in(1, ORDERS, &[]).into(),
        link("AwsDataCatalog/l/one", ORDERS),
        link("AwsDataCatalog/l/two", "AwsDataCatalog/l/one"),
        asset(Kind::Schema, "AwsDataCatalog/sales").into(),
        schema_link("AwsDataCatalog/shared", "AwsDataCatalog/sales"),
        schema_link("AwsDataCatalog/again", "AwsDataCatalog/shared"),
        // To what the catalog does not have, to each other, and to itself.
        link("AwsDataCatalog/l/dangling", "AwsDataCatalog/sales/gone"),
        link("AwsDataCatalog/l/ping", "AwsDataCatalog/l/pong"),
        link("AwsDataCatalog/l/pong", "AwsDataCatalog/l/ping"),
        schema_link("AwsDataCatalog/self", "AwsDataCatalog/self"),
    ];
    crawl(&store, &tables, batch("s", items)).await;
    let sources = ["l/one", "l/two", "shared/orders", "again/orders", "l/dangling", "l/ping", "self/orders", "shared/missing"];
    let made = sources.iter().enumerate().map(|(number, source)| published(&format!("d/p/a{number}"), &arn(source), &[]));
    crawl(&store, &assets, batch("p", made)).await;
    let mut behind = Vec::new();
    for number in 0..sources.len() {
        behind.push(twins(&store, &in_studio(&format!("d/p/a{number}"))).await.join(" ").replace("glue/1/AwsDataCatalog/", ""));
    }
    assert_eq!(behind, ["sales/orders", "sales/orders", "sales/orders", "sales/orders", "l/dangling", "l/ping", "", ""]);
    let of_owner = twins(&store, &name(ORDERS)).await;
    assert_eq!(of_owner, ["aws-smus/1/d/p/a0", "aws-smus/1/d/p/a1", "aws-smus/1/d/p/a2", "aws-smus/1/d/p/a3"]);
    // At a link nothing is found twice: its assets are at the owner, unless there is none.
    assert_eq!(twins(&store, &name("AwsDataCatalog/l/one")).await, NONE);
    assert_eq!(twins(&store, &name("AwsDataCatalog/l/dangling")).await, ["aws-smus/1/d/p/a4"]);
    assert_eq!(twins(&store, &name("AwsDataCatalog/l/ping")).await, ["aws-smus/1/d/p/a5"]);
    assert_eq!(twins(&store, &name("AwsDataCatalog/l/pong")).await, NONE);
}

pub(crate) async fn links_lead_to_owners_in_other_accounts(fresh: Fresh) {
    let store = fresh.open().await;
    let (own, other, assets) = (glue(&store, 1, Some(ACCOUNT)).await, glue(&store, 2, Some(OTHER)).await, studio(&store, 1).await);
    crawl(&store, &own, batch("s", [link("AwsDataCatalog/l/one", "444455556666/sales/orders")])).await;
    crawl(&store, &assets, batch("p", [published("d/p/a", &arn("l/one"), &[])])).await;
    assert_eq!(twins(&store, &in_studio("d/p/a")).await, ["glue/1/AwsDataCatalog/l/one"]);
    crawl(&store, &other, batch("s", [table_in(2, ORDERS, &[])])).await;
    assert_eq!(twins(&store, &in_studio("d/p/a")).await, ["glue/2/AwsDataCatalog/sales/orders"]);
    let owner = QualifiedName::from_encoded(format!("default/glue/2/{ORDERS}"));
    assert_eq!(twins(&store, &owner).await, ["aws-smus/1/d/p/a"]);
}

pub(crate) async fn twins_cost_an_unchanged_crawl_nothing(fresh: Fresh) {
    let store = fresh.open().await;
    let (tables, assets) = (glue(&store, 1, Some(ACCOUNT)).await, studio(&store, 1).await);
    crawl(&store, &tables, batch("s", [table_in(1, ORDERS, &[])])).await;
    let made = || (0..50).map(|number| published(&format!("d/p/a{number}"), &arn("sales/orders"), &["x", "y"]));
    crawl(&store, &assets, batch("p", made())).await;
    let before = export_all(&store).await;
    let run = begin(&store, &assets).await;
    for _ in 0..2 {
        run.apply(batch("p", made())).await.unwrap();
        run.flush().await.unwrap();
    }
    let again = run.finish(end(vec![])).await.unwrap();
    assert_eq!((again.changes.unchanged, again.changes.updated, again.changes.created), (150, 0, 0));
    assert_eq!((again.counts[&Kind::SmusPublishedAsset], again.counts[&Kind::SmusAssetSchema]), (50, 100));
    assert!(again.rows_written <= 3, "{} rows", again.rows_written);
    assert_eq!(export_all(&store).await, before);
    assert_eq!(twins(&store, &name(ORDERS)).await.len(), 50);
}

pub(crate) async fn people_find_assets_by_name_and_tables_by_arn(fresh: Fresh) {
    let store = fresh.open().await;
    let (tables, assets) = (glue(&store, 1, Some(ACCOUNT)).await, studio(&store, 1).await);
    crawl(&store, &tables, batch("s", [table_in(1, ORDERS, &[])])).await;
    let named = |path: &str, name: &str| studio_asset(Kind::SmusPublishedAsset, path, name);
    crawl(
        &store,
        &assets,
        batch(
            "p",
            [named("d/p/a1", "orders"), named("d/p/a2", "Customer / orders"), named("d/q/a3", "Twice"), named("d/r/a4", "Twice")],
        ),
    )
    .await;
    let found = async |typed: &str| match store.find(typed).await.unwrap() {
        Found::One(subject) => vec![subject.qualified_name().as_str()["default/".len()..].to_owned()],
        Found::Candidates(candidates) => candidates.iter().map(|one| format!("? {}", one.qualified_name)).collect(),
    };
    assert_eq!(found("Customer / orders").await, ["aws-smus/1/d/p/a2"]);
    assert_eq!(found("orders").await, ["glue/1/AwsDataCatalog/sales/orders"], "the end of a qualified name comes first");
    assert_eq!(found("Twice").await, ["? default/aws-smus/1/d/q/a3", "? default/aws-smus/1/d/r/a4"]);
    assert_eq!(found(&arn("Sales/orders")).await, ["glue/1/AwsDataCatalog/sales/orders"]);
    let again = glue(&store, 2, Some(ACCOUNT)).await;
    crawl(&store, &again, batch("s", [table_in(2, ORDERS, &[])])).await;
    assert_eq!(found(&arn("sales/orders")).await.len(), 2);

    let asked = [in_studio("d/p/a2"), name(ORDERS), name("nothing"), in_studio("d/p/a2/column")];
    let names = store.named(&asked).await.unwrap();
    let read: Vec<(Kind, &str, AssetStatus)> = names.values().map(|one| (one.kind, one.name.as_str(), one.status)).collect();
    let expected =
        [(Kind::SmusPublishedAsset, "Customer / orders", AssetStatus::Active), (Kind::Table, "orders", AssetStatus::Active)];
    assert_eq!(read, expected);
}
