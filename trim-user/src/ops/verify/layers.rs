//! The headers below HTTP: unchanged, but for a TCP checksum that follows its payload.

use crate::packet::TcpLayout;

/// Offset of the checksum in a TCP header (RFC 9293 section 3.1).
const CHECKSUM: usize = 16;
/// Protocol number of TCP in the pseudo-header.
const TCP: u32 = 6;

/// What became of the headers of a TCP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Every byte is there and unchanged, the checksum aside where it is right.
    Good,
    /// The byte at this offset of the trimmed packet differs or is missing.
    Changed(usize),
    /// The checksum changed, and is wrong.
    WrongChecksum,
}

/// Compares the headers of `new` with those of `old`, from `from` on in each.
pub(super) fn compare(
    old: &[u8],
    layout: &TcpLayout,
    new: &[u8],
    new_layout: &TcpLayout,
    from: (usize, usize),
) -> Outcome {
    let checksum = layout.l4_offset as usize + CHECKSUM;
    let old_headers = &old[from.0..layout.payload_offset as usize];
    let new_headers = new.get(from.1..).unwrap_or(&[]);
    let mut checksum_differs = false;
    for (index, byte) in old_headers.iter().enumerate() {
        if new_headers.get(index) == Some(byte) {
            continue;
        }
        let is_checksum = (checksum..checksum + 2).contains(&(from.0 + index));
        if !is_checksum || index >= new_headers.len() {
            return Outcome::Changed(from.1 + index);
        }
        checksum_differs = true;
    }
    match checksum_differs && !is_checksum_right(new, new_layout) {
        true => Outcome::WrongChecksum,
        false => Outcome::Good,
    }
}

/// Whether the TCP checksum is right for the captured part of the segment (RFC 9293 section 3.1, RFC 8200 section 8.1).
pub(super) fn is_checksum_right(frame: &[u8], layout: &TcpLayout) -> bool {
    let ip = layout.l3_offset as usize;
    let is_ipv4 = frame.get(ip).is_some_and(|byte| byte >> 4 == 4);
    let addresses = if is_ipv4 { ip + 12..ip + 20 } else { ip + 8..ip + 40 };
    let end = (layout.payload_end as usize).min(frame.len());
    let (Some(addresses), Some(segment)) = (frame.get(addresses), frame.get(layout.l4_offset as usize..end)) else {
        return false;
    };
    let sum = words(addresses) + words(segment) + u64::from(TCP) + segment.len() as u64;
    fold(sum) == 0xffff
}

/// The sum of big-endian 16-bit words.
fn words(bytes: &[u8]) -> u64 {
    bytes
        .chunks(2)
        .map(|pair| u64::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u64::from(low)))
        .sum()
}

fn fold(mut sum: u64) -> u64 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}
