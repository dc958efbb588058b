//! What an operator may set: a file, the environment and flags become one checked [`Configuration`].
//!
//! A flag wins over the environment, the environment over the file, the file over the default. Every key `a-b` of the file is also the
//! variable `ISINGLASS_RUNTIME_A_B`. No setting but the proxy's URL can hold a secret.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use aws::{NetworkMode, NetworkPolicy};
use ipnet::IpNet;
use model::Secret;
use secrets::StoreName;
use serde::Deserialize;

/// What stands before the name of a setting in the environment.
const PREFIX: &str = "ISINGLASS_RUNTIME_";
/// The longest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// The least room of the spool: two batches of the largest size and their siblings.
const SPOOL_BYTES_MIN: u64 = 32 * 1024 * 1024;
const SPOOL_BYTES_DEFAULT: u64 = 1024 * 1024 * 1024;
const OUTGOING_LOG_BYTES_MIN: u64 = 1024 * 1024;
const OUTGOING_LOG_BYTES_DEFAULT: u64 = 256 * 1024 * 1024;
const DRAIN_SECONDS_DEFAULT: u32 = 25;
const DRAIN_SECONDS_MAX: u32 = 24 * 3600;
const CRAWLS_DEFAULT: u32 = 2;
const CRAWLS_MAX: u32 = 32;
const CONCURRENCY_DEFAULT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// What is in force.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// Crawls at the same time (`crawls`).
    pub(crate) crawls: u32,
    /// Bytes that may wait to be sent (`spool-bytes`).
    pub(crate) spool_bytes: u64,
    /// How long running crawls may go on when the runtime stops (`drain-seconds`).
    pub(crate) drain_seconds: u32,
    /// A PEM file of certificates that are trusted besides the system's, by every client (`ca-bundle`).
    pub(crate) ca_bundle: Option<PathBuf>,
    /// A proxy for the control plane (`https-proxy`, else `HTTPS_PROXY`).
    pub(crate) https_proxy: Option<Secret>,
    /// What is reached without it (`no-proxy`, else `NO_PROXY`).
    pub(crate) no_proxy: Option<String>,
    /// Where to write what leaves (`outgoing-log`).
    pub(crate) outgoing_log: Option<PathBuf>,
    /// The size at which that file is rotated (`outgoing-log-bytes`).
    pub(crate) outgoing_log_bytes: u64,
    /// Which addresses of AWS may be dialled (`network`, `private-cidrs`).
    pub(crate) network: NetworkPolicy,
    /// The most requests a second to AWS, of one crawl (`max-requests-per-second`).
    pub(crate) max_requests_per_second: Option<NonZeroU32>,
    /// The most requests in flight to AWS, of one crawl (`concurrency`).
    pub(crate) concurrency: NonZeroUsize,
    /// The secret store of jobs that name none (`default-secret-store`).
    pub(crate) default_secret_store: Option<StoreName>,
    /// The secret stores (`[secret-stores.NAME]`).
    pub(crate) secret_stores: secrets::Configuration,
    /// What is logged, as `info` or `info,runtime=debug` (`log`).
    pub(crate) log: String,
    /// How (`log-format`).
    pub(crate) log_format: LogFormat,
}

/// The form of log lines on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Network {
    #[default]
    Public,
    Private,
}

/// What flags say.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Overrides {
    /// Crawls at the same time.
    #[arg(long, value_name = "N")]
    pub(crate) crawls: Option<u32>,
    /// How long running crawls may go on after SIGTERM.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) drain_seconds: Option<u32>,
    /// Write every request to the control plane to this file, in plain text, before it is sent.
    #[arg(long, value_name = "FILE")]
    pub(crate) outgoing_log: Option<PathBuf>,
    /// A PEM file of certificates to trust besides the system's.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// Which addresses of AWS may be dialled: `public` or `private`.
    #[arg(long, value_name = "MODE")]
    pub(crate) network: Option<String>,
    /// Addresses that count as private besides RFC 1918 and ULA.
    #[arg(long = "private-cidr", value_name = "CIDR")]
    pub(crate) private_cidrs: Vec<String>,
}

