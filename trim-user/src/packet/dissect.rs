//! Finds the TCP segment inside a frame.

use trim_common::flow::FlowKey;

use super::bytes::{array, be32};
use super::ip::{self, IpPacket};
use super::link::ip_offset;
use super::{Dissection, LinkType, TcpFlags, TcpLayout};

/// Dissects a frame of which `frame` was captured and `original_length` bytes were on the wire.
///
/// Damaged headers, other protocols and TCP headers that were not captured whole all give [`Dissection::Other`]: such
/// packets are never interpreted, so never changed.
#[inline]
pub fn dissect(link: LinkType, frame: &[u8], original_length: u32) -> Dissection {
    let Some(packet) = ip_offset(link, frame).and_then(|at| ip::innermost(frame, at, original_length as usize)) else {
        return Dissection::Other;
    };
    if !packet.is_tcp {
        return Dissection::Other;
    }
    if packet.is_fragment {
        return Dissection::Fragment;
    }
    tcp(frame, &packet).map_or(Dissection::Other, Dissection::Tcp)
}

/// The fixed part of a TCP header (RFC 9293 section 3.1), which must be captured whole.
#[inline]
fn tcp(frame: &[u8], ip: &IpPacket) -> Option<TcpLayout> {
    let fixed: [u8; 20] = array(frame, ip.transport)?;
    let header_length = usize::from(fixed[12] >> 4) * 4;
    let payload_offset = ip.transport + header_length;
    if header_length < 20 || payload_offset > frame.len() {
        return None;
    }
    let wire_payload = ip.end.checked_sub(payload_offset)?;
    let source_port = u16::from_be_bytes([fixed[0], fixed[1]]);
    let destination_port = u16::from_be_bytes([fixed[2], fixed[3]]);
    let (flow, direction) = FlowKey::new(ip.source, source_port, ip.destination, destination_port);
    Some(TcpLayout {
        flow,
        direction,
        l3_offset: narrow(ip.header)?,
        l4_offset: narrow(ip.transport)?,
        payload_offset: narrow(payload_offset)?,
        payload_end: narrow(ip.end.min(frame.len()))?,
        wire_payload: narrow(wire_payload)?,
        sequence: be32(&fixed, 4)?,
        acknowledgment: be32(&fixed, 8)?,
        flags: TcpFlags(fixed[13]),
    })
}

#[inline]
fn narrow(value: usize) -> Option<u32> {
    u32::try_from(value).ok()
}

/// Offset behind the last header of a frame that is no TCP segment: the eight bytes of a UDP or ICMP header, else the IP
/// header, else (no IP at all, such as ARP) the whole frame.
pub fn transport_end(link: LinkType, frame: &[u8], original_length: u32) -> usize {
    const SHORTEST_TRANSPORT_HEADER: usize = 8;
    ip_offset(link, frame)
        .and_then(|at| ip::innermost(frame, at, original_length as usize))
        .map_or(frame.len(), |packet| {
            frame.len().min(packet.transport + SHORTEST_TRANSPORT_HEADER)
        })
}
