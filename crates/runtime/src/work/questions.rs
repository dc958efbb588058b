//! What a crawl asks the catalog, through whoever can reach it.

use connector::port::{Baseline, SinkError};
use model::{Asset, KnownAsset, MissingAsset, QualifiedName, S3Location, ScopeReport, SourceHash};
use wire::{Answer, Question, Slice};

use crate::session::Patience;

/// The most locations of one question.
const LOCATIONS_MAX: usize = 1_000;

/// Asks the catalog. `None` is "not known", and only where the asker can do without an answer.
pub(crate) trait Ask: Send + Sync {
    /// Asks.
    fn ask(&self, question: Question, patience: Patience) -> impl Future<Output = Result<Option<Answer>, SinkError>> + Send;
}

/// What is known from earlier runs, by questions to the control plane.
pub(crate) struct Catalog<A> {
    pub(crate) ask: A,
    /// Whether the catalog has nothing of the connection yet.
    pub(crate) is_empty: bool,
}

fn another_answer() -> SinkError {
    let message = "the control plane answered another question than was asked: compare its version with the runtime's".to_owned();
    SinkError { message, source: None }
}

impl<A: Ask> Baseline for Catalog<A> {
    fn keeps_hashes(&self) -> bool {
        true
    }

    fn is_empty(&self) -> bool {
        self.is_empty
    }

    async fn unchanged(&self, slices: Vec<(QualifiedName, SourceHash)>) -> Result<Vec<Option<KnownAsset>>, SinkError> {
        let count = slices.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        let slices = slices.iter().map(|(name, hash)| Slice::new(name, *hash)).collect();
        match self.ask.ask(Question::Unchanged { slices }, Patience::WhileReachable).await? {
            None => Ok(vec![None; count]),
            Some(Answer::Unchanged { known }) if known.len() == count => {
                Ok(known.into_iter().map(|known| known.and_then(|known| known.asset())).collect())
            }
            Some(_) => Err(another_answer()),
        }
    }

    async fn stored(&self, name: &QualifiedName) -> Result<Option<Asset>, SinkError> {
        let question = Question::Stored { qualified_name: name.as_str().to_owned() };
        let Some(Answer::Stored { asset }) = self.ask.ask(question, Patience::UntilAnswered).await? else {
            return Err(another_answer());
        };
        let asset = asset.map(|line| line.asset()).transpose();
        Ok(asset.map_err(|_malformed| another_answer())?.flatten())
    }

    async fn tables_at(&self, locations: Vec<S3Location>) -> Result<Vec<(S3Location, QualifiedName)>, SinkError> {
        let mut found = Vec::new();
        for locations in locations.chunks(LOCATIONS_MAX) {
            let locations = locations.iter().map(|location| location.as_str().to_owned()).collect();
            let answer = self.ask.ask(Question::TablesAt { locations }, Patience::UntilAnswered).await?;
            let Some(Answer::TablesAt { tables }) = answer else { return Err(another_answer()) };
            let table = |(location, name)| (S3Location::from_canonical(location), QualifiedName::from_encoded(name));
            found.extend(tables.into_iter().map(table));
        }
        Ok(found)
    }

    async fn missing(&self, scopes: Vec<ScopeReport>, limit: usize) -> Result<Vec<MissingAsset>, SinkError> {
        let question = Question::Missing { scopes: scopes.iter().map(Into::into).collect(), limit };
        match self.ask.ask(question, Patience::UntilAnswered).await? {
            Some(Answer::Missing { assets }) => Ok(assets.iter().filter_map(wire::MissingLine::asset).collect()),
            Some(_) | None => Err(another_answer()),
        }
    }
}
