//! Proof of absence. Membership and policy leave things out of lists without a word; so each missing asset is asked for by name, and
//! only "there is no such thing", or "it is not published any more", counts.

use model::name::decode_part;
use model::{Attribute, Kind, KnownAsset, MissingAsset, Scope};

use super::domains::DOMAINS_SCOPE;
use super::pages::Asked;
use super::{Crawl, CrawlError};
use crate::port::{ApiError, AssetSink, Baseline, Disposition, ErrorKind, ReadApi, ReadOperation};
use crate::privacy::Text;
use crate::run::absence::{self, Verdict};
use crate::smus::page::{ListingAnswer, SubscriptionAnswer};

/// What the service says of something that is asked for by name.
enum Word {
    /// It is there as it was.
    There,
    /// It is there, but no longer what it was: a listing that is not active, a subscription that has ended.
    Ended,
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// The missing assets that are proven to be gone. Whatever is missing without proof makes its scope incomplete.
    pub(super) async fn prove_missing(&self) -> Result<Vec<KnownAsset>, CrawlError> {
        self.findings().settle_scopes();
        let asking = (DOMAINS_SCOPE, self.concurrency());
        let judging = |missing: MissingAsset| async move { self.judge(&missing).await };
        let gone = absence::prove_missing(self.ports.baseline, &self.findings, asking, judging).await?;
        self.findings().settle_scopes();
        Ok(gone)
    }

    async fn judge(&self, missing: &MissingAsset) -> Result<Verdict, CrawlError> {
        let path = self.path_of(&missing.qualified_name);
        let parts: Vec<String> = path.split('/').map(decode_part).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let word = match (missing.known.kind, parts.as_slice()) {
            (Kind::SmusDomain, [domain]) => self.there(&Asked::get(ReadOperation::GetDomain, &[domain])).await,
            (Kind::SmusProject, [domain, project]) => {
                if self.is_filtered(missing, project).await? {
                    return Ok(Verdict::NotAsked);
                }
                self.there(&Asked::get(ReadOperation::GetProject, &[domain, project])).await
            }
            (Kind::SmusPublishedAsset, [domain, _, asset]) => self.listing_word(missing, domain, asset).await?,
            // An asset that was published is the same one, and no unpublished one any more.
            (Kind::SmusInventoryAsset, _) if self.was_published(&missing.qualified_name) => Ok(Word::Ended),
            (Kind::SmusInventoryAsset, [domain, _, asset]) => {
                self.there(&Asked::get(ReadOperation::GetAsset, &[domain, asset])).await
            }
            (Kind::SmusDataProduct, [domain, _, product]) => {
                self.there(&Asked::get(ReadOperation::GetDataProduct, &[domain, product])).await
            }
            (Kind::SmusSubscribedAsset, [domain, _, _, subscription]) => self.subscription_word(domain, subscription).await,
            // Units, glossaries, terms and lineage are listed by the right to see the domain, not by membership: a complete list is proof.
            _ => return Ok(Verdict::Gone(missing.known)),
        };
        self.verdict(missing, (&path, &scope_of(missing.known.kind, &parts)), word)
    }

    /// Whether a project is left out by the settings: it is missing because nobody asked for it.
    async fn is_filtered(&self, missing: &MissingAsset, project: &str) -> Result<bool, CrawlError> {
        let stored = self.ports.baseline.stored(&missing.qualified_name).await?;
        let name = stored.map(|asset| asset.name).unwrap_or_default();
        Ok(!self.settings.projects.wants(project, &name))
    }

    async fn there(&self, asked: &Asked) -> Result<Word, ApiError> {
        self.read_once(asked, |body| serde_json::from_slice::<serde::de::IgnoredAny>(body).map(|_| Word::There)).await
    }

