//! The server's certificate: read from its two files, and again when they change, without a restart. A broken new pair changes
//! nothing but the log.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use crate::config::TlsFiles;
use crate::shutdown::Shutdown;

const CHECK_INTERVAL_MS: u64 = 3_000;
const PEM_BYTES_MAX: u64 = 1 << 20;
const CHAIN_CERTIFICATES_MAX: usize = 16;

/// Why a pair of files is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {source}; check the path and that the service may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A file holds no PEM of the expected kind.
    #[error("{}: no {expected} in PEM form: {message}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        expected: &'static str,
        /// What the parser says.
        message: String,
    },
    /// The pair does not serve.
    #[error("{} and {} are not a pair: {message}; renew both together", certificate.display(), key.display())]
    Pair {
        /// The file of the chain.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What rustls says.
        message: String,
    },
    /// TLS itself is not available.
    #[error("TLS: {0}")]
    Provider(String),
}

/// What a reload did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// The files are as they were.
    Unchanged,
    /// A new pair is in force.
    Replaced,
    /// The new pair is broken, the old one stays; logged.
    Refused,
}

type Stamp = [Option<(SystemTime, u64)>; 2];

/// The certificate in force, and where it came from.
pub struct Certificates {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
    stamp: Mutex<Stamp>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Certificates").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Certificates {
    /// Reads the pair.
    ///
    /// # Errors
    /// A file is unreadable or no PEM, or key and certificate do not belong together.
    pub fn load(files: TlsFiles, provider: Arc<CryptoProvider>) -> Result<Arc<Self>, TlsError> {
        let stamp = stamp(&files);
        let current = RwLock::new(read_pair(&files, &provider)?);
        Ok(Arc::new(Self { files, provider, current, stamp: Mutex::new(stamp) }))
    }

    /// The settings of a server that presents whatever certificate is in force.
    ///
    /// # Errors
    /// The provider has none of the protocol versions.
    pub fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, TlsError> {
        let builder = ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Provider(error.to_string()))?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Reads the pair again if a file has changed since the last look, whether that look liked it or not.
    pub fn reload_if_changed(&self) -> Reload {
        let seen = stamp(&self.files);
        let mut last = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == seen {
            return Reload::Unchanged;
        }
        *last = seen;
        drop(last);
        self.reload()
    }

    /// Reads the pair again.
    pub fn reload(&self) -> Reload {
        match read_pair(&self.files, &self.provider) {
            Ok(pair) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = pair;
                tracing::info!(certificate = %self.files.certificate.display(), "the certificate was read again");
                Reload::Replaced
            }
            Err(error) => {
                tracing::error!(%error, "the new certificate is not usable; the old one stays in force");
                Reload::Refused
            }
        }
    }

    /// Looks every few seconds, and at once on SIGHUP, until the soft token.
    ///
    /// # Errors
    /// The operating system refuses the handler.
    pub async fn watch(self: Arc<Self>, shutdown: Shutdown) -> std::io::Result<()> {
        let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
        let mut tick = tokio::time::interval(Duration::from_millis(CHECK_INTERVAL_MS));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.soft().cancelled() => return Ok(()),
                _ = tick.tick() => { self.reload_if_changed(); }
                _ = hangup.recv() => { self.reload(); }
            }
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    [&files.certificate, &files.key].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn read_pair(files: &TlsFiles, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(&read(&files.certificate)?)
        .take(CHAIN_CERTIFICATES_MAX)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| pem_error(&files.certificate, "certificate", error.to_string()))?;
    if chain.is_empty() {
        return Err(pem_error(&files.certificate, "certificate", "the file holds none".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?)
        .map_err(|error| pem_error(&files.key, "private key", error.to_string()))?;
    CertifiedKey::from_der(chain, key, provider).map(Arc::new).map_err(|error| TlsError::Pair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        message: error.to_string(),
    })
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let mut bytes = Zeroizing::new(Vec::new());
    let opened = File::open(path).and_then(|file| file.take(PEM_BYTES_MAX).read_to_end(&mut bytes));
    opened.map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })?;
    Ok(bytes)
}

