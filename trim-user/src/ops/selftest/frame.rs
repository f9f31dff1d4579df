//! Segments of a script as Ethernet frames with right checksums.

use super::generated::dialogue::Side;
use super::generated::wire::SYN;
use super::script::{Script, Sent};

/// Bytes in front of the payload.
pub(super) const HEADERS: usize = 14 + 20 + 20;
/// Offset of the IPv4 header.
const IP: usize = 14;
/// Offset of the TCP header.
const TCP: usize = IP + 20;

/// The frame of a segment and its length on the wire.
pub(super) fn frame(script: &Script, sent: &Sent) -> (Vec<u8>, u32) {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    let payload = &script.bytes[sent.side.index()][sent.from..sent.to];
    let length = (40 + payload.len()) as u16;
    frame.extend([0x45, 0]);
    frame.extend(length.to_be_bytes());
    frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    let (client, server) = (([10, 0, 0, 1], 40_000_u16), ([10, 0, 0, 2], 80_u16));
    let (from, to) = match sent.side {
        Side::Client => (client, server),
        Side::Server => (server, client),
    };
    frame.extend(from.0);
    frame.extend(to.0);
    frame.extend(from.1.to_be_bytes());
    frame.extend(to.1.to_be_bytes());
    let base = |side: Side| script.initial[side.index()].wrapping_add(sent.connection * 50_000_000);
    let is_syn = sent.flags & SYN != 0;
    let sequence = base(sent.side)
        .wrapping_add(sent.from as u32)
        .wrapping_sub(u32::from(is_syn));
    frame.extend(sequence.to_be_bytes());
    frame.extend(base(sent.side.other()).wrapping_add(sent.heard as u32).to_be_bytes());
    frame.extend([0x50, sent.flags, 0xff, 0xff, 0, 0, 0, 0]);
    frame.extend(payload);
    let ip_sum = !sum(&frame[IP..TCP], 0);
    frame[IP + 10..IP + 12].copy_from_slice(&ip_sum.to_be_bytes());
    let tcp_sum = !tcp_sum(&frame);
    frame[TCP + 16..TCP + 18].copy_from_slice(&tcp_sum.to_be_bytes());
    let wire = frame.len() as u32;
    frame.truncate(HEADERS + sent.captured);
    (frame, wire)
}

/// Whether the TCP checksum of a whole frame is right.
pub(super) fn is_checksum_right(frame: &[u8]) -> bool {
    tcp_sum(frame) == 0xffff
}

fn tcp_sum(frame: &[u8]) -> u16 {
    let segment = &frame[TCP..];
    let pseudo = sum(&frame[IP + 12..TCP], 6 + segment.len() as u64);
    sum(segment, u64::from(pseudo))
}

/// The Internet checksum before its complement (RFC 1071).
fn sum(bytes: &[u8], start: u64) -> u16 {
    let words = bytes.chunks(2);
    let total: u64 = words
        .map(|word| u64::from(word[0]) << 8 | u64::from(*word.get(1).unwrap_or(&0)))
        .sum();
    let mut total = total + start;
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    total as u16
}
