//! One table, one page: an asset of SageMaker Unified Studio and the Glue table that it was made from, whichever was crawled first.

use serde_json::Value;
use sim::{DomainMutation, Mutation, Thing};

use crate::harness::{CONNECTION_ID, World};
use crate::studio::{DOMAIN, MARKETING, SALES, studio};

const ORDERS: &str = "AwsDataCatalog/sales/orders";

fn glue(path: &str) -> String {
    format!("default/glue/{CONNECTION_ID}/{path}")
}

/// What `show` prints of an asset.
#[track_caller]
fn shown(world: &World, name: &str) -> String {
    let ended = world.program(&["show", name, "--catalog", &world.catalog()]).run();
    ended.expect(0);
    ended.stdout
}

/// The qualified names of an asset's twins, as `show --json` tells them.
#[track_caller]
fn twins(world: &World, name: &str) -> Vec<String> {
    let ended = world.program(&["show", name, "--json", "--catalog", &world.catalog()]).run();
    ended.expect(0);
    let first = ended.stdout.lines().next().unwrap_or_default();
    let document: Value = serde_json::from_str(first).unwrap_or_else(|error| panic!("{error}: {first}"));
    let twins = document["twins"].as_array().cloned().unwrap_or_default();
    twins.iter().filter_map(|twin| twin["qualifiedName"].as_str()).map(str::to_owned).collect()
}

fn expected_of_orders() -> [String; 2] {
    [format!("{DOMAIN}/{MARKETING}/asset24orders"), format!("{DOMAIN}/{SALES}/asset01orders")].map(|path| studio(&path))
}

#[test]
fn twins_find_each_other_whichever_was_crawled_first() {
    for studio_first in [true, false] {
        let world = World::realistic();
        let crawl_studio = || world.smus_to_catalog(&["--skip", "lineage"]).expect(3);
        let crawl_glue = || world.crawl_to_catalog(&[]).expect(0);
        if studio_first {
            crawl_studio();
            crawl_glue();
        } else {
            crawl_glue();
            crawl_studio();
        }
        let of_table = twins(&world, &glue(ORDERS));
        for name in expected_of_orders() {
            assert!(of_table.contains(&name), "{name}: {of_table:?}");
            assert_eq!(twins(&world, &name), [glue(ORDERS)]);
            assert!(shown(&world, &name).contains(ORDERS), "{}", shown(&world, &name));
        }
        let page = shown(&world, &glue(ORDERS));
        assert!(page.contains("asset01orders") && page.contains("asset24orders"), "{page}");
        // Another connection's crawl changes nothing of this one.
        assert_eq!(world.crawl_to_catalog(&[]).expect(0).change("updated"), 0);
        assert_eq!(world.smus_to_catalog(&["--skip", "lineage"]).expect(3).change("updated"), 0);
    }
}

#[test]
fn two_connections_that_hold_the_table_are_both_shown() {
    let world = World::realistic();
    world.smus_to_catalog(&["--skip", "lineage"]).expect(3);
    world.crawl_to_catalog(&[]).expect(0);
    let catalog = world.catalog();
    world.crawl(&["--catalog", &catalog, "--connection", "copy", "--connection-id", "1700000099"]).expect(0);
    let both = twins(&world, &studio(&format!("{DOMAIN}/{SALES}/asset01orders")));
    assert_eq!(both, [glue(ORDERS), format!("default/glue/1700000099/{ORDERS}")]);
}

#[test]
fn lineage_flows_from_the_studio_through_the_table_and_back() {
    let world = World::realistic();
    world.smus_to_catalog(&[]).expect(3);
    world.crawl_to_catalog(&[]).expect(0);
    let lineage = |name: &str, direction: &str| {
        let ended = world
            .program(&["lineage", name, "--direction", direction, "--depth", "5", "--json", "--catalog", &world.catalog()])
            .run();
        ended.expect(0);
        ended.stdout
    };
    let asset = studio(&format!("{DOMAIN}/{SALES}/asset01orders"));
    let up = lineage(&asset, "upstream");
    assert!(up.contains(&glue(ORDERS)) && up.contains("s3://acme-lake/sales/orders"), "{up}");
    let down = lineage("s3://acme-lake/sales/orders", "downstream");
    assert!(down.contains(&asset) && down.contains(&glue(ORDERS)), "{down}");
}

#[test]
fn a_twin_goes_with_its_asset_and_comes_back_with_it() {
    let world = World::realistic();
    world.smus_to_catalog(&["--skip", "lineage"]).expect(3);
    world.crawl_to_catalog(&[]).expect(0);
    let [marketing, _] = expected_of_orders();
    let listing = world.sim().read_account(|account| {
        let ids = account.domain_ids(DOMAIN, Thing::Listing);
        let of_asset = |id: &&String| {
            account
                .domain_thing(DOMAIN, Thing::Listing, id)
                .is_some_and(|one| one["entityId"] == "asset24orders" || one["item"]["assetListing"]["assetId"] == "asset24orders")
        };
        let id = ids.iter().find(of_asset).cloned().unwrap();
        (account.domain_thing(DOMAIN, Thing::Listing, &id).unwrap(), id)
    });
    world.change(Mutation::InDomain {
        domain: DOMAIN.to_owned(),
        change: DomainMutation::Unpublish { entity: "asset24orders".to_owned() },
    });
    let crawled = world.smus_to_catalog(&["--skip", "lineage"]).expect(3);
    assert!(crawled.change("archived") > 0, "{:#}", crawled.report);
    assert!(!twins(&world, &glue(ORDERS)).contains(&marketing));
    world.change(Mutation::InDomain {
        domain: DOMAIN.to_owned(),
        change: DomainMutation::Put { thing: Thing::Listing, document: listing.0 },
    });
    assert!(world.smus_to_catalog(&["--skip", "lineage"]).expect(3).change("restored") > 0);
    assert!(twins(&world, &glue(ORDERS)).contains(&marketing));
}