fn pem_error(path: &Path, expected: &'static str, message: String) -> TlsError {
    TlsError::Pem { path: path.to_owned(), expected, message }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn provider() -> Arc<CryptoProvider> {
        Arc::new(rustls::crypto::aws_lc_rs::default_provider())
    }

    /// Writes a new self-signed pair for `localhost`; answers the certificate.
    pub(crate) fn write_pair(folder: &Path) -> (TlsFiles, CertificateDer<'static>) {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let files = TlsFiles { certificate: folder.join("tls.crt"), key: folder.join("tls.key") };
        std::fs::write(&files.certificate, pair.cert.pem()).unwrap();
        std::fs::write(&files.key, pair.signing_key.serialize_pem()).unwrap();
        (files, pair.cert.der().clone())
    }

    fn in_force(certificates: &Certificates) -> CertificateDer<'static> {
        certificates.current.read().unwrap().cert[0].clone()
    }

    fn touch(path: &Path, seconds: u64) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn a_new_pair_is_in_force_after_the_next_look() {
        let folder = tempfile::tempdir().unwrap();
        let (files, first) = write_pair(folder.path());
        let certificates = Certificates::load(files.clone(), provider()).unwrap();
        assert_eq!(certificates.reload_if_changed(), Reload::Unchanged);
        let (_, second) = write_pair(folder.path());
        touch(&files.certificate, 1);
        assert_eq!(in_force(&certificates), first);
        assert_eq!(certificates.reload_if_changed(), Reload::Replaced);
        assert_eq!(in_force(&certificates), second);
    }

    #[test]
    fn a_half_written_pair_keeps_the_old_one_until_its_key_arrives() {
        let folder = tempfile::tempdir().unwrap();
        let (files, first) = write_pair(folder.path());
        let certificates = Certificates::load(files.clone(), provider()).unwrap();
        let old_key = std::fs::read(&files.key).unwrap();
        let (_, second) = write_pair(folder.path());
        let new_key = std::fs::read(&files.key).unwrap();
        std::fs::write(&files.key, old_key).unwrap();
        touch(&files.certificate, 1);
        assert_eq!(certificates.reload_if_changed(), Reload::Refused);
        assert_eq!((in_force(&certificates), certificates.reload_if_changed()), (first, Reload::Unchanged));
        std::fs::write(&files.key, new_key).unwrap();
        touch(&files.key, 2);
        assert_eq!(certificates.reload_if_changed(), Reload::Replaced);
        assert_eq!(in_force(&certificates), second);
    }

    #[test]
    fn a_file_that_disappears_keeps_the_old_pair() {
        let folder = tempfile::tempdir().unwrap();
        let (files, first) = write_pair(folder.path());
        let certificates = Certificates::load(files.clone(), provider()).unwrap();
        std::fs::remove_file(&files.key).unwrap();
        assert_eq!((certificates.reload_if_changed(), in_force(&certificates)), (Reload::Refused, first));
    }

    #[test]
    fn what_is_wrong_with_a_pair_is_said_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (files, _) = write_pair(folder.path());
        let swapped = TlsFiles { certificate: files.key.clone(), key: files.certificate.clone() };
        let error = Certificates::load(swapped, provider()).unwrap_err().to_string();
        assert!(error.contains("tls.key") && error.contains("certificate"), "{error}");
        let other = tempfile::tempdir().unwrap();
        let (others, _) = write_pair(other.path());
        let mixed = TlsFiles { certificate: files.certificate.clone(), key: others.key };
        assert!(Certificates::load(mixed, provider()).unwrap_err().to_string().contains("not a pair"));
        let missing = TlsFiles { key: folder.path().join("none"), ..files };
        assert!(Certificates::load(missing, provider()).unwrap_err().to_string().contains("none"));
    }
}
