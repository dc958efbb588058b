//! What a runtime sends of a run: kept once, read by one, and gone when the run has ended.

use model::Outcome;
use store::{InboxBatch, InboxEnd, InboxQuestion, JobEnd, Received, StoreError};

use crate::control::{MINUTE, NOW};
use crate::fresh::{Fresh, batch, begin, connection, crawl, hashed, table};
use crate::runtimes::{LEASE, leased, queue, runtime};

fn sent(sequence: i64) -> InboxBatch {
    let byte = u8::try_from(sequence).unwrap();
    InboxBatch { sequence, digest: [byte; 32], content: vec![byte; 100] }
}

pub(crate) async fn a_batch_is_kept_once_in_its_order_under_its_lease_only(fresh: Fresh) {
    let store = fresh.open().await;
    let runtime = runtime(&store, 1).await;
    let lease = leased(&store, &runtime).await;
    let receive = |batch: InboxBatch| {
        let (store, lease) = (&store, &lease);
        async move { store.receive_batch(lease, &batch, LEASE, NOW).await.unwrap() }
    };
    assert_eq!(receive(sent(2)).await, Received::OutOfOrder { last: 0 });
    assert_eq!(receive(sent(1)).await, Received::Stored);
    assert_eq!(receive(sent(1)).await, Received::Again);
    assert_eq!(receive(InboxBatch { digest: [9; 32], ..sent(1) }).await, Received::Differs);
    assert_eq!(receive(sent(2)).await, Received::Stored);
    assert_eq!(receive(sent(4)).await, Received::OutOfOrder { last: 2 });
    assert_eq!(receive(sent(1)).await, Received::Again, "late, and again");
    let read = store.inbox_batches(&lease, 0, 10).await.unwrap();
    assert!(read == [sent(1), sent(2)]);
    assert!(store.inbox_batches(&lease, 1, 10).await.unwrap() == [sent(2)]);

    // It was lost, and the next attempt begins anew.
    store.expire(100, NOW + 2 * LEASE).await.unwrap();
    let next = store.claim(&queue(), "another", LEASE, NOW + 3 * LEASE).await.unwrap().unwrap();
    let late = store.receive_batch(&lease, &sent(3), LEASE, NOW + 3 * LEASE).await.unwrap_err();
    assert!(matches!(late, StoreError::Fenced { .. }), "{late}");
    assert_eq!(store.receive_batch(&next, &sent(1), LEASE, NOW + 3 * LEASE).await.unwrap(), Received::Stored);
    assert_eq!(store.prune_inboxes().await.unwrap(), 1, "what the first attempt sent is of no use");
    assert!(store.inbox_batches(&lease, 0, 10).await.unwrap().is_empty());
    assert_eq!(store.inbox_batches(&next, 0, 10).await.unwrap().len(), 1);
}

pub(crate) async fn a_batch_after_an_outage_takes_the_lease_back(fresh: Fresh) {
    let store = fresh.open().await;
    let runtime = runtime(&store, 1).await;
    let lease = leased(&store, &runtime).await;
    store.receive_batch(&lease, &sent(1), LEASE, NOW).await.unwrap();
    store.expire(100, NOW + 60 * MINUTE).await.unwrap();
    assert_eq!(store.receive_batch(&lease, &sent(2), LEASE, NOW + 60 * MINUTE).await.unwrap(), Received::Stored);
    assert_eq!(store.expire(100, NOW + 60 * MINUTE + 1).await.unwrap(), []);
    assert_eq!(store.inbox_batches(&lease, 0, 10).await.unwrap().len(), 2);
}

