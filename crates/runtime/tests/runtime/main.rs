//! The real program against a small control plane on loopback and a simulated AWS: what crosses, what stays, what survives a kill.

#[cfg(test)]
mod control_plane;
#[cfg(test)]
mod crawls;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod process;
#[cfg(test)]
mod secrecy;
