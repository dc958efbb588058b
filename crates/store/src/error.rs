//! What can go wrong with a catalog, split by who has to act.

use std::path::PathBuf;

use model::RunId;

/// Why the catalog could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The address of the catalog cannot be used.
    #[error("the catalog address `{url}` cannot be used: {reason}")]
    InvalidUrl {
        /// The address as it was given.
        url: String,
        /// What is wrong with it and what to write instead.
        reason: String,
    },
    /// There is no catalog yet.
    #[error("there is no catalog at {catalog}: run `isinglass crawl` with the same `--catalog` first")]
    NoCatalog {
        /// Where it was looked for.
        catalog: String,
    },
    /// The file is not a catalog of this program.
    #[error("{} is not an Isinglass catalog ({reason}): give `--catalog` another path; the file was left as it is", path.display())]
    NotACatalog {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        reason: String,
    },
    /// The catalog was written by a newer version of this program.
    #[error(
        "the catalog {catalog} has schema version {found}, this program knows versions up to {known}: use the newer program that wrote it"
    )]
    NewerVersion {
        /// The catalog.
        catalog: String,
        /// The version of the catalog.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// Another crawl of the same connection is running.
    #[error("another crawl of this connection is running{}: wait until it has ended, or stop it", describe_run(*run, *since_ms))]
    Busy {
        /// The running one, when it is known.
        run: Option<RunId>,
        /// When it started, milliseconds since 1970 UTC.
        since_ms: Option<i64>,
    },
    /// The catalog was locked by other writers for longer than a writer waits.
    #[error("the catalog is locked by another program for more than {waited_seconds} s: end that program or try again")]
    Locked {
        /// How long it was waited for.
        waited_seconds: u64,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// What was asked for contradicts what is stored.
    #[error("{message}")]
    Conflict {
        /// What contradicts what, and what to do.
        message: String,
    },
    /// There is one already, and there can be no second.
    #[error(
        "there is a {noun} already that stands in the way: `{name}` (number {id}); use that one, or give this one another name"
    )]
    Exists {
        /// What it is.
        noun: &'static str,
        /// Its number.
        id: i64,
        /// Its name.
        name: String,
    },
    /// Somebody has changed it since it was read.
    #[error("the {noun} {id} has changed since it was read and is of version {version} now: read it again, then repeat the edit")]
    Stale {
        /// What it is.
        noun: &'static str,
        /// Its number.
        id: i64,
        /// Its present version.
        version: i64,
    },
    /// A value cannot be stored as it is.
    #[error("{message}")]
    Invalid {
        /// What is wrong with which value, and what to give instead.
        message: String,
    },
    /// There is no such thing in the catalog.
    #[error("{message}")]
    NotFound {
        /// What was looked for, and how to find it.
        message: String,
    },
    /// No room is left, on the disk or within the size limit of the catalog.
    #[error(
        "the catalog is full: free space on its disk or raise its size limit, then crawl again; what was stored before is intact"
    )]
    DiskFull {
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// The file or its folder cannot be read or written.
    #[error("the catalog {} cannot be read or written: check the permissions of the file and its folder", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database server has backups of its own.
    #[error(
        "{catalog} is backed up with PostgreSQL's own programs: `pg_dump --format=custom --file=catalog.dump --dbname='{catalog}'` \
         (back with `pg_restore --no-owner --dbname=URL catalog.dump`), or the whole server with `pg_basebackup --pgdata=FOLDER`"
    )]
    OtherBackup {
        /// The catalog, without its password.
        catalog: String,
    },
    /// The database file is damaged.
    #[error("the catalog file is damaged: restore it from a backup, or move it away and crawl again")]
    Corrupt {
        /// What the database or the decoder said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The run has ended.
    #[error("run {run} has ended and takes no more: begin another one")]
    RunEnded {
        /// The run.
        run: RunId,
    },
    /// The disk failed, or the file was taken away under the program.
    #[error("the catalog file could not be read or written: check its disk and that nothing moves or replaces it, then try again")]
    DiskFailed {
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// The database server cannot be reached, or went away.
    #[error("the catalog's database cannot be reached: check that the server runs, its address and the network, then try again")]
    Unreachable {
        /// What happened.
        #[source]
        source: sqlx::Error,
    },
    /// The database server refuses us.
    #[error("the catalog's database refuses the connection: check user, password, database name and the rights on its schema")]
    Refused {
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// Somebody else has taken over the work that this write belongs to.
    #[error("run {run} was taken over by another worker: this one stops, nothing of it is stored any more")]
    Fenced {
        /// The run.
        run: RunId,
    },
    /// An earlier write of this run failed, so nothing more is written.
    #[error("an earlier batch of run {run} could not be stored, so the run takes no more: end it as failed and crawl again")]
    RunBroken {
        /// The run.
        run: RunId,
    },
    /// Anything else: a defect of this program or of the database.
    #[error("the catalog could not {action}: please report this")]
    Internal {
        /// What was being done.
        action: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn describe_run(run: Option<RunId>, since_ms: Option<i64>) -> String {
    match (run, since_ms) {
        (Some(run), Some(since)) => format!(" (run {run}, started at {since} ms since 1970 UTC)"),
        (Some(run), None) => format!(" (run {run})"),
        (None, _) => String::new(),
    }
}

impl StoreError {
    /// An error of this program or of the database that nobody foresaw.
    pub(crate) fn internal(action: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal { action, source: source.into() }
    }

    /// A stored value that cannot be read back.
    pub(crate) fn corrupt(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Corrupt { source: source.into() }
    }
}

/// Seconds that a writer waits for other writers before it gives up: longer than any one transaction takes.
pub(crate) const LOCK_WAIT_SECONDS: u64 = 120;

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        if matches!(source, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_)) {
            return Self::Unreachable { source };
        }
        let Some(error) = source.as_database_error() else {
            return Self::internal("complete a database operation", source);
        };
        let code = error.code().unwrap_or_default().into_owned();
        if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
            from_postgres(&code, source)
        } else {
            from_sqlite(&code, source)
        }
    }
}

/// The low byte is SQLite's primary result code (<https://www.sqlite.org/rescode.html>).
fn from_sqlite(code: &str, source: sqlx::Error) -> StoreError {
    match code.parse::<i64>().map(|code| code & 0xff) {
        Ok(5 | 6) => StoreError::Locked { waited_seconds: LOCK_WAIT_SECONDS, source },
        Ok(13) => StoreError::DiskFull { source },
        Ok(8 | 10 | 14) => StoreError::DiskFailed { source },
        Ok(11 | 26) => StoreError::corrupt(source),
        _ => StoreError::internal("complete a database operation", source),
    }
}

/// The classes and codes of <https://www.postgresql.org/docs/15/errcodes-appendix.html>.
fn from_postgres(code: &str, source: sqlx::Error) -> StoreError {
    match code {
        "55P03" | "40P01" | "40001" | "57014" => StoreError::Locked { waited_seconds: LOCK_WAIT_SECONDS, source },
        "53100" => StoreError::DiskFull { source },
        "3D000" | "42501" => StoreError::Refused { source },
        code if code.starts_with("28") => StoreError::Refused { source },
        code if code.starts_with("08") || code.starts_with("57P") || code.starts_with("53") => StoreError::Unreachable { source },
        code if code.starts_with("58") || code.starts_with("XX") => StoreError::DiskFailed { source },
        _ => StoreError::internal("complete a database operation", source),
    }
}

impl From<model::document::ReadError> for StoreError {
    fn from(source: model::document::ReadError) -> Self {
        Self::corrupt(source)
    }
}

/// The result of everything that touches the catalog.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
