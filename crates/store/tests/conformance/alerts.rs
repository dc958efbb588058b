//! Who is told of the end of a run, and what a worker of a lease may add to it.

use model::Outcome;
use store::{AlertEnd, Fate, JobEnd, NewAlert, NewEvent, QueueLength, StoreError};

use crate::control::system;
use crate::fresh::{Fresh, connection};
use crate::leases::claim;
use crate::work::workflow;

fn alert(id: &str) -> NewAlert {
    let text = |text: &str| text.to_owned();
    NewAlert { url: text("https://a.test/canary"), secret: text("canary"), message_id: text(id), body: text("{}") }
}

pub(crate) async fn the_end_of_a_run_is_told_once_and_tried_until_it_arrives(fresh: Fresh) {
    let store = fresh.open().await;
    let nightly = workflow(&store, 1, "nightly").await;
    let run = store.enqueue(nightly, &system(), 10).await.unwrap().run;
    assert!(!store.add_alerts(run, &[alert("early")], 10).await.unwrap(), "it has not ended");
    let lease = claim(&store, 10).await.unwrap();
    store.finish_job(&lease, &JobEnd { outcome: Outcome::Failed, failure: None }, 100).await.unwrap();
    assert!(store.unalerted_runs(99, 9).await.unwrap().is_empty(), "its report may still come");
    assert_eq!(store.unalerted_runs(100, 9).await.unwrap(), [run]);
    assert!(store.add_alerts(run, &[alert("one"), alert("two")], 200).await.unwrap());
    assert!(!store.add_alerts(run, &[alert("three")], 200).await.unwrap());
    assert!(store.unalerted_runs(i64::MAX, 9).await.unwrap().is_empty());

    assert_eq!(store.claim_alert(1000, 199).await.unwrap(), None);
    let one = store.claim_alert(1000, 200).await.unwrap().unwrap();
    let two = store.claim_alert(1000, 200).await.unwrap().unwrap();
    assert_eq!((one.alert.message_id.as_str(), one.attempt, two.alert.message_id.as_str()), ("one", 1, "two"));
    assert!(!format!("{one:?}").contains("canary"));
    assert_eq!(store.claim_alert(1000, 300).await.unwrap(), None);
    assert!(store.finish_alert(&two, AlertEnd::Delivered, 300).await.unwrap());
    // Whoever had the first one is gone; whoever comes late has nothing to say any more.
    let again = store.claim_alert(1000, 1300).await.unwrap().unwrap();
    assert_eq!((again.id, again.attempt), (one.id, 2));
    assert!(!store.finish_alert(&one, AlertEnd::GivenUp, 1300).await.unwrap());
    assert!(store.finish_alert(&again, AlertEnd::Again { next_ms: 5000 }, 1300).await.unwrap());
    assert_eq!(store.claim_alert(1000, 4999).await.unwrap(), None);
    let last = store.claim_alert(1000, 5000).await.unwrap().unwrap();
    assert!(store.finish_alert(&last, AlertEnd::GivenUp, 5000).await.unwrap());
    assert_eq!(store.prune_alerts(5000).await.unwrap(), 1);
    assert_eq!(store.prune_alerts(5001).await.unwrap(), 1);
}

pub(crate) async fn a_holder_postpones_and_tells_of_its_run_only_while_it_has_the_lease(fresh: Fresh) {
    let store = fresh.open().await;
    let nightly = workflow(&store, 1, "nightly").await;
    store.enqueue(nightly, &system(), 10).await.unwrap();
    let lease = claim(&store, 10).await.unwrap();
    let lengths = |queued, leased| vec![QueueLength { queue: "direct".to_owned(), queued, leased }];
    assert_eq!(store.queue_lengths().await.unwrap(), lengths(0, 1));
    let event = [NewEvent { kind: "progress".to_owned(), data: "{}".to_owned() }];
    assert_eq!(store.append_events_of(&lease, &event, 20).await.unwrap(), 1);
    assert_eq!(store.postpone(&lease, 500, "{}", 20).await.unwrap(), Fate::Requeued { run_after_ms: 500 });
    assert!(matches!(store.append_events_of(&lease, &event, 30).await.unwrap_err(), StoreError::Fenced { .. }));
    assert_eq!(store.queue_lengths().await.unwrap(), lengths(1, 0));
    assert_eq!(claim(&store, 499).await, None);
    assert_eq!(claim(&store, 500).await.unwrap().attempt, 1, "the attempt did not count");
    let glue = connection(&store, 1).await;
    store.remember_account(glue.id, "999988887777").await.unwrap();
    assert_eq!(store.managed_connection(glue.id).await.unwrap().connection.account.as_deref(), Some("999988887777"));
}
