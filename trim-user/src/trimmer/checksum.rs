//! The Internet checksum (RFC 1071), updated for what changed (RFC 1624).

use crate::packet::TcpLayout;

/// Protocol number of TCP in the pseudo-header.
const TCP: u64 = 6;

/// Whether the segment was captured whole and its TCP checksum is right (RFC 9293 section 3.1, RFC 8200 section 8.1).
pub(super) fn is_right(layout: &TcpLayout, packet: &[u8]) -> bool {
    let ip = layout.l3_offset as usize;
    let addresses = match packet.get(ip).map(|byte| byte >> 4) {
        Some(4) => ip + 12..ip + 20,
        _ => ip + 8..ip + 40,
    };
    let segment = layout.l4_offset as usize..layout.payload_end as usize;
    let (Some(addresses), Some(segment)) = (packet.get(addresses), packet.get(segment)) else {
        return false;
    };
    let is_whole = layout.payload_end - layout.payload_offset == layout.wire_payload;
    let total = u64::from(sum(addresses, false)) + u64::from(sum(segment, false)) + TCP + segment.len() as u64;
    is_whole && fold(total) == 0xffff
}

/// The sum of a change: `HC' = ~(~HC + ~m + m')`, equation 3 of RFC 1624.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    sum: u64,
}

impl Change {
    /// Takes bytes out of the sum. `is_odd`: the first one stands at an odd distance from the start of the segment.
    pub(super) fn remove(&mut self, bytes: &[u8], is_odd: bool) {
        self.sum += u64::from(!sum(bytes, is_odd));
    }

    /// Puts bytes into the sum.
    pub(super) fn add(&mut self, bytes: &[u8], is_odd: bool) {
        self.sum += u64::from(sum(bytes, is_odd));
    }

    /// Updates the checksum at `offset` of `packet`; a checksum that was not captured is left alone.
    pub(super) fn apply(self, packet: &mut [u8], offset: usize) {
        let Some(field) = packet.get_mut(offset..).and_then(<[u8]>::first_chunk_mut::<2>) else {
            return;
        };
        let old = u16::from_be_bytes(*field);
        *field = (!fold(self.sum + u64::from(!old))).to_be_bytes();
    }
}

/// The one's complement sum of `bytes` as 16-bit big-endian words.
fn sum(bytes: &[u8], is_odd: bool) -> u16 {
    let (first, rest) = match bytes.split_first() {
        Some((&first, rest)) if is_odd => (u64::from(first), rest),
        _ => (0, bytes),
    };
    let words = rest.chunks_exact(2);
    let last = words.remainder().first().map_or(0, |&byte| u64::from(byte) << 8);
    let total: u64 = words
        .map(|word| u64::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    fold(first + total + last)
}

fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checksum(bytes: &[u8]) -> u16 {
        !sum(bytes, false)
    }

    #[test]
    fn a_right_checksum_stays_right_wherever_bytes_change() {
        let original: Vec<u8> = (0..61u8).map(|i| i.wrapping_mul(37)).collect();
        for from in 2..original.len() {
            for to in from..=original.len() {
                let mut packet = original.clone();
                packet[..2].copy_from_slice(&[0, 0]);
                let right = checksum(&packet);
                packet[..2].copy_from_slice(&right.to_be_bytes());
                assert_eq!(checksum(&packet), 0);
                let mut change = Change::default();
                change.remove(&packet[from..to], from % 2 == 1);
                packet[from..to].fill(b'x');
                change.add(&packet[from..to], from % 2 == 1);
                change.apply(&mut packet, 0);
                assert_eq!(checksum(&packet), 0, "bytes {from}..{to}");
            }
        }
    }

    #[test]
    fn a_wrong_checksum_stays_wrong() {
        let mut packet = [0x12, 0x34, 1, 2, 3, 4];
        assert_ne!(checksum(&packet), 0);
        let mut change = Change::default();
        change.remove(&packet[3..5], true);
        packet[3..5].fill(0);
        change.add(&packet[3..5], true);
        change.apply(&mut packet, 0);
        assert_ne!(checksum(&packet), 0);
    }
}
