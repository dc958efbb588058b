//! Addresses of stores: which are asked at all, and how an entry's name becomes part of one. Pure.

use std::net::{IpAddr, Ipv6Addr};

use reqwest::Url;

use crate::fault::Fault;

/// The one name of a metadata service; all others are addresses.
const METADATA_NAME: &str = "metadata.google.internal";

/// An address of the configuration, to which paths are appended.
pub(crate) fn base(setting: &str, text: &str) -> Result<Url, Fault> {
    let bad = |what: &str| {
        Fault::misconfigured(format!("{setting} is no address that is asked ({what})"), "write https://host or https://host:port")
    };
    let url = Url::parse(text.trim()).map_err(|_| bad("it is no URL"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("it has a query or a fragment"));
    }
    check(&url).map_err(bad)?;
    Ok(url)
}

/// `base` with `segments` after its path, each encoded as one segment.
pub(crate) fn append<'a>(base: &Url, segments: impl IntoIterator<Item = &'a str>) -> Url {
    let mut url = base.clone();
    // An address with a host, which every base has, always has a path.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// The last wall before a request: the address is one that may be asked.
pub(super) fn require_sound(url: &Url) -> Result<(), Fault> {
    check(url).map_err(|what| {
        Fault::misconfigured(format!("{} is not asked ({what})", host_of(url)), "write the address of the store as https://host")
    })
}

/// `https`, or `http` to this machine or its metadata service; no password in it.
fn check(url: &Url) -> Result<(), &'static str> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name or a password");
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(()),
        "http" if is_on_this_machine(url) => Ok(()),
        "http" => Err("it is not encrypted, which is allowed to this machine only"),
        _ => Err("it is neither https nor http"),
    }
}

/// This machine, or what its host answers on a link-local address: never asked through a proxy.
pub(super) fn is_on_this_machine(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    match literal.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        // IPv6 link-local addresses need a zone, which a URL cannot name; this is the address of metadata services instead.
        Ok(IpAddr::V6(address)) => address.is_loopback() || address == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
        Err(_) => host == "localhost" || host == METADATA_NAME,
    }
}

pub(super) fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or("the store").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_addresses_and_those_of_this_machine_are_asked() {
        for good in [
            "https://vault.example:8200",
            "https://10.0.0.1",
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://localhost:1/base",
            "http://169.254.169.254",
            "http://metadata.google.internal",
        ] {
            assert!(base("address", good).is_ok(), "{good}");
        }
        for bad in [
            "http://vault.example:8200",
            "http://10.0.0.1",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "http://[fe80::1]",
            "https://user:hunter2@vault.example",
            "https://vault.example?x=hunter2",
            "ftp://127.0.0.1",
            "vault.example",
            "unix:///var/run/x",
            "",
        ] {
            let fault = base("address", bad).unwrap_err();
            assert!(!format!("{fault:?}").contains("hunter2"), "{bad}");
        }
    }

    #[test]
    fn segments_are_encoded_and_stay_segments() {
        let base = base("address", "https://vault.example/prefix/").unwrap();
        let url = append(&base, ["v1", "secret", "a/b?c#d%e é"]);
        assert_eq!(url.as_str(), "https://vault.example/prefix/v1/secret/a%2Fb%3Fc%23d%25e%20%C3%A9");
    }
}