/// What is wrong, and where.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigurationError {
    /// The file is not there.
    #[error("the configuration {path} cannot be read: {reason}")]
    File { path: String, reason: String },
    /// Something in it.
    #[error("{path}, line {line}: {reason}")]
    Line { path: String, line: usize, reason: String },
    /// A setting.
    #[error("{origin}: {reason}")]
    Setting { origin: String, reason: String },
}

/// The file, with what the environment and flags say over it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Settings {
    crawls: Option<u32>,
    spool_bytes: Option<u64>,
    drain_seconds: Option<u32>,
    ca_bundle: Option<PathBuf>,
    https_proxy: Option<String>,
    no_proxy: Option<String>,
    outgoing_log: Option<PathBuf>,
    outgoing_log_bytes: Option<u64>,
    network: Option<Network>,
    private_cidrs: Option<Vec<String>>,
    max_requests_per_second: Option<NonZeroU32>,
    concurrency: Option<NonZeroUsize>,
    default_secret_store: Option<StoreName>,
    secret_stores: secrets::Configuration,
    log: Option<String>,
    log_format: Option<LogFormat>,
}

/// Variables of the process.
pub(crate) type Lookup<'l> = &'l dyn Fn(&str) -> Option<String>;

impl Configuration {
    /// Reads the file, if there is one, lays the environment and the flags over it and checks the whole.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(crate) fn load(path: Option<&Path>, lookup: Lookup<'_>, overrides: &Overrides) -> Result<Self, ConfigurationError> {
        let mut settings = path.map(Settings::read).transpose()?.unwrap_or_default();
        settings.environment(lookup)?;
        settings.flags(overrides)?;
        settings.check(lookup)
    }
}

