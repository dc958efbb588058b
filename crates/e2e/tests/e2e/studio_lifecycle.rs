//! What becomes of the catalog when a domain changes: nothing is archived without proof, and access that is lost loses nothing.

use sim::{Denial, DomainMutation, Mutation};

use crate::harness::{ROLE, World, program::wait_until};
use crate::studio::{CLOSED, DOMAIN, MARKETING, SALES, WITHOUT_CLOSED, studio};

fn in_domain(change: DomainMutation) -> Mutation {
    Mutation::InDomain { domain: DOMAIN.to_owned(), change }
}

/// A crawl without lineage and without the project that would make it partial.
fn arguments() -> Vec<&'static str> {
    let mut all = vec!["--role-arn", ROLE, "--skip", "lineage"];
    all.extend(WITHOUT_CLOSED);
    all
}

#[test]
fn a_domain_that_is_denied_makes_the_run_partial_and_keeps_what_was_there() {
    for denial in [Denial::Iam, Denial::DataZone] {
        let world = World::realistic();
        world.smus_to_catalog(&arguments()).expect(0);
        let before = world.exported();
        world.change(in_domain(DomainMutation::Deny { denial: Some(denial) }));
        let crawled = world.smus_to_catalog(&arguments()).expect(3);
        crawled.error_of(DOMAIN);
        assert_eq!(crawled.change("archived"), 0, "{:#}", crawled.report);
        world.exported().expect_same(&before);
        world.change(in_domain(DomainMutation::Deny { denial: None }));
        let again = world.smus_to_catalog(&arguments()).expect(0);
        assert_eq!((again.change("created"), again.change("updated"), again.change("restored")), (0, 0, 0), "{:#}", again.report);
    }
}

#[test]
fn a_project_that_the_role_left_is_named_and_kept() {
    let world = World::realistic();
    world.smus_to_catalog(&[&arguments()[..], &["--keep", "unpublished-assets"]].concat()).expect(0);
    let before = world.exported();
    world.change(in_domain(DomainMutation::RemoveMember { project: MARKETING.to_owned(), arn: ROLE.to_owned() }));
    let crawled = world.smus_to_catalog(&[&arguments()[..], &["--keep", "unpublished-assets"]].concat()).expect(3);
    let error = crawled.error_of(&format!("{DOMAIN}/{MARKETING}"));
    assert!(error["message"].as_str().unwrap().contains("\"Marketing\""), "{error:#}");
    assert_eq!(crawled.change("archived"), 0, "{:#}", crawled.report);
    assert_eq!(world.exported().counts(), before.counts());
}

#[test]
fn what_is_gone_is_archived_once_it_does_not_answer_by_name() {
    let world = World::realistic();
    world.smus_to_catalog(&arguments()).expect(0);
    let path = format!("{DOMAIN}/{SALES}/asset03customers");
    world.change(in_domain(DomainMutation::Unpublish { entity: "asset03customers".to_owned() }));
    let crawled = world.smus_to_catalog(&arguments()).expect(0);
    assert!(crawled.change("archived") >= 1, "{:#}", crawled.report);
    assert_eq!(crawled.operation("datazone:GetListing"), 1, "absence is proven by name: {:#}", crawled.report["operations"]);
    let archived = world.exported();
    assert!(
        !archived
            .of("SageMakerUnifiedStudioPublishedAsset")
            .any(|asset| asset["attributes"]["qualifiedName"] == studio(&path) && asset["status"] == "ACTIVE")
    );
    world.change(in_domain(DomainMutation::RemoveProject { project: "prjlegacy000001".to_owned() }));
    let crawled = world.smus_to_catalog(&arguments()).expect(0);
    assert!(crawled.change("archived") >= 1, "{:#}", crawled.report);
    let of_all_domains = crawled.count("SageMakerUnifiedStudioProject");
    assert_eq!(crawled.operation("datazone:GetProject"), of_all_domains + 1, "and the one that is gone: {:#}", crawled.report);
}

#[test]
fn a_subscription_that_was_revoked_is_archived() {
    let world = World::realistic();
    let before = world.smus_to_catalog(&arguments()).expect(0).count("SageMakerUnifiedStudioSubscribedAsset");
    world.change(in_domain(DomainMutation::RevokeSubscription { subscription: "subscription01".to_owned() }));
    let crawled = world.smus_to_catalog(&arguments()).expect(0);
    assert_eq!(crawled.count("SageMakerUnifiedStudioSubscribedAsset"), before - 1, "{:#}", crawled.report["counts"]);
    assert!(crawled.change("archived") >= 1);
}

#[test]
fn domains_that_vanish_at_once_are_protected_until_somebody_confirms() {
    let world = World::realistic();
    world.smus_to_catalog(&arguments()).expect(0);
    let before = world.exported();
    world.change(in_domain(DomainMutation::RemoveDomain {}));
    let protected = world.smus_to_catalog(&arguments()).expect(3);
    assert!(protected.change("protected") > 0 && protected.change("archived") == 0, "{:#}", protected.report);
    assert_eq!(world.exported().counts(), before.counts());
    let confirmed = world.smus_to_catalog(&[&arguments()[..], &["--confirm-removals"]].concat()).expect(0);
    assert!(confirmed.change("archived") > 100, "{:#}", confirmed.report);
}

#[test]
fn a_crawl_killed_in_the_middle_is_completed_by_the_next_one() {
    let world = World::realistic();
    world.sim().set_latency_ms(150);
    let catalog = world.catalog();
    let (program, _) = world.crawl_program_of("smus", &[&arguments()[..], &["--catalog", &catalog]].concat());
    let mut running = program.start();
    wait_until("listings are read", || world.sim().requests().count("datazone:SearchListings") > 0);
    running.kill();
    world.sim().set_latency_ms(0);
    world.smus(&[&arguments()[..], &["--catalog", &catalog]].concat()).expect(0);
    let clean = World::realistic();
    clean.smus_to_catalog(&arguments()).expect(0);
    assert_eq!(world.exported().counts(), clean.exported().counts());
}

#[test]
fn a_closed_project_is_left_out_without_a_word_where_the_filter_says_so() {
    let world = World::realistic();
    let (crawled, assets) = world.smus_to_file(&arguments());
    let crawled = crawled.expect(0);
    assert!(crawled.errors().is_empty());
    // What others subscribed to of it is theirs.
    let published = |asset: &&serde_json::Value| asset["attributes"]["smusOwningProjectId"] == CLOSED;
    assert_eq!(assets.of("SageMakerUnifiedStudioPublishedAsset").filter(published).count(), 0);
    assert!(!assets.has("SageMakerUnifiedStudioProject", &studio(&format!("{DOMAIN}/{CLOSED}"))));
}

#[test]
fn what_changes_in_a_domain_is_in_the_history_and_the_diff() {
    let world = World::realistic();
    world.smus_to_catalog(&arguments()).expect(0);
    let members = serde_json::json!({"description": "Everyone who ever bought", "entityRevision": "99"});
    world.change(in_domain(DomainMutation::Change { thing: sim::Thing::Listing, id: "listing03customers".to_owned(), members }));
    let crawled = world.smus_to_catalog(&arguments()).expect(0);
    assert_eq!(crawled.change("updated"), 1, "{:#}", crawled.report["changes"]);
    let catalog = world.catalog();
    for arguments in [&["history", "asset03customers"][..], &["diff", "1", "2"]] {
        let told = world.program(&[arguments, &["--catalog", &catalog]].concat()).run();
        told.expect(0);
        assert!(told.stdout.contains("Everyone who ever bought") && told.stdout.contains("99"), "{arguments:?}: {}", told.stdout);
    }
}
