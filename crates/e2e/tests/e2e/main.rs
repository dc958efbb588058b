//! The real program, from outside: what it prints, what it writes, how it exits. It talks to a simulated AWS on loopback, to moto,
//! and to hosts inside network namespaces of its own. Nothing here leaves the machine.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod control_plane;
#[cfg(test)]
mod control_plane_api;
#[cfg(test)]
mod control_plane_faults;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod input;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod moto;
#[cfg(test)]
mod network;
#[cfg(test)]
mod odd;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod runtime;
#[cfg(test)]
mod runtime_encrypted;
#[cfg(test)]
mod runtime_faults;
#[cfg(test)]
mod server_questions;
#[cfg(test)]
mod single_sign_on;
#[cfg(test)]
mod studio;
#[cfg(test)]
mod studio_faults;
#[cfg(test)]
mod studio_lifecycle;
#[cfg(test)]
mod twins;
