//! Preflights of a simulated account: what they say, and what it means to a gate.

use std::sync::atomic::{AtomicI64, Ordering};

use sim::{Account, Fault, FaultKind, Running, Simulation};

use super::*;
use crate::spec::GlueSpec;
use crate::testing::{access, glue_settings, smus_settings};

async fn start() -> Running {
    Simulation::builder().account(Account::realistic()).start().await.unwrap()
}

/// A clock that goes on by 5 ms whenever it is read.
fn ticking() -> impl Fn() -> i64 + Sync {
    let now = AtomicI64::new(0);
    move || now.fetch_add(5, Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checks_of_both_connectors_are_data_with_how_long_each_took() {
    let simulation = start().await;
    let access = access(&simulation);
    let checking = tokio::spawn(async move {
        let clock = ticking();
        let glue = preflight(&access, &glue_settings(&GlueSpec::default()), &clock).await?;
        let smus = preflight(&access, &smus_settings(), &clock).await?;
        Ok::<_, Failure>((glue, smus))
    });
    let (glue, smus) = checking.await.unwrap().unwrap();
    let names: Vec<_> = glue.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(names[..4], ["sign-in", "catalogs", "databases", "tables"]);
    assert!(glue.iter().all(|check| check.state == CheckState::Passed && check.duration_ms == 5), "{glue:?}");
    assert!(smus.iter().any(|check| check.name == "membership"), "{smus:?}");
    let json = serde_json::to_value(&glue[0]).unwrap();
    assert_eq!((json["state"].as_str(), json["durationMs"].as_u64()), (Some("passed"), Some(5)));
    assert!(json.get("error").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_source_refuses_closes_a_gate_and_what_the_plumbing_does_not_bring_leaves_it_open() {
    let simulation = start().await;
    simulation.set_faults([Fault::new(FaultKind::DeniedByIam).on("GetTables")]);
    let settings = glue_settings(&GlueSpec::default());
    let checks = preflight(&access(&simulation), &settings, &ticking()).await.unwrap();
    let tables = checks.iter().find(|check| check.name == "tables").unwrap();
    let error = tables.error.as_ref().unwrap();
    assert!(tables.is_refusal() && tables.state == CheckState::Failed, "{tables:?}");
    assert_eq!((error.operation.as_str(), error.category.as_str(), error.retryable), ("glue:GetTables", "permission", false));
    let plumbing = CheckReport { error: Some(CheckFailure { blame: Blame::Plumbing, ..error.clone() }), ..tables.clone() };
    assert!(!plumbing.is_refusal());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_sign_in_no_other_check_is_tried() {
    let simulation = start().await;
    simulation.set_faults([Fault::new(FaultKind::ExpiredToken)]);
    let settings = glue_settings(&GlueSpec::default());
    let checks = preflight(&access(&simulation), &settings, &ticking()).await.unwrap();
    assert!(checks.len() == 1 && checks[0].is_refusal(), "{checks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_alone_says_who_the_credentials_are() {
    let simulation = start().await;
    let test = test_sign_in(&access(&simulation), "sales", &ticking()).await.unwrap();
    assert_eq!((test.check.state, test.account.as_deref()), (CheckState::Passed, Some("111122223333")));
    assert!(test.arn.is_some_and(|arn| test.check.message.contains(&arn)));
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_are_listed_by_catalog_with_the_names_that_patterns_take() {
    let simulation = start().await;
    let list = list_databases(&access(&simulation), "sales").await.unwrap();
    let own = list.catalogs.iter().find(|catalog| catalog.catalog == "AwsDataCatalog").unwrap();
    assert!(own.databases.iter().any(|name| name == "sales"), "{list:?}");
    assert!(list.is_whole && list.failures.is_empty(), "{list:?}");
    simulation.set_faults([Fault::new(FaultKind::DeniedByIam).on("GetCatalogs")]);
    let list = list_databases(&access(&simulation), "sales").await.unwrap();
    assert!(list.catalogs.len() == 1 && list.failures.len() == 1, "{list:?}");
    simulation.set_faults([Fault::new(FaultKind::DeniedByIam)]);
    assert_eq!(list_databases(&access(&simulation), "sales").await.unwrap_err().category(), "permission");
}
