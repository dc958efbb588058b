//! The words of authorisation: roles, scopes, and the person or program that asks.

use std::fmt;
use std::str::FromStr;

pub use store::{TokenId, UserId};

/// What a user may do at most. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads the catalog, connections, workflows and runs.
    Viewer,
    /// Enriches assets and creates connections; edits those it is an administrator of.
    Member,
    /// Everything.
    Administrator,
}

/// What a token may do at most, whatever its user's role. Each scope allows what those before it allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Looks.
    Read,
    /// Changes connections, workflows and enrichment; runs workflows.
    Write,
    /// Manages users and tokens, reads the audit log.
    Admin,
}

/// A text that names no role or no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no {kind}: write one of {expected}")]
pub struct UnknownName {
    found: String,
    kind: &'static str,
    expected: &'static str,
}

impl From<store::Role> for Role {
    fn from(role: store::Role) -> Self {
        match role {
            store::Role::Viewer => Self::Viewer,
            store::Role::Member => Self::Member,
            store::Role::Administrator => Self::Administrator,
        }
    }
}

impl From<Role> for store::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Member => Self::Member,
            Role::Administrator => Self::Administrator,
        }
    }
}

impl Role {
    /// As the API and the database spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Administrator => "administrator",
        }
    }

    /// The largest scope that is worth giving to a token of such a user.
    #[must_use]
    pub fn scope_max(self) -> Scope {
        match self {
            Self::Viewer => Scope::Read,
            Self::Member => Scope::Write,
            Self::Administrator => Scope::Admin,
        }
    }
}

impl Scope {
    /// As the API and the database spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        [Self::Viewer, Self::Member, Self::Administrator]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownName { found: text.to_owned(), kind: "role", expected: "viewer, member, administrator" })
    }
}

impl FromStr for Scope {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        [Self::Read, Self::Write, Self::Admin].into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| UnknownName {
            found: text.to_owned(),
            kind: "scope",
            expected: "read, write, admin",
        })
    }
}

/// How a request proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A browser's session: the user is there in person.
    Session,
    /// An API token.
    Token(TokenId),
}

/// Whoever asks, known for certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The user.
    pub user_id: UserId,
    /// The user's name, for messages and the audit log.
    pub name: String,
    /// The user's role now, not when the token was made.
    pub role: Role,
    /// The scopes of the token; a session has all.
    pub scopes: Vec<Scope>,
    /// How it was proved.
    pub via: Via,
}

impl Principal {
    /// A user in person: the role alone decides.
    #[must_use]
    pub fn in_person(user_id: UserId, name: impl Into<String>, role: Role) -> Self {
        Self { user_id, name: name.into(), role, scopes: vec![Scope::Read, Scope::Write, Scope::Admin], via: Via::Session }
    }

    /// The largest scope.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        self.scopes.iter().copied().max()
    }
}

#[cfg(test)]
mod tests {
    use super::{Role, Scope};

    #[test]
    fn roles_and_scopes_survive_their_text_and_others_are_refused_with_the_choices() {
        for role in [Role::Viewer, Role::Member, Role::Administrator] {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        for scope in [Scope::Read, Scope::Write, Scope::Admin] {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        assert_eq!(
            "root".parse::<Role>().unwrap_err().to_string(),
            "`root` is no role: write one of viewer, member, administrator"
        );
        assert_eq!("Read".parse::<Scope>().unwrap_err().to_string(), "`Read` is no scope: write one of read, write, admin");
    }
}
