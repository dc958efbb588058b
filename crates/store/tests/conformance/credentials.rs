//! Credentials: what is shown, what is sealed, and how it is wrapped anew.

use store::{
    ConnectionProfile, Credential, CredentialEdit, CredentialId, NewCredential, PageRequest, Role, RunsOn, SealedSecret,
    SecretEdit, Store, StoreError, StoredSecret,
};

use crate::control::{NOW, audit_log, by, system, user};
use crate::fresh::Fresh;

fn new(name: &str) -> NewCredential {
    NewCredential { name: name.into(), auth_type: "role".into(), public_part: r#"{"region":"eu-west-1"}"#.into() }
}

fn sealed(key: &str, number: u8) -> SealedSecret {
    SealedSecret { bytes: vec![0, 255, number], key_id: key.into() }
}

async fn create(store: &Store, name: &str, key: &str) -> Credential {
    let seal = |_id, version| Ok::<_, String>(Some(sealed(key, u8::try_from(version).unwrap())));
    store.create_credential(&new(name), seal, &system(), NOW).await.unwrap()
}

fn edit_of(credential: &Credential, secret: SecretEdit) -> CredentialEdit {
    CredentialEdit {
        name: credential.name.clone(),
        auth_type: credential.auth_type.clone(),
        public_part: credential.public_part.clone(),
        secret,
    }
}

async fn secret(store: &Store, id: CredentialId) -> Option<StoredSecret> {
    store.credential_secret(id).await.unwrap()
}

pub(crate) async fn a_secret_is_sealed_for_its_number_and_version(fresh: Fresh) {
    let store = fresh.open().await;
    let ada = user(&store, "ada", Role::Member).await;
    let mut sealed_for = None;
    let seal = |id, version| {
        sealed_for = Some((id, version));
        Ok::<_, String>(Some(sealed("k1", 1)))
    };
    let made = store.create_credential(&new("prod"), seal, &by(&ada), NOW).await.unwrap();
    assert_eq!(sealed_for, Some((made.id, made.secret_version)));
    assert_eq!((made.version, made.secret_version, made.created_by, made.key_id.as_deref()), (1, 1, Some(ada.id), Some("k1")));
    assert_eq!(store.credential(made.id).await.unwrap(), Some(made.clone()));
    let stored = secret(&store, made.id).await.unwrap();
    assert_eq!(stored, StoredSecret { id: made.id, secret_version: 1, sealed: sealed("k1", 1) });
    assert!(!format!("{stored:?}").contains("255"));

    let renamed = CredentialEdit { name: "production".into(), ..edit_of(&made, SecretEdit::Keep) };
    let renamed = store.update_credential(made.id, 1, &renamed, &system(), NOW + 1).await.unwrap();
    assert_eq!((renamed.version, renamed.secret_version, renamed.updated_ms, renamed.created_ms), (2, 1, NOW + 1, NOW));
    assert_eq!(secret(&store, made.id).await, Some(stored));
    let replaced = edit_of(&renamed, SecretEdit::Replace(sealed("k2", 2)));
    let replaced = store.update_credential(made.id, 2, &replaced, &system(), NOW).await.unwrap();
    assert_eq!((replaced.version, replaced.secret_version, replaced.key_id.as_deref()), (3, 2, Some("k2")));
    let removed = edit_of(&replaced, SecretEdit::Remove);
    let removed = store.update_credential(made.id, 3, &removed, &system(), NOW).await.unwrap();
    assert_eq!((removed.secret_version, removed.key_id, secret(&store, made.id).await), (3, None, None));
    let shown = audit_log(&store, &store::AuditFilter::default()).await;
    assert!(shown.iter().all(|entry| !format!("{entry:?}").contains("255")));
}

pub(crate) async fn a_credential_without_a_secret_or_whose_sealing_fails(fresh: Fresh) {
    let store = fresh.open().await;
    let ambient = store.create_credential(&new("ambient"), |_, _| Ok::<_, String>(None), &system(), NOW).await.unwrap();
    assert_eq!((ambient.key_id, secret(&store, ambient.id).await), (None, None));
    let error = store.create_credential(&new("broken"), |_, _| Err("no key"), &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Internal { .. }), "{error}");
    let large = |_, _| Ok::<_, String>(Some(SealedSecret { bytes: vec![0; 65 * 1024 + 1], key_id: "k".into() }));
    let error = store.create_credential(&new("large"), large, &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    assert_eq!(store.credentials(PageRequest::first(10)).await.unwrap().items.len(), 1);
}

pub(crate) async fn credentials_have_unique_names_and_versions(fresh: Fresh) {
    let store = fresh.open().await;
    let one = create(&store, "Zürich", "k1").await;
    let two = create(&store, "two", "k1").await;
    let error = store.create_credential(&new("Zürich"), |_, _| Ok::<_, String>(None), &system(), NOW).await.unwrap_err();
    assert!(matches!(&error, StoreError::Exists { noun: "credential", id, .. } if *id == one.id.0), "{error}");
    let taken = CredentialEdit { name: "Zürich".into(), ..edit_of(&two, SecretEdit::Keep) };
    let error = store.update_credential(two.id, 1, &taken, &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    let stale = store.update_credential(two.id, 2, &edit_of(&two, SecretEdit::Keep), &system(), NOW).await.unwrap_err();
    assert!(matches!(stale, StoreError::Stale { noun: "credential", version: 1, .. }), "{stale}");
    for (name, public) in [("a\0b", "{}"), ("a", "{")] {
        let odd = CredentialEdit { name: name.into(), public_part: public.into(), ..edit_of(&two, SecretEdit::Keep) };
        let error = store.update_credential(two.id, 1, &odd, &system(), NOW).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    }
    let page = store.credentials(PageRequest::first(1)).await.unwrap();
    assert_eq!(page.items, [one]);
    assert_eq!(store.credentials(PageRequest { after: page.next, limit: 1 }).await.unwrap().items, std::slice::from_ref(&two));
    assert!(matches!(store.delete_credential(two.id, Some(9), &system(), NOW).await.unwrap_err(), StoreError::Stale { .. }));
    store.delete_credential(two.id, Some(1), &system(), NOW).await.unwrap();
    assert!(matches!(store.delete_credential(two.id, None, &system(), NOW).await.unwrap_err(), StoreError::NotFound { .. }));
    assert!(create(&store, "three", "k1").await.id > two.id);
}

pub(crate) async fn secrets_are_wrapped_anew_page_by_page_unless_they_changed(fresh: Fresh) {
    let store = fresh.open().await;
    for number in 0..5 {
        create(&store, &number.to_string(), "old").await;
    }
    create(&store, "new already", "new").await;
    store.create_credential(&new("ambient"), |_, _| Ok::<_, String>(None), &system(), NOW).await.unwrap();
    assert_eq!(store.secrets_by_key().await.unwrap(), [("new".to_owned(), 1), ("old".to_owned(), 5)]);

    let mut page = PageRequest::first(2);
    let mut wrapped = 0;
    loop {
        let read = store.secrets_not_of_key("new", page).await.unwrap();
        for secret in &read.items {
            if wrapped == 3 {
                // Somebody replaces the secret between reading and putting back.
                let credential = store.credential(secret.id).await.unwrap().unwrap();
                let edit = edit_of(&credential, SecretEdit::Replace(sealed("old", 9)));
                store.update_credential(secret.id, credential.version, &edit, &system(), NOW).await.unwrap();
            }
            let put = store.rewrap_secret(secret, &sealed("new", 7), &system(), NOW).await.unwrap();
            assert_eq!(put, wrapped != 3);
            wrapped += 1;
        }
        match read.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    assert_eq!((wrapped, store.secrets_by_key().await.unwrap()), (5, vec![("new".to_owned(), 5), ("old".to_owned(), 1)]));
    let left = store.secrets_not_of_key("new", PageRequest::first(9)).await.unwrap().items;
    assert_eq!((left.len(), left[0].sealed.clone(), left[0].secret_version), (1, sealed("old", 9), 2));
    let first = store.credentials(PageRequest::first(1)).await.unwrap().items.remove(0);
    assert_eq!((first.version, first.secret_version, first.key_id.as_deref()), (1, 1, Some("new")));
}

fn profile(name: &str, credential: Option<CredentialId>) -> ConnectionProfile {
    let (region, description) = (None, None);
    ConnectionProfile { name: name.into(), region, description, runs_on: RunsOn::Direct, credential, settings: "{}".into() }
}

pub(crate) async fn a_credential_that_a_connection_uses_stays(fresh: Fresh) {
    let store = fresh.open().await;
    let used = create(&store, "used", "k1").await;
    let id = store.create_connection("glue", &profile("prod", Some(used.id)), &[], &system(), NOW).await.unwrap();
    let error = store.delete_credential(used.id, None, &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }) && error.to_string().contains("`prod`"), "{error}");
    assert_eq!(store.credential(used.id).await.unwrap().as_ref(), Some(&used));
    let version = store.managed_connection(id).await.unwrap().version;
    store.update_connection(id, version, &profile("prod", None), &system(), NOW).await.unwrap();
    store.delete_credential(used.id, None, &system(), NOW).await.unwrap();
    let error = store.update_connection(id, version + 1, &profile("prod", Some(used.id)), &system(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    assert_eq!(store.managed_connection(id).await.unwrap().credential, None);
}

pub(crate) async fn no_connection_gets_a_credential_that_is_deleted_at_the_same_time(fresh: Fresh) {
    let store = fresh.open().await;
    let other = Store::open(&fresh.url()).await.unwrap();
    let by = system();
    for round in 0..8 {
        let credential = create(&store, &round.to_string(), "k1").await;
        let profile = profile(&round.to_string(), Some(credential.id));
        let (deleted, connected) = tokio::join!(
            store.delete_credential(credential.id, None, &by, NOW),
            other.create_connection("glue", &profile, &[], &by, NOW),
        );
        assert!(deleted.is_ok() != connected.is_ok(), "round {round}: {deleted:?} {connected:?}");
    }
}
