//! Files that are read up to a bound, into memory that is overwritten afterwards.

use std::io;
use std::path::Path;

use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The system refused.
    #[error("{}", .0.kind())]
    Io(#[from] io::Error),
    /// It has more bytes than are taken.
    #[error("it is longer than {0} bytes")]
    TooLong(usize),
    /// A directory, a device, a pipe.
    #[error("it is no regular file")]
    NoFile,
}

/// Reads a regular file of at most `bytes_max` bytes.
pub(crate) async fn read(path: &Path, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    // Looked at first, since opening a pipe waits for its other end.
    if !tokio::fs::metadata(path).await?.is_file() {
        return Err(ReadError::NoFile);
    }
    let file = tokio::fs::File::open(path).await?;
    // The whole room at once: a buffer that grows leaves copies of what it held.
    let mut bytes = Zeroizing::new(Vec::with_capacity(bytes_max + 1));
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).await?;
    if bytes.len() > bytes_max { Err(ReadError::TooLong(bytes_max)) } else { Ok(bytes) }
}
