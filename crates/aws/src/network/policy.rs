//! Which addresses may be dialled. Pure; the connector asks it for every resolved address.

use std::net::IpAddr;

use ipnet::IpNet;

/// How far connections may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkMode {
    /// Any address that can be a host.
    #[default]
    Public,
    /// RFC 1918 and ULA (RFC 4193) addresses, and what a CIDR lists.
    Private,
}

/// Which addresses may be dialled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkPolicy {
    /// How far connections may go.
    pub mode: NetworkMode,
    /// Ranges that count as private besides RFC 1918 and ULA: the only way for loopback, link-local, 100.64.0.0/10 and public
    /// addresses into private mode.
    pub private_cidrs: Vec<IpNet>,
}

impl NetworkPolicy {
    /// Whether an address may be dialled. IPv4 addresses mapped into IPv6 are judged as what they are.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
        if address.is_unspecified() || address.is_multicast() || is_broadcast {
            return false;
        }
        match self.mode {
            NetworkMode::Public => true,
            NetworkMode::Private => self.is_private(address),
        }
    }

    /// Whether an address counts as private, whatever the mode.
    #[must_use]
    pub fn is_private(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let by_range = match address {
            IpAddr::V4(v4) => v4.is_private(),
            IpAddr::V6(v6) => v6.is_unique_local(),
        };
        by_range || self.lists(address)
    }

    /// Whether a given CIDR lists an address.
    #[must_use]
    pub fn lists(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.private_cidrs.iter().any(|range| range.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(mode: NetworkMode, cidrs: &[&str]) -> NetworkPolicy {
        NetworkPolicy { mode, private_cidrs: cidrs.iter().map(|cidr| cidr.parse().unwrap()).collect() }
    }

    fn permits(policy: &NetworkPolicy, address: &str) -> bool {
        policy.permits(address.parse().unwrap())
    }

    #[test]
    fn private_mode_takes_rfc_1918_and_ula_only() {
        let private = policy(NetworkMode::Private, &[]);
        for inside in ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1", "::ffff:10.1.2.3"] {
            assert!(permits(&private, inside), "{inside}");
        }
        for outside in [
            "127.0.0.1",
            "::1",
            "169.254.169.254",
            "fe80::1",
            "100.64.0.1",
            "172.32.0.1",
            "172.15.255.255",
            "8.8.8.8",
            "2600::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            assert!(!permits(&private, outside), "{outside}");
        }
    }

    #[test]
    fn a_listed_range_opens_exactly_itself() {
        let listed = policy(NetworkMode::Private, &["100.64.0.0/10", "127.0.0.0/8", "2600:1::/32"]);
        for inside in ["100.64.0.1", "100.127.255.255", "127.0.0.1", "2600:1::5", "::ffff:127.0.0.1"] {
            assert!(permits(&listed, inside), "{inside}");
        }
        for outside in ["100.128.0.1", "::1", "2600:2::5", "169.254.169.254"] {
            assert!(!permits(&listed, outside), "{outside}");
        }
    }

    #[test]
    fn not_even_a_listed_range_opens_addresses_that_are_no_host() {
        let all = policy(NetworkMode::Private, &["0.0.0.0/0", "::/0"]);
        for never in ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"] {
            assert!(!permits(&all, never), "{never}");
        }
        assert!(permits(&all, "8.8.8.8"));
    }

    #[test]
    fn public_mode_takes_any_host_and_still_knows_what_is_private() {
        let public = policy(NetworkMode::Public, &[]);
        for any in ["8.8.8.8", "127.0.0.1", "10.0.0.1", "2600::1"] {
            assert!(permits(&public, any), "{any}");
        }
        assert!(!permits(&public, "0.0.0.0"));
        assert!(public.is_private("10.0.0.1".parse().unwrap()) && !public.is_private("127.0.0.1".parse().unwrap()));
    }
}
