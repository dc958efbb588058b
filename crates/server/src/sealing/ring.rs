//! The master keys of a service that runs: read again when they were replaced, so that rotation needs no restart.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::derived::{DerivedKey, Purpose};
use super::error::SealingError;
use super::master_key::{MasterKey, MasterKeys};
use super::secret::SecretBytes;
use super::{Sealed, SealingContext};
use crate::clock::Clock;
use crate::randomness::Random;

/// How often the file is read for keys that are missing, at most: what needs a key that is nowhere must not cost a read each time.
const READ_AGAIN_MS: i64 = 1000;

/// What a file was when it was read; another one has come into its place when it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    device: u64,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

#[derive(Debug)]
struct KeyFile {
    path: PathBuf,
    read: Mutex<Read>,
}

#[derive(Debug, Default)]
struct Read {
    seen: Option<Seen>,
    /// When a missing key made us read, milliseconds since 1970 UTC.
    asked_ms: Option<i64>,
}

/// The master keys, as they are now. Shared by all that seals and opens.
#[derive(Debug)]
pub struct KeyRing {
    keys: RwLock<Arc<MasterKeys>>,
    file: Option<KeyFile>,
    clock: Arc<dyn Clock>,
}

impl KeyRing {
    /// Keys that do not change while the service runs: those of a variable.
    #[must_use]
    pub fn fixed(keys: MasterKeys, clock: Arc<dyn Clock>) -> Self {
        Self { keys: RwLock::new(Arc::new(keys)), file: None, clock }
    }

    /// The keys of a file.
    ///
    /// # Errors
    /// As [`MasterKeys::from_file`].
    pub fn of_file(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, SealingError> {
        // Looked at first: a file that is replaced in between is taken for another one later, and read once more.
        let read = Read { seen: seen(path), asked_ms: None };
        let keys = RwLock::new(Arc::new(MasterKeys::from_file(path)?));
        Ok(Self { keys, file: Some(KeyFile { path: path.to_owned(), read: Mutex::new(read) }), clock })
    }

    /// The keys as they are now.
    #[must_use]
    pub fn keys(&self) -> Arc<MasterKeys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key that seals now.
    #[must_use]
    pub fn current(&self) -> MasterKey {
        self.keys().current().clone()
    }

    /// Reads the file again; without a file nothing happens.
    ///
    /// # Errors
    /// As [`MasterKeys::from_file`]; the keys stay as they were.
    pub fn reload(&self) -> Result<(), SealingError> {
        match &self.file {
            Some(file) => self.read(file, &mut file.read.lock().unwrap_or_else(PoisonError::into_inner)),
            None => Ok(()),
        }
    }

    /// As [`MasterKeys::seal`], with the key that is current in the file: one that was retired must seal nothing any more.
    ///
    /// # Errors
    /// As [`MasterKeys::seal`], and when a file that was replaced cannot be read.
    pub fn seal(&self, plaintext: &SecretBytes, context: SealingContext<'_>, random: &dyn Random) -> Result<Sealed, SealingError> {
        self.follow()?;
        self.keys().seal(plaintext, context, random)
    }

    /// As [`MasterKeys::open`]. A key that is missing is looked for in the file once more.
    ///
    /// # Errors
    /// As [`MasterKeys::open`].
    pub fn open(&self, sealed: &Sealed, context: SealingContext<'_>) -> Result<SecretBytes, SealingError> {
        self.with_keys(|keys| keys.open(sealed, context))
    }

    /// As [`MasterKeys::rewrap`]. A key that is missing is looked for in the file once more.
    ///
    /// # Errors
    /// As [`MasterKeys::rewrap`], and when a file that was replaced cannot be read.
    pub fn rewrap(&self, sealed: &Sealed, context: SealingContext<'_>, random: &dyn Random) -> Result<Sealed, SealingError> {
        self.follow()?;
        self.with_keys(|keys| keys.rewrap(sealed, context, random))
    }

    /// Whether [`KeyRing::rewrap`] would bring it under another key.
    #[must_use]
    pub fn needs_rewrap(&self, sealed: &Sealed) -> bool {
        self.keys().needs_rewrap(sealed)
    }

    /// As [`MasterKeys::derive`], from the keys as they are now: what is derived stays as it is when they are replaced.
    ///
    /// # Errors
    /// As [`MasterKeys::derive`].
    pub fn derive(&self, purpose: Purpose) -> Result<Vec<DerivedKey>, SealingError> {
        self.keys().derive(purpose)
    }

    fn with_keys<T>(&self, ask: impl Fn(&MasterKeys) -> Result<T, SealingError>) -> Result<T, SealingError> {
        match ask(&self.keys()) {
            Err(SealingError::MissingKey { .. }) if self.looked_again() => ask(&self.keys()),
            answer => answer,
        }
    }

    /// Reads the file if another one has come into its place.
    fn follow(&self) -> Result<(), SealingError> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut read = file.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now = seen(&file.path);
        if now.is_some() && now == read.seen { Ok(()) } else { self.read(file, &mut read) }
    }

    /// Whether the file was read for a key that is missing; not more often than every [`READ_AGAIN_MS`].
    fn looked_again(&self) -> bool {
        let Some(file) = &self.file else { return false };
        let mut read = file.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = self.clock.now_ms();
        let is_replaced = seen(&file.path) != read.seen;
        let is_soon = read.asked_ms.is_some_and(|asked| (0..READ_AGAIN_MS).contains(&now_ms.saturating_sub(asked)));
        if is_soon && !is_replaced {
            // Who held the lock before may have read what is missing here.
            return true;
        }
        read.asked_ms = Some(now_ms);
        match self.read(file, &mut read) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the master keys could not be read again");
                false
            }
        }
    }

    fn read(&self, file: &KeyFile, read: &mut Read) -> Result<(), SealingError> {
        let seen = seen(&file.path);
        let keys = MasterKeys::from_file(&file.path)?;
        read.seen = seen;
        let mut shared = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if shared.current().id() != keys.current().id() {
            tracing::info!(key = %keys.current().id(), "another master key seals from now on");
        }
        *shared = Arc::new(keys);
        Ok(())
    }
}

fn seen(path: &Path) -> Option<Seen> {
    let metadata = std::fs::metadata(path).ok()?;
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    Some(Seen { device: metadata.dev(), inode: metadata.ino(), bytes: metadata.size(), changed })
}
