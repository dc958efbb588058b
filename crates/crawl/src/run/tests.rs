//! Crawls of a simulated account, as a control plane runs them: spawned, on several threads.

use connector::port::{ErrorKind, NoBaseline};
use model::Outcome;
use sim::{Account, Fault, FaultKind, Running, Simulation};

use super::*;
use crate::access::Role;
use crate::failure::Blame;
use crate::report;
use crate::spec::GlueSpec;
use crate::testing::{CountingSink, access, connection, glue_settings, smus_settings};

const ROLE: &str = "arn:aws:iam::111122223333:role/isinglass-reader";

async fn start() -> Running {
    Simulation::builder().account(Account::realistic()).start().await.unwrap()
}

fn with_role(access: Access) -> Access {
    Access { assume_role: Some(Role { role_arn: ROLE.to_owned(), external_id: None, session_name: None }), ..access }
}

/// Crawls on a task of its own, which only a future that may move between threads can.
async fn spawn(
    access: Access,
    settings: CrawlSettings,
    account: Option<&str>,
    sink: CountingSink,
) -> (Result<Crawled, Failure>, usize) {
    let connection = connection(&settings, account);
    let crawling = tokio::spawn(async move {
        let reader = Reader::connect(&access, &settings).await?;
        let (progress, masked) = (Progress::default(), MaskedCounts::default());
        let plugs = Plugs { sink: &sink, baseline: &NoBaseline, progress: &progress, masked: &masked };
        let crawled = crawl(&reader, &settings, connection, &plugs).await?;
        let assets = *sink.assets.lock().unwrap();
        Ok((crawled, assets))
    });
    match crawling.await.unwrap() {
        Ok((crawled, assets)) => (Ok(crawled), assets),
        Err(failure) => (Err(failure), 0),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_connectors_crawl_with_given_keys_and_with_a_role() {
    let simulation = start().await;
    for (access, account) in [(access(&simulation), None), (with_role(access(&simulation)), Some("111122223333"))] {
        let (crawled, assets) = spawn(access.clone(), glue_settings(&GlueSpec::default()), None, CountingSink::default()).await;
        let crawled = crawled.unwrap();
        assert_eq!(report::outcome(&crawled.result), Outcome::Complete);
        assert!(assets > 10 && crawled.sign_in.account.as_deref() == account, "{assets} {crawled:?}");
        let (crawled, assets) = spawn(access, smus_settings(), None, CountingSink::default()).await;
        assert!(assets > 10 && crawled.unwrap().result.read_anything, "{assets}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_than_the_connection_is_of_is_not_crawled() {
    let simulation = start().await;
    let access = with_role(access(&simulation));
    let settings = glue_settings(&GlueSpec::default());
    let failure = spawn(access, settings, Some("999988887777"), CountingSink::default()).await.0.unwrap_err();
    assert_eq!((failure.kind, failure.blame()), (FailureKind::OtherAccount, Blame::Operator));
    assert!(failure.message.contains("\"sales\" is of account 999988887777"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_takes_no_more_is_our_plumbing_and_wrong_keys_are_the_sources_refusal() {
    let simulation = start().await;
    let full = CountingSink { is_full: true, ..CountingSink::default() };
    let failure = spawn(access(&simulation), glue_settings(&GlueSpec::default()), None, full).await.0.unwrap_err();
    assert_eq!((failure.kind, failure.blame()), (FailureKind::Internal, Blame::Plumbing));
    simulation.set_faults([Fault::new(FaultKind::ExpiredToken)]);
    let settings = glue_settings(&GlueSpec::default());
    let failure = spawn(access(&simulation), settings, None, CountingSink::default()).await.0.unwrap_err();
    assert_eq!((failure.kind, failure.blame()), (FailureKind::Api(ErrorKind::Credentials), Blame::Source));
}
