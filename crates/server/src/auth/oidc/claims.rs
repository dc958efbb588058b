//! What the provider says of a person, and the role that follows from it.

use std::collections::BTreeMap;

use openidconnect::core::CoreGenderClaim;
use openidconnect::{AdditionalClaims, EndUserName, IdTokenClaims, LocalizedClaim, UserInfoClaims};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::RoleGrant;

use crate::auth::role::Role;

/// How many groups of a person are looked at.
const ROLE_VALUES_MAX: usize = 1000;

/// Claims that the standard does not name, such as groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct OtherClaims(BTreeMap<String, Value>);

impl AdditionalClaims for OtherClaims {}

pub(super) type Claims = IdTokenClaims<OtherClaims, CoreGenderClaim>;
pub(super) type UserInfo = UserInfoClaims<OtherClaims, CoreGenderClaim>;

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

    /// The role that applies, and whether it is for everybody or for new users only.
    #[must_use]
    pub fn grant(&self, values: &[String]) -> Option<RoleGrant> {
        let role = self.role_of(values)?.into();
        Some(if self.are_given() { RoleGrant::Ruled(role) } else { RoleGrant::Initial(role) })
    }

    /// Whether what the provider says decides roles at all.
    fn are_given(&self) -> bool {
        self.claim.is_some() && !self.mapping.is_empty()
    }

    fn values(&self, claims: &OtherClaims) -> Option<Vec<String>> {
        self.claim.as_deref().and_then(|name| values(&claims.0, name))
    }
}

/// What one answer of the provider says; it may say less than there is to know.
pub(super) struct Said {
    email: Option<(String, bool)>,
    name: Option<String>,
    preferred_username: Option<String>,
    /// Nothing where the claim is missing, which is not the same as somebody without groups.
    role_values: Option<Vec<String>>,
}

impl Said {
    pub(super) fn in_id_token(claims: &Claims, rules: &RoleRules) -> Self {
        let email = claims.email().map(|email| (email.as_str().to_owned(), claims.email_verified().unwrap_or(false)));
        let preferred_username = claims.preferred_username().map(|name| name.as_str().to_owned());
        let name = claims.name().and_then(without_language);
        Self { email, name, preferred_username, role_values: rules.values(claims.additional_claims()) }
    }

    pub(super) fn at_userinfo(claims: &UserInfo, rules: &RoleRules) -> Self {
        let email = claims.email().map(|email| (email.as_str().to_owned(), claims.email_verified().unwrap_or(false)));
        let preferred_username = claims.preferred_username().map(|name| name.as_str().to_owned());
        let name = claims.name().and_then(without_language);
        Self { email, name, preferred_username, role_values: rules.values(claims.additional_claims()) }
    }

    /// Whether role and name follow from it: by the standard, an ID token need not hold what scopes ask for.
    pub(super) fn is_enough(&self, rules: &RoleRules) -> bool {
        let knows_a_name = self.preferred_username.is_some() || self.email.as_ref().is_some_and(|(_, is_verified)| *is_verified);
        let knows_the_role = self.role_values.is_some() || !rules.are_given();
        knows_a_name && knows_the_role
    }

    /// What this says, and where it says nothing, the other.
    pub(super) fn or(self, other: Self) -> Self {
        let email = match (self.email, other.email) {
            (Some((_, false)), Some(other)) if other.1 => Some(other),
            (mine, others) => mine.or(others),
        };
        Self {
            email,
            name: self.name.or(other.name),
            preferred_username: self.preferred_username.or(other.preferred_username),
            role_values: self.role_values.or(other.role_values),
        }
    }

    /// Of whom the ID token is.
    pub(super) fn of(self, id_token: &Claims) -> VerifiedClaims {
        VerifiedClaims {
            issuer: id_token.issuer().to_string(),
            subject: id_token.subject().to_string(),
            email_verified: self.email.as_ref().is_some_and(|(_, is_verified)| *is_verified),
            email: self.email.map(|(address, _)| address),
            name: self.name,
            preferred_username: self.preferred_username,
            role_values: self.role_values.unwrap_or_default(),
        }
    }
}

/// The name without a language, or the first of any.
fn without_language(claim: &LocalizedClaim<EndUserName>) -> Option<String> {
    claim.get(None).or_else(|| claim.iter().next().map(|(_language, name)| name)).map(|name| name.as_str().to_owned())
}

/// A claim of exactly this name, as names may hold dots, or else a path into objects. One text counts as a list of one. Nothing when
/// there is no such claim.
fn values(claims: &BTreeMap<String, Value>, name: &str) -> Option<Vec<String>> {
    let found = claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |value, part| value.get(part))
    });
    match found? {
        Value::String(value) => Some(vec![value.clone()]),
        Value::Array(values) => Some(values.iter().filter_map(Value::as_str).take(ROLE_VALUES_MAX).map(str::to_owned).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use store::RoleGrant;

    use super::{RoleRules, values};
    use crate::auth::role::Role;

    #[test]
    fn values_are_found_by_name_or_by_path_as_list_or_text() {
        let claims: BTreeMap<String, serde_json::Value> = serde_json::from_value(serde_json::json!({
            "groups": ["a", 1, "b"], "role": "c", "realm_access": {"roles": ["d"]}, "https://x.test/roles": ["e"], "n": 5,
            "empty": []
        }))
        .unwrap();
        let found = |name| values(&claims, name).map(|values| values.join(" "));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!((found("groups"), found("role"), found("realm_access.roles")), (some("a b"), some("c"), some("d")));
        assert_eq!(
            (found("https://x.test/roles"), found("empty"), found("n"), found("none"), found("groups.a")),
            (some("e"), some(""), None, None, None)
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
        // Where nothing of what the provider says decides, the role is one to begin with.
        let unruled = RoleRules { mapping: BTreeMap::new(), ..open.clone() };
        assert_eq!(open.grant(&[]), Some(RoleGrant::Ruled(store::Role::Viewer)));
        assert_eq!(unruled.grant(&["staff".to_owned()]), Some(RoleGrant::Initial(store::Role::Viewer)));
    }
}
