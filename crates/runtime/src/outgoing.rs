//! What leaves: every request to the control plane as a value, and a log of them in plain text, written before anything is sent.
//!
//! ```text
//! --- 2026-11-27T01:53:45.123Z PUT https://catalog.example/runtime/v1/batches/17/1
//! content-type: application/x-ndjson
//! content-encoding: zstd
//! isinglass-digest: sha-256=:…:
//! authorization: Bearer ***
//! body-bytes: 2410 (sent as 318 bytes of zstd)
//!
//! {"scope":"AwsDataCatalog/sales"}
//! …
//! ```
//! The body is what is sent, byte for byte; of a batch it is what is compressed and sent, and its digest is in the head. Two things are
//! not shown: the access token and the signed assertion that it is got with.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::clock;

/// Files of a log, the one that is written included.
const FILES: u32 = 5;

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Post,
    Put,
}

impl Method {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// Whether a request carries the access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signed {
    WithToken,
    Not,
}

/// A body, as it is sent and as it is shown.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Shown as it is sent.
    Plain(Bytes),
    /// A batch: sent compressed, shown as it is before.
    Compressed { sent: Bytes, text: Bytes },
    /// It holds a credential, which is shown as `***`.
    Masked { sent: Bytes, shown: String },
}

impl Body {
    pub(crate) const fn sent(&self) -> &Bytes {
        match self {
            Self::Plain(sent) | Self::Compressed { sent, .. } | Self::Masked { sent, .. } => sent,
        }
    }

    fn shown(&self) -> &[u8] {
        match self {
            Self::Plain(sent) => sent,
            Self::Compressed { text, .. } => text,
            Self::Masked { shown, .. } => shown.as_bytes(),
        }
    }
}

/// A request to the control plane.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    /// Below the control plane's URL, percent-encoded.
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) signed: Signed,
    pub(crate) body: Body,
}

/// A log of requests. It is bounded: at a size, the file is renamed to `.1`, and so on, and the oldest one is removed.
#[derive(Debug)]
pub(crate) struct OutgoingLog {
    path: PathBuf,
    file_bytes_max: u64,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    bytes: u64,
}

impl OutgoingLog {
    /// Opens a log; what is in it already stays.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(crate) fn open(path: &Path, file_bytes_max: u64) -> io::Result<Self> {
        let file = open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file_bytes_max, open: Mutex::new(Open { file, bytes }) })
    }

    /// Writes a request down.
    ///
    /// # Errors
    /// When it cannot be written: then it must not be sent either.
    pub(crate) fn record(&self, url: &str, outgoing: &Outgoing, wall_ms: i64) -> io::Result<()> {
        let entry = entry(url, outgoing, wall_ms);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.bytes > 0 && open.bytes.saturating_add(entry.len() as u64) > self.file_bytes_max {
            *open = self.rotate()?;
        }
        open.file.write_all(&entry)?;
        open.bytes = open.bytes.saturating_add(entry.len() as u64);
        open.file.flush()
    }

    fn rotate(&self) -> io::Result<Open> {
        let name = |number: u32| match number {
            0 => self.path.clone(),
            number => self.path.with_added_extension(number.to_string()),
        };
        for number in (0..FILES - 1).rev() {
            match std::fs::rename(name(number), name(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(Open { file: open(&self.path)?, bytes: 0 })
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn entry(url: &str, outgoing: &Outgoing, wall_ms: i64) -> Vec<u8> {
    let Outgoing { method, headers, signed, body, .. } = outgoing;
    let mut head = format!("--- {} {} {url}\n", clock::rfc3339(wall_ms), method.as_str());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\n"));
    }
    if *signed == Signed::WithToken {
        head.push_str("authorization: Bearer ***\n");
    }
    head.push_str(&format!("body-bytes: {}", body.shown().len()));
    match body {
        Body::Plain(_) => {}
        Body::Compressed { sent, .. } => head.push_str(&format!(" (sent as {} bytes of zstd)", sent.len())),
        Body::Masked { .. } => head.push_str(" (a credential in it is shown as ***)"),
    }
    head.push_str("\n\n");
    let mut entry = head.into_bytes();
    entry.extend_from_slice(body.shown());
    entry.extend_from_slice(b"\n\n");
    entry
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn outgoing(body: Body) -> Outgoing {
        let headers = vec![("content-type", "application/json".to_owned())];
        Outgoing { method: Method::Post, path: "/runtime/v1/logs".to_owned(), headers, signed: Signed::WithToken, body }
    }

    #[test]
    fn an_entry_has_the_head_without_the_token_and_the_body_as_it_is() {
        let body = Body::Compressed { sent: Bytes::from_static(b"zz"), text: Bytes::from_static(b"{\"scope\":\"a\"}\n") };
        let text = String::from_utf8(entry("https://c/runtime/v1/logs", &outgoing(body), 0)).unwrap();
        assert_eq!(
            text,
            "--- 1970-01-01T00:00:00.000Z POST https://c/runtime/v1/logs\ncontent-type: application/json\nauthorization: Bearer ***\n\
             body-bytes: 14 (sent as 2 bytes of zstd)\n\n{\"scope\":\"a\"}\n\n\n"
        );
    }

    #[test]
    fn the_log_is_its_owners_and_stays_within_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outgoing.log");
        let log = OutgoingLog::open(&path, 1_000).unwrap();
        for number in 0..100 {
            let body = Body::Plain(Bytes::from(format!("{number:0200}")));
            log.record("https://c", &outgoing(body), 0).unwrap();
        }
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
        assert_eq!(files.len(), FILES as usize);
        for file in files {
            let metadata = file.metadata().unwrap();
            assert!(metadata.len() <= 1_000 && metadata.permissions().mode() & 0o777 == 0o600, "{file:?}");
        }
        assert!(std::fs::read_to_string(&path).unwrap().contains(&format!("{:0200}", 99)));
    }
}
