//! Where a demo keeps its catalog and its sign-in: a directory that the user names and that a later demo goes on with, or one that is
//! gone afterwards.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use model::Secret;
use serde_json::{Value, json};
use server::auth::token::{Token, TokenKind};
use server::randomness::{SystemRandom, draw};
use tempfile::TempDir;

use crate::failure::Failure;

const CATALOG_FILE: &str = "catalog.db";
const SIGN_IN_FILE: &str = "sign-in.json";
/// 32 letters that nobody mistakes for others, so that a random byte gives each equally often.
const PASSWORD_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters of a password: 80 bits.
const PASSWORD_LENGTH: usize = 16;

/// The directory of a demo.
pub(super) enum Place {
    /// The user's: it stays.
    Kept(PathBuf),
    /// Removed at the end.
    Temporary(TempDir),
}

/// What the demo's administrators sign in with.
pub(super) struct SignIn {
    /// The API token of `admin`.
    pub(super) token: Secret,
    /// The password of the user `demo`.
    pub(super) password: Secret,
}

impl Place {
    /// Makes the directory, for its owner only, or takes the one that is there.
    pub(super) fn open(named: Option<&Path>) -> Result<Self, Failure> {
        let Some(folder) = named else {
            let mut builder = tempfile::Builder::new();
            let folder = builder.prefix("isinglass-demo-").permissions(fs::Permissions::from_mode(0o700)).tempdir();
            return folder.map(Self::Temporary).map_err(|error| unusable(&std::env::temp_dir(), &error));
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| unusable(folder, &error))?;
        let folder = folder.canonicalize().map_err(|error| unusable(folder, &error))?;
        Ok(Self::Kept(folder))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(folder) => folder,
            Self::Temporary(folder) => folder.path(),
        }
    }

    /// The catalog as `--catalog` takes it.
    pub(super) fn catalog(&self) -> String {
        format!("sqlite:{}", self.path().join(CATALOG_FILE).display())
    }

    /// The sign-in of the demo that was here before, or a new one.
    pub(super) fn sign_in(&self) -> Result<SignIn, Failure> {
        let path = self.path().join(SIGN_IN_FILE);
        match fs::read(&path) {
            Ok(bytes) => SignIn::parse(&bytes).ok_or_else(|| {
                Failure::failed(
                    format!("{} is not what a demo has written", path.display()),
                    "Choose another directory with --data.",
                )
            }),
            Err(error) if error.kind() == ErrorKind::NotFound && self.path().join(CATALOG_FILE).exists() => Err(Failure::failed(
                format!("{} has a catalog that no demo has made", self.path().display()),
                "Choose another directory with --data; `isinglass serve` serves the catalog.",
            )),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let made = SignIn::generate()?;
                made.write(&path).map_err(|error| unusable(&path, &error))?;
                Ok(made)
            }
            Err(error) => Err(unusable(&path, &error)),
        }
    }

    /// Removes what is temporary.
    pub(super) fn close(self) -> Result<(), Failure> {
        match self {
            Self::Kept(_) => Ok(()),
            Self::Temporary(folder) => {
                let path = folder.path().to_owned();
                folder.close().map_err(|error| unusable(&path, &error))
            }
        }
    }
}

impl SignIn {
    fn generate() -> Result<Self, Failure> {
        let failed = |error| Failure::from_error(&error);
        let token = Token::generate(TokenKind::Api, &SystemRandom).map_err(failed)?;
        let letters = draw::<PASSWORD_LENGTH>(&SystemRandom).map_err(failed)?;
        let password: String = letters.iter().map(|byte| char::from(PASSWORD_LETTERS[usize::from(byte % 32)])).collect();
        Ok(Self { token: Secret::new(token.expose()), password: Secret::new(password) })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let read: Value = serde_json::from_slice(bytes).ok()?;
        let text = |name: &str| read.get(name)?.as_str().map(Secret::new);
        Some(Self { token: text("token")?, password: text("password")? })
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        let text = json!({"token": self.token.expose(), "password": self.password.expose()}).to_string();
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("{} cannot be used: {error}", path.display()), "Name a directory that is yours to write with --data.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_kept_for_its_owner_and_taken_up_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::open(Some(&folder.path().join("new/demo"))).unwrap();
        let made = place.sign_in().unwrap();
        assert!(made.token.expose().starts_with("isg_") && made.password.expose().len() == PASSWORD_LENGTH);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(place.path()), mode(&place.path().join(SIGN_IN_FILE))), (0o700, 0o600));
        let again = place.sign_in().unwrap();
        assert_eq!((again.token.expose(), again.password.expose()), (made.token.expose(), made.password.expose()));
    }

    #[test]
    fn what_is_not_of_a_demo_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::open(Some(folder.path())).unwrap();
        fs::write(folder.path().join(CATALOG_FILE), "a catalog of somebody").unwrap();
        let failure = place.sign_in().err().unwrap().to_string();
        assert!(failure.contains("no demo has made") && failure.contains("--data"), "{failure}");
        fs::write(folder.path().join(SIGN_IN_FILE), "{}").unwrap();
        assert!(place.sign_in().is_err());
    }

    #[test]
    fn a_temporary_place_is_gone_afterwards() {
        let place = Place::open(None).unwrap();
        place.sign_in().unwrap();
        let path = place.path().to_owned();
        place.close().unwrap();
        assert!(!path.exists());
    }
}
