//! Requests that come again.

use store::{Answer, Claim, IdempotencyKey, RequestHash, Store, StoreError};

use crate::control::{MINUTE, NOW, request};
use crate::fresh::Fresh;

const DAY: i64 = 24 * 60 * MINUTE;
const THIS: RequestHash = RequestHash([1; 32]);
const OTHER: RequestHash = RequestHash([2; 32]);

fn answer(body: &[u8]) -> Answer {
    Answer { status: 201, body: Some(body.to_vec()) }
}

async fn begin(store: &Store, request: RequestHash, now_ms: i64) -> Claim {
    store.begin_request(&self::request("k"), request, now_ms).await.unwrap()
}

pub(crate) async fn a_request_that_comes_again_gets_the_same_answer(fresh: Fresh) {
    let store = fresh.open().await;
    assert_eq!(begin(&store, THIS, NOW).await, Claim::New);
    assert_eq!(begin(&store, THIS, NOW + 1).await, Claim::InProgress);
    assert_eq!(begin(&store, OTHER, NOW + 1).await, Claim::Different);
    store.finish_request(&request("k"), NOW, &answer(b"{\0}")).await.unwrap();
    assert_eq!(begin(&store, THIS, NOW + 2).await, Claim::Finished(answer(b"{\0}")));
    assert_eq!(begin(&store, OTHER, NOW + 2).await, Claim::Different);
    // An answer is given once.
    store.finish_request(&request("k"), NOW, &answer(b"later")).await.unwrap();
    store.abandon_request(&request("k"), NOW).await.unwrap();
    assert_eq!(begin(&store, THIS, NOW + DAY - 1).await, Claim::Finished(answer(b"{\0}")));
    assert_eq!(begin(&store, OTHER, NOW + DAY).await, Claim::New);
}

pub(crate) async fn a_key_stands_for_one_principal_method_and_path(fresh: Fresh) {
    let store = fresh.open().await;
    let key = request("日本");
    let same = [
        key.clone(),
        IdempotencyKey { principal: "user:2".into(), ..key.clone() },
        IdempotencyKey { method: "PUT".into(), ..key.clone() },
        IdempotencyKey { path: "/api/v1/tokens".into(), ..key.clone() },
        request("日本2"),
    ];
    for key in &same {
        assert_eq!(store.begin_request(key, THIS, NOW).await.unwrap(), Claim::New, "{key:?}");
    }
    for odd in ["", "a\0b", &"x".repeat(1025)] {
        let error = store.begin_request(&request(odd), THIS, NOW).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    }
}

pub(crate) async fn one_of_many_claims_of_a_key_at_once_is_new(fresh: Fresh) {
    let store = fresh.open().await;
    let other = Store::open(&fresh.url()).await.unwrap();
    for round in 0..5 {
        let key = request(&round.to_string());
        let (one, two, three, four) = tokio::join!(
            store.begin_request(&key, THIS, NOW),
            store.begin_request(&key, THIS, NOW),
            other.begin_request(&key, THIS, NOW),
            other.begin_request(&key, OTHER, NOW),
        );
        let claims = [one, two, three, four].map(Result::unwrap);
        assert_eq!(claims.iter().filter(|claim| **claim == Claim::New).count(), 1, "{claims:?}");
    }
}

pub(crate) async fn a_claim_whose_program_died_is_taken_over_and_the_old_one_says_nothing(fresh: Fresh) {
    let store = fresh.open().await;
    assert_eq!(begin(&store, THIS, NOW).await, Claim::New);
    assert_eq!(begin(&store, THIS, NOW + 5 * MINUTE - 1).await, Claim::InProgress);
    assert_eq!(begin(&store, OTHER, NOW + 5 * MINUTE).await, Claim::Different);
    assert_eq!(begin(&store, THIS, NOW + 5 * MINUTE).await, Claim::New);
    store.finish_request(&request("k"), NOW, &answer(b"old")).await.unwrap();
    store.abandon_request(&request("k"), NOW).await.unwrap();
    assert_eq!(begin(&store, THIS, NOW + 6 * MINUTE).await, Claim::InProgress);
    store.abandon_request(&request("k"), NOW + 5 * MINUTE).await.unwrap();
    assert_eq!(begin(&store, OTHER, NOW + 6 * MINUTE).await, Claim::New);
}

pub(crate) async fn answers_are_bounded_and_pruned_after_a_day(fresh: Fresh) {
    let store = fresh.open().await;
    for (key, length, kept) in [("fits", 64 * 1024, true), ("long", 64 * 1024 + 1, false)] {
        store.begin_request(&request(key), THIS, NOW).await.unwrap();
        store.finish_request(&request(key), NOW, &answer(&vec![b'x'; length])).await.unwrap();
        let Claim::Finished(found) = store.begin_request(&request(key), THIS, NOW).await.unwrap() else { panic!("{key}") };
        assert_eq!((found.status, found.body.is_some()), (201, kept));
    }
    store.begin_request(&request("later"), THIS, NOW + 1).await.unwrap();
    assert_eq!(store.prune_requests(NOW + DAY - 1).await.unwrap(), 0);
    assert_eq!(store.prune_requests(NOW + DAY).await.unwrap(), 2);
    assert_eq!(store.prune_requests(NOW + DAY).await.unwrap(), 0);
    assert_eq!(store.begin_request(&request("later"), THIS, NOW + 2).await.unwrap(), Claim::InProgress);
}
