//! A simulated AWS on loopback: Glue, DataZone and STS over real HTTP, with checked signatures, enforced session policies, faults on
//! demand and a record of everything that was asked. For the demonstration, tests and benchmarks; no product crate uses it.

mod account;
mod auth;
mod clock;
mod control;
mod datazone;
mod dispatch;
mod faults;
mod glue;
mod identity;
mod log;
mod payload;
mod policy;
mod running;
mod server;
mod sigv4;
mod sts;
mod tokens;
mod world;

pub use account::{Account, Collection, DomainMutation, ExpressionMatch, ExpressionRule, Mutation, MutationError, Settings, Thing};
pub use clock::Clock;
pub use datazone::Denial;
pub use faults::{Fault, FaultError, FaultKind, Trigger};
pub use identity::{Keys, Role};
pub use log::{Call, Requests};
pub use running::{Builder, Running, Simulation};
