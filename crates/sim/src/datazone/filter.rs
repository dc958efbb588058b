//! The filter clauses of searches: `filter`, `and`, `or`, over the attributes that the simulated searches know.

use serde_json::Value;

use super::DataZoneError;
use crate::account::FoundThing as Found;

/// A clause that can be asked about any item.
#[derive(Debug)]
pub(crate) enum Filter {
    Everything,
    And(Vec<Self>),
    Or(Vec<Self>),
    Text { attribute: &'static str, operator: Operator, value: String },
    CreationTime { operator: Operator, milliseconds: i64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Search,
}

const CREATION_TIME: &str = "creationTime";
/// What an attribute is called in a filter, and where a document has it.
const TEXT_ATTRIBUTES: [(&str, &str); 9] = [
    ("owningProjectId", "owningProjectId"),
    ("typeIdentifier", "typeIdentifier"),
    ("entityType", "entityType"),
    ("name", "name"),
    ("id", "id"),
    ("listingId", "listingId"),
    ("entityId", "entityId"),
    ("glossaryId", "glossaryId"),
    ("status", "status"),
];

impl Filter {
    /// Reads a clause; nothing is everything.
    pub(crate) fn parse(clause: Option<&Value>) -> Result<Self, DataZoneError> {
        let Some(members) = clause.and_then(Value::as_object) else { return Ok(Self::Everything) };
        if members.len() != 1 {
            return Err(DataZoneError::validation("A filter clause must have exactly one of filter, and, or"));
        }
        if let Some(filter) = members.get("filter") {
            return Self::parse_one(filter);
        }
        let parse_all = |member: &str| -> Result<Vec<Self>, DataZoneError> {
            let clauses = members.get(member).and_then(Value::as_array).into_iter().flatten();
            clauses.map(|clause| Self::parse(Some(clause))).collect()
        };
        if members.contains_key("and") { parse_all("and").map(Self::And) } else { parse_all("or").map(Self::Or) }
    }

    fn parse_one(filter: &Value) -> Result<Self, DataZoneError> {
        let name = filter["attribute"].as_str().unwrap_or_default();
        let operator = Operator::parse(filter.get("operator").and_then(Value::as_str));
        if name == CREATION_TIME {
            let milliseconds = filter.get("intValue").and_then(Value::as_i64);
            let milliseconds = milliseconds.ok_or_else(|| DataZoneError::validation("creationTime is filtered by intValue"))?;
            return Ok(Self::CreationTime { operator, milliseconds });
        }
        let Some((_, attribute)) = TEXT_ATTRIBUTES.iter().find(|(known, _)| *known == name) else {
            return Err(DataZoneError::validation(format!("Attribute '{name}' cannot be filtered by")));
        };
        let value = filter.get("value").and_then(Value::as_str);
        let value = value.ok_or_else(|| DataZoneError::validation(format!("{name} is filtered by value")))?;
        Ok(Self::Text { attribute, operator, value: value.to_owned() })
    }

    pub(crate) fn matches(&self, found: &Found<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::And(clauses) => clauses.iter().all(|clause| clause.matches(found)),
            Self::Or(clauses) => clauses.iter().any(|clause| clause.matches(found)),
            Self::Text { attribute, operator: Operator::Search, value } => {
                found.text(attribute).to_lowercase().contains(&value.to_lowercase())
            }
            Self::Text { attribute, operator, value } => operator.holds(&*found.text(attribute), value.as_str()),
            Self::CreationTime { operator, milliseconds } => operator.holds(&found.created_ms(), milliseconds),
        }
    }
}

impl Operator {
    fn parse(name: Option<&str>) -> Self {
        match name {
            Some("LT") => Self::Less,
            Some("LE") => Self::LessOrEqual,
            Some("GT") => Self::Greater,
            Some("GE") => Self::GreaterOrEqual,
            Some("TEXT_SEARCH") => Self::Search,
            _ => Self::Equal,
        }
    }

    fn holds<T: PartialOrd + ?Sized>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal | Self::Search => left == right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}
