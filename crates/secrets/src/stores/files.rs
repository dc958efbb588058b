//! Files of one directory as a store, secrets that Kubernetes or a container engine mounts among them.
//!
//! An entry is a file; with several keys, a file that holds a JSON object or a directory with a file for each key. Every path is resolved
//! first and must end inside the directory: symbolic links may lead around in it, as the `..data` links of Kubernetes do, and not out of it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use model::Secret;
use zeroize::Zeroizing;

use super::bounded::{self, ReadError};
use crate::entry::{ENTRY_BYTES_MAX, Entry, KeyValue, require_size, too_long};
use crate::fault::Fault;
use crate::name::StoreName;

/// The most files of one directory that is an entry.
const KEYS_MAX: usize = 256;

/// Who may read the files, and whose business that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Files that everybody on the machine may read are warned about.
    Watched,
    /// Kubernetes mounts secrets readable for everybody in the container, which is one program's.
    LeftToTheCluster,
}

/// A directory of secrets.
pub(crate) struct Directory {
    store: StoreName,
    path: PathBuf,
    readers: Readers,
}

impl Directory {
    pub(crate) fn open(store: &StoreName, path: &Path, readers: Readers) -> Self {
        Self { store: store.clone(), path: path.to_owned(), readers }
    }

    pub(crate) async fn fetch(&self, entry: &str) -> Result<Entry, Fault> {
        let root = self.root().await?;
        let relative = Path::new(entry);
        let is_inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
        if entry.is_empty() || entry.contains('\0') || !is_inside {
            return Err(outside());
        }
        let path = self.resolve(&root, &root.join(relative)).await?;
        let metadata = tokio::fs::metadata(&path).await.map_err(|error| refused(&error))?;
        let (entry, is_exposed) = if metadata.is_dir() {
            self.keys(&root, &path).await?
        } else {
            (Entry::Text(content(&path).await?), self.is_exposed(&metadata))
        };
        if is_exposed {
            let store = self.store.as_str();
            tracing::warn!(kind = "files", store, "everybody on this machine may read an entry: take that right away (chmod o-r)");
        }
        Ok(entry)
    }

    /// Whether the directory can be read, and whether everybody can.
    pub(crate) async fn probe(&self) -> Result<Vec<String>, Fault> {
        let root = self.root().await?;
        // Whether it can be listed at all; what is in it does not matter.
        drop(tokio::fs::read_dir(&root).await.map_err(|error| refused(&error))?);
        let metadata = tokio::fs::metadata(&root).await.map_err(|error| refused(&error))?;
        let warning = || format!("everybody on this machine may read {}: take that right away (chmod o-rwx)", self.path.display());
        Ok(if self.is_exposed(&metadata) { vec![warning()] } else { Vec::new() })
    }

    async fn root(&self) -> Result<PathBuf, Fault> {
        let is_there = async {
            let root = tokio::fs::canonicalize(&self.path).await?;
            if tokio::fs::metadata(&root).await?.is_dir() { Ok(root) } else { Err(io::ErrorKind::NotADirectory.into()) }
        };
        is_there.await.map_err(|error: io::Error| {
            if error.kind() == io::ErrorKind::PermissionDenied {
                return refused(&error);
            }
            Fault::misconfigured(
                format!("the directory {} cannot be used: {}", self.path.display(), error.kind()),
                "correct the directory in the configuration, or mount it",
            )
        })
    }

    /// The place that a path leads to, if that is inside the directory.
    async fn resolve(&self, root: &Path, path: &Path) -> Result<PathBuf, Fault> {
        let resolved = tokio::fs::canonicalize(path).await.map_err(|error| refused(&error))?;
        if resolved != root && resolved.starts_with(root) { Ok(resolved) } else { Err(outside()) }
    }

    /// The files of a directory as keys, and whether everybody may read one of them. Names that begin with a dot are none: Kubernetes
    /// keeps its own there.
    async fn keys(&self, root: &Path, path: &Path) -> Result<(Entry, bool), Fault> {
        let mut listing = tokio::fs::read_dir(path).await.map_err(|error| refused(&error))?;
        let (mut keys, mut bytes, mut is_exposed) = (BTreeMap::new(), 0, false);
        while let Some(file) = listing.next_entry().await.map_err(|error| refused(&error))? {
            let Ok(name) = file.file_name().into_string() else { continue };
            let Some((path, metadata)) = self.key(root, &file.path(), &name).await else { continue };
            if keys.len() >= KEYS_MAX {
                return Err(Fault::malformed(
                    format!("the entry has more than {KEYS_MAX} keys"),
                    "refer to a directory with fewer files",
                ));
            }
            let text = content(&path).await?;
            bytes += text.len();
            require_size(bytes)?;
            is_exposed |= self.is_exposed(&metadata);
            keys.insert(name, KeyValue::Text(Secret::new(text.as_str())));
        }
        Ok((Entry::Keys(keys), is_exposed))
    }

    /// Where the file of a key is. What begins with a dot, leads outside or is no file is no key.
    async fn key(&self, root: &Path, path: &Path, name: &str) -> Option<(PathBuf, std::fs::Metadata)> {
        if name.starts_with('.') {
            return None;
        }
        let path = self.resolve(root, path).await.ok()?;
        let metadata = tokio::fs::metadata(&path).await.ok()?;
        metadata.is_file().then_some((path, metadata))
    }

    #[cfg(unix)]
    fn is_exposed(&self, metadata: &std::fs::Metadata) -> bool {
        use std::os::unix::fs::PermissionsExt;
        self.readers == Readers::Watched && metadata.permissions().mode() & 0o004 != 0
    }

    #[cfg(not(unix))]
    fn is_exposed(&self, _metadata: &std::fs::Metadata) -> bool {
        false
    }
}

/// The content of a file, without the one line break that editors and tools put at its end.
async fn content(path: &Path) -> Result<Zeroizing<String>, Fault> {
    let bytes = bounded::read(path, ENTRY_BYTES_MAX).await.map_err(|error| match error {
        ReadError::Io(error) => refused(&error),
        ReadError::TooLong(_) => too_long(),
        ReadError::NoFile => Fault::malformed("the entry is no regular file", "refer to a file"),
    })?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Fault::malformed("the entry is no UTF-8 text", "store credentials as text; binary entries are not read"))?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(Zeroizing::new(text.to_owned()))
}

fn refused(error: &io::Error) -> Fault {
    let kind = error.kind();
    if matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
        return Fault::missing("there is no such file", "make the file, or correct its name in the workflow");
    }
    if kind == io::ErrorKind::PermissionDenied {
        return Fault::denied(
            "the system does not let the runtime read it",
            "let the runtime's user read the file and its directories",
        );
    }
    Fault::unreachable(format!("the file cannot be read: {kind}"), "look at the file system that it is on")
}

fn outside() -> Fault {
    Fault::misconfigured(
        "the name leads out of the directory of the store",
        "write a path below the directory, without `..`, and let links lead to places below it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Absent;
    use crate::fault::FaultKind;

    #[test]
    fn what_the_system_says_tells_missing_denied_and_broken_apart() {
        for (kind, expected) in [
            (io::ErrorKind::NotFound, FaultKind::Missing(Absent::Entry)),
            (io::ErrorKind::NotADirectory, FaultKind::Missing(Absent::Entry)),
            (io::ErrorKind::PermissionDenied, FaultKind::Denied),
            (io::ErrorKind::StaleNetworkFileHandle, FaultKind::Unreachable),
        ] {
            assert_eq!(refused(&kind.into()).kind, expected, "{kind}");
        }
    }
}
