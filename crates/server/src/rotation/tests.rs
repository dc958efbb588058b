//! Rotation beside a service that holds the same catalog open: everything opens before, meanwhile and after.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use store::{
    Actor, Audit, AuditVia, CatalogUrl, ConnectionSpec, Credential, CredentialEdit, CredentialId, NewCredential, SealedSecret,
    SecretEdit, Store,
};

use super::{Rewrapped, Rotation, secrets_by_key};
use crate::api::testing::Service;
use crate::api::workflows::alerts;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::randomness::SystemRandom;
use crate::sealing::{KeyRing, MasterKey, MasterKeys, Sealed, SealingContext, SecretBytes};

fn audit() -> Audit {
    Audit { actor: Actor::System { name: "test".into() }, via: AuditVia::CommandLine, address: None, request_id: None }
}

fn sealed(keys: &KeyRing, id: CredentialId, version: i64, text: &str) -> SealedSecret {
    let context = SealingContext { credential_id: &id.to_string(), version: u32::try_from(version).unwrap() };
    let sealed = keys.seal(&SecretBytes::new(text.into()), context, &SystemRandom).unwrap();
    SealedSecret { bytes: sealed.to_bytes(), key_id: sealed.key_id.to_string() }
}

async fn create(store: &Store, keys: &KeyRing, name: &str) -> Credential {
    let new = NewCredential { name: name.into(), auth_type: "iam".into(), public_part: "{}".into() };
    let seal = |id, version| Ok::<_, String>(Some(sealed(keys, id, version, name)));
    store.create_credential(&new, seal, &audit(), 1).await.unwrap()
}

async fn opened(store: &Store, keys: &KeyRing, credential: &Credential) -> String {
    let stored = store.credential_secret(credential.id).await.unwrap().unwrap();
    let id = credential.id.to_string();
    let context = SealingContext { credential_id: &id, version: u32::try_from(stored.secret_version).unwrap() };
    let secret = keys.open(&Sealed::from_bytes(&stored.sealed.bytes).unwrap(), context).unwrap();
    String::from_utf8(secret.expose().to_vec()).unwrap()
}

async fn rewrap(store: &Store, keys: &MasterKeys) -> Rewrapped {
    Rotation { store, keys, random: &SystemRandom, audit: &audit(), now_ms: 2 }.rewrap_all().await.unwrap()
}

fn ring(path: &Path) -> KeyRing {
    KeyRing::of_file(path, Arc::new(SystemClock)).unwrap()
}

#[tokio::test]
async fn keys_are_rotated_while_a_service_reads_and_writes_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let (url, path) = (CatalogUrl::sqlite(folder.path().join("catalog.db")), folder.path().join("master.key"));
    MasterKey::create_file(&path, &SystemRandom).unwrap();
    let (running, keys) = (Store::open(&url).await.unwrap(), ring(&path));
    let mut credentials = Vec::new();
    for number in 0..250 {
        credentials.push(create(&running, &keys, &format!("secret {number}")).await);
    }

    let operator = Store::open_existing(&url).await.unwrap();
    let rotated = MasterKeys::prepend_to_file(&path, &SystemRandom).unwrap();
    let audit = audit();
    let writing = async {
        for credential in credentials.iter_mut().rev().take(40) {
            let secret = sealed(&keys, credential.id, credential.secret_version + 1, "replaced");
            let edit = CredentialEdit {
                name: credential.name.clone(),
                auth_type: "iam".into(),
                public_part: "{}".into(),
                secret: SecretEdit::Replace(secret),
            };
            *credential = running.update_credential(credential.id, credential.version, &edit, &audit, 2).await.unwrap();
            assert_eq!(opened(&running, &keys, credential).await, "replaced");
        }
    };
    let (done, ()) = tokio::join!(rewrap(&operator, &rotated), writing);
    assert!(done.left.is_empty() && done.wrapped >= 210, "{done:?}");
    assert_eq!(operator.secrets_by_key().await.unwrap(), [(rotated.current().id().to_string(), 250)]);
    for (number, credential) in credentials.iter().enumerate() {
        let expected = if number < 210 { format!("secret {number}") } else { "replaced".to_owned() };
        assert_eq!(opened(&running, &keys, credential).await, expected);
    }
    assert_eq!(rewrap(&operator, &rotated).await.wrapped, 0, "repeating does nothing");
}

#[tokio::test]
async fn a_secret_that_does_not_open_is_left_and_named_and_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    MasterKey::create_file(&path, &SystemRandom).unwrap();
    let store = Store::open(&CatalogUrl::sqlite(folder.path().join("catalog.db"))).await.unwrap();
    let foreign = KeyRing::fixed(MasterKeys::new(MasterKey::from_bytes([9; 32]), vec![]), Arc::new(SystemClock));
    let lost = create(&store, &foreign, "lost").await;
    create(&store, &ring(&path), "kept").await;
    let rotated = MasterKeys::prepend_to_file(&path, &SystemRandom).unwrap();
    let done = rewrap(&store, &rotated).await;
    assert_eq!((done.wrapped, done.left.len(), done.left[0].of.clone()), (1, 1, format!("credential {}", lost.id)));
    assert!(done.left[0].reason.to_string().contains(&foreign.current().id().to_string()));
}

#[tokio::test]
async fn secrets_of_alerts_are_counted_and_wrapped_anew_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.alerts.allowed_hosts = vec!["hooks.example.com".to_owned()];
    let service = Service::start_with(config).await;
    let path = folder.path().join("master.key");
    std::fs::write(&path, "07".repeat(32)).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let store = &service.app.store;
    let spec = ConnectionSpec { name: "lake".into(), connector: "glue", number: None, region: None, account: None };
    let connection = store.connection(&spec, 1).await.unwrap();
    let body = json!({"name": "w", "connectionId": connection.id.0.to_string(), "settings": {"glue": {}},
        "alerts": [{"url": "https://hooks.example.com/a"}, {"url": "https://hooks.example.com/b"}]});
    let made = service.call("POST", "/api/v1/workflows", None, &body).await;
    assert_eq!(made.status.as_u16(), 201, "{made:?}");

    let old = service.app.keys.current().id().to_string();
    assert_eq!(secrets_by_key(store).await.unwrap(), [(old, 2)].into());
    let rotated = MasterKeys::prepend_to_file(&path, &SystemRandom).unwrap();
    assert_eq!(rewrap(store, &rotated).await.wrapped, 2);
    assert_eq!(secrets_by_key(store).await.unwrap(), [(rotated.current().id().to_string(), 2)].into());
    let stored = store.workflows(None, None, 1).await.unwrap().remove(0);
    let mut state = crate::api::testing::state_of(Config::default(), store.clone());
    assert!(alerts::read(&stored.spec.alerts).iter().all(|alert| alerts::open(&state, alert).is_none()));
    state.keys = Arc::new(ring(&path));
    assert!(alerts::read(&stored.spec.alerts).iter().all(|alert| alerts::open(&state, alert).is_some()));

    // A delivery that waits has a copy of its own: its key stays until it has arrived.
    let first = &alerts::read(&stored.spec.alerts)[0];
    let waiting = store::NewAlert {
        url: first.url.clone(),
        secret: serde_json::to_string(first).unwrap(),
        message_id: "m".into(),
        body: "{}".into(),
    };
    let run = store.enqueue(stored.id, &audit(), 1).await.unwrap().run;
    store.request_cancel(run, &audit(), 2).await.unwrap();
    assert!(store.add_alerts(run, &[waiting], 3).await.unwrap());
    assert_eq!(secrets_by_key(store).await.unwrap(), [(rotated.current().id().to_string(), 3)].into());
}
