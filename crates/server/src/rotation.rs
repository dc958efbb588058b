//! Bringing every stored secret under the current master key, while services run: page by page, each secret only if it is still the
//! one that was read. It may be interrupted anywhere and repeated.

#[cfg(test)]
mod tests;

use store::{Audit, PageRequest, SealedSecret, Store, StoreError, StoredSecret};

use crate::randomness::Random;
use crate::sealing::{MasterKeys, Sealed, SealingContext, SealingError};

/// Secrets that are read at once.
const PAGE: usize = 100;
/// How often secrets that were changed meanwhile are gone through again.
const PASSES_MAX: usize = 5;

/// What has become of the secrets.
#[derive(Debug, Default)]
pub struct Rewrapped {
    /// Secrets that are under the current key now.
    pub wrapped: u64,
    /// Those that no key of ours opens: they stay as they are.
    pub left: Vec<Left>,
}

/// A secret that could not be brought under the current key.
#[derive(Debug)]
pub struct Left {
    /// The number of its credential.
    pub credential: i64,
    /// Why.
    pub reason: SealingError,
}

enum Fate {
    Wrapped,
    Changed,
    Left(Left),
}

/// Wraps all secrets of the catalog anew that another key than the current one opens.
///
/// # Errors
/// When the catalog cannot be read or written: what was wrapped stays so.
pub async fn rewrap_all(
    store: &Store,
    keys: &MasterKeys,
    random: &dyn Random,
    audit: &Audit,
    now_ms: i64,
) -> Result<Rewrapped, StoreError> {
    let current = keys.current().id().to_string();
    let mut done = Rewrapped::default();
    for _ in 0..PASSES_MAX {
        done.left.clear();
        let mut changed = 0_u64;
        let mut page = PageRequest::first(PAGE);
        loop {
            let read = store.secrets_not_of_key(&current, page).await?;
            for secret in &read.items {
                match rewrap(store, keys, secret, random, audit, now_ms).await? {
                    Fate::Wrapped => done.wrapped += 1,
                    Fate::Changed => changed += 1,
                    Fate::Left(left) => done.left.push(left),
                }
            }
            match read.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        if changed == 0 {
            break;
        }
    }
    Ok(done)
}

async fn rewrap(
    store: &Store,
    keys: &MasterKeys,
    secret: &StoredSecret,
    random: &dyn Random,
    audit: &Audit,
    now_ms: i64,
) -> Result<Fate, StoreError> {
    let wrapped = match wrap(keys, secret, random) {
        Ok(wrapped) => SealedSecret { bytes: wrapped.to_bytes(), key_id: wrapped.key_id.to_string() },
        Err(reason) => return Ok(Fate::Left(Left { credential: secret.id.0, reason })),
    };
    match store.rewrap_secret(secret, &wrapped, audit, now_ms).await? {
        true => Ok(Fate::Wrapped),
        false => Ok(Fate::Changed),
    }
}

fn wrap(keys: &MasterKeys, secret: &StoredSecret, random: &dyn Random) -> Result<Sealed, SealingError> {
    let version = u32::try_from(secret.secret_version)
        .map_err(|_too_large| SealingError::Format { reason: "its version is out of range" })?;
    let id = secret.id.to_string();
    keys.rewrap(&Sealed::from_bytes(&secret.sealed.bytes)?, SealingContext { credential_id: &id, version }, random)
}
