//! IPv4 and IPv6 headers, extension headers and tunnels, down to the transport protocol.

use trim_common::flow::map_ipv4;

use super::bytes::{array, be16, byte};

const PROTOCOL_IPV4: u8 = 4;
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_IPV6: u8 = 41;
const PROTOCOL_GRE: u8 = 47;
/// IP in IP (RFC 2003, RFC 4213) and GRE (RFC 2784) are followed this deep.
const MAX_TUNNELS: usize = 4;
/// An IPv6 packet may chain this many extension headers; longer chains are not followed.
const MAX_EXTENSIONS: usize = 16;

/// The innermost IP packet of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct IpPacket {
    /// Offset of its header.
    pub(super) header: usize,
    /// Offset of its transport header.
    pub(super) transport: usize,
    /// Offset behind its last byte on the wire, by the length in its header.
    pub(super) end: usize,
    pub(super) source: [u8; 16],
    pub(super) destination: [u8; 16],
    /// It carries TCP; of a fragment: the datagram may.
    pub(super) is_tcp: bool,
    pub(super) is_fragment: bool,
}

struct Layer {
    packet: IpPacket,
    protocol: u8,
}

/// The innermost IP packet that begins at or inside the header at `offset`.
#[inline]
pub(super) fn innermost(frame: &[u8], mut offset: usize, original_length: usize) -> Option<IpPacket> {
    for _ in 0..MAX_TUNNELS {
        let layer = match byte(frame, offset)? >> 4 {
            4 => ipv4(frame, offset, original_length)?,
            6 => ipv6(frame, offset, original_length)?,
            _ => return None,
        };
        match tunnelled(frame, &layer)? {
            Some(inner) => offset = inner,
            None => return Some(layer.packet),
        }
    }
    None
}

/// Where the packet inside a tunnel begins; `Some(None)` when this layer is the innermost one.
#[inline]
fn tunnelled(frame: &[u8], layer: &Layer) -> Option<Option<usize>> {
    if layer.protocol == PROTOCOL_TCP || layer.packet.is_fragment {
        return Some(None);
    }
    let start = layer.packet.transport;
    match layer.protocol {
        PROTOCOL_IPV4 | PROTOCOL_IPV6 => Some(Some(start)),
        PROTOCOL_GRE if matches!(be16(frame, start + 2)?, 0x0800 | 0x86dd) => {
            let flags = byte(frame, start)?;
            let optional = [0x80, 0x20, 0x10].iter().filter(|&&bit| flags & bit != 0).count();
            Some(Some(start + 4 + 4 * optional))
        }
        _ => Some(None),
    }
}

#[inline]
fn ipv4(frame: &[u8], header: usize, original_length: usize) -> Option<Layer> {
    let fixed: [u8; 20] = array(frame, header)?;
    let header_length = usize::from(fixed[0] & 15) * 4;
    if header_length < 20 {
        return None;
    }
    let total_length = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
    let fragment = u16::from_be_bytes([fixed[6], fixed[7]]);
    let protocol = fixed[9];
    let packet = IpPacket {
        header,
        transport: header + header_length,
        end: end_or_wire(header, total_length, original_length),
        source: map_ipv4([fixed[12], fixed[13], fixed[14], fixed[15]]),
        destination: map_ipv4([fixed[16], fixed[17], fixed[18], fixed[19]]),
        is_tcp: carries_tcp(protocol, fragment & 0x3fff != 0),
        is_fragment: fragment & 0x3fff != 0,
    };
    Some(Layer { packet, protocol })
}

#[inline]
fn ipv6(frame: &[u8], header: usize, original_length: usize) -> Option<Layer> {
    let payload_length = usize::from(be16(frame, header + 4)?);
    let total_length = if payload_length == 0 { 0 } else { 40 + payload_length };
    let mut packet = IpPacket {
        header,
        transport: header + 40,
        end: end_or_wire(header, total_length, original_length),
        source: array(frame, header + 8)?,
        destination: array(frame, header + 24)?,
        is_tcp: false,
        is_fragment: false,
    };
    let mut protocol = byte(frame, header + 6)?;
    for _ in 0..MAX_EXTENSIONS {
        let start = packet.transport;
        let length = match protocol {
            // Hop-by-hop, routing, destination options, mobility, HIP, shim6: what the XDP program follows too.
            0 | 43 | 60 | 135 | 139 | 140 => (usize::from(byte(frame, start + 1)?) + 1) * 8,
            51 => (usize::from(byte(frame, start + 1)?) + 2) * 4,
            44 => {
                packet.is_fragment |= be16(frame, start + 2)? & 0xfff9 != 0;
                8
            }
            _ => {
                packet.is_tcp = protocol == PROTOCOL_TCP;
                return Some(Layer { packet, protocol });
            }
        };
        protocol = byte(frame, start)?;
        packet.transport = start + length;
        if packet.is_fragment {
            packet.is_tcp = carries_tcp(protocol, true);
            return Some(Layer { packet, protocol });
        }
    }
    None
}

/// Whether a packet of this protocol carries TCP. Behind an extension header a fragment may, and nobody can tell, so it
/// is taken for one that does: the XDP program does the same.
#[inline]
const fn carries_tcp(protocol: u8, is_fragment: bool) -> bool {
    protocol == PROTOCOL_TCP || is_fragment && matches!(protocol, 0 | 43 | 44 | 51 | 60 | 135 | 139 | 140)
}

/// A length of 0 stands for "as long as the frame": segmentation offload leaves it so on packets captured before they
/// were cut up (IPv6 jumbograms, RFC 2675, look alike).
#[inline]
fn end_or_wire(header: usize, total_length: usize, original_length: usize) -> usize {
    if total_length == 0 {
        original_length
    } else {
        header + total_length
    }
}
