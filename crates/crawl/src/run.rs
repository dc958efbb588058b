//! One crawl: a client for the reads of the run, sign-in, the connector. The caller's sink takes what is found.

use aws::{Client, Evidence, SignIn, Surroundings};
use connector::glue::{self, Naming};
use connector::port::{AssetSink, Baseline, Disposition, ReadOperation};
use connector::progress::Progress;
use connector::{CrawlResult, MaskedCounts, Ports, smus};
use model::ConnectionName;

use crate::access::Access;
use crate::failure::{Failure, FailureKind};
use crate::spec::CrawlSettings;

/// Who reads, and what may be read. Nothing is sent before the first call of a run.
#[derive(Clone, Debug)]
pub struct Reader {
    client: Client,
    region: String,
    role_arn: Option<String>,
}

/// What is known of the connection that is crawled.
#[derive(Clone, Debug)]
pub struct KnownConnection {
    /// Its qualified name.
    pub name: ConnectionName,
    /// The account that it led to before.
    pub account: Option<String>,
}

/// What a crawl is plugged into.
#[derive(Debug)]
pub struct Plugs<'p, S, B> {
    /// Takes assets.
    pub sink: &'p S,
    /// Knows earlier runs.
    pub baseline: &'p B,
    /// Counts along.
    pub progress: &'p Progress,
    /// Counts what was masked.
    pub masked: &'p MaskedCounts,
}

/// A crawl that went through, which may still have failed in parts or in all: see [`crate::report::outcome`].
#[derive(Debug)]
pub struct Crawled {
    /// How it went.
    pub result: CrawlResult,
    /// How it signed in.
    pub sign_in: SignIn,
}

impl Reader {
    /// Sets a client up for a crawl with these settings. Checks settings, profiles, endpoints, proxy and certificates; sends nothing.
    ///
    /// # Errors
    /// Something in the access, the environment or the profile files cannot be used ([`FailureKind::Input`]).
    pub async fn connect(access: &Access, settings: &CrawlSettings) -> Result<Self, Failure> {
        Self::connect_for(access, settings.connection_name(), &settings.operations(access.has_role())).await
    }

    /// As [`Reader::connect`], for other reads than those of a crawl.
    pub(crate) async fn connect_for(access: &Access, connection: &str, operations: &[ReadOperation]) -> Result<Self, Failure> {
        let settings = access.settings(connection)?;
        let client = Client::connect_with(settings, operations, Evidence::new(), Surroundings::default()).await?;
        let role_arn = access.assume_role.as_ref().map(|role| role.role_arn.clone());
        Ok(Self { client, region: access.region.name().to_owned(), role_arn })
    }

    /// Sends reads.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What was called so far, and where it went.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        self.client.evidence()
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    pub(crate) const fn has_role(&self) -> bool {
        self.role_arn.is_some()
    }

    /// Who reads: the role as it was given, or whoever STS says that the keys belong to. Without an answer memberships cannot be
    /// compared, and the crawl goes on all the same; keys that are wrong end it.
    ///
    /// # Errors
    /// The credentials are wrong, or a rule of our own refused.
    pub async fn identity(&self) -> Result<Option<String>, Failure> {
        if self.role_arn.is_some() {
            return Ok(self.role_arn.clone());
        }
        match self.client.caller_identity().await {
            Ok(identity) => Ok(Some(identity.arn)),
            Err(error) if error.kind.disposition() == Disposition::FailRun => Err(error.into()),
            Err(error) => {
                tracing::debug!(%error, "who the keys belong to is not known");
                Ok(None)
            }
        }
    }
}

/// Signs in and crawls. Dropping the future ends the crawl: what was delivered stays, and no scope counts as read.
///
/// # Errors
/// Sign-in failed, the credentials lead to another account than before, a rule of our own refused, or a sink takes no more.
pub async fn crawl<S: AssetSink, B: Baseline>(
    reader: &Reader,
    settings: &CrawlSettings,
    connection: KnownConnection,
    plugs: &Plugs<'_, S, B>,
) -> Result<Crawled, Failure> {
    let sign_in = reader.client.sign_in().await?;
    let Plugs { sink, baseline, progress, masked } = plugs;
    let ports = Ports { api: &reader.client, sink: *sink, baseline: *baseline, progress, masked };
    let result = match settings {
        CrawlSettings::Glue(settings) => {
            require_same_account(&settings.connection_name, sign_in.account.as_deref(), connection.account.as_deref())?;
            let naming = Naming::new(connection.name, sign_in.account.clone().or(connection.account));
            glue::crawl(ports, naming, settings, &reader.region).await?
        }
        CrawlSettings::Smus(settings) => {
            let settings = smus::Settings { identity_arn: reader.identity().await?, ..settings.clone() };
            smus::crawl(ports, connection.name, &settings, &reader.region).await?
        }
    };
    Ok(Crawled { result, sign_in })
}

/// Crawling another account into a connection would make everything in it look gone.
fn require_same_account(connection: &str, now: Option<&str>, before: Option<&str>) -> Result<(), Failure> {
    match (now, before) {
        (Some(now), Some(before)) if now != before => Err(Failure::new(
            FailureKind::OtherAccount,
            format!("the connection \"{connection}\" is of account {before}, but the role is of account {now}"),
            "Give the other account a connection of its own.",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