    /// A published asset is asked for by its listing, which everyone who sees the domain may do; only without one by itself.
    async fn listing_word(&self, missing: &MissingAsset, domain: &str, asset: &str) -> Result<Result<Word, ApiError>, CrawlError> {
        let stored = self.ports.baseline.stored(&missing.qualified_name).await?;
        let listing = stored.as_ref().and_then(|stored| stored.attributes.text(Attribute::SmusListingId));
        let Some(listing) = listing else { return Ok(self.there(&Asked::get(ReadOperation::GetAsset, &[domain, asset])).await) };
        let asked = Asked::get(ReadOperation::GetListing, &[domain, listing]);
        let word = self.read_once(&asked, |body| {
            let answer: ListingAnswer<'_> = serde_json::from_slice(body)?;
            Ok(word_of(answer.status.as_ref(), &["INACTIVE"]))
        });
        Ok(word.await)
    }

    async fn subscription_word(&self, domain: &str, subscription: &str) -> Result<Word, ApiError> {
        let asked = Asked::get(ReadOperation::GetSubscription, &[domain, subscription]);
        self.read_once(&asked, |body| {
            let answer: SubscriptionAnswer<'_> = serde_json::from_slice(body)?;
            Ok(word_of(answer.status.as_ref(), &["REVOKED", "CANCELLED"]))
        })
        .await
    }

    fn verdict(
        &self,
        missing: &MissingAsset,
        (path, scope): (&str, &Scope),
        word: Result<Word, ApiError>,
    ) -> Result<Verdict, CrawlError> {
        let unproven = |reason: String| Verdict::Unproven { name: path.to_owned(), reason };
        match word {
            Ok(Word::There) => Ok(unproven("it answers when asked for by name".to_owned())),
            Ok(Word::Ended) => Ok(Verdict::Gone(missing.known)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Verdict::Gone(missing.known)),
            // The service says "not permitted" of domains that do not exist, and its list of domains does not depend on permissions.
            Err(error) if missing.known.kind == Kind::SmusDomain && is_of_datazone(&error) => Ok(Verdict::Gone(missing.known)),
            Err(error) if error.kind.disposition() == Disposition::FailRun => Err(error.into()),
            Err(error) => {
                let reason = error.to_string();
                if error.kind == ErrorKind::Denied {
                    self.note_hidden(scope, error)?;
                }
                Ok(unproven(reason))
            }
        }
    }

    /// Something that was readable is denied now: that is a part that this run could not read.
    fn note_hidden(&self, scope: &Scope, error: ApiError) -> Result<(), CrawlError> {
        let mut findings = self.findings();
        findings.incomplete(scope);
        if !findings.failures.iter().any(|failure| failure.scope == *scope) {
            findings.fail(scope, error)?;
        }
        Ok(())
    }
}

/// The scope that an asset at a path below the connection is delivered in.
fn scope_of(kind: Kind, path: &[&str]) -> Scope {
    match (kind, path) {
        (Kind::SmusProject, [domain, ..]) => Scope::new(format!("{domain}/projects")),
        (Kind::SmusPublishedAsset, [domain, project, ..]) => Scope::new(format!("{domain}/{project}")),
        (Kind::SmusInventoryAsset, [domain, project, ..]) => Scope::new(format!("{domain}/{project}/inventory")),
        (Kind::SmusDataProduct, [domain, project, ..]) => Scope::new(format!("{domain}/{project}/data-products")),
        (Kind::SmusSubscribedAsset, [domain, project, ..]) => Scope::new(format!("{domain}/{project}/subscriptions")),
        _ => Scope::new(DOMAINS_SCOPE),
    }
}

fn word_of(status: Option<&Text<'_>>, ended: &[&str]) -> Word {
    if status.is_some_and(|status| ended.contains(&&**status)) { Word::Ended } else { Word::There }
}

/// Whether a refusal is DataZone's own ("User is not permitted to perform operation"), not IAM's.
pub(crate) fn is_of_datazone(error: &ApiError) -> bool {
    error.kind == ErrorKind::Denied && error.message.contains("not permitted to perform operation")
}
