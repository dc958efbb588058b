//! Amazon DataZone, which SageMaker Unified Studio is built on, as its API answers it: REST with JSON, the code of an error in a header.

mod assets;
mod domains;
mod error;
mod filter;
mod input;
mod items;
mod lineage;
mod listing;
mod model;
mod operations;
mod page;
mod search;
mod subscriptions;

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::account::{Account, Domain, Thing};
use crate::faults::Fired;
use crate::tokens::Tokens;

pub(crate) use error::DataZoneError;
pub use error::Denial;
pub(crate) use input::Input;
pub(crate) use items::{asset_item, listing_item};
pub(crate) use model::{Model, Route};
pub(crate) use operations::{Handler, handler_of, published_per_second};

/// What outlives a call: how tokens are made and what the service model says.
#[derive(Debug, Default)]
pub(crate) struct Service {
    tokens: Tokens,
    pub(crate) model: Model,
}

/// A good answer.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self { body: value.to_string().into_bytes(), headers: Vec::new() }
    }
}

/// One call against the account as it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'c> {
    pub(crate) service: &'c Service,
    pub(crate) account: &'c Account,
    pub(crate) operation: &'c str,
    pub(crate) input: &'c Input,
    pub(crate) fired: &'c Fired,
    /// The ARN of the calling role or user.
    pub(crate) principal: &'c str,
    pub(crate) now_ms: i64,
}

impl<'c> Context<'c> {
    /// The domain that is asked about. One that does not exist is refused like one that may not be seen.
    fn domain(&self) -> Result<&'c Domain, DataZoneError> {
        let id = self.input.domain(self.operation).unwrap_or_default();
        let domain = self.account.datazone.domains.get(id).ok_or_else(|| self.not_permitted())?;
        match domain.denial {
            None => Ok(domain),
            Some(Denial::DataZone) => Err(self.not_permitted()),
            Some(Denial::Iam) => Err(self.iam_denied(id)),
        }
    }

    fn not_permitted(&self) -> DataZoneError {
        DataZoneError::not_permitted(self.operation)
    }

    fn iam_denied(&self, domain: &str) -> DataZoneError {
        let Account { id, region, .. } = self.account;
        let operation = self.operation;
        DataZoneError::access_denied(format!(
            "User: {} is not authorized to perform: datazone:{operation} on resource: arn:aws:datazone:{region}:{id}:domain/{domain} \
             because no identity-based policy allows the datazone:{operation} action",
            self.principal
        ))
    }

    /// The document that `member` of the request names.
    fn named(&self, thing: Thing, member: &str, noun: &str) -> Result<Cow<'c, Value>, DataZoneError> {
        let id = self.input.text(member);
        self.domain()?.document(thing, id).ok_or_else(|| DataZoneError::not_found(noun, id))
    }

    /// The caller's own projects.
    fn own_projects(&self, domain: &'c Domain) -> BTreeSet<&'c str> {
        domain.projects_of(self.principal)
    }

    /// Refuses where the caller is no member of a project.
    fn require_member(&self, domain: &'c Domain, project: &str) -> Result<(), DataZoneError> {
        if self.own_projects(domain).contains(project) { Ok(()) } else { Err(self.not_permitted()) }
    }
}

/// The members of a document that answers show.
fn shown(document: &Value) -> Map<String, Value> {
    let members = document.as_object().into_iter().flatten();
    members.filter(|(name, _)| !name.starts_with('$')).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Those of a document's members that are in `names`.
fn picked(document: &Value, names: &[&str]) -> Map<String, Value> {
    let members = names.iter().filter_map(|name| Some(((*name).to_owned(), document.get(name)?.clone())));
    members.collect()
}
