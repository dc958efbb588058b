//! TLS: which certificates are trusted, and what is remembered of a session. Certificates are verified on private paths too.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::document::report::Tls;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, ClientConnection, ProtocolVersion, RootCertStore};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::fault::{FaultKind, NetworkFault};

/// Trust that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of additional certificates cannot be read.
    #[error("the CA bundle {} cannot be read; check --ca-bundle or AWS_CA_BUNDLE", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file holds something that is not a certificate.
    #[error("the CA bundle {} is no PEM file of certificates: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file holds no certificate.
    #[error("the CA bundle {} holds no certificate; it needs PEM blocks that begin with -----BEGIN CERTIFICATE-----", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Neither the system nor a file gives a certificate to trust.
    #[error("this machine has no trusted root certificates; install its ca-certificates package or give --ca-bundle")]
    NoRoots,
    /// The cryptography library refused its own defaults.
    #[error("TLS could not be set up")]
    Setup(#[source] rustls::Error),
}

/// Makes `aws-lc-rs` the TLS provider of the process. Binaries call it first thing: two providers in one process panic at
/// first use otherwise. A second call changes nothing.
pub fn install_default_provider() {
    // An error means that a provider is installed already, which is what is wanted.
    let _ = aws_lc_rs::default_provider().install_default();
}

/// The client's side of TLS: the system's roots and those of `ca_bundle`, TLS 1.2 and 1.3, HTTP/1.1.
pub(crate) fn client_config(ca_bundle: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    // A root that does not parse is left out: systems carry odd ones, and a missing root can only refuse.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_bundle {
        add_bundle(&mut roots, path)?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn add_bundle(roots: &mut RootCertStore, path: &Path) -> Result<(), TlsError> {
    let pem = std::fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })?;
    let malformed = |reason: String| TlsError::Malformed { path: path.to_owned(), reason };
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| malformed(error.to_string()))?;
        roots.add(certificate).map_err(|error| malformed(error.to_string()))?;
        found = true;
    }
    if found { Ok(()) } else { Err(TlsError::Empty { path: path.to_owned() }) }
}

/// What a report says about a session.
pub(crate) fn describe(session: &ClientConnection) -> Tls {
    let protocol = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
        other => format!("{other:?}"),
    };
    let Some(leaf) = session.peer_certificates().and_then(|chain| chain.first()) else {
        return Tls { protocol, ..Tls::default() };
    };
    let digest = ::aws_lc_rs::digest::digest(&::aws_lc_rs::digest::SHA256, leaf);
    let certificate_sha256 = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let names = Certificate::from_der(leaf)
        .map(|certificate| (certificate.tbs_certificate.subject.to_string(), certificate.tbs_certificate.issuer.to_string()));
    let (subject, issuer) = names.unwrap_or_default();
    Tls { protocol, subject, issuer, certificate_sha256 }
}

/// The fault of a failed handshake.
pub(crate) fn handshake_fault(host: &str, error: &std::io::Error) -> NetworkFault {
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return NetworkFault::new(
            FaultKind::Closed,
            format!("the connection to {host} broke while TLS was being set up: {error}"),
            "try again; if it stays, look for a firewall or a proxy that cuts TLS connections",
        );
    };
    let action = handshake_action(tls);
    NetworkFault::new(FaultKind::Tls, format!("TLS with {host} failed: {tls}"), action)
}

fn handshake_action(error: &rustls::Error) -> &'static str {
    let rustls::Error::InvalidCertificate(reason) = error else {
        return "check what answers at this address; a firewall or proxy on the way may break TLS";
    };
    if matches!(reason, CertificateError::UnknownIssuer) {
        return "the certificate's issuer is not trusted here: if a proxy or firewall of yours inspects TLS, or the endpoint has a certificate \
                of your own, give its CA with --ca-bundle";
    }
    if matches!(reason, CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) {
        return "the certificate is for another name: check the endpoint address and what the name resolves to";
    }
    let is_about_time = matches!(
        reason,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
    );
    if is_about_time {
        return "the certificate is not valid now: check this machine's clock and the certificate";
    }
    "check the certificate of what answers at this address; --ca-bundle adds authorities that are trusted"
}
