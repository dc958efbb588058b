//! The control plane: everything that `isinglass serve` is, as a library.

pub mod config;
pub mod listener;
pub mod shutdown;
pub mod tls;
