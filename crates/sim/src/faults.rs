//! Faults on demand: what goes wrong, where, and how often. Firing is counted, never random, so that a failing test repeats.

mod table;

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use table::{Bucket, FaultTable, Fired};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// `ThrottlingException` "Rate exceeded".
    Throttle,
    /// `ThrottlingException` for what exceeds `per_second` calls of one operation (a token bucket that starts full).
    RateLimit { per_second: u32 },
    /// HTTP 500 `InternalServiceException`.
    Internal,
    /// `AccessDeniedException` as IAM words it.
    DeniedByIam,
    /// `AccessDeniedException` as Lake Formation words it.
    DeniedByLakeFormation,
    /// `AccessDeniedException` as DataZone's own gate words it.
    DeniedByDataZone,
    /// `ExpiredTokenException` though the credentials are good.
    ExpiredToken,
    /// Any other modelled error, e.g. `OperationTimeoutException`.
    Error { code: String, status: u16, message: String },
    /// The answer comes late.
    Slow { delay_ms: u64 },
    /// `content-length` promises more than is sent before the connection closes.
    TruncatedBody,
    /// Status 200 with a body that is not JSON.
    MalformedJson,
    /// Status 500 with an HTML page, as proxies and some emulators answer.
    HtmlError,
    /// The connection is reset without an answer.
    ConnectionReset,
    /// After the first page of a database its last table (or `table`) is dropped.
    DropTableAfterFirstPage {
        #[serde(default)]
        table: Option<String>,
    },
    /// The database is dropped when its second page is asked for.
    DatabaseVanishes,
    /// A page answers with the token it was asked with.
    RepeatToken,
    /// A page without items but with a token that continues at the same place.
    EmptyPage,
    /// A page of at most `items`.
    ShortPage { items: usize },
    /// A later page begins with the last item of the page before, as if something had come in before it.
    RepeatedItem,
    /// A later page leaves out its first item, as if something before it had gone.
    SkippedItem,
    /// After the first page of a search for assets or listings the last asset of the caller's projects (or `asset`) is dropped.
    DropAssetAfterFirstPage {
        #[serde(default)]
        asset: Option<String>,
    },
    /// `PackedPolicyTooLarge` for an AssumeRole with a policy.
    PackedPolicyTooLarge,
}

/// How often a fault fires, counted over the calls that it matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trigger {
    #[default]
    Always,
    /// The first n matching calls.
    First(u64),
    /// Each n-th matching call.
    Every(u64),
}

/// One rule: a kind, where it applies, how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    operation: Option<String>,
    catalog: Option<String>,
    database: Option<String>,
    domain: Option<String>,
    project: Option<String>,
    trigger: Trigger,
}

/// A fault description that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    #[error("fault `{text}`: `{part}` is not NAME=VALUE; write e.g. `throttle:operation=GetTables,first=3`")]
    Part { text: String, part: String },
    #[error(
        "fault member `{name}` is not known; use operation, catalog, database, domain, project, first, every or a member of the kind"
    )]
    Member { name: String },
    #[error("fault cannot be read; see `FaultKind` for kinds and their members")]
    Shape(#[from] serde_json::Error),
}

