//! Where a crawl's results go: a catalog, an NDJSON file, or both.

use connector::CrawlResult;
use connector::port::{AssetSink, Baseline, SinkError};
use crawl::KnownConnection;
use crawl::report::Stored;
use model::document::report::Report;
use model::{
    Asset, AssetBatch, ConnectionName, KnownAsset, MissingAsset, Outcome, QualifiedName, S3Location, ScopeReport, SourceHash,
};
use server::work::{CatalogSink, stored_by};
use store::{CatalogUrl, ConnectionSpec, RemovalPolicy, RunEnd, RunWriter, Store};

use super::ndjson::{NdjsonSink, OutputFile};
use crate::arguments::DestinationArguments;
use crate::failure::Failure;

/// The destinations of one run.
pub(crate) struct Destination {
    store: Option<CatalogSink>,
    connection: Option<ConnectionSpec>,
    output: Option<NdjsonSink>,
}

/// Where a run's assets are from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    /// The connector's short name in qualified names.
    pub(crate) connector: &'static str,
    /// What people call the connection.
    pub(crate) connection: &'a str,
    /// The AWS region.
    pub(crate) region: &'a str,
}

impl Destination {
    /// Opens what the command line names, and gives the connection its name. Nothing has been asked of AWS yet.
    pub(crate) async fn open(
        arguments: &DestinationArguments,
        origin: &Origin<'_>,
        now_ms: i64,
    ) -> Result<(Self, KnownConnection), Failure> {
        let output = arguments.output.as_deref().map(OutputFile::create).transpose()?.map(NdjsonSink::start);
        if arguments.catalog.is_none() && output.is_some() {
            let number = arguments.connection_id.unwrap_or_else(|| u64::try_from(now_ms / 1000).unwrap_or(0));
            let known = KnownConnection { name: ConnectionName::new(origin.connector, number), account: None };
            return Ok((Self { store: None, connection: None, output }, known));
        }
        let store = Store::open(&catalog_url(arguments.catalog.as_deref())?).await?;
        let spec = ConnectionSpec {
            name: origin.connection.to_owned(),
            connector: origin.connector,
            number: arguments.connection_id,
            region: Some(origin.region.to_owned()),
            account: None,
        };
        let connection = store.connection(&spec, now_ms).await?;
        let run = store.begin_run(&connection, "{}", now_ms).await?;
        let known = KnownConnection { name: ConnectionName::new(origin.connector, connection.number), account: connection.account };
        Ok((Self { store: Some(CatalogSink::new(store, run)), connection: Some(spec), output }, known))
    }

    /// Keeps with the connection which account it leads to: a later run may not be told.
    pub(crate) async fn remember_account(&self, account: Option<&str>, now_ms: i64) -> Result<(), Failure> {
        if let (Some(catalog), Some(spec), Some(account)) = (&self.store, &self.connection, account) {
            catalog.store().connection(&ConnectionSpec { account: Some(account.to_owned()), ..spec.clone() }, now_ms).await?;
        }
        Ok(())
    }

    /// Closes the catalog, so that nothing but its one file stays.
    pub(crate) async fn close(self) {
        if let Some(catalog) = self.store {
            catalog.close().await;
        }
    }

    fn run(&self) -> Option<&RunWriter> {
        self.store.as_ref().map(CatalogSink::run)
    }

    /// Ends the run in every destination.
    pub(crate) async fn finish(
        &self,
        result: &CrawlResult,
        outcome: Outcome,
        confirm_removals: bool,
        now_ms: i64,
    ) -> Result<Stored, Failure> {
        let mut stored = Stored::default();
        if let Some(output) = &self.output {
            stored.counts = output.finish()?;
            stored.changes.created = stored.counts.values().sum();
        }
        if let Some(run) = self.run() {
            let removal = if confirm_removals { RemovalPolicy::Confirmed } else { RemovalPolicy::default() };
            let end = RunEnd { outcome, scopes: result.scopes.clone(), gone: result.gone.clone(), removal, now_ms };
            stored = stored_by(&run.finish(end).await?);
        }
        Ok(stored)
    }

    /// Ends a run that failed. An output that is not whole does not get its name.
    pub(crate) async fn fail(&self, now_ms: i64) -> Result<Stored, Failure> {
        match self.run() {
            Some(run) => Ok(stored_by(&run.fail(now_ms).await?)),
            None => Ok(Stored::default()),
        }
    }

    /// Keeps the report with the run.
    pub(crate) async fn save_report(&self, report: &Report) -> Result<(), Failure> {
        match &self.store {
            Some(catalog) => Ok(catalog.store().save_report(catalog.run().run(), report).await?),
            None => Ok(()),
        }
    }
}

/// The catalog of the command line, or the one in the user's data directory.
pub(crate) fn catalog_url(named: Option<&str>) -> Result<CatalogUrl, Failure> {
    if let Some(url) = named {
        return CatalogUrl::parse(url).map_err(|error| Failure::usage_error(&error));
    }
    let Some(folders) = directories::ProjectDirs::from("", "", "isinglass") else {
        return Err(Failure::usage("there is no home directory to keep a catalog in; give one with --catalog sqlite:PATH"));
    };
    Ok(CatalogUrl::sqlite(folders.data_dir().join("catalog.db")))
}

impl AssetSink for Destination {
    async fn deliver(&self, batch: AssetBatch) -> Result<(), SinkError> {
        match (&self.output, &self.store) {
            (Some(output), Some(catalog)) => {
                output.deliver(batch.clone()).await?;
                catalog.deliver(batch).await
            }
            (Some(output), None) => output.deliver(batch).await,
            (None, Some(catalog)) => catalog.deliver(batch).await,
            (None, None) => Ok(()),
        }
    }
}

impl Baseline for Destination {
    fn keeps_hashes(&self) -> bool {
        self.store.is_some()
    }

    /// An NDJSON file needs every asset whole, so nothing may be skipped for being known.
    fn is_empty(&self) -> bool {
        self.output.is_some() || self.store.as_ref().is_none_or(Baseline::is_empty)
    }

    async fn unchanged(&self, slices: Vec<(QualifiedName, SourceHash)>) -> Result<Vec<Option<KnownAsset>>, SinkError> {
        match &self.store {
            Some(catalog) => catalog.unchanged(slices).await,
            None => Ok(vec![None; slices.len()]),
        }
    }

    async fn stored(&self, name: &QualifiedName) -> Result<Option<Asset>, SinkError> {
        match &self.store {
            Some(catalog) => catalog.stored(name).await,
            None => Ok(None),
        }
    }

    async fn tables_at(&self, locations: Vec<S3Location>) -> Result<Vec<(S3Location, QualifiedName)>, SinkError> {
        match &self.store {
            Some(catalog) => catalog.tables_at(locations).await,
            None => Ok(Vec::new()),
        }
    }

    async fn missing(&self, scopes: Vec<ScopeReport>, limit: usize) -> Result<Vec<MissingAsset>, SinkError> {
        match &self.store {
            Some(catalog) => catalog.missing(scopes, limit).await,
            None => Ok(Vec::new()),
        }
    }
}
