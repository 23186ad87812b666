//! A free TCP port for the API server.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use crate::error::Error;

const TRIES: u32 = 200;

/// A port on 127.0.0.1 that nobody listens on at this moment.
///
/// It lies below the range from which the system takes the ports of outgoing connections. Else,
/// while the API server is stopped, a client's own connection attempt could be given that very
/// port, and connect to itself.
///
/// Between this check and the start of the server another program can take the port; the caller
/// then tries again with another one.
///
/// # Errors
/// [`Error::NoFreePort`] if every port that was tried is taken.
pub(crate) fn free_port() -> Result<u16, Error> {
    let range = below_outgoing(
        fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
            .ok()
            .as_deref(),
    );
    (0..TRIES)
        .map(|_| fastrand::u16(range.clone()))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or(Error::NoFreePort { tries: TRIES })
}

/// The ports to choose from, given the two numbers of `ip_local_port_range`.
fn below_outgoing(setting: Option<&str>) -> Range<u16> {
    const DEFAULT: Range<u16> = 16_000..32_768;
    let first_outgoing = setting.and_then(|text| text.split_whitespace().next()?.parse().ok());
    match first_outgoing {
        // 10000 and up: below are many well-known ports of servers that start later.
        Some(first) if first > 12_000 => 10_000..first,
        // The machine gives away nearly all ports; then any choice is as good.
        Some(_) | None => DEFAULT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_outgoing_connections_are_avoided() {
        assert_eq!(below_outgoing(Some("32768\t60999\n")), 10_000..32_768);
        assert_eq!(below_outgoing(Some("1024 65535")), 16_000..32_768);
        assert_eq!(below_outgoing(Some("?")), 16_000..32_768);
        assert_eq!(below_outgoing(None), 16_000..32_768);
    }

    #[test]
    fn a_free_port_can_be_bound() {
        let port = free_port().unwrap();
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    }
}
