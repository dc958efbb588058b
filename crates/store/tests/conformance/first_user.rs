//! The first administrator: by a link that works once, or by a token chosen before the first start.

use store::{Bootstrap, BootstrapToken, NewAdministrator, NewSetupLink, PageRequest, Role, Store, StoreError};

use crate::control::{MINUTE, NOW, actions, disable, hash, password, system, user};
use crate::fresh::Fresh;

fn administrator(name: &str) -> NewAdministrator {
    NewAdministrator { name: name.into(), display_name: None, password: password(name) }
}

async fn link(store: &Store, number: u8) {
    let new = NewSetupLink { hash: hash(number), expires_ms: NOW + MINUTE };
    store.create_setup_link(&new, &system(), NOW).await.unwrap();
}

pub(crate) async fn a_setup_link_makes_one_administrator(fresh: Fresh) {
    let store = fresh.open().await;
    user(&store, "viewer", Role::Viewer).await;
    link(&store, 1).await;
    link(&store, 2).await;
    // What fails leaves the link as it was.
    for name in ["VIEWER", "a\0b"] {
        store.use_setup_link(&hash(1), &administrator(name), &system(), NOW).await.unwrap_err();
    }
    let ada = store.use_setup_link(&hash(1), &administrator("ada"), &system(), NOW + MINUTE - 1).await.unwrap();
    assert_eq!((ada.role, ada.has_password), (Role::Administrator, true));
    let error = store.use_setup_link(&hash(1), &administrator("eve"), &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    let error = store.use_setup_link(&hash(2), &administrator("eve"), &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    let new = NewSetupLink { hash: hash(3), expires_ms: NOW + MINUTE };
    assert!(matches!(store.create_setup_link(&new, &system(), NOW).await.unwrap_err(), StoreError::Conflict { .. }));
    assert_eq!(actions(&store).await, ["user.create", "setup-link.create", "setup-link.create", "user.create"]);
}

pub(crate) async fn a_setup_link_that_expired_or_never_was_does_not_work(fresh: Fresh) {
    let store = fresh.open().await;
    link(&store, 1).await;
    for (number, now_ms) in [(1, NOW + MINUTE), (2, NOW)] {
        let error = store.use_setup_link(&hash(number), &administrator("ada"), &system(), now_ms).await.unwrap_err();
        assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    }
    assert!(!store.has_users().await.unwrap());
}

pub(crate) async fn one_setup_link_used_twice_at_once_makes_one_administrator(fresh: Fresh) {
    let store = fresh.open().await;
    let other = Store::open(&fresh.url()).await.unwrap();
    link(&store, 1).await;
    let (by, names) = (system(), ["a", "b", "c", "d"].map(administrator));
    let hash = hash(1);
    let (one, two, three, four) = tokio::join!(
        store.use_setup_link(&hash, &names[0], &by, NOW),
        store.use_setup_link(&hash, &names[1], &by, NOW),
        other.use_setup_link(&hash, &names[2], &by, NOW),
        other.use_setup_link(&hash, &names[3], &by, NOW),
    );
    let made = [one, two, three, four].into_iter().filter(Result::is_ok).count();
    assert_eq!((made, store.users(PageRequest::first(10)).await.unwrap().items.len()), (1, 1));
}

fn bootstrap_token(number: u8) -> BootstrapToken {
    BootstrapToken { name: "bootstrap".into(), hash: hash(number), scopes: r#"["admin"]"#.into() }
}

pub(crate) async fn replicas_that_start_at_once_bootstrap_once(fresh: Fresh) {
    let store = fresh.open().await;
    let other = Store::open(&fresh.url()).await.unwrap();
    let (by, token) = (system(), bootstrap_token(1));
    let (one, two, three) =
        tokio::join!(store.bootstrap(&token, &by, NOW), other.bootstrap(&token, &by, NOW), store.bootstrap(&token, &by, NOW));
    let all = [one.unwrap(), two.unwrap(), three.unwrap()];
    assert_eq!(all.iter().filter(|one| matches!(one, Bootstrap::Created(_))).count(), 1, "{all:?}");
    assert_eq!(all.iter().filter(|one| matches!(one, Bootstrap::AlreadyDone)).count(), 2, "{all:?}");
    let owner = store.token_owner(&hash(1), NOW).await.unwrap().unwrap();
    assert_eq!((owner.user.name.as_str(), owner.user.role), ("admin", Role::Administrator));
    assert_eq!(store.bootstrap(&bootstrap_token(2), &by, NOW).await.unwrap(), Bootstrap::NotEmpty);
    assert_eq!(actions(&store).await, ["user.create", "token.create"]);
}

pub(crate) async fn a_catalog_with_users_is_not_bootstrapped_but_set_up_again_without_administrators(fresh: Fresh) {
    let store = fresh.open().await;
    let member = user(&store, "ada", Role::Member).await;
    disable(&store, &member).await.unwrap();
    assert_eq!(store.bootstrap(&bootstrap_token(1), &system(), NOW).await.unwrap(), Bootstrap::NotEmpty);
    assert!(store.token_owner(&hash(1), NOW).await.unwrap().is_none());
    link(&store, 1).await;
    store.use_setup_link(&hash(1), &administrator("root"), &system(), NOW).await.unwrap();
}
