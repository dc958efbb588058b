//! The control plane: everything that `isinglass serve` is, as a library.

pub mod auth;
pub mod outbound;
pub mod randomness;
pub mod schedule;
pub mod sealing;
pub mod webhook;