pub(crate) async fn the_last_word_waits_for_all_batches_and_keeps_the_lease(fresh: Fresh) {
    let store = fresh.open().await;
    let runtime = runtime(&store, 1).await;
    let lease = leased(&store, &runtime).await;
    store.receive_batch(&lease, &sent(1), LEASE, NOW).await.unwrap();
    let end = |batches, ending: &str| InboxEnd { batches, ending: ending.to_owned() };
    let early = store.receive_end(&lease, &end(2, "{}"), LEASE, NOW).await.unwrap_err();
    assert!(matches!(early, StoreError::Conflict { .. }), "{early}");
    store.receive_end(&lease, &end(1, r#"{"n":1}"#), LEASE, NOW).await.unwrap();
    store.receive_end(&lease, &end(1, r#"{"n":2}"#), LEASE, NOW).await.unwrap();
    assert_eq!(store.inbox_end(&lease).await.unwrap(), Some(end(1, r#"{"n":1}"#)), "the first one counts");
    assert_eq!(store.expire(100, NOW + 60 * MINUTE).await.unwrap(), [], "the control plane sees it through");
    let done = JobEnd { outcome: Outcome::Complete, failure: None };
    store.finish_job(&lease, &done, NOW + 1).await.unwrap();
    assert_eq!(store.prune_inboxes().await.unwrap(), 1);
    assert_eq!(store.prune_inboxes().await.unwrap(), 0);
    assert_eq!(store.inbox_end(&lease).await.unwrap(), None);
}

pub(crate) async fn questions_are_kept_until_they_are_answered(fresh: Fresh) {
    let store = fresh.open().await;
    let runtime = runtime(&store, 1).await;
    let lease = leased(&store, &runtime).await;
    let question = |number, after, text: &str| InboxQuestion { number, after, question: text.to_owned() };
    let first = question(1, 0, r#"{"ask":"x"}"#);
    assert_eq!(store.receive_question(&lease, &first, LEASE, NOW).await.unwrap(), None);
    assert_eq!(store.receive_question(&lease, &first, LEASE, NOW).await.unwrap(), None, "asked again");
    assert!(store.receive_question(&lease, &question(1, 0, "{}"), LEASE, NOW).await.is_err(), "another one of this number");
    store.receive_question(&lease, &question(2, 5, "{}"), LEASE, NOW).await.unwrap();
    assert_eq!(store.inbox_questions(&lease, 4).await.unwrap(), std::slice::from_ref(&first), "the second one waits for batch 5");
    assert_eq!(store.inbox_questions(&lease, 5).await.unwrap().len(), 2);
    store.answer_question(&lease, 1, "[]").await.unwrap();
    assert_eq!(store.inbox_answer(&lease, 1).await.unwrap().as_deref(), Some("[]"));
    assert_eq!(store.receive_question(&lease, &first, LEASE, NOW).await.unwrap().as_deref(), Some("[]"));
    assert_eq!((store.inbox_answer(&lease, 2).await.unwrap(), store.inbox_answer(&lease, 3).await.unwrap()), (None, None));
}

pub(crate) async fn an_inbox_is_read_by_one_process_until_it_lets_go_or_is_lost(fresh: Fresh) {
    let store = fresh.open().await;
    let runtime = runtime(&store, 1).await;
    let lease = leased(&store, &runtime).await;
    assert_eq!(store.adopt_inbox("a", NOW + 10, NOW).await.unwrap(), None, "there is nothing to read");
    store.receive_batch(&lease, &sent(1), LEASE, NOW).await.unwrap();
    assert_eq!(store.adopt_inbox("a", NOW + 10, NOW).await.unwrap().unwrap(), lease);
    assert_eq!(store.adopt_inbox("b", NOW + 10, NOW).await.unwrap(), None);
    assert!(store.keep_inbox(&lease, "a", NOW + 20, NOW + 5).await.unwrap());
    assert!(!store.keep_inbox(&lease, "b", NOW + 20, NOW + 5).await.unwrap());
    assert_eq!(store.adopt_inbox("b", NOW + 30, NOW + 20).await.unwrap().unwrap().run, lease.run, "the first one is lost");
    assert!(!store.keep_inbox(&lease, "a", NOW + 40, NOW + 21).await.unwrap());
    store.leave_inbox(&lease, "b").await.unwrap();
    assert!(store.adopt_inbox("c", NOW + 50, NOW + 22).await.unwrap().is_some());
}

pub(crate) async fn what_is_unchanged_is_told_without_a_run_of_the_connection(fresh: Fresh) {
    let store = fresh.open().await;
    let (glue, other) = (connection(&store, 1).await, connection(&store, 2).await);
    let orders = table("sales/orders", &["id"]);
    let name = orders.qualified_name.clone();
    crawl(&store, &glue, batch("c/sales", [hashed(orders, 7)])).await;
    let ask = |hash| vec![(name.clone(), model::SourceHash(hash))];
    let known = store.unchanged(glue.id, &ask(7)).await.unwrap();
    assert!(known[0].is_some_and(|known| known.kind == model::Kind::Table), "{known:?}");
    assert_eq!(store.unchanged(glue.id, &ask(8)).await.unwrap(), [None]);
    assert_eq!(store.unchanged(other.id, &ask(7)).await.unwrap(), [None], "it is another connection's");
    let run = begin(&store, &glue).await;
    assert_eq!(run.unchanged(ask(7)).await.unwrap(), known);
}
