//! Sessions and API tokens: when they work, whose they are, and what ends them.

use store::{NewSession, NewToken, PageRequest, Role, SecretHash, Store, StoreError, Token, User, UserEdit, UserId, UserState};

use crate::control::{MINUTE, NOW, actions, disable, edit_of, hash, password, system, user};
use crate::fresh::Fresh;

fn new_session(user: &User, hash: SecretHash, expires_ms: i64) -> NewSession {
    let (address, user_agent) = (Some("203.0.113.7".into()), Some("Browser\0".repeat(100)));
    NewSession { hash, user: user.id, expires_ms, address, user_agent }
}

async fn sign_in(store: &Store, user: &User, hash: SecretHash) {
    store.create_session(&new_session(user, hash, NOW + 100 * MINUTE), &system(), NOW).await.unwrap();
}

async fn works(store: &Store, hash: SecretHash, now_ms: i64) -> bool {
    store.session(&hash, now_ms).await.unwrap().is_some()
}

pub(crate) async fn a_session_works_until_it_expires(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Member).await;
    store.create_session(&new_session(&ada, hash(1), NOW + 10), &system(), NOW).await.unwrap();
    let signed_in = store.session(&hash(1), NOW + 9).await.unwrap().unwrap();
    assert_eq!((signed_in.user, signed_in.session.created_ms, signed_in.session.expires_ms), (ada.clone(), NOW, NOW + 10));
    let agent = signed_in.session.user_agent.unwrap();
    assert!(agent.starts_with("Browser\u{FFFD}B") && agent.chars().count() == 300, "{agent}");
    assert!(!works(&store, hash(1), NOW + 10).await && !works(&store, hash(2), NOW).await);
    assert_eq!(store.prune_sessions(NOW + 9).await.unwrap(), 0);
    assert_eq!(store.prune_sessions(NOW + 10).await.unwrap(), 1);
    let nobody = NewSession { user: UserId(77), ..new_session(&ada, hash(3), NOW + 10) };
    assert!(matches!(store.create_session(&nobody, &system(), NOW).await.unwrap_err(), StoreError::NotFound { .. }));
}

pub(crate) async fn a_session_is_seen_once_a_minute(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Member).await;
    sign_in(&store, &ada, hash(1)).await;
    let began = store.session(&hash(1), NOW).await.unwrap().unwrap().session;
    for (now_ms, seen_ms) in [(NOW + MINUTE - 1, NOW), (NOW + MINUTE, NOW + MINUTE), (NOW + MINUTE + 1, NOW + MINUTE)] {
        // What was read before somebody else wrote it does not count.
        store.touch_session(&began, now_ms).await.unwrap();
        assert_eq!(store.session(&hash(1), now_ms).await.unwrap().unwrap().session.last_seen_ms, seen_ms, "{now_ms}");
    }
}

pub(crate) async fn sessions_end_with_sign_out_password_and_user(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Administrator).await;
    let ben = user(&store, "ben", Role::Administrator).await;
    for number in 1..=4 {
        sign_in(&store, &ada, hash(number)).await;
    }
    sign_in(&store, &ben, hash(9)).await;
    store.delete_session(&hash(1), &system(), NOW).await.unwrap();
    store.delete_session(&hash(1), &system(), NOW).await.unwrap();
    assert!(!works(&store, hash(1), NOW).await && works(&store, hash(2), NOW).await);
    assert_eq!(store.delete_sessions_of(ada.id, &system(), NOW).await.unwrap(), 3);
    assert_eq!(store.delete_sessions_of(ada.id, &system(), NOW).await.unwrap(), 0);
    let ended = actions(&store).await.iter().filter(|action| *action == "session.delete").count();
    assert_eq!(ended, 2);

    sign_in(&store, &ada, hash(5)).await;
    let ada = store.set_password(ada.id, &password("new"), &system(), NOW).await.unwrap();
    assert!(!works(&store, hash(5), NOW).await && works(&store, hash(9), NOW).await);

    sign_in(&store, &ada, hash(6)).await;
    let ada = disable(&store, &ada).await.unwrap();
    assert!(!works(&store, hash(6), NOW).await);
    let error = store.create_session(&new_session(&ada, hash(7), NOW + 10), &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    let enabled = UserEdit { state: UserState::Active, ..edit_of(&ada) };
    let ada = store.update_user(ada.id, ada.version, &enabled, &system(), NOW).await.unwrap();
    assert!(!works(&store, hash(6), NOW).await);
    sign_in(&store, &ada, hash(8)).await;
    store.delete_user(ada.id, None, &system(), NOW).await.unwrap();
    assert!(!works(&store, hash(8), NOW).await && works(&store, hash(9), NOW).await);
}

pub(crate) async fn of_too_many_sessions_the_oldest_ends(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Member).await;
    for number in 0..=100 {
        let new = new_session(&ada, hash(number), NOW + MINUTE);
        store.create_session(&new, &system(), NOW + i64::from(number)).await.unwrap();
    }
    assert!(!works(&store, hash(0), NOW).await && works(&store, hash(1), NOW).await && works(&store, hash(100), NOW).await);
}

