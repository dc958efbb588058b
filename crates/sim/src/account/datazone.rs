//! The simulated Amazon DataZone: domains and everything in them, held as the JSON documents that the service would answer.
//!
//! Documents have what `Get…` answers. Members that no answer shows start with `$`: `$members` of a project, `$payload` of an event.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::ops::Bound;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bulk_studio::{BulkStudio, Generated};
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
    /// Generated assets and listings, less those that are `gone` or stand in `documents` because they were changed.
    pub(crate) bulk: Option<BulkStudio>,
    gone: BTreeSet<(Thing, u64)>,
}

impl Domain {
    pub(crate) fn new(document: Value) -> Self {
        Self { document, ..Self::default() }
    }

    pub(crate) fn put(&mut self, thing: Thing, document: Value) {
        let key = text(&document, thing.key()).to_owned();
        self.remove(thing, &key);
        self.documents.entry(thing).or_default().insert(key, document);
    }

    /// Whether there was such a thing.
    pub(crate) fn remove(&mut self, thing: Thing, key: &str) -> bool {
        let listed = self.documents.get_mut(&thing).is_some_and(|documents| documents.remove(key).is_some());
        let index = self.bulk.as_ref().and_then(|bulk| bulk.index_of(thing, key));
        index.is_some_and(|index| self.gone.insert((thing, index))) | listed
    }

    /// The document to change; a generated thing becomes a listed one by this.
    pub(crate) fn document_mut(&mut self, thing: Thing, key: &str) -> Option<&mut Value> {
        let is_listed = self.documents.get(&thing).is_some_and(|documents| documents.contains_key(key));
        if !is_listed {
            let document = self.document(thing, key)?.into_owned();
            self.put(thing, document);
        }
        self.documents.get_mut(&thing)?.get_mut(key)
    }

    pub(crate) fn get(&self, thing: Thing, key: &str) -> Option<Found<'_>> {
        if let Some((key, document)) = self.documents.get(&thing).and_then(|documents| documents.get_key_value(key)) {
            return Some(Found::Listed(key, document));
        }
        let bulk = self.bulk.as_ref()?;
        let index = bulk.index_of(thing, key)?;
        (!self.gone.contains(&(thing, index))).then(|| Found::Generated(bulk.at(thing, index)))
    }

    pub(crate) fn document(&self, thing: Thing, key: &str) -> Option<Cow<'_, Value>> {
        self.get(thing, key).map(|found| found.document())
    }

    /// All things of a kind whose key sorts after `after`, ascending.
    pub(crate) fn after<'d>(&'d self, thing: Thing, after: Option<&str>) -> impl Iterator<Item = Found<'d>> + use<'d> {
        let bound = after.map_or(Bound::Unbounded, Bound::Excluded);
        let documents = self.documents.get(&thing).map(|documents| documents.range::<str, _>((bound, Bound::Unbounded)));
        let listed = documents.into_iter().flatten().map(|(key, document)| Found::Listed(key, document));
        let generated = self.bulk.as_ref().map(|bulk| {
            let start = after.map_or(0, |after| bulk.first_after(thing, after));
            (bulk, start..bulk.count(thing))
        });
        let generated = generated.into_iter().flat_map(move |(bulk, indices)| {
            let there = indices.filter(move |index| self.gone.is_empty() || !self.gone.contains(&(thing, *index)));
            there.map(move |index| Found::Generated(bulk.at(thing, index)))
        });
        Merged { generated: generated.peekable(), listed: listed.peekable() }
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
        let generated = self.bulk.as_ref().and_then(|bulk| {
            let index = bulk.index_of(Thing::Asset, entity)?;
            self.get(Thing::Listing, &bulk.at(Thing::Listing, index).key())
        });
        let listed = || self.all(Thing::Listing).find(|listing| text(listing, "entityId") == entity).map(Cow::Borrowed);
        generated.map(|found| found.document()).or_else(listed)
    }
}

/// Two ascending sequences merged into one.
struct Merged<A: Iterator, B: Iterator> {
    generated: Peekable<A>,
    listed: Peekable<B>,
}

impl<'d, A: Iterator<Item = Found<'d>>, B: Iterator<Item = Found<'d>>> Iterator for Merged<A, B> {
    type Item = Found<'d>;

    fn next(&mut self) -> Option<Found<'d>> {
        let Some(listed) = self.listed.peek() else { return self.generated.next() };
        let is_before = self.generated.peek().is_some_and(|generated| generated.key() < listed.key());
        if is_before { self.generated.next() } else { self.listed.next() }
    }
}

/// One thing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'d> {
    Listed(&'d str, &'d Value),
    Generated(Generated<'d>),
}

impl<'d> Found<'d> {
    pub(crate) fn key(&self) -> Cow<'d, str> {
        match self {
            Self::Listed(key, _) => Cow::Borrowed(key),
            Self::Generated(generated) => Cow::Owned(generated.key()),
        }
    }

    pub(crate) fn document(&self) -> Cow<'d, Value> {
        match self {
            Self::Listed(_, document) => Cow::Borrowed(document),
            Self::Generated(generated) => Cow::Owned(generated.document()),
        }
    }

    /// The item of a search where it can be had without the document.
    pub(crate) fn written(&self, with_forms: bool) -> Option<Vec<u8>> {
        match self {
            Self::Listed(..) => None,
            Self::Generated(generated) => Some(generated.item(with_forms)),
        }
    }

    /// A text member without building the document.
    pub(crate) fn text(&self, member: &str) -> Cow<'d, str> {
        match self {
            Self::Listed(_, document) => Cow::Borrowed(text(document, member)),
            Self::Generated(generated) => generated.text(member),
        }
    }

    /// Whether this is a listing that was taken out of the catalog.
    pub(crate) fn is_unpublished(&self) -> bool {
        match self {
            Self::Listed(_, document) => document.get("$status").is_some_and(|status| status == "INACTIVE"),
            Self::Generated(_) => false,
        }
    }

    /// When it was created, in milliseconds since 1970 UTC.
    pub(crate) fn created_ms(&self) -> i64 {
        match self {
            Self::Listed(_, document) => milliseconds(document.get("createdAt")),
            Self::Generated(generated) => generated.created_ms(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a cast saturates; times of fixtures are far inside the range")]
fn milliseconds(seconds: Option<&Value>) -> i64 {
    seconds.and_then(Value::as_f64).map_or(0, |seconds| (seconds * 1_000.0).round() as i64)
}
