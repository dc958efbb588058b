//! Headers that tell browsers what an answer may do: nothing from elsewhere, no frames, no sniffing, no referrer.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Whether browsers reach the service over TLS, by itself or by a proxy before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `http://`
    Plain,
    /// `https://`
    Tls,
}

impl Transport {
    /// What the configuration says: TLS of its own, or a public URL that has it.
    #[must_use]
    pub fn of(config: &crate::config::Config) -> Self {
        let public = config.public_url.as_deref().is_some_and(|url| url.to_ascii_lowercase().starts_with("https:"));
        if public || config.tls.files().is_some() { Self::Tls } else { Self::Plain }
    }
}

const CONTENT_SECURITY_POLICY: &str =
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const STRICT_TRANSPORT: &str = "max-age=31536000";

/// Sets what is not set; everything under `/api` is for nobody's cache.
pub(super) fn secure(headers: &mut HeaderMap, path: &str, transport: Transport) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if transport == Transport::Tls {
        set(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
    }
    if path == "/api" || path.starts_with("/api/") {
        set(header::CACHE_CONTROL, "no-store");
    }
}
