//! What the provider says of a person, and the role that follows from it.

use std::collections::BTreeMap;

use openidconnect::core::CoreGenderClaim;
use openidconnect::{AdditionalClaims, EndUserName, IdTokenClaims, LocalizedClaim};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::auth::role::Role;

/// How many groups of a person are looked at.
const ROLE_VALUES_MAX: usize = 1000;

/// Claims that the standard does not name, such as groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct OtherClaims(BTreeMap<String, Value>);

impl AdditionalClaims for OtherClaims {}

pub(super) type Claims = IdTokenClaims<OtherClaims, CoreGenderClaim>;

/// Who signed in. Issuer and subject together name a person for ever; all else may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedClaims {
    /// The provider.
    pub issuer: String,
    /// The person there.
    pub subject: String,
    /// An address, not necessarily the person's.
    pub email: Option<String>,
    /// Whether the provider has verified the address. Without it the address proves nothing.
    pub email_verified: bool,
    /// For people.
    pub name: Option<String>,
    /// A short name; not unique over time.
    pub preferred_username: Option<String>,
    /// The values of the claim that decides the role.
    pub role_values: Vec<String>,
}

/// Which role somebody gets by what the provider says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleRules {
    /// The claim that holds groups or roles: `groups`, or a path such as `realm_access.roles`.
    pub claim: Option<String>,
    /// Values of it and the role that each gives. The largest role counts.
    pub mapping: BTreeMap<String, Role>,
    /// For everybody whom the provider lets in. Without it, only those whom the mapping names may sign in.
    pub everybody: Option<Role>,
}

impl RoleRules {
    /// The largest role that applies.
    #[must_use]
    pub fn role_of(&self, values: &[String]) -> Option<Role> {
        values.iter().filter_map(|value| self.mapping.get(value)).copied().max().max(self.everybody)
    }
}

pub(super) fn verified(claims: &Claims, rules: &RoleRules) -> VerifiedClaims {
    let role_values = rules.claim.as_deref().map(|name| values(&claims.additional_claims().0, name)).unwrap_or_default();
    VerifiedClaims {
        issuer: claims.issuer().to_string(),
        subject: claims.subject().to_string(),
        email: claims.email().map(|email| email.as_str().to_owned()),
        email_verified: claims.email_verified().unwrap_or(false),
        name: claims.name().and_then(without_language),
        preferred_username: claims.preferred_username().map(|name| name.as_str().to_owned()),
        role_values,
    }
}

/// The name without a language, or the first of any.
fn without_language(claim: &LocalizedClaim<EndUserName>) -> Option<String> {
    claim.get(None).or_else(|| claim.iter().next().map(|(_language, name)| name)).map(|name| name.as_str().to_owned())
}

/// A claim of exactly this name, as names may hold dots, or else a path into objects. One text counts as a list of one.
fn values(claims: &BTreeMap<String, Value>, name: &str) -> Vec<String> {
    let found = claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |value, part| value.get(part))
    });
    match found {
        Some(Value::String(value)) => vec![value.clone()],
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).take(ROLE_VALUES_MAX).map(str::to_owned).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{RoleRules, values};
    use crate::auth::role::Role;

    #[test]
    fn values_are_found_by_name_or_by_path_as_list_or_text() {
        let claims: BTreeMap<String, serde_json::Value> = serde_json::from_value(serde_json::json!({
            "groups": ["a", 1, "b"], "role": "c", "realm_access": {"roles": ["d"]}, "https://x.test/roles": ["e"], "n": 5
        }))
        .unwrap();
        let found = |name| values(&claims, name).join(" ");
        assert_eq!((found("groups"), found("role"), found("realm_access.roles")), ("a b".into(), "c".into(), "d".into()));
        assert_eq!(
            (found("https://x.test/roles"), found("n"), found("none"), found("groups.a")),
            ("e".into(), "".into(), "".into(), "".into())
        );
    }

    #[test]
    fn the_largest_role_counts_and_strangers_get_none() {
        let mapping = BTreeMap::from([("admins".to_owned(), Role::Administrator), ("staff".to_owned(), Role::Member)]);
        let rules = RoleRules { claim: Some("groups".to_owned()), mapping, everybody: None };
        let role = |rules: &RoleRules, values: &[&str]| rules.role_of(&values.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(role(&rules, &["staff", "admins"]), Some(Role::Administrator));
        assert_eq!((role(&rules, &["staff", "x"]), role(&rules, &["Staff"]), role(&rules, &[])), (Some(Role::Member), None, None));
        let open = RoleRules { everybody: Some(Role::Viewer), ..rules };
        assert_eq!((role(&open, &[]), role(&open, &["staff"])), (Some(Role::Viewer), Some(Role::Member)));
    }
}
