//! What stores take from the machine that they are on: variables, the time, certificates, limits.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use model::Secret;
use zeroize::Zeroizing;

use crate::configuration::SecretSource;
use crate::entry::ENTRY_BYTES_MAX;
use crate::fault::Fault;
use crate::stores::bounded::{self, ReadError};

/// Variables by their names.
type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;
/// The time of day.
type Now = dyn Fn() -> SystemTime + Send + Sync;

/// The surroundings of every store.
#[derive(Clone)]
pub struct Context {
    variables: Arc<Variables>,
    now: Arc<Now>,
    /// A PEM file of certificates that every store trusts besides the system's, unless it has its own.
    pub ca_bundle: Option<PathBuf>,
    /// How long stores may take.
    pub limits: Limits,
}

/// How long a store may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until a connection stands.
    pub connect: Duration,
    /// From the first packet of a request to the last byte of its answer.
    pub answer: Duration,
    /// Before a request is made a second time; four times as long before the third, which is the last.
    pub retry_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(10), retry_wait: Duration::from_millis(250) }
    }
}

impl Context {
    /// The process's environment and the machine's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads the clock")]
    pub fn system() -> Self {
        Self::new(|name| std::env::var(name).ok(), SystemTime::now)
    }

    /// Any other source of variables and time.
    #[must_use]
    pub fn new(
        variables: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        now: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Self { variables: Arc::new(variables), now: Arc::new(now), ca_bundle: None, limits: Limits::default() }
    }

    /// A variable; one that is empty counts as absent.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.variables)(name).filter(|value| !value.trim().is_empty())
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.now)()
    }

    /// The setting, or else the variable of this name.
    pub(crate) fn setting(&self, given: Option<&String>, variable: &str) -> Option<String> {
        given.cloned().or_else(|| self.variable(variable))
    }

    /// As [`Context::setting`], for what a store cannot do without. `setting` is its name in the configuration.
    pub(crate) fn required(&self, given: Option<&String>, setting: &str, variable: &str) -> Result<String, Fault> {
        self.setting(given, variable).ok_or_else(|| {
            Fault::misconfigured(
                format!("{setting} is not given"),
                format!("set {setting} of the store, or the variable {variable}"),
            )
        })
    }

    /// A secret that a store is signed in to with.
    pub(crate) async fn secret(&self, source: &SecretSource) -> Result<Secret, Fault> {
        match source {
            SecretSource::Env(name) => self.variable(name).map(Secret::new).ok_or_else(|| {
                Fault::misconfigured(
                    format!("the variable {name}, which signs in, is not set"),
                    "set it in the environment of the runtime",
                )
            }),
            SecretSource::File(path) => {
                let bytes = bounded::read(path, ENTRY_BYTES_MAX).await.map_err(|error| unreadable(path, &error))?;
                sign_in_text(path, &bytes)
            }
        }
    }
}

/// The text of a file that signs in, without the line break that editors and tools put at its end.
fn sign_in_text(path: &std::path::Path, bytes: &Zeroizing<Vec<u8>>) -> Result<Secret, Fault> {
    let text = std::str::from_utf8(bytes).ok().map(str::trim).filter(|text| !text.is_empty());
    text.map(Secret::new).ok_or_else(|| {
        Fault::misconfigured(
            format!("{}, which signs in, is empty or no text", path.display()),
            "put the token or the secret into it",
        )
    })
}

fn unreadable(path: &std::path::Path, error: &ReadError) -> Fault {
    Fault::misconfigured(
        format!("{}, which signs in, cannot be read: {error}", path.display()),
        "correct the path, or let the runtime's user read the file",
    )
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("ca_bundle", &self.ca_bundle).field("limits", &self.limits).finish_non_exhaustive()
    }
}
