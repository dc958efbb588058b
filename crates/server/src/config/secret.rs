//! Secrets are named, not written: this reads what a name stands for, and recognises a secret in the place of its name.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::values::VariableName;
use super::{ConfigError, Environment};

const SECRET_BYTES_MAX: u64 = 64 * 1024;
const INLINE_CHARACTERS_MIN: usize = 20;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretReference {
    key: &'static str,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Variable(VariableName),
}

impl SecretReference {
    pub(super) fn of(key: &'static str, file: Option<&PathBuf>, variable: Option<&VariableName>) -> Option<Self> {
        let from_file = file.cloned().map(Place::File);
        let place = from_file.or_else(|| variable.cloned().map(Place::Variable))?;
        Some(Self { key, place })
    }

    /// The secret, without the newline that editors put at the end of a file.
    ///
    /// # Errors
    /// That the file cannot be read, is too large or not text, or that the variable is unset, or that either is empty.
    pub fn read(&self, environment: &Environment) -> Result<SecretString, ConfigError> {
        let text = match &self.place {
            Place::File(path) => read_file(path).map_err(|message| self.error(message))?,
            Place::Variable(name) => {
                let message = || format!("the variable {} is not set; set it, or name another", name.as_str());
                Zeroizing::new(environment.get(name.as_str()).ok_or_else(|| self.error(message()))?.to_owned())
            }
        };
        let secret = text.trim_end_matches(['\n', '\r']);
        if secret.is_empty() { Err(self.error("the secret is empty".to_owned())) } else { Ok(SecretString::from(secret)) }
    }

    fn error(&self, message: String) -> ConfigError {
        ConfigError::Secret { key: self.key.to_owned(), message }
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::new());
    let opened = File::open(path).and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text));
    match opened {
        Ok(read) if read as u64 > SECRET_BYTES_MAX => Err(format!("{} is larger than {SECRET_BYTES_MAX} bytes", path.display())),
        Ok(_) => Ok(text),
        Err(source) => Err(format!("{}: {source}", path.display())),
    }
}

/// Whether what stands in the place of a file name looks like the secret itself: long, one word, no folder, no ending.
pub(super) fn looks_inline(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let secret_like = |character: char| character.is_ascii_alphanumeric() || "+/=_-".contains(character);
    let absolute_or_dotted = text.starts_with(['/', '~']) || text.contains('.');
    text.lines().count() > 1
        || text.contains("-----BEGIN")
        || (!absolute_or_dotted && text.len() >= INLINE_CHARACTERS_MIN && text.chars().all(secret_like) && mixed(&text))
}

/// Digits and letters mixed, or the padding of base64: names of files that people choose seldom have either without an ending.
fn mixed(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    text.ends_with('=') || (digits >= 3 && text.chars().any(|character| character.is_ascii_alphabetic()))
}

/// Whether a key that does not exist looks like an attempt to write a secret into the file.
pub(super) fn names_a_secret(key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    let parts = ["secret", "password", "token", "private_key", "passphrase"];
    parts.iter().any(|part| last.contains(part)) || matches!(key, "master_key.value" | "master_key.key" | "master_key" | "tls.key")
}
