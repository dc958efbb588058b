//! The only crate that talks to AWS: credentials, the read-only gate, the network guard, rate limits, evidence.
//!
//! A [`Client`] implements [`connector::port::ReadApi`]. Every request takes the same way: gate, limiter, credentials,
//! signature, one guarded connection, a bounded read, classification, and one pure decision about a retry. What happened on
//! that way is in the [`Evidence`] of the run.

mod call;
mod classify;
mod clock;
mod credentials;
mod egress;
mod endpoint;
mod environment;
mod evidence;
mod gate;
mod limiter;
mod network;
mod policy_document;
mod retry;
mod settings;
mod sign;
mod wire;

mod client;
#[cfg(test)]
mod testing;

pub use client::{CallerIdentity, Client, SessionScope, SignIn, Surroundings};
pub use clock::{Clock, Random};
pub use credentials::profiles::default_region;
pub use egress::{EgressMode, EgressRule, egress};
pub use endpoint::region::{Partition, Region, RegionError};
pub use endpoint::{AwsService, EndpointError, HostVariant, host};
pub use environment::Environment;
pub use evidence::{Evidence, EvidenceSnapshot};
pub use network::policy::{NetworkMode, NetworkPolicy};
pub use network::proxy::ProxyError;
pub use network::resolve::{Resolve, ResolveFuture, SystemResolver};
pub use network::tls::{TlsError, install_default_provider};
pub use policy_document::{
    Feature, PolicyPlace, TrustParty, endpoint_policy, permission_policy, secrets_policy, session_policy, trust_policy,
};
pub use settings::{AssumeRole, AssumeRoleError, ConnectError, CredentialSource, Settings, StaticKeys, default_session_name};
