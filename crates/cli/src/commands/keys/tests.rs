//! The commands one after the other, over a catalog with secrets.

use std::sync::Arc;

use server::clock::SystemClock;
use server::randomness::SystemRandom;
use server::sealing::{KeyRing, MasterKeys, SealingContext, SecretBytes};
use store::{CatalogUrl, NewCredential, SealedSecret, Store};

use super::{audit, run};
use crate::arguments::{CreateKeyArguments, KeysArguments, KeysCommand};
use crate::failure::Status;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn arguments(&self) -> KeysArguments {
        KeysArguments {
            config: None,
            catalog: Some(format!("sqlite:{}", self.folder.path().join("catalog.db").display())),
            master_key_file: Some(self.file().to_str().unwrap().to_owned()),
        }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("keys")
    }

    async fn store(&self) -> Store {
        Store::open(&CatalogUrl::sqlite(self.folder.path().join("catalog.db"))).await.unwrap()
    }

    async fn create_secrets(&self, count: usize) {
        let (store, keys) = (self.store().await, KeyRing::of_file(&self.file(), Arc::new(SystemClock)).unwrap());
        for number in 0..count {
            let new = NewCredential { name: number.to_string(), auth_type: "iam".into(), public_part: "{}".into() };
            let seal = |id: store::CredentialId, _version| {
                let context = SealingContext { credential_id: &id.to_string(), version: 1 };
                let sealed = keys.seal(&SecretBytes::new(b"hunter2".to_vec()), context, &SystemRandom)?;
                Ok::<_, server::sealing::SealingError>(Some(SealedSecret {
                    bytes: sealed.to_bytes(),
                    key_id: sealed.key_id.to_string(),
                }))
            };
            store.create_credential(&new, seal, &audit(), 1).await.unwrap();
        }
        store.close().await;
    }

    fn keys(&self) -> Vec<String> {
        MasterKeys::from_file(&self.file()).unwrap().all().map(|key| key.id().to_string()).collect()
    }

    async fn counts(&self) -> Vec<(String, u64)> {
        let store = self.store().await;
        let counts = store.secrets_by_key().await.unwrap();
        store.close().await;
        counts
    }
}

#[tokio::test]
async fn keys_are_created_rotated_and_retired() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    let create = KeysCommand::Create(CreateKeyArguments { file: place.file() });
    assert_eq!(run(&create).await.unwrap(), Status::Complete);
    let error = run(&create).await.unwrap_err().to_string();
    assert!(error.contains("never overwritten"), "{error}");
    place.create_secrets(3).await;
    let first = place.keys();

    run(&KeysCommand::Rotate(place.arguments())).await.unwrap();
    let rotated = place.keys();
    assert_eq!((rotated.len(), &rotated[1]), (2, &first[0]));
    assert_eq!(place.counts().await, [(rotated[0].clone(), 3)]);
    run(&KeysCommand::Retire(place.arguments())).await.unwrap();
    assert_eq!(place.keys(), rotated[..1]);
    run(&KeysCommand::Retire(place.arguments())).await.unwrap();
}

#[tokio::test]
async fn an_interrupted_rotation_is_finished_without_a_further_key_and_nothing_is_retired_before() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    run(&KeysCommand::Create(CreateKeyArguments { file: place.file() })).await.unwrap();
    place.create_secrets(2).await;
    MasterKeys::prepend_to_file(&place.file(), &SystemRandom).unwrap();
    let keys = place.keys();
    let error = run(&KeysCommand::Retire(place.arguments())).await.unwrap_err().to_string();
    assert!(error.contains(&format!("2 under {}", keys[1])) && error.contains("keys rotate"), "{error}");
    run(&KeysCommand::Rotate(place.arguments())).await.unwrap();
    assert_eq!((place.keys(), place.counts().await), (keys.clone(), vec![(keys[0].clone(), 2)]));
}
