//! Faults on demand: what goes wrong, where, and how often. Firing is counted, never random, so that a failing test repeats.

use std::collections::HashMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

const RULES_MAX: usize = 1_000;

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
    trigger: Trigger,
}

/// A fault description that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    #[error("fault `{text}`: `{part}` is not NAME=VALUE; write e.g. `throttle:operation=GetTables,first=3`")]
    Part { text: String, part: String },
    #[error("fault member `{name}` is not known; use operation, catalog, database, first, every or a member of the kind")]
    Member { name: String },
    #[error("fault cannot be read; see `FaultKind` for kinds and their members")]
    Shape(#[from] serde_json::Error),
}

impl Fault {
    /// A fault that fires at every call of every operation it makes sense for.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, operation: None, catalog: None, database: None, trigger: Trigger::Always }
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
        Ok(Self { kind, operation: rule.operation, catalog: rule.catalog, database: rule.database, trigger })
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
            && self.kind.makes_sense_for(call)
    }
}

const RULE_MEMBERS: [&str; 6] = ["kind", "operation", "catalog", "database", "first", "every"];

#[derive(Serialize, Deserialize)]
struct Rule {
    operation: Option<String>,
    catalog: Option<String>,
    database: Option<String>,
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct FaultedCall<'c> {
    pub(crate) operation: &'c str,
    pub(crate) catalog: Option<&'c str>,
    pub(crate) database: Option<&'c str>,
    pub(crate) page: PageKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageKind {
    First,
    Later,
}

impl FaultKind {
    // A rule that cannot have an effect at this call must not use up its count.
    fn makes_sense_for(&self, call: &FaultedCall<'_>) -> bool {
        match self {
            Self::DropTableAfterFirstPage { .. } => call.operation == "GetTables" && call.page == PageKind::First,
            Self::DatabaseVanishes => call.operation == "GetTables" && call.page == PageKind::Later,
            Self::RepeatToken => call.page == PageKind::Later,
            Self::PackedPolicyTooLarge => call.operation == "AssumeRole",
            Self::Throttle
            | Self::RateLimit { .. }
            | Self::Internal
            | Self::DeniedByIam
            | Self::DeniedByLakeFormation
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

/// The faults that fire at one call.
pub(crate) type Fired = Vec<FaultKind>;

/// All rules with their counters.
#[derive(Debug, Default)]
pub(crate) struct FaultTable {
    rules: Vec<Counted>,
}

#[derive(Debug)]
struct Counted {
    fault: Fault,
    matched: u64,
    buckets: HashMap<String, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled_ms: i64,
}

impl FaultTable {
    /// Replaces all rules; counters start at zero. What exceeds the bound is left out.
    pub(crate) fn set(&mut self, faults: Vec<Fault>) {
        self.rules = faults.into_iter().take(RULES_MAX).map(Counted::new).collect();
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        if self.rules.len() < RULES_MAX {
            self.rules.push(Counted::new(fault));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub(crate) fn to_value(&self) -> Value {
        let shown = |rule: &Counted| {
            let mut value = rule.fault.to_value();
            value["matched"] = Value::from(rule.matched);
            value
        };
        self.rules.iter().map(shown).collect()
    }

    pub(crate) fn fire(&mut self, call: &FaultedCall<'_>, now_ms: i64) -> Fired {
        let matching = self.rules.iter_mut().filter(|rule| rule.fault.matches(call));
        matching.filter_map(|rule| rule.fire(call, now_ms)).collect()
    }
}

impl Counted {
    fn new(fault: Fault) -> Self {
        Self { fault, matched: 0, buckets: HashMap::new() }
    }

    fn fire(&mut self, call: &FaultedCall<'_>, now_ms: i64) -> Option<FaultKind> {
        self.matched += 1;
        let due = match self.fault.trigger {
            Trigger::Always => true,
            Trigger::First(count) => self.matched <= count,
            Trigger::Every(count) => count > 0 && self.matched.is_multiple_of(count),
        };
        if let FaultKind::RateLimit { per_second } = self.fault.kind {
            let within = self.take_token(call.operation, f64::from(per_second), now_ms);
            return (due && !within).then_some(FaultKind::Throttle);
        }
        due.then(|| self.fault.kind.clone())
    }

    fn take_token(&mut self, operation: &str, per_second: f64, now_ms: i64) -> bool {
        let full = Bucket { tokens: per_second, filled_ms: now_ms };
        let bucket = self.buckets.entry(operation.to_owned()).or_insert(full);
        let elapsed_ms = u32::try_from(now_ms.saturating_sub(bucket.filled_ms)).unwrap_or(0);
        bucket.tokens = (bucket.tokens + per_second * f64::from(elapsed_ms) / 1_000.0).min(per_second);
        bucket.filled_ms = now_ms;
        let within = bucket.tokens >= 1.0;
        if within {
            bucket.tokens -= 1.0;
        }
        within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: FaultedCall<'_> =
        FaultedCall { operation: "GetTables", catalog: None, database: Some("sales"), page: PageKind::First };

    fn fired(table: &mut FaultTable, times: usize) -> Vec<bool> {
        (0..times).map(|_| !table.fire(&CALL, 0).is_empty()).collect()
    }

    #[test]
    fn text_and_json_forms_read_the_same_rule() {
        let expected = Fault::new(FaultKind::Slow { delay_ms: 20 }).on("GetTables").in_database("sales").every(5);
        let text: Fault = "slow:operation=GetTables,database=sales,every=5,delay_ms=20".parse().expect("text form");
        assert_eq!(text, expected);
        assert_eq!(Fault::from_value(&expected.to_value()).expect("JSON form"), expected);
    }

    #[test]
    fn misspelt_members_and_kinds_are_refused() {
        for text in ["throttle:operations=GetTables", "trottle", "throttle:first", "slow"] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }

    #[test]
    fn triggers_count_matching_calls_only() {
        let mut table = FaultTable::default();
        table.set(vec![Fault::new(FaultKind::Internal).on("GetTables").first(2)]);
        table.fire(&FaultedCall { operation: "GetDatabases", ..CALL }, 0);
        assert_eq!(fired(&mut table, 3), [true, true, false]);
        table.set(vec![Fault::new(FaultKind::Internal).in_database("sales").every(2)]);
        table.fire(&FaultedCall { database: None, ..CALL }, 0);
        assert_eq!(fired(&mut table, 4), [false, true, false, true]);
    }

    #[test]
    fn rate_limit_refills_with_time_and_counts_each_operation_apart() {
        let mut table = FaultTable::default();
        table.set(vec![Fault::new(FaultKind::RateLimit { per_second: 2 })]);
        assert_eq!(fired(&mut table, 3), [false, false, true]);
        assert!(table.fire(&FaultedCall { operation: "GetJobs", ..CALL }, 0).is_empty());
        assert!(table.fire(&CALL, 500).is_empty());
        assert_eq!(table.fire(&CALL, 500), [FaultKind::Throttle]);
    }

    #[test]
    fn vanishing_database_waits_for_a_later_page() {
        let mut table = FaultTable::default();
        table.set(vec![Fault::new(FaultKind::DatabaseVanishes).first(1)]);
        assert!(table.fire(&CALL, 0).is_empty());
        assert_eq!(table.fire(&FaultedCall { page: PageKind::Later, ..CALL }, 0), [FaultKind::DatabaseVanishes]);
    }
}
