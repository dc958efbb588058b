//! The control plane: everything that `isinglass serve` is, as a library.

mod api;
pub mod auth;
pub mod clock;
pub mod config;
mod credential;
pub mod http;
pub mod listener;
pub mod metrics;
pub mod openapi;
mod operations;
pub mod outbound;
mod protocol;
pub mod randomness;
pub mod rotation;
pub mod router;
pub mod schedule;
pub mod sealing;
pub mod serve;
pub mod shutdown;
pub mod start;
pub mod state;
pub mod telemetry;
pub mod tls;
pub mod webhook;
pub mod work;
