//! Bringing every stored secret under the current master key, while services run: page by page, each secret only if it is still the
//! one that was read. It may be interrupted anywhere and repeated.

mod alerts;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

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
    /// Whose it is: `credential 7`.
    pub of: String,
    /// Why.
    pub reason: SealingError,
}

/// What a rotation works with.
#[derive(Clone, Copy, Debug)]
pub struct Rotation<'a> {
    /// The catalog.
    pub store: &'a Store,
    /// The keys: the first is to seal everything.
    pub keys: &'a MasterKeys,
    /// Chance.
    pub random: &'a dyn Random,
    /// Who rotates.
    pub audit: &'a Audit,
    /// Milliseconds since 1970 UTC.
    pub now_ms: i64,
}

/// What one pass has come across.
#[derive(Debug, Default)]
struct Pass {
    wrapped: u64,
    changed: u64,
    left: Vec<Left>,
}

/// How many secrets of the catalog are under each key, by its id: those of credentials and of alerts.
///
/// # Errors
/// When the catalog cannot be read.
pub async fn secrets_by_key(store: &Store) -> Result<BTreeMap<String, u64>, StoreError> {
    let mut counts: BTreeMap<String, u64> = store.secrets_by_key().await?.into_iter().collect();
    alerts::count(store, &mut counts).await?;
    Ok(counts)
}

impl Rotation<'_> {
    /// Wraps all secrets of the catalog anew that another key than the current one opens.
    ///
    /// # Errors
    /// When the catalog cannot be read or written: what was wrapped stays so.
    pub async fn rewrap_all(&self) -> Result<Rewrapped, StoreError> {
        let mut done = Rewrapped::default();
        for _ in 0..PASSES_MAX {
            let mut pass = Pass::default();
            self.credentials(&mut pass).await?;
            alerts::rewrap(self, &mut pass).await?;
            done.wrapped += pass.wrapped;
            done.left = pass.left;
            if pass.changed == 0 {
                break;
            }
        }
        Ok(done)
    }

    async fn credentials(&self, pass: &mut Pass) -> Result<(), StoreError> {
        let current = self.keys.current().id().to_string();
        let mut page = PageRequest::first(PAGE);
        loop {
            let read = self.store.secrets_not_of_key(&current, page).await?;
            for secret in &read.items {
                self.credential(secret, pass).await?;
            }
            match read.next {
                Some(next) => page.after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn credential(&self, secret: &StoredSecret, pass: &mut Pass) -> Result<(), StoreError> {
        match self.wrap(secret) {
            Err(reason) => pass.left.push(Left { of: format!("credential {}", secret.id), reason }),
            Ok(wrapped) => {
                let wrapped = SealedSecret { bytes: wrapped.to_bytes(), key_id: wrapped.key_id.to_string() };
                let was_put = self.store.rewrap_secret(secret, &wrapped, self.audit, self.now_ms).await?;
                if was_put { pass.wrapped += 1 } else { pass.changed += 1 }
            }
        }
        Ok(())
    }

    fn wrap(&self, secret: &StoredSecret) -> Result<Sealed, SealingError> {
        let version = u32::try_from(secret.secret_version)
            .map_err(|_too_large| SealingError::Format { reason: "its version is out of range" })?;
        let id = secret.id.to_string();
        let sealed = Sealed::from_bytes(&secret.sealed.bytes)?;
        self.keys.rewrap(&sealed, SealingContext { credential_id: &id, version }, self.random)
    }
}
