//! A copy of a SQLite catalog while others crawl it and ask: one moment of it, whole, under its name only when it is on the disk.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sqlx::{Connection as _, SqliteConnection};

use super::sqlite::{beside, connect, reading_options, writer_options};
use crate::file::{self, Found};
use crate::{Result, StoreError};

/// Copies the catalog at `from`; how many bytes the copy has.
pub(super) async fn backup(from: &Path, to: &Path) -> Result<u64> {
    if file::inspect(from)? != Found::Catalog {
        return Err(StoreError::NoCatalog { catalog: format!("sqlite:{}", from.display()) });
    }
    refuse_existing(to)?;
    let unfinished = Unfinished::create(to)?;
    copy(from, &unfinished.path).await?;
    check(&unfinished.path).await?;
    unfinished.give_name(to)
}

/// `VACUUM INTO` reads one moment of the catalog, whatever is written meanwhile, and keeps nobody from writing.
async fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut connection = connect(&reading_options(from)).await?;
    let target = to.to_str().ok_or_else(|| unwritable(to, ErrorKind::InvalidFilename.into()))?.to_owned();
    sqlx::query("VACUUM INTO ?1").bind(target).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Whether the copy is a whole database. It is switched to the write-ahead log too, which needs a file for itself.
async fn check(copy: &Path) -> Result<()> {
    let mut connection: SqliteConnection = connect(&writer_options(copy)).await?;
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await?;
    connection.close().await?;
    if found == "ok" { Ok(()) } else { Err(StoreError::corrupt(found)) }
}

/// A copy that is being made; it goes with this, unless it was given its name.
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// An empty file for its owner only, which SQLite fills: by itself it would let others read it.
    fn create(to: &Path) -> Result<Self> {
        let path = beside(to, &format!("{}.unfinished", std::process::id()));
        file::create_new_private(&path)?;
        Ok(Self { path })
    }

    fn give_name(self, to: &Path) -> Result<u64> {
        let finish = || {
            let copy = File::open(&self.path)?;
            copy.sync_all()?;
            // A link fails where a rename would overwrite.
            std::fs::hard_link(&self.path, to)?;
            let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()?;
            Ok::<_, std::io::Error>(copy.metadata()?.len())
        };
        match finish() {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(exists(to)),
            finished => finished.map_err(|source| unwritable(to, source)),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        for path in [self.path.clone(), with_ending(&self.path, "-wal"), with_ending(&self.path, "-shm")] {
            let _removed = std::fs::remove_file(path);
        }
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn refuse_existing(to: &Path) -> Result<()> {
    if std::fs::symlink_metadata(to).is_ok() { Err(exists(to)) } else { Ok(()) }
}

fn exists(to: &Path) -> StoreError {
    StoreError::Conflict { message: format!("{} exists, and a backup never overwrites: give it another name", to.display()) }
}

fn unwritable(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::Unwritable { path: path.to_owned(), source }
}
