//! The simulated Amazon DataZone: domains and everything in them, held as the JSON documents that the service would answer.
//!
//! Documents have what `Get…` answers. Members that no answer shows start with `$`: `$members` of a project, `$payload` of an event.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::text;
use crate::datazone::Denial;

/// The kinds of things in a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    DomainUnit,
    Project,
    ProjectProfile,
    Environment,
    User,
    Glossary,
    GlossaryTerm,
    FormType,
    AssetType,
    LineageNodeType,
    Asset,
    Listing,
    DataProduct,
    Subscription,
    SubscriptionRequest,
    AssetFilter,
    LineageNode,
    LineageEvent,
}

impl Thing {
    /// The member by which things of this kind are known.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::FormType | Self::AssetType | Self::LineageNodeType => "name",
            Self::Listing => "listingId",
            Self::DomainUnit
            | Self::Project
            | Self::ProjectProfile
            | Self::Environment
            | Self::User
            | Self::Glossary
            | Self::GlossaryTerm
            | Self::Asset
            | Self::DataProduct
            | Self::Subscription
            | Self::SubscriptionRequest
            | Self::AssetFilter
            | Self::LineageNode
            | Self::LineageEvent => "id",
        }
    }
}

pub(crate) type Documents = BTreeMap<String, Value>;

/// All domains by their ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct DataZone {
    pub(crate) domains: BTreeMap<String, Domain>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Domain {
    pub(crate) document: Value,
    /// Why everything in this domain is refused.
    pub(crate) denial: Option<Denial>,
    documents: BTreeMap<Thing, Documents>,
}

impl Domain {
    pub(crate) fn new(document: Value) -> Self {
        Self { document, ..Self::default() }
    }

    pub(crate) fn put(&mut self, thing: Thing, document: Value) {
        let key = text(&document, thing.key()).to_owned();
        self.documents.entry(thing).or_default().insert(key, document);
    }

    /// Whether there was such a thing.
    pub(crate) fn remove(&mut self, thing: Thing, key: &str) -> bool {
        self.documents.get_mut(&thing).is_some_and(|documents| documents.remove(key).is_some())
    }

    pub(crate) fn document_mut(&mut self, thing: Thing, key: &str) -> Option<&mut Value> {
        self.documents.get_mut(&thing)?.get_mut(key)
    }

    pub(crate) fn get(&self, thing: Thing, key: &str) -> Option<Found<'_>> {
        let (key, document) = self.documents.get(&thing)?.get_key_value(key)?;
        Some(Found::Listed(key, document))
    }

    pub(crate) fn document(&self, thing: Thing, key: &str) -> Option<Cow<'_, Value>> {
        self.get(thing, key).map(|found| found.document())
    }

    /// All things of a kind whose key sorts after `after`, ascending.
    pub(crate) fn after<'d>(&'d self, thing: Thing, after: Option<&'d str>) -> impl Iterator<Item = Found<'d>> {
        let documents = self.documents.get(&thing).into_iter().flatten();
        let listed = documents.filter(move |(key, _)| after.is_none_or(|after| key.as_str() > after));
        listed.map(|(key, document)| Found::Listed(key, document))
    }

    pub(crate) fn all(&self, thing: Thing) -> impl Iterator<Item = &Value> {
        self.documents.get(&thing).into_iter().flat_map(Documents::values)
    }

    /// The ids of the profiles of a role or user.
    pub(crate) fn profiles_of(&self, principal: &str) -> BTreeSet<&str> {
        let users = self.all(Thing::User).filter(|user| user.pointer("/details/iam/arn").is_some_and(|arn| arn == principal));
        users.map(|user| text(user, "id")).collect()
    }

    /// The projects that a role or user is a member of.
    pub(crate) fn projects_of(&self, principal: &str) -> BTreeSet<&str> {
        let profiles = self.profiles_of(principal);
        let is_member = |project: &&Value| {
            let members = project.get("$members").and_then(Value::as_array).into_iter().flatten();
            members.filter_map(|member| member.pointer("/memberDetails/user/userId")?.as_str()).any(|id| profiles.contains(id))
        };
        self.all(Thing::Project).filter(is_member).map(|project| text(project, "id")).collect()
    }

    /// The last asset that a role or user finds in its inventory.
    pub(crate) fn last_asset_of(&self, principal: &str) -> Option<String> {
        let own = self.projects_of(principal);
        let assets = self.after(Thing::Asset, None).filter(|asset| own.contains(&*asset.text("owningProjectId")));
        assets.last().map(|asset| asset.key().into_owned())
    }

    /// The listing that publishes an asset or data product.
    pub(crate) fn listing_of(&self, entity: &str) -> Option<Cow<'_, Value>> {
        self.all(Thing::Listing).find(|listing| text(listing, "entityId") == entity).map(Cow::Borrowed)
    }
}

/// One thing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'d> {
    Listed(&'d str, &'d Value),
}

impl<'d> Found<'d> {
    pub(crate) fn key(&self) -> Cow<'d, str> {
        match self {
            Self::Listed(key, _) => Cow::Borrowed(key),
        }
    }

    pub(crate) fn document(&self) -> Cow<'d, Value> {
        match self {
            Self::Listed(_, document) => Cow::Borrowed(document),
        }
    }

    /// A text member without building the document.
    pub(crate) fn text(&self, member: &str) -> Cow<'d, str> {
        match self {
            Self::Listed(_, document) => Cow::Borrowed(text(document, member)),
        }
    }

    /// Whether this is a listing that was taken out of the catalog.
    pub(crate) fn is_unpublished(&self) -> bool {
        match self {
            Self::Listed(_, document) => document.get("$status").is_some_and(|status| status == "INACTIVE"),
        }
    }

    /// When it was created, in milliseconds since 1970 UTC.
    pub(crate) fn created_ms(&self) -> i64 {
        match self {
            Self::Listed(_, document) => milliseconds(document.get("createdAt")),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a cast saturates; times of fixtures are far inside the range")]
fn milliseconds(seconds: Option<&Value>) -> i64 {
    seconds.and_then(Value::as_f64).map_or(0, |seconds| (seconds * 1_000.0).round() as i64)
}
