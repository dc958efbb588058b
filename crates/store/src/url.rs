//! Where a catalog is.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;

use crate::{Result, StoreError};

/// The address of a catalog: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogUrl {
    /// A file.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(PostgresUrl),
}

/// The address of a PostgreSQL database. It is shown without its password.
#[derive(Clone)]
pub struct PostgresUrl {
    shown: String,
    options: Box<PgConnectOptions>,
}

impl CatalogUrl {
    /// Parses `sqlite:PATH` (also `sqlite://PATH`) or `postgres://…` (also `postgresql://…`; parameters as libpq has them:
    /// `sslmode`, `sslrootcert`, `options` …).
    ///
    /// # Errors
    /// For any other scheme, an empty path, and an address that PostgreSQL does not understand.
    pub fn parse(url: &str) -> Result<Self> {
        let invalid = |reason: &str| StoreError::InvalidUrl { url: without_password(url), reason: reason.to_owned() };
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url).map_err(|error| {
                let hint = "it has to be `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, special characters percent-encoded";
                invalid(&format!("{hint} ({error})"))
            })?;
            let options = Box::new(options.application_name("isinglass"));
            return Ok(Self::Postgres(PostgresUrl { shown: without_password(url), options }));
        }
        let Some(path) = url.strip_prefix("sqlite:") else {
            return Err(invalid("it has to be `sqlite:PATH`, for example `sqlite:catalog.db`, or `postgres://USER@HOST/DATABASE`"));
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path == ":memory:" {
            return Err(invalid("the path of a file has to follow `sqlite:`"));
        }
        Ok(Self::sqlite(path))
    }

    /// The catalog in the SQLite file at `path`.
    #[must_use]
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite(path.into())
    }

    /// The file, if the catalog is in one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

impl PostgresUrl {
    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.options
    }
}

impl PartialEq for PostgresUrl {
    fn eq(&self, other: &Self) -> bool {
        self.shown == other.shown
    }
}

impl Eq for PostgresUrl {}

impl std::fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl std::fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl std::fmt::Display for CatalogUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => write!(f, "{url}"),
        }
    }
}

/// The address as it may be shown: what stands between `:` and `@` is a password, and so may a parameter be.
fn without_password(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(before, _)| before);
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((user, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    match user.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:***@{host}"),
        None => format!("{scheme}://{user}@{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_addresses_name_a_file() {
        for url in ["sqlite:/a/b.db", "sqlite:///a/b.db"] {
            assert_eq!(CatalogUrl::parse(url).unwrap().file(), Some(Path::new("/a/b.db")), "{url}");
        }
        assert_eq!(CatalogUrl::parse("sqlite:b.db").unwrap().to_string(), "sqlite:b.db");
    }

    #[test]
    fn addresses_never_show_a_password() {
        let url = CatalogUrl::parse("postgres://me:hunter2@db:6432/catalog?password=hunter2").unwrap();
        assert_eq!(
            (url.to_string(), format!("{url:?}")),
            ("postgres://me:***@db:6432/catalog".into(), "Postgres(postgres://me:***@db:6432/catalog)".into())
        );
        let error = CatalogUrl::parse("postgres://me:hunter2@db:port/catalog").unwrap_err().to_string();
        assert!(error.contains("PORT/DATABASE") && !error.contains("hunter2"), "{error}");
        for url in ["", "sqlite:", "sqlite::memory:", "mysql://h/db", "/a/b.db"] {
            assert!(CatalogUrl::parse(url).is_err(), "{url}");
        }
    }
}