fn new_token(user: &User, name: &str, hash: SecretHash) -> NewToken {
    NewToken { user: user.id, name: name.into(), hash, scopes: r#"["read"]"#.into(), expires_ms: None }
}

async fn token(store: &Store, new: &NewToken) -> Token {
    store.create_token(new, &system(), NOW).await.unwrap()
}

pub(crate) async fn a_token_works_until_it_expires_or_is_revoked_or_its_user_goes(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Administrator).await;
    user(&store, "ben", Role::Administrator).await;
    let lasting = token(&store, &new_token(&ada, "lasting", hash(1))).await;
    let short = token(&store, &NewToken { expires_ms: Some(NOW + 10), ..new_token(&ada, "short", hash(2)) }).await;
    let owner = store.token_owner(&hash(2), NOW + 9).await.unwrap().unwrap();
    assert_eq!((owner.token, owner.user), (short, ada.clone()));
    assert!(store.token_owner(&hash(2), NOW + 10).await.unwrap().is_none());
    assert!(store.token_owner(&hash(3), NOW).await.unwrap().is_none());

    let disabled = disable(&store, &ada).await.unwrap();
    assert!(store.token_owner(&hash(1), NOW).await.unwrap().is_none());
    let error = store.create_token(&new_token(&ada, "late", hash(4)), &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    let enabled = UserEdit { state: UserState::Active, ..edit_of(&disabled) };
    store.update_user(ada.id, disabled.version, &enabled, &system(), NOW).await.unwrap();
    assert!(store.token_owner(&hash(1), NOW).await.unwrap().is_some());

    let revoked = store.revoke_token(lasting.id, &system(), NOW + 5).await.unwrap();
    assert_eq!(store.revoke_token(lasting.id, &system(), NOW + 6).await.unwrap(), revoked);
    assert_eq!((revoked.revoked_ms, store.token(lasting.id).await.unwrap()), (Some(NOW + 5), Some(revoked)));
    assert!(store.token_owner(&hash(1), NOW + 5).await.unwrap().is_none());
    assert_eq!(actions(&store).await.iter().filter(|action| *action == "token.revoke").count(), 1);
    let kept = token(&store, &new_token(&ada, "kept", hash(5))).await;
    assert_eq!((store.prune_tokens(NOW + 5).await.unwrap(), store.prune_tokens(NOW + 11).await.unwrap()), (0, 2));
    assert_eq!(store.tokens(None, PageRequest::first(10)).await.unwrap().items, [kept]);
    store.delete_user(ada.id, None, &system(), NOW).await.unwrap();
    assert!(store.tokens(None, PageRequest::first(10)).await.unwrap().items.is_empty());
}

pub(crate) async fn a_token_is_used_once_a_minute(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Member).await;
    let made = token(&store, &new_token(&ada, "ci", hash(1))).await;
    for (now_ms, used_ms) in [(NOW, NOW), (NOW + MINUTE - 1, NOW), (NOW + MINUTE, NOW + MINUTE)] {
        store.touch_token(&made, now_ms).await.unwrap();
        assert_eq!(store.token(made.id).await.unwrap().unwrap().last_used_ms, Some(used_ms));
    }
}

pub(crate) async fn names_of_tokens_are_unique_for_their_user_until_revoked(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Member).await;
    let ben = user(&store, "ben", Role::Member).await;
    let first = token(&store, &new_token(&ada, "ci", hash(1))).await;
    token(&store, &new_token(&ben, "ci", hash(2))).await;
    let error = store.create_token(&new_token(&ada, "ci", hash(3)), &system(), NOW).await.unwrap_err();
    assert!(matches!(&error, StoreError::Exists { noun: "token", id, .. } if *id == first.id.0), "{error}");
    store.revoke_token(first.id, &system(), NOW).await.unwrap();
    let second = token(&store, &new_token(&ada, "ci", hash(3))).await;
    let third = token(&store, &new_token(&ada, "日本", hash(4))).await;
    let page = store.tokens(Some(ada.id), PageRequest::first(2)).await.unwrap();
    assert_eq!(page.items.iter().map(|token| token.id).collect::<Vec<_>>(), [first.id, second.id]);
    let page = store.tokens(Some(ada.id), PageRequest { after: page.next, limit: 2 }).await.unwrap();
    assert_eq!((page.items, page.next), (vec![third], None));
    assert_eq!(store.tokens(None, PageRequest::first(10)).await.unwrap().items.len(), 4);
    for (name, scopes) in [("a\0", "[]"), ("a", "no JSON"), ("a", &format!("[{}1]", "1,".repeat(3000)))] {
        let odd = NewToken { scopes: scopes.into(), ..new_token(&ada, name, hash(9)) };
        assert!(matches!(store.create_token(&odd, &system(), NOW).await.unwrap_err(), StoreError::Invalid { .. }));
    }
}

pub(crate) async fn a_user_has_a_hundred_tokens_at_most(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Member).await;
    for number in 0..100 {
        token(&store, &new_token(&ada, &number.to_string(), hash(number))).await;
    }
    let error = store.create_token(&new_token(&ada, "more", hash(100)), &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
}
