//! Asking a catalog: the file or database itself, or a control plane that serves it. Either way the answers are the same.

mod names;
mod remote;
mod source;

use std::collections::BTreeMap;

use model::document::report::{Changes, Report};
use model::{QualifiedName, RunId};
use store::{
    Diff, Enrichment, Graph, HistoryEvent, Hit, LineageQuery, NamedAsset, RunRef, RunState, RunSummary, SearchQuery, Store,
    StoredAsset, Subject, Twins,
};

use crate::arguments::CatalogArguments;
use crate::failure::Failure;
pub(crate) use names::{is_outside, label, run_ref, short, title, titles};
use remote::Remote;
use source::Source;

/// Whom to ask.
pub(crate) enum Catalog {
    /// The catalog itself.
    Store(Store),
    /// The control plane that serves it.
    Server(Remote),
}

/// A run, as lists show it.
pub(crate) struct Run {
    pub(crate) id: RunId,
    /// Milliseconds since 1970 UTC.
    pub(crate) started_ms: i64,
    /// Milliseconds since 1970 UTC.
    pub(crate) finished_ms: Option<i64>,
    /// `queued`, `running`, or how it ended.
    pub(crate) state: String,
    pub(crate) changes: Changes,
}

/// What lies in an asset: at most so many as were asked for.
pub(crate) struct Inside {
    /// Names of folders that are no assets, encoded.
    pub(crate) folders: Vec<String>,
    /// The assets, by name.
    pub(crate) assets: Vec<Child>,
    /// Whether there is more.
    pub(crate) truncated: bool,
}

/// An asset that lies in another.
pub(crate) struct Child {
    pub(crate) type_name: String,
    pub(crate) name: String,
    /// What people say that it is, else what its source does.
    pub(crate) description: Option<String>,
}

impl Catalog {
    /// Whom the flags, or else the environment, name.
    pub(crate) async fn open(arguments: &CatalogArguments) -> Result<Self, Failure> {
        match Source::choose(arguments, |name| std::env::var(name).ok())? {
            Source::Catalog(url) => Ok(Self::Store(Store::open_existing(&url).await?)),
            Source::Server(client) => Ok(Self::Server(Remote::new(*client))),
        }
    }

    /// What a typed name stands for; where it could be several things, the error lists them.
    pub(crate) async fn find(&self, typed: &str) -> Result<Subject, Failure> {
        match self {
            Self::Store(store) => names::found(typed, store.find(typed).await?),
            Self::Server(server) => names::found(typed, server.find(typed).await?),
        }
    }

    pub(crate) async fn search(&self, query: &SearchQuery) -> Result<Vec<Hit>, Failure> {
        match self {
            Self::Store(store) => Ok(store.search(query).await?.hits),
            Self::Server(server) => Ok(server.search(query).await?),
        }
    }

    pub(crate) async fn lineage(&self, query: &LineageQuery) -> Result<Graph, Failure> {
        match self {
            Self::Store(store) => Ok(store.lineage(query).await?),
            Self::Server(server) => Ok(server.lineage(query).await?),
        }
    }

    pub(crate) async fn history(&self, name: &QualifiedName) -> Result<Vec<HistoryEvent>, Failure> {
        match self {
            Self::Store(store) => Ok(store.history(name).await?),
            Self::Server(server) => Ok(server.history(name).await?),
        }
    }

    pub(crate) async fn diff(&self, from: RunId, to: RunId, limit: usize) -> Result<Diff, Failure> {
        match self {
            Self::Store(store) => Ok(store.diff(from, to, limit).await?),
            Self::Server(server) => Ok(server.diff(from, to, limit).await?),
        }
    }

    pub(crate) async fn run(&self, run: RunRef) -> Result<Run, Failure> {
        match self {
            Self::Store(store) => Ok(Run::from(&store.run(run).await?)),
            Self::Server(server) => server.run(run).await,
        }
    }

    /// The latest runs, latest first.
    pub(crate) async fn runs(&self, limit: usize) -> Result<Vec<Run>, Failure> {
        match self {
            Self::Store(store) => Ok(store.runs(limit).await?.iter().map(Run::from).collect()),
            Self::Server(server) => Ok(server.runs(limit).await?),
        }
    }

    /// The report of a run, if it has one.
    pub(crate) async fn report(&self, run: RunId) -> Result<Option<Report>, Failure> {
        match self {
            Self::Store(store) => Ok(store.report(RunRef::Id(run)).await?),
            Self::Server(server) => Ok(server.report(run).await?),
        }
    }

    /// What has the same data as an asset.
    pub(crate) async fn twins(&self, stored: &StoredAsset) -> Result<Twins, Failure> {
        match self {
            Self::Store(store) => Ok(store.twins(stored).await?),
            Self::Server(server) => Ok(server.twins(&stored.asset.qualified_name).await?),
        }
    }

    /// What goes by these qualified names; those that the catalog does not have are left out.
    pub(crate) async fn named(&self, names: &[QualifiedName]) -> Result<BTreeMap<QualifiedName, NamedAsset>, Failure> {
        match self {
            Self::Store(store) => Ok(store.named(names).await?),
            Self::Server(server) => Ok(server.named(names).await?),
        }
    }

    /// The names of connections by their qualified names.
    pub(crate) async fn connections(&self) -> Result<BTreeMap<String, String>, Failure> {
        match self {
            Self::Store(store) => {
                let known = store.connections().await?.into_iter();
                Ok(known.map(|connection| (connection.qualified_name.as_str().to_owned(), connection.name)).collect())
            }
            Self::Server(server) => Ok(server.connections().await?),
        }
    }

    /// What lies directly in an asset.
    pub(crate) async fn children(&self, of: &QualifiedName, limit: usize) -> Result<Inside, Failure> {
        match self {
            Self::Store(store) => inside(store, of, limit).await,
            Self::Server(server) => Ok(server.children(of, limit).await?),
        }
    }
}

async fn inside(store: &Store, of: &QualifiedName, limit: usize) -> Result<Inside, Failure> {
    let found = store.children(of, limit, None).await?;
    let known: Vec<_> = found.assets.iter().filter_map(|stored| stored.known).collect();
    let said = store.enrichment_of(&known).await?;
    let child = |stored: &StoredAsset| Child {
        type_name: stored.asset.kind.to_string(),
        name: stored.asset.name.clone(),
        description: described(stored, stored.known.and_then(|known| said.get(&known.id))),
    };
    Ok(Inside { assets: found.assets.iter().map(child).collect(), folders: found.folders, truncated: found.next.is_some() })
}

fn described(stored: &StoredAsset, said: Option<&Enrichment>) -> Option<String> {
    let of_source = stored.asset.attributes.text(model::Attribute::Description);
    said.and_then(|said| said.text.description.clone()).or_else(|| of_source.map(str::to_owned))
}

impl From<&RunSummary> for Run {
    fn from(run: &RunSummary) -> Self {
        let state = match run.state {
            RunState::Queued => "queued",
            RunState::Running => "running",
            RunState::Ended(outcome) => outcome.as_str(),
        };
        Self { id: run.id, started_ms: run.started_ms, finished_ms: run.finished_ms, state: state.to_owned(), changes: run.changes }
    }
}
