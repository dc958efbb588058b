//! What is wrong with a setting, where it was set, and what to write instead.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A place in the configuration file; line and column count from 1.
    File {
        /// The file.
        path: PathBuf,
        /// Its line.
        line: usize,
        /// The column, in characters.
        column: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A command line flag.
    Flag(String),
    /// Nobody set it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => write!(out, "{}, line {line}, column {column}", path.display()),
            Self::Variable(name) => write!(out, "environment variable {name}"),
            Self::Flag(name) => write!(out, "flag --{name}"),
            Self::Default => write!(out, "default"),
        }
    }
}

/// Why there is no configuration. None of them repeats a value that may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("configuration file {}: {source}; name a readable file with --config", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{origin}: not TOML: {message}")]
    Syntax {
        /// The place.
        origin: Origin,
        /// What the parser expected.
        message: String,
    },
    /// A key that does not exist.
    #[error("{origin}: there is no key `{key}`; {hint}")]
    UnknownKey {
        /// The place.
        origin: Origin,
        /// The key, with its section.
        key: String,
        /// Near keys, or where secrets go.
        hint: String,
    },
    /// A value that the key does not take.
    #[error("{origin}: `{key}`: {expected}")]
    Value {
        /// The place.
        origin: Origin,
        /// The key, with its section.
        key: String,
        /// What is wrong and what is expected.
        expected: String,
    },
    /// A secret that is named by the configuration and cannot be read.
    #[error("`{key}`: {message}")]
    Secret {
        /// The key that names the secret.
        key: String,
        /// What is wrong; never the secret.
        message: String,
    },
}
