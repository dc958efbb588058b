//! The way to the network: which addresses may be dialled, through which proxy, under which certificate.

pub(crate) mod connect;
pub(crate) mod fault;
pub(crate) mod policy;
pub(crate) mod proxy;
pub(crate) mod resolve;
pub(crate) mod stream;
pub(crate) mod tls;
