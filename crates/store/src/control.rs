//! What the control plane knows besides the catalog: people, how they prove who they are, what is secret, and who did what.
//!
//! Every change names its author ([`Audit`]) and is written together with its entry in the audit log, in one transaction. Only
//! housekeeping has none: that a session was seen, that something which had expired was deleted, that a request is being worked on.

pub(crate) mod audit;
mod audit_log;
mod bootstrap;
mod credential;
mod credential_write;
mod guard;
mod idempotency;
mod ids;
mod page;
mod rewrap;
mod secret;
mod session;
mod setup;
mod text;
mod token;
mod token_find;
mod user;
mod user_write;

pub use audit::{Actor, Audit, AuditEvent, AuditTarget, AuditVia};
pub use audit_log::{AuditEntry, AuditFilter};
pub use bootstrap::{Bootstrap, BootstrapToken};
pub use credential::{Credential, StoredSecret};
pub use credential_write::{CredentialEdit, NewCredential, SecretEdit};
pub use idempotency::{Answer, Claim, IdempotencyKey, RequestHash};
pub use ids::{AuditId, CredentialId, TokenId, UserId};
pub use page::{Page, PageRequest};
pub use secret::{PasswordHash, SealedSecret, SecretHash};
pub use session::{NewSession, Session, SignedIn};
pub use setup::{NewAdministrator, NewSetupLink};
pub use token::{NewToken, Token};
pub use token_find::TokenOwner;
pub use user::{OidcIdentity, Role, User, UserState};
pub use user_write::{NewUser, OidcSignIn, UserEdit};

/// Rows that one pruning deletes at most, so that others are not kept waiting: what is left goes with the next one.
const PRUNED_ROWS_MAX: i64 = 10_000;

/// How often it is written down that a session or a token is in use, milliseconds.
const SEEN_EVERY_MS: i64 = 60_000;
