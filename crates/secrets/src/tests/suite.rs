//! The same situations for every store that is asked over the network.

use std::sync::Arc;
use std::time::Duration;

use super::harness::{Opened, context, try_open};
use super::server::Server;
use super::stand_ins::{CANARY, KEY, KINDS, Kind, Situation};
use crate::{Absent, CheckOutcome, SecretError, check};

/// How long a store is waited for that never answers.
const SHORT: Duration = Duration::from_millis(100);

/// A store of a kind whose service is in a situation. The folder has what Kubernetes gives a pod.
pub(super) async fn opened(kind: &Kind, situation: Situation) -> (Server, tempfile::TempDir, Opened) {
    let answer = kind.answer;
    let server = Server::serve(None, Arc::new(move |seen| answer(situation, seen))).await;
    let (folder, opened) = at(kind, situation, &server.url()).await;
    (server, folder, opened)
}

async fn at(kind: &Kind, situation: Situation, url: &str) -> (tempfile::TempDir, Opened) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "account-token-1\n").unwrap();
    let filled = |text: &str| text.replace("{url}", url).replace("{folder}", folder.path().to_str().unwrap());
    let variables: Vec<_> = kind.variables.iter().map(|(name, value)| (*name, filled(value))).collect();
    let mut context = context(&variables.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>());
    // The client of AWS has its own retries; they end with the time that a call may take.
    if situation == Situation::Slow || (kind.name == "aws-secrets-manager" && situation == Situation::Outage) {
        context.limits.answer = SHORT;
    }
    let opened = try_open(&filled(kind.settings), context).await.unwrap_or_else(|error| panic!("{}: {error}", kind.name));
    (folder, opened)
}

async fn failure(kind: &Kind, situation: Situation) -> (Server, SecretError) {
    let (server, _folder, opened) = opened(kind, situation).await;
    let error = opened.keys(kind.entry, &[KEY]).await.expect_err(kind.name);
    assert!(!format!("{error} {error:?}").contains(CANARY), "{}: {error}", kind.name);
    assert!(!error.remedy().is_empty() && error.place().store.as_str() == "main", "{}: {error:?}", kind.name);
    (server, error)
}

#[tokio::test]
async fn what_is_there_is_found_with_one_fetch_however_many_values() {
    for kind in KINDS {
        let (server, _folder, opened) = opened(kind, Situation::Found).await;
        let found =
            opened.keys(kind.entry, &[KEY, "access-key-id", "port"]).await.unwrap_or_else(|error| panic!("{}: {error}", kind.name));
        assert_eq!(found, super::harness::pairs(&[(KEY, CANARY), ("access-key-id", "AKIA1"), ("port", "5432")]), "{}", kind.name);
        let fetches = server.lines().iter().filter(|line| line.contains("aws") || line.as_str() == "POST /").count();
        assert_eq!(fetches, 1, "{}: {:?}", kind.name, server.lines());
    }
}

#[tokio::test]
async fn an_absent_key_and_an_absent_entry_are_missing_and_say_which() {
    for kind in KINDS {
        let (_server, _folder, opened) = opened(kind, Situation::Found).await;
        let error = opened.keys(kind.entry, &[KEY, "absent"]).await.expect_err(kind.name);
        assert!(
            matches!(&error, SecretError::Missing { what: Absent::Key(key), .. } if key == "absent"),
            "{}: {error:?}",
            kind.name
        );
        assert!(!format!("{error} {error:?}").contains(CANARY));

        let (_server, error) = failure(kind, Situation::NoEntry).await;
        assert!(matches!(error, SecretError::Missing { what: Absent::Entry, .. }), "{}: {error:?}", kind.name);
        assert_eq!(error.place().entry.as_deref(), Some(kind.entry), "{}", kind.name);
    }
}

#[tokio::test]
async fn a_denial_is_no_outage_and_no_missing_entry() {
    for kind in KINDS {
        for situation in [Situation::Denied, Situation::SignInRefused] {
            let (_server, error) = failure(kind, situation).await;
            assert_eq!(error.category(), "denied", "{} {situation:?}: {error:?}", kind.name);
        }
    }
}

#[tokio::test]
async fn an_outage_is_tried_a_few_times_and_then_unreachable() {
    for kind in KINDS {
        let (server, error) = failure(kind, Situation::Outage).await;
        assert_eq!(error.category(), "unreachable", "{}: {error:?}", kind.name);
        let last = server.lines().pop().unwrap();
        let attempts = server.lines().iter().filter(|line| **line == last).count();
        assert!(attempts == 3 || kind.name == "aws-secrets-manager", "{}: {:?}", kind.name, server.lines());
    }
}

#[tokio::test]
async fn a_store_that_nobody_listens_for_is_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for kind in KINDS {
        let (_folder, opened) = at(kind, Situation::Outage, &format!("http://{free}")).await;
        let error = opened.keys(kind.entry, &[KEY]).await.expect_err(kind.name);
        assert_eq!(error.category(), "unreachable", "{}: {error:?}", kind.name);
        assert!(matches!(check(opened.store()).await, CheckOutcome::Unreachable(_)), "{}", kind.name);
    }
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_given_up() {
    for kind in KINDS {
        let (_server, error) = failure(kind, Situation::Slow).await;
        assert_eq!(error.category(), "unreachable", "{}: {error:?}", kind.name);
    }
}

#[tokio::test]
async fn answers_that_are_of_another_form_or_too_long_are_malformed() {
    for kind in KINDS {
        for situation in [Situation::Malformed, Situation::TooLong] {
            let (_server, error) = failure(kind, situation).await;
            assert_eq!(error.category(), "malformed", "{} {situation:?}: {error:?}", kind.name);
        }
    }
}

#[tokio::test]
async fn a_check_tells_ready_denied_and_unreachable_apart() {
    for kind in KINDS {
        for (situation, word) in [
            (Situation::NoEntry, "ready"),
            (Situation::Found, "ready"),
            (Situation::SignInRefused, "denied"),
            (Situation::Outage, "unreachable"),
            (Situation::Slow, "unreachable"),
        ] {
            let (_server, _folder, opened) = opened(kind, situation).await;
            let outcome = check(opened.store()).await;
            assert_eq!(outcome.word(), word, "{} {situation:?}: {outcome:?}", kind.name);
            assert!(!format!("{outcome:?}").contains(CANARY), "{} {situation:?}", kind.name);
        }
    }
    assert_eq!(check(None).await, CheckOutcome::NothingConfigured);
}
