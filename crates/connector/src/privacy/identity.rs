//! Identities: roles are structure, people are not.

use serde::Deserialize;

use super::{MaskedCounts, MaskedPlace, Text, scrub};

/// Who made something: the ARN of a user or session, a login, an e-mail address.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Person<'a>(#[serde(borrow)] Text<'a>);

impl Person<'_> {
    /// The identity without the name of a person; what was cut is counted.
    pub(crate) fn person_free(&self, masked: &MaskedCounts) -> Option<String> {
        let kept = person_free(&self.0);
        masked.add(MaskedPlace::PersonName, u64::from(!self.0.is_empty() && kept.as_deref() != Some(&*self.0)));
        kept
    }

    /// The identity as it is, for those who asked for it.
    pub(crate) fn whole(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Person<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a person")
    }
}

/// Who a table belongs to: nearly always a technical user or a team, so kept unless it is an e-mail address.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Owner<'a>(#[serde(borrow)] Text<'a>);

impl Owner<'_> {
    /// The owner through the secret scanner, unless it is an e-mail address; what was cut is counted.
    pub(crate) fn person_free(&self, masked: &MaskedCounts) -> Option<String> {
        if self.0.contains('@') {
            masked.add(MaskedPlace::PersonName, 1);
            return None;
        }
        Some(self.whole(masked))
    }

    /// The owner through the secret scanner, for those who asked for names.
    pub(crate) fn whole(&self, masked: &MaskedCounts) -> String {
        let (owner, count) = scrub(&self.0);
        masked.add(MaskedPlace::FreeText, count);
        owner.into_owned()
    }
}

/// A role that a job or crawler runs as.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Role<'a>(#[serde(borrow)] Text<'a>);

impl<'a> From<Text<'a>> for Role<'a> {
    fn from(text: Text<'a>) -> Self {
        Self(text)
    }
}

impl Role<'_> {
    /// The role without a session name.
    pub(crate) fn reference(&self) -> Option<String> {
        role_reference(&self.0)
    }
}

/// An identity without the name of a person: session names are cut from assumed-role ARNs, user ARNs keep only that they are
/// a user, and anything that is no ARN (a login, an e-mail address) is left out.
fn person_free(identity: &str) -> Option<String> {
    if !identity.starts_with("arn:") {
        return None;
    }
    if let Some((before, after)) = identity.split_once(":assumed-role/") {
        let role = after.rsplit_once('/').map_or(after, |(role, _session)| role);
        return Some(format!("{before}:assumed-role/{role}"));
    }
    match identity.split_once(":user/").or_else(|| identity.split_once(":federated-user/")) {
        Some((before, _name)) => Some(format!("{before}:user/*")),
        None => Some(identity.to_owned()),
    }
}

/// A role as a job or crawler names it: an ARN or a plain name, never with a session name.
fn role_reference(role: &str) -> Option<String> {
    if role.is_empty() || role.contains('@') {
        return None;
    }
    if role.starts_with("arn:") { person_free(role) } else { Some(role.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_do_not_pass_and_roles_do() {
        for (identity, kept) in [
            ("arn:aws:sts::1:assumed-role/Admin/alice@example.com", Some("arn:aws:sts::1:assumed-role/Admin")),
            ("arn:aws:iam::1:user/alice", Some("arn:aws:iam::1:user/*")),
            ("arn:aws:iam::1:role/etl", Some("arn:aws:iam::1:role/etl")),
            ("alice@example.com", None),
            ("alice", None),
        ] {
            assert_eq!(person_free(identity).as_deref(), kept);
        }
        assert_eq!(role_reference("GlueServiceRole").as_deref(), Some("GlueServiceRole"));
    }
}
