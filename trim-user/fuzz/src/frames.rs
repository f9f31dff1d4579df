//! From TCP segments to frames on a wire.

use super::traffic::{Packet, endpoints};

const ETHERTYPE_IPV4: [u8; 2] = [0x08, 0x00];
const ETHERTYPE_IPV6: [u8; 2] = [0x86, 0xdd];

/// An Ethernet frame with a right TCP checksum: IPv4, IPv6 or IPv4 behind a VLAN tag, by the number of the flow.
/// `padding` bytes follow on the datagram. Bytes that a snaplen cut off are missing.
pub fn frame(packet: &Packet, padding: usize) -> Vec<u8> {
    let wire = packet.payload.len() + packet.missing as usize;
    let ends = endpoints(packet.flow);
    let (from, to) = (ends[packet.side], ends[1 - packet.side]);
    let mut bytes = vec![2; 12];
    let total = (40 + wire).min(usize::from(u16::MAX)) as u16;
    let (source, destination) = match packet.flow % 3 {
        1 => {
            bytes.extend(ETHERTYPE_IPV6);
            let [high, low] = (total - 20).to_be_bytes();
            bytes.extend([0x60, 0, 0, 0, high, low, 6, 64]);
            (wide(from.0), wide(to.0))
        }
        choice => {
            if choice == 2 {
                bytes.extend([0x81, 0, 0, 7]);
            }
            bytes.extend(ETHERTYPE_IPV4);
            let [high, low] = total.to_be_bytes();
            bytes.extend([0x45, 0, high, low, 0, 0, 0x40, 0, 64, 6, 0, 0]);
            (from.0.to_vec(), to.0.to_vec())
        }
    };
    bytes.extend(&source);
    bytes.extend(&destination);
    let tcp = bytes.len();
    bytes.extend(from.1.to_be_bytes());
    bytes.extend(to.1.to_be_bytes());
    bytes.extend(packet.sequence.to_be_bytes());
    bytes.extend(packet.acknowledgment.to_be_bytes());
    bytes.extend([0x50, packet.flags, 0xff, 0xff, 0, 0, 0, 0]);
    bytes.extend(&packet.payload);
    let checksum = !sum(&source, &destination, &bytes[tcp..]);
    bytes[tcp + 16..tcp + 18].copy_from_slice(&checksum.to_be_bytes());
    if packet.missing == 0 {
        bytes.resize(bytes.len() + padding, 0xee);
    }
    bytes
}

fn wide(address: [u8; 4]) -> Vec<u8> {
    let mut wide = vec![0xfd; 12];
    wide.extend(address);
    wide
}

/// The ones' complement sum over pseudo-header and segment (RFC 9293 section 3.1); 0xffff when its checksum is right.
pub fn sum(source: &[u8], destination: &[u8], segment: &[u8]) -> u16 {
    let words = |bytes: &[u8]| -> u64 {
        let pair = |pair: &[u8]| u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
        bytes.chunks(2).map(pair).sum()
    };
    let mut sum = words(source) + words(destination) + words(segment) + 6 + segment.len() as u64;
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum as u16
}
