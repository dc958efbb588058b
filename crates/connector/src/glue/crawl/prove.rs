//! Proof of absence. A listing that no longer has something proves nothing by itself: Lake Formation hides what a role may not
//! see by leaving it out of lists. So each missing asset is asked for by name, and only "there is no such thing" counts.

use model::name::decode_part;
use model::{Kind, KnownAsset, MissingAsset, Scope};
use serde_json::json;

use super::{Crawl, CrawlError};
use crate::glue::naming::OWN_CATALOG;
use crate::glue::page::{CatalogAnswer, DatabaseAnswer, TableAnswer};
use crate::port::{ApiError, AssetSink, Baseline, Disposition, ErrorKind, ReadApi, ReadOperation};
use crate::run::absence::{self, Verdict};

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// The missing assets that are proven to be gone. Whatever is missing without proof makes its scope incomplete.
    pub(super) async fn prove_missing(&self) -> Result<Vec<KnownAsset>, CrawlError> {
        let asking = ("catalogs", self.settings.concurrency.max(1));
        let judging = |missing: MissingAsset| async move { self.judge(&missing).await };
        absence::prove_missing(self.ports.baseline, &self.findings, asking, judging).await
    }

    async fn judge(&self, missing: &MissingAsset) -> Result<Verdict, CrawlError> {
        let path = self.path_below_connection(missing);
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        let answer = match (missing.known.kind, parts.as_slice()) {
            (Kind::Database, [catalog]) => {
                if !self.settings.catalog_ids.is_empty() {
                    return Ok(Verdict::NotAsked);
                }
                self.ask_catalog(catalog).await
            }
            (Kind::Schema, [catalog, database]) => {
                if !self.settings.filter.wants_database(catalog, database) {
                    return Ok(Verdict::NotAsked);
                }
                self.ask_database(catalog, database).await
            }
            (Kind::Table | Kind::View, [catalog, database, table]) => {
                if !self.settings.filter.for_database(catalog, database).wants(table) {
                    return Ok(Verdict::NotAsked);
                }
                self.ask_table(catalog, database, table).await
            }
            // No list but those of the Data Catalog is shortened by Lake Formation: a complete one is proof.
            _ => return Ok(Verdict::Gone(missing.known)),
        };
        let scope = match parts.split_last() {
            Some((_, above)) if !above.is_empty() => Scope::new(above.join("/")),
            _ => Scope::new("catalogs"),
        };
        self.verdict(missing, &scope, parts.join("/"), answer)
    }

    fn verdict(
        &self,
        missing: &MissingAsset,
        scope: &Scope,
        name: String,
        answer: Result<(), ApiError>,
    ) -> Result<Verdict, CrawlError> {
        match answer {
            Ok(()) => Ok(Verdict::Unproven { name, reason: "it answers when asked for by name".to_owned() }),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Verdict::Gone(missing.known)),
            Err(error) if error.kind.disposition() == Disposition::FailRun => Err(error.into()),
            Err(error) => {
                let reason = error.to_string();
                if error.kind == ErrorKind::Denied {
                    self.note_hidden(scope, error)?;
                }
                Ok(Verdict::Unproven { name, reason })
            }
        }
    }

    /// Something that was readable is denied now: that is a part of the catalog that this run could not read.
    fn note_hidden(&self, scope: &Scope, error: ApiError) -> Result<(), CrawlError> {
        let mut findings = self.findings();
        for report in findings.scopes.iter_mut().filter(|report| report.scope == *scope) {
            report.complete = false;
        }
        if findings.failures.iter().any(|failure| failure.scope == *scope) {
            return Ok(());
        }
        Ok(findings.fail(scope, error)?)
    }

    fn path_below_connection(&self, missing: &MissingAsset) -> Vec<String> {
        let below = missing.qualified_name.as_str().strip_prefix(self.naming.connection().as_str()).unwrap_or_default();
        below.split('/').filter(|part| !part.is_empty()).map(decode_part).collect()
    }

    /// The id of a catalog by its name: the inverse of how names are made.
    fn catalog_id(&self, name: &str) -> Option<String> {
        let account = self.naming.account();
        if name == OWN_CATALOG {
            return account.map(str::to_owned);
        }
        if name.split(':').next().is_some_and(|first| first.len() == 12 && first.bytes().all(|byte| byte.is_ascii_digit())) {
            return Some(name.to_owned());
        }
        Some(account.map_or_else(|| name.to_owned(), |account| format!("{account}:{name}")))
    }

    async fn ask_catalog(&self, catalog: &str) -> Result<(), ApiError> {
        let input = json!({"CatalogId": self.catalog_id(catalog)});
        self.read_once(ReadOperation::GetCatalog, input, |body| serde_json::from_slice::<CatalogAnswer<'_>>(body).map(|_| ())).await
    }

    async fn ask_database(&self, catalog: &str, database: &str) -> Result<(), ApiError> {
        let input = self.with_catalog(json!({"Name": database}), self.catalog_id(catalog).as_deref());
        self.read_once(ReadOperation::GetDatabase, input, |body| serde_json::from_slice::<DatabaseAnswer>(body).map(|_| ())).await
    }

    async fn ask_table(&self, catalog: &str, database: &str, table: &str) -> Result<(), ApiError> {
        let input = self.with_catalog(json!({"DatabaseName": database, "Name": table}), self.catalog_id(catalog).as_deref());
        self.read_once(ReadOperation::GetTable, input, |body| serde_json::from_slice::<TableAnswer>(body).map(|_| ())).await
    }
}
