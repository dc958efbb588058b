//! Who the runtime is: its key, and what the control plane called it. Both are files of their owner's only.

use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use wire::assertion::{Claims, SigningKey};
use zeroize::Zeroizing;

use crate::spool::files;

const KEY_FILE: &str = "runtime.key";
const IDENTITY_FILE: &str = "identity.json";

/// What the control plane called the runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity {
    /// Who it is.
    pub(crate) runtime_id: String,
    /// The queue that it works on.
    pub(crate) name: String,
    /// Whom assertions are for.
    pub(crate) audience: String,
    /// The control plane that it is enrolled at.
    pub(crate) server: String,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    /// Never enrolled.
    #[error("{0} holds no identity: enrol first, with `isinglass-runtime enroll --server URL --token T --name N --data DIR`")]
    NotEnrolled(String),
    /// Enrolled already.
    #[error("{0} holds an identity already: use another --data, or give --replace to enrol anew")]
    Enrolled(String),
    /// A file that cannot be used.
    #[error("{path}: {reason}; restore it, or enrol anew with --replace")]
    File { path: String, reason: String },
    /// No chance to be had.
    #[error("this system gives no random bytes")]
    Random,
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands errors over")]
fn unusable(path: &Path, reason: impl ToString) -> IdentityError {
    IdentityError::File { path: path.display().to_string(), reason: reason.to_string() }
}

/// The files of a data folder.
#[derive(Clone, Debug)]
pub(crate) struct IdentityFiles {
    key: PathBuf,
    identity: PathBuf,
    folder: PathBuf,
}

impl IdentityFiles {
    /// Of this data folder.
    pub(crate) fn of(data: &Path) -> Self {
        Self { key: data.join(KEY_FILE), identity: data.join(IDENTITY_FILE), folder: data.to_owned() }
    }

    /// Whether the runtime is enrolled.
    pub(crate) fn is_enrolled(&self) -> bool {
        self.identity.exists()
    }

    /// The key; a new one where there is none. It is on the disk before it is used, so that an enrolment whose answer was lost can be
    /// asked for again with the same one.
    pub(crate) fn key_or_new(&self) -> Result<SigningKey, IdentityError> {
        if !self.key.exists() {
            let mut seed = Zeroizing::new([0_u8; 32]);
            rand::fill(seed.as_mut_slice()).map_err(|_unspecified| IdentityError::Random)?;
            let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(seed.as_slice()));
            files::write(&self.key, &[text.as_bytes(), b"\n"]).map_err(|error| unusable(&self.key, error))?;
        }
        self.key()
    }

    /// The key.
    pub(crate) fn key(&self) -> Result<SigningKey, IdentityError> {
        let text = std::fs::read_to_string(&self.key).map(Zeroizing::new).map_err(|error| unusable(&self.key, error))?;
        let seed = URL_SAFE_NO_PAD.decode(text.trim()).map(Zeroizing::new);
        let seed = seed.map_err(|_malformed| unusable(&self.key, "it is no key of a runtime"))?;
        SigningKey::from_seed(&seed).map_err(|_rejected| unusable(&self.key, "it is no key of a runtime"))
    }

    /// Forgets who the runtime was.
    pub(crate) fn remove(&self) -> Result<(), IdentityError> {
        for path in [&self.identity, &self.key] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(path, error)),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Keeps who the runtime is.
    pub(crate) fn save(&self, identity: &Identity) -> Result<(), IdentityError> {
        let text = serde_json::to_vec_pretty(identity).map_err(|error| unusable(&self.identity, error))?;
        files::write(&self.identity, &[&text, b"\n"]).map_err(|error| unusable(&self.identity, error))
    }

    /// Who the runtime is.
    pub(crate) fn load(&self) -> Result<Identity, IdentityError> {
        if !self.is_enrolled() {
            return Err(IdentityError::NotEnrolled(self.folder.display().to_string()));
        }
        let text = std::fs::read(&self.identity).map_err(|error| unusable(&self.identity, error))?;
        serde_json::from_slice(&text).map_err(|error| unusable(&self.identity, error))
    }
}

/// A signed assertion at a time by the control plane's clock.
pub(crate) fn assertion(key: &SigningKey, identity: &Identity, at_seconds: i64) -> Result<String, IdentityError> {
    let mut id = [0_u8; 16];
    rand::fill(&mut id).map_err(|_unspecified| IdentityError::Random)?;
    let claims = Claims::new(&identity.runtime_id, &identity.audience, URL_SAFE_NO_PAD.encode(id), at_seconds);
    Ok(key.sign(&claims))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let files = IdentityFiles::of(folder.path());
        let first = files.key_or_new().unwrap().public_key();
        assert_eq!(files.key_or_new().unwrap().public_key(), first);
        let mode = std::fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        files.remove().unwrap();
        assert_ne!(files.key_or_new().unwrap().public_key(), first);
    }

    #[test]
    fn who_was_never_enrolled_is_told_how() {
        let folder = tempfile::tempdir().unwrap();
        let error = IdentityFiles::of(folder.path()).load().unwrap_err().to_string();
        assert!(error.contains("isinglass-runtime enroll"), "{error}");
    }

    #[test]
    fn an_assertion_is_of_the_key_and_never_the_same_twice() {
        let folder = tempfile::tempdir().unwrap();
        let key = IdentityFiles::of(folder.path()).key_or_new().unwrap();
        let text = |text: &str| text.to_owned();
        let identity = Identity { runtime_id: text("12"), name: text("a"), audience: text("b"), server: text("https://c") };
        let (first, second) = (assertion(&key, &identity, 100).unwrap(), assertion(&key, &identity, 100).unwrap());
        assert_ne!(first, second);
        let public = wire::assertion::read_public_key(&key.public_key()).unwrap();
        assert!(wire::assertion::verify(&first, &public, "b", 100).is_ok());
    }
}
