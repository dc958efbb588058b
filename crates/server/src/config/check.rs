//! What settings must be true of together, checked once when all layers are in place.

use std::collections::BTreeMap;
use std::path::Path;

use super::secret::looks_inline;
use super::sections::Config;
use super::{ConfigError, Origin};

/// The longest that stopping may take; orchestrators and scripts rely on it.
const DRAIN_SECONDS_MAX: u32 = 30;
const PASSWORD_CHARACTERS_MIN: std::ops::RangeInclusive<u32> = 8..=128;

struct Check<'a> {
    config: &'a Config,
    origins: &'a BTreeMap<String, Origin>,
}

pub(super) fn check(config: &Config, origins: &BTreeMap<String, Origin>) -> Result<(), ConfigError> {
    let check = Check { config, origins };
    check.tls()?;
    check.listener()?;
    check.secrets()?;
    check.sign_in()?;
    check.urls()?;
    check.limits()
}

impl Check<'_> {
    fn refuse(&self, key: &str, expected: impl Into<String>) -> ConfigError {
        let origin = self.origins.get(key).cloned().unwrap_or(Origin::Default);
        ConfigError::Value { origin, key: key.to_owned(), expected: expected.into() }
    }

    fn tls(&self) -> Result<(), ConfigError> {
        match (&self.config.tls.certificate_file, &self.config.tls.key_file) {
            (Some(_), None) => Err(self.refuse("tls.certificate_file", "needs `tls.key_file` too")),
            (None, Some(_)) => Err(self.refuse("tls.key_file", "needs `tls.certificate_file` too")),
            _ => Ok(()),
        }
    }

    fn listener(&self) -> Result<(), ConfigError> {
        let config = self.config;
        if config.tls.files().is_some() || config.listen.ip().is_loopback() || config.listen_insecure {
            return Ok(());
        }
        let message = format!(
            "{} is reachable from other machines, and without TLS passwords and tokens would cross the network in clear text; \
             set `tls.certificate_file` and `tls.key_file`, or listen on 127.0.0.1, \
             or set `listen_insecure = true` behind a proxy that ends TLS",
            config.listen
        );
        Err(self.refuse("listen", message))
    }

    fn secrets(&self) -> Result<(), ConfigError> {
        let oidc = &self.config.sign_in.oidc;
        let metrics = &self.config.metrics;
        let master = &self.config.master_key;
        let tls_key = (self.config.tls.key_file.as_deref(), None);
        self.secret("tls.key_file", "", tls_key)?;
        self.secret("master_key.file", "master_key.variable", (master.file.as_deref(), master.variable.as_ref()))?;
        let client = (oidc.client_secret_file.as_deref(), oidc.client_secret_variable.as_ref());
        self.secret("sign_in.oidc.client_secret_file", "sign_in.oidc.client_secret_variable", client)?;
        self.secret(
            "metrics.token_file",
            "metrics.token_variable",
            (metrics.token_file.as_deref(), metrics.token_variable.as_ref()),
        )?;
        let in_file = matches!(self.origins.get("catalog"), Some(Origin::File { .. }));
        if in_file && self.config.catalog.as_ref().is_some_and(super::CatalogUrl::has_password) {
            let message = "holds a password, and secrets are not written in the file; leave it out and use PGPASSFILE, or set the \
                           whole URL in the variable ISINGLASS_CATALOG";
            return Err(self.refuse("catalog", message));
        }
        Ok(())
    }

    fn secret(
        &self,
        file_key: &str,
        variable_key: &str,
        (file, variable): (Option<&Path>, Option<&super::VariableName>),
    ) -> Result<(), ConfigError> {
        if file.is_some_and(looks_inline) {
            return Err(self.refuse(file_key, "this looks like the secret itself; expected the path of a file that holds it"));
        }
        if file.is_some() && variable.is_some() {
            return Err(self.refuse(variable_key, format!("set either this or `{file_key}`, not both")));
        }
        Ok(())
    }

    fn sign_in(&self) -> Result<(), ConfigError> {
        let sign_in = &self.config.sign_in;
        if !PASSWORD_CHARACTERS_MIN.contains(&sign_in.password_characters_min) {
            return Err(self.refuse("sign_in.password_characters_min", "expected a number from 8 to 128"));
        }
        if sign_in.oidc.issuer.is_none() {
            return Ok(());
        }
        if sign_in.oidc.client_id.is_none() {
            return Err(self.refuse("sign_in.oidc.issuer", "needs `sign_in.oidc.client_id` too"));
        }
        if self.config.public_url.is_none() {
            return Err(self.refuse("sign_in.oidc.issuer", "needs `public_url` too, which the issuer sends browsers back to"));
        }
        Ok(())
    }

    fn urls(&self) -> Result<(), ConfigError> {
        let oidc = &self.config.sign_in.oidc;
        self.url("public_url", self.config.public_url.as_deref())?;
        self.url("sign_in.oidc.issuer", oidc.issuer.as_deref())?;
        self.url("sign_in.oidc.post_logout_redirect_url", oidc.post_logout_redirect_url.as_deref())?;
        self.url("telemetry.otlp_endpoint", self.config.telemetry.otlp_endpoint.as_deref())?;
        for url in &self.config.crawl.allowed_endpoint_urls {
            self.url("crawl.allowed_endpoint_urls", Some(url))?;
        }
        Ok(())
    }

    fn url(&self, key: &str, text: Option<&str>) -> Result<(), ConfigError> {
        let Some(text) = text else { return Ok(()) };
        let parsed = reqwest::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        match parsed {
            None => Err(self.refuse(key, "expected a URL such as https://isinglass.example.com")),
            Some(url) if !url.username().is_empty() || url.password().is_some() => {
                Err(self.refuse(key, "expected a URL without a user name and password"))
            }
            Some(_) => Ok(()),
        }
    }

    fn limits(&self) -> Result<(), ConfigError> {
        if self.config.limits.drain_seconds > DRAIN_SECONDS_MAX {
            return Err(self.refuse("limits.drain_seconds", "expected a number from 0 to 30"));
        }
        Ok(())
    }
}
