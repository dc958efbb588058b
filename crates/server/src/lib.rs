//! The control plane: everything that `isinglass serve` is, as a library.

pub mod config;
pub mod http;
pub mod listener;
pub mod shutdown;
pub mod tls;
