//! Who is asking, and what they may do.
//!
//! Passwords, tokens and the limit on guessing are separate modules that know nothing of HTTP; [`may`] is the only place
//! that decides what a role and a token's scope allow.

pub mod oidc;
pub mod password;
mod permission;
pub mod rate_limit;
mod role;
pub mod token;

pub use permission::{Action, Owner, Refusal, Standing, may};
pub use role::{Principal, Role, Scope, TokenId, UnknownName, UserId, Via};
