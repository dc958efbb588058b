//! Numbers of what the control plane keeps. None is ever given to something else.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {
        $(
            #[$doc]
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub i64);

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{}", self.0)
                }
            }
        )+
    };
}

id! {
    /// The number of a user.
    UserId,
    /// The number of an API token.
    TokenId,
    /// The number of a stored credential.
    CredentialId,
    /// The number of an entry of the audit log.
    AuditId,
}