impl Settings {
    fn read(path: &Path) -> Result<Self, ConfigurationError> {
        let unreadable = |reason: String| ConfigurationError::File { path: path.display().to_string(), reason };
        let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
        if size > FILE_BYTES_MAX {
            return Err(unreadable(format!("it is longer than {FILE_BYTES_MAX} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        toml::from_str(&text).map_err(|error| {
            let before = error.span().map_or("", |span| text.get(..span.start).unwrap_or(""));
            let line = before.matches('\n').count() + 1;
            ConfigurationError::Line { path: path.display().to_string(), line, reason: error.message().replace('\n', " ") }
        })
    }

    fn environment(&mut self, lookup: Lookup<'_>) -> Result<(), ConfigurationError> {
        let get = |name: &str| lookup(&format!("{PREFIX}{name}")).filter(|value| !value.trim().is_empty());
        overlay(&mut self.crawls, get("CRAWLS"), "CRAWLS")?;
        overlay(&mut self.spool_bytes, get("SPOOL_BYTES"), "SPOOL_BYTES")?;
        overlay(&mut self.drain_seconds, get("DRAIN_SECONDS"), "DRAIN_SECONDS")?;
        overlay(&mut self.ca_bundle, get("CA_BUNDLE"), "CA_BUNDLE")?;
        overlay(&mut self.https_proxy, get("HTTPS_PROXY"), "HTTPS_PROXY")?;
        overlay(&mut self.no_proxy, get("NO_PROXY"), "NO_PROXY")?;
        overlay(&mut self.outgoing_log, get("OUTGOING_LOG"), "OUTGOING_LOG")?;
        overlay(&mut self.outgoing_log_bytes, get("OUTGOING_LOG_BYTES"), "OUTGOING_LOG_BYTES")?;
        overlay(&mut self.network, get("NETWORK"), "NETWORK")?;
        overlay(&mut self.max_requests_per_second, get("MAX_REQUESTS_PER_SECOND"), "MAX_REQUESTS_PER_SECOND")?;
        overlay(&mut self.concurrency, get("CONCURRENCY"), "CONCURRENCY")?;
        if let Some(name) = get("DEFAULT_SECRET_STORE") {
            let name = StoreName::parse(name.trim()).map_err(|reason| setting("ISINGLASS_RUNTIME_DEFAULT_SECRET_STORE", reason))?;
            self.default_secret_store = Some(name);
        }
        overlay(&mut self.log, get("LOG"), "LOG")?;
        overlay(&mut self.log_format, get("LOG_FORMAT"), "LOG_FORMAT")?;
        if let Some(list) = get("PRIVATE_CIDRS") {
            self.private_cidrs = Some(list.split(',').map(|cidr| cidr.trim().to_owned()).collect());
        }
        Ok(())
    }

    fn flags(&mut self, overrides: &Overrides) -> Result<(), ConfigurationError> {
        let Overrides { crawls, drain_seconds, outgoing_log, ca_bundle, network, private_cidrs } = overrides.clone();
        self.crawls = crawls.or(self.crawls);
        self.drain_seconds = drain_seconds.or(self.drain_seconds);
        self.outgoing_log = outgoing_log.or(self.outgoing_log.take());
        self.ca_bundle = ca_bundle.or(self.ca_bundle.take());
        if let Some(network) = network {
            self.network = Some(network.parse().map_err(|reason| setting("--network", reason))?);
        }
        if !private_cidrs.is_empty() {
            self.private_cidrs = Some(private_cidrs);
        }
        Ok(())
    }

    fn check(self, lookup: Lookup<'_>) -> Result<Configuration, ConfigurationError> {
        let from_environment = |names: [&str; 2]| names.into_iter().find_map(lookup).filter(|value| !value.trim().is_empty());
        let https_proxy = self.https_proxy.or_else(|| from_environment(["HTTPS_PROXY", "https_proxy"])).map(Secret::new);
        Ok(Configuration {
            crawls: within("crawls", self.crawls.unwrap_or(CRAWLS_DEFAULT).into(), 1, CRAWLS_MAX.into())?,
            spool_bytes: within("spool-bytes", self.spool_bytes.unwrap_or(SPOOL_BYTES_DEFAULT), SPOOL_BYTES_MIN, u64::MAX)?,
            drain_seconds: within(
                "drain-seconds",
                self.drain_seconds.unwrap_or(DRAIN_SECONDS_DEFAULT).into(),
                0,
                DRAIN_SECONDS_MAX.into(),
            )?,
            ca_bundle: self.ca_bundle,
            https_proxy,
            no_proxy: self.no_proxy.or_else(|| from_environment(["NO_PROXY", "no_proxy"])),
            outgoing_log: self.outgoing_log,
            outgoing_log_bytes: within(
                "outgoing-log-bytes",
                self.outgoing_log_bytes.unwrap_or(OUTGOING_LOG_BYTES_DEFAULT),
                OUTGOING_LOG_BYTES_MIN,
                u64::MAX,
            )?,
            network: network(self.network.unwrap_or_default(), &self.private_cidrs.unwrap_or_default())?,
            max_requests_per_second: self.max_requests_per_second,
            concurrency: self.concurrency.unwrap_or(CONCURRENCY_DEFAULT),
            default_secret_store: self.default_secret_store,
            secret_stores: self.secret_stores,
            log: self.log.unwrap_or_else(|| "info".to_owned()),
            log_format: self.log_format.unwrap_or_default(),
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands errors over")]
fn setting(origin: &str, reason: impl ToString) -> ConfigurationError {
    ConfigurationError::Setting { origin: origin.to_owned(), reason: reason.to_string() }
}

fn overlay<T: FromStr>(place: &mut Option<T>, text: Option<String>, name: &str) -> Result<(), ConfigurationError>
where
    T::Err: std::fmt::Display,
{
    if let Some(text) = text {
        *place = Some(text.trim().parse().map_err(|reason| setting(&format!("{PREFIX}{name}"), reason))?);
    }
    Ok(())
}

fn within<T: TryFrom<u64>>(key: &str, value: u64, least: u64, most: u64) -> Result<T, ConfigurationError> {
    let refused = || match most {
        u64::MAX => setting(key, format!("{value} is less than {least}")),
        most => setting(key, format!("{value} is not between {least} and {most}")),
    };
    if (least..=most).contains(&value) { T::try_from(value).map_err(|_out_of_range| refused()) } else { Err(refused()) }
}

fn network(network: Network, cidrs: &[String]) -> Result<NetworkPolicy, ConfigurationError> {
    let mode = match network {
        Network::Public => NetworkMode::Public,
        Network::Private => NetworkMode::Private,
    };
    let cidr = |text: &String| {
        let refused = |_malformed| setting("private-cidrs", format!("\"{text}\" is no CIDR: write it as 10.0.0.0/8"));
        text.parse::<IpNet>().map_err(refused)
    };
    Ok(NetworkPolicy { mode, private_cidrs: cidrs.iter().map(cidr).collect::<Result<_, _>>()? })
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "public" => Ok(Self::Public),
            "private" => Ok(Self::Private),
            _ => Err("it is `public` or `private`"),
        }
    }
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("it is `text` or `json`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, variables: &[(&str, &str)], overrides: &Overrides) -> Result<Configuration, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runtime.toml");
        std::fs::write(&path, text).unwrap();
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Configuration::load(Some(&path), &lookup, overrides).map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file() {
        let overrides = Overrides { crawls: Some(5), ..Overrides::default() };
        let variables = [("ISINGLASS_RUNTIME_CRAWLS", "4"), ("ISINGLASS_RUNTIME_DRAIN_SECONDS", "9")];
        let read = load("crawls = 3\ndrain-seconds = 8\nspool-bytes = 40000000\n", &variables, &overrides).unwrap();
        assert_eq!((read.crawls, read.drain_seconds, read.spool_bytes), (5, 9, 40_000_000));
        let defaults = load("", &[], &Overrides::default()).unwrap();
        assert_eq!((defaults.crawls, defaults.drain_seconds, defaults.spool_bytes), (2, 25, 1 << 30));
    }

    #[test]
    fn what_nothing_reads_is_refused_with_file_and_line() {
        let error = load("crawls = 3\n\ncrawl = 4\n", &[], &Overrides::default()).unwrap_err();
        assert!(error.contains("runtime.toml, line 3") && error.contains("`crawl`"), "{error}");
        let error = load("[network]\nmode = 1", &[], &Overrides::default()).unwrap_err();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_origin() {
        for (text, variables, part) in [
            ("crawls = 0", &[][..], "crawls: 0 is not between 1 and 32"),
            ("spool-bytes = 1", &[], "spool-bytes"),
            ("private-cidrs = [\"ten\"]", &[], "\"ten\" is no CIDR"),
            ("", &[("ISINGLASS_RUNTIME_CRAWLS", "many")], "ISINGLASS_RUNTIME_CRAWLS"),
            ("", &[("ISINGLASS_RUNTIME_NETWORK", "open")], "ISINGLASS_RUNTIME_NETWORK: it is `public` or `private`"),
        ] {
            let error = load(text, variables, &Overrides::default()).unwrap_err();
            assert!(error.contains(part), "{text} {variables:?}: {error}");
        }
    }

    #[test]
    fn the_proxy_comes_from_the_usual_variables_and_does_not_print() {
        let read = load("", &[("HTTPS_PROXY", "http://u:hunter2@p:1"), ("no_proxy", "a")], &Overrides::default()).unwrap();
        assert_eq!(
            (read.https_proxy.as_ref().map(Secret::expose), read.no_proxy.as_deref()),
            (Some("http://u:hunter2@p:1"), Some("a"))
        );
        assert!(!format!("{read:?}").contains("hunter2"));
    }
}
