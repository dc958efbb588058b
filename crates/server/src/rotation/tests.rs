//! Rotation beside a service that holds the same catalog open: everything opens before, meanwhile and after.

use std::path::Path;
use std::sync::Arc;

use store::{
    Actor, Audit, AuditVia, CatalogUrl, Credential, CredentialEdit, CredentialId, NewCredential, SealedSecret, SecretEdit, Store,
};

use super::rewrap_all;
use crate::clock::SystemClock;
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
    let (done, ()) = tokio::join!(rewrap_all(&operator, &rotated, &SystemRandom, &audit, 2), writing);
    let done = done.unwrap();
    assert!(done.left.is_empty() && done.wrapped >= 210, "{done:?}");
    assert_eq!(operator.secrets_by_key().await.unwrap(), [(rotated.current().id().to_string(), 250)]);
    for (number, credential) in credentials.iter().enumerate() {
        let expected = if number < 210 { format!("secret {number}") } else { "replaced".to_owned() };
        assert_eq!(opened(&running, &keys, credential).await, expected);
    }
    assert_eq!(rewrap_all(&operator, &rotated, &SystemRandom, &audit, 3).await.unwrap().wrapped, 0, "repeating does nothing");
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
    let done = rewrap_all(&store, &rotated, &SystemRandom, &audit(), 2).await.unwrap();
    assert_eq!((done.wrapped, done.left.len(), done.left[0].credential), (1, 1, lost.id.0));
    assert!(done.left[0].reason.to_string().contains(&foreign.current().id().to_string()));
}
