//! The real program against a small control plane on loopback and a simulated AWS: what crosses, what stays, what survives a kill.

mod control_plane;
mod crawls;
mod lifecycle;
mod process;
mod secrecy;
