//! Every kind of store against a stand-in on loopback that answers as the vendor's published interface says.

mod aws;
mod azure;
mod canary;
mod google;
mod harness;
mod kubernetes;
mod local;
mod reference;
mod server;
mod stand_ins;
mod suite;
mod transport;
mod vault;