impl Fault {
    /// A fault that fires at every call of every operation it makes sense for.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, operation: None, catalog: None, database: None, domain: None, project: None, trigger: Trigger::Always }
    }

    /// Only at this operation (`GetTables`, `AssumeRole`).
    #[must_use]
    pub fn on(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Only at calls that name this catalog by `CatalogId`, as for a federated one that is down.
    #[must_use]
    pub fn in_catalog(mut self, catalog: &str) -> Self {
        self.catalog = Some(catalog.to_owned());
        self
    }

    /// Only at calls that name this database.
    #[must_use]
    pub fn in_database(mut self, database: &str) -> Self {
        self.database = Some(database.to_owned());
        self
    }

    /// Only at calls about this DataZone domain.
    #[must_use]
    pub fn in_domain(mut self, domain: &str) -> Self {
        self.domain = Some(domain.to_owned());
        self
    }

    /// Only at calls that name this project by a member or a filter, or that ask for something of it by id.
    #[must_use]
    pub fn in_project(mut self, project: &str) -> Self {
        self.project = Some(project.to_owned());
        self
    }

    /// Only the first `count` matching calls.
    #[must_use]
    pub fn first(mut self, count: u64) -> Self {
        self.trigger = Trigger::First(count);
        self
    }

    /// Only each `count`-th matching call.
    #[must_use]
    pub fn every(mut self, count: u64) -> Self {
        self.trigger = Trigger::Every(count);
        self
    }

    /// Reads the JSON form, `{"kind":"throttle","operation":"GetTables","first":3}`, or the text form as a string.
    pub fn from_value(value: &Value) -> Result<Self, FaultError> {
        if let Value::String(text) = value {
            return text.parse();
        }
        let members: Map<String, Value> = Map::deserialize(value)?;
        let kind = FaultKind::deserialize(value)?;
        let known = serde_json::to_value(&kind)?;
        if let Some(name) = members.keys().find(|name| !RULE_MEMBERS.contains(&name.as_str()) && known.get(name).is_none()) {
            return Err(FaultError::Member { name: name.clone() });
        }
        let rule = Rule::deserialize(value)?;
        let trigger = match (rule.first, rule.every) {
            (Some(count), _) => Trigger::First(count),
            (None, Some(count)) => Trigger::Every(count),
            (None, None) => Trigger::Always,
        };
        let Rule { operation, catalog, database, domain, project, .. } = rule;
        Ok(Self { kind, operation, catalog, database, domain, project, trigger })
    }

    /// The JSON form that [`Fault::from_value`] reads.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = serde_json::to_value(&self.kind).unwrap_or_default();
        let (first, every) = match self.trigger {
            Trigger::Always => (None, None),
            Trigger::First(count) => (Some(count), None),
            Trigger::Every(count) => (None, Some(count)),
        };
        let rule = Rule {
            operation: self.operation.clone(),
            catalog: self.catalog.clone(),
            database: self.database.clone(),
            domain: self.domain.clone(),
            project: self.project.clone(),
            first,
            every,
        };
        if let (Some(members), Ok(Value::Object(rule))) = (value.as_object_mut(), serde_json::to_value(rule)) {
            members.extend(rule.into_iter().filter(|(_, value)| !value.is_null()));
        }
        value
    }

    fn matches(&self, call: &FaultedCall<'_>) -> bool {
        let bare = self.operation.as_deref().map(|name| name.rsplit(':').next().unwrap_or(name));
        bare.is_none_or(|name| name == call.operation)
            && self.catalog.as_deref().is_none_or(|name| Some(name) == call.catalog)
            && self.database.as_deref().is_none_or(|name| Some(name) == call.database)
            && self.domain.as_deref().is_none_or(|name| Some(name) == call.domain)
            && self.project.as_deref().is_none_or(|name| Some(name) == call.project)
            && self.kind.makes_sense_for(call)
    }
}

const RULE_MEMBERS: [&str; 8] = ["kind", "operation", "catalog", "database", "domain", "project", "first", "every"];

#[derive(Serialize, Deserialize)]
struct Rule {
    operation: Option<String>,
    catalog: Option<String>,
    database: Option<String>,
    domain: Option<String>,
    project: Option<String>,
    first: Option<u64>,
    every: Option<u64>,
}

/// `kind` or `kind:name=value,name=value`, e.g. `slow:operation=GetTables,delay_ms=200,every=5`.
impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let mut members = Map::new();
        members.insert("kind".to_owned(), Value::from(kind));
        for part in rest.split(',').filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(FaultError::Part { text: text.to_owned(), part: part.to_owned() });
            };
            let value = value.parse::<u64>().map_or_else(|_| Value::from(value), Value::from);
            members.insert(name.to_owned(), value);
        }
        Self::from_value(&Value::Object(members))
    }
}

/// What a call looks like to the fault rules.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FaultedCall<'c> {
    pub(crate) operation: &'c str,
    pub(crate) catalog: Option<&'c str>,
    pub(crate) database: Option<&'c str>,
    pub(crate) domain: Option<&'c str>,
    pub(crate) project: Option<&'c str>,
    /// `searchScope`.
    pub(crate) scope: Option<&'c str>,
    pub(crate) page: PageKind,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PageKind {
    #[default]
    First,
    Later,
}

impl FaultKind {
    // A rule that cannot have an effect at this call must not use up its count.
    fn makes_sense_for(&self, call: &FaultedCall<'_>) -> bool {
        match self {
            Self::DropTableAfterFirstPage { .. } => call.operation == "GetTables" && call.page == PageKind::First,
            Self::DatabaseVanishes => call.operation == "GetTables" && call.page == PageKind::Later,
            Self::RepeatToken | Self::RepeatedItem | Self::SkippedItem => call.page == PageKind::Later,
            Self::DropAssetAfterFirstPage { .. } => {
                let is_of_assets = call.operation == "SearchListings" || call.scope == Some("ASSET");
                is_of_assets && call.page == PageKind::First
            }
            Self::PackedPolicyTooLarge => call.operation == "AssumeRole",
            Self::Throttle
            | Self::RateLimit { .. }
            | Self::Internal
            | Self::DeniedByIam
            | Self::DeniedByLakeFormation
            | Self::DeniedByDataZone
            | Self::ExpiredToken
            | Self::Error { .. }
            | Self::Slow { .. }
            | Self::TruncatedBody
            | Self::MalformedJson
            | Self::HtmlError
            | Self::ConnectionReset
            | Self::EmptyPage
            | Self::ShortPage { .. } => true,
        }
    }
}
