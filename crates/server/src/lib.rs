//! The control plane: everything that `isinglass serve` is, as a library.

pub mod config;
