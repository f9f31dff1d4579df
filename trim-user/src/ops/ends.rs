//! Endpoints of flows in words.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use trim_common::flow::{Direction, FlowKey};

fn address(octets: [u8; 16], port: u16) -> SocketAddr {
    let address = Ipv6Addr::from(octets);
    let address = address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4);
    SocketAddr::new(address, port)
}

/// Sender and receiver of a segment of `flow` that goes in `direction`.
pub(super) fn ends(flow: &FlowKey, direction: Direction) -> (SocketAddr, SocketAddr) {
    let low = address(flow.low_address, flow.low_port);
    let high = address(flow.high_address, flow.high_port);
    match direction {
        Direction::Up => (low, high),
        Direction::Down => (high, low),
    }
}
