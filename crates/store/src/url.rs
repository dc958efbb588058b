//! Where a catalog is.

use std::path::{Path, PathBuf};

use crate::{Result, StoreError};

/// The address of a catalog: `sqlite:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogUrl {
    path: PathBuf,
}

impl CatalogUrl {
    /// Parses `sqlite:PATH` (also `sqlite://PATH`).
    ///
    /// # Errors
    /// For any other scheme, and for an empty path.
    pub fn parse(url: &str) -> Result<Self> {
        let invalid = |reason: &str| StoreError::InvalidUrl { url: without_password(url), reason: reason.to_owned() };
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Err(invalid("PostgreSQL is not in this build yet; use `sqlite:PATH`"));
        }
        let Some(path) = url.strip_prefix("sqlite:") else {
            return Err(invalid("it has to be `sqlite:PATH`, for example `sqlite:catalog.db`"));
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path == ":memory:" {
            return Err(invalid("the path of a file has to follow `sqlite:`"));
        }
        Ok(Self { path: PathBuf::from(path) })
    }

    /// The catalog in the SQLite file at `path`.
    #[must_use]
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl std::fmt::Display for CatalogUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sqlite:{}", self.path.display())
    }
}

/// The address as it may be shown: what stands between `:` and `@` is a password.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((user, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:***@{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_addresses_name_a_file() {
        for url in ["sqlite:/a/b.db", "sqlite:///a/b.db"] {
            assert_eq!(CatalogUrl::parse(url).unwrap().path(), Path::new("/a/b.db"), "{url}");
        }
        assert_eq!(CatalogUrl::parse("sqlite:b.db").unwrap().to_string(), "sqlite:b.db");
    }

    #[test]
    fn other_addresses_are_refused_without_showing_a_password() {
        let error = CatalogUrl::parse("postgres://me:hunter2@db/catalog").unwrap_err().to_string();
        assert!(error.contains("not in this build yet") && !error.contains("hunter2"), "{error}");
        for url in ["", "sqlite:", "sqlite::memory:", "mysql://h/db", "/a/b.db"] {
            assert!(CatalogUrl::parse(url).is_err(), "{url}");
        }
    }
}
