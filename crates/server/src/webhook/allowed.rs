//! Which receivers the operator allows: an alert goes to no other host, whatever a workflow says.

use openidconnect::url::Url;

/// An entry that names no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{entry}` names no host: write a name such as hooks.example.com, or a name and a port such as hooks.example.com:8443")]
pub struct InvalidHost {
    entry: String,
}

/// The operator's list. Empty allows none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// Each entry is a host, which allows port 443, or a host and a port.
    ///
    /// # Errors
    /// [`InvalidHost`].
    pub fn new<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidHost> {
        entries.into_iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn contains(&self, url: &Url) -> bool {
        self.0.contains(&place(url))
    }
}

/// Host and port of a URL, in one spelling.
pub(super) fn place(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

fn parse(entry: &str) -> Result<String, InvalidHost> {
    let invalid = || InvalidHost { entry: entry.to_owned() };
    let url: Url = format!("https://{entry}").parse().map_err(|_invalid| invalid())?;
    let is_host_only = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !is_host_only || entry.contains(['/', '*', '@', ' ']) || !url.has_host() {
        return Err(invalid());
    }
    Ok(place(&url))
}

#[cfg(test)]
mod tests {
    use super::AllowedHosts;

    #[test]
    fn a_host_allows_its_own_name_and_port_only() {
        let allowed = AllowedHosts::new(["Hooks.example.com", "other.example.com:8443", "[::1]:80"]).unwrap();
        let may = |url: &str| allowed.contains(&url.parse().unwrap());
        assert!(
            may("https://hooks.example.com/a?b") && may("https://HOOKS.example.com:443/") && may("https://other.example.com:8443/")
        );
        assert!(may("http://[::1]/x"));
        for url in [
            "https://hooks.example.com:8443/",
            "https://other.example.com/",
            "https://a.hooks.example.com/",
            "https://hooks.example.com.evil.test/",
            "https://evil.test/hooks.example.com",
        ] {
            assert!(!may(url), "{url}");
        }
        assert!(!AllowedHosts::default().contains(&"https://hooks.example.com".parse().unwrap()));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for entry in
            ["", "https://hooks.example.com", "hooks.example.com/path", "*.example.com", "a b", "user@host", "host:port", "host?q"]
        {
            let error = AllowedHosts::new([entry]).unwrap_err();
            assert!(error.to_string().contains("names no host"), "{entry}");
        }
    }
}
