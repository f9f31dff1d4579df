//! The body cut in the kernel: which bytes of a direction a trimmer has found to be body, and what that means for a
//! segment.
//!
//! A trimmer that knows that the next bytes of a direction are body publishes their sequence range. The program shortens
//! segments that lie wholly inside to their headers, before they are copied. What it does not shorten the trimmer removes,
//! so a range that is missing, late or given up costs time and nothing else. A range must only never hold for other bytes than
//! those it was published for:
//!
//! - a new connection on the same addresses, or another trimmer after a switch: the flow's entry says since when it is what
//!   it is, and a range that was learned from an earlier packet does not count;
//! - the next lap of the sequence numbers: a segment at or behind the end of a range ends it, and so does time;
//! - another flow's range in half-written memory: a range carries a seal that names its flow.

use crate::flow::{Direction, FlowKey};
use crate::headers::Tcp;

/// Shorter payloads are not looked up, bytes: copying them costs less.
pub const LEAST_PAYLOAD: u32 = 256;
/// Longest range, bytes: half of the distance over which sequence numbers can be compared.
pub const LONGEST: u32 = 1 << 30;
/// How long a range holds, nanoseconds of kernel time: at 100 Gbit/s sequence numbers need a third of a second for a lap, and
/// the whole lap would have to pass by unseen.
pub const LIFETIME_NS: u64 = 10_000_000_000;

/// FIN, SYN, RST and URG: such a segment says more than its bytes, and is never shortened.
const SPECIAL: u8 = 0x01 | 0x02 | 0x04 | 0x20;

/// One direction of a flow; key type of [`CUTS`](crate::maps::CUTS). No padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C, align(4))]
pub struct CutKey {
    /// The flow.
    pub flow: FlowKey,
    /// [`Direction::index`].
    pub direction: u32,
}

const _: () = assert!(core::mem::size_of::<CutKey>() == 40);

impl CutKey {
    /// The key of a direction.
    #[inline(always)]
    pub const fn new(flow: FlowKey, direction: Direction) -> Self {
        Self {
            flow,
            direction: direction.index() as u32,
        }
    }
}

/// Sequence numbers that are body; value type of [`CUTS`](crate::maps::CUTS). No padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(C)]
pub struct CutRange {
    /// The first one.
    from: u32,
    /// How many, at most [`LONGEST`].
    length: u32,
    /// Kernel time of the packet that it was learned from, nanoseconds.
    learned: u64,
    /// Ties the other fields to each other and to a flow.
    seal: u64,
}

const _: () = assert!(core::mem::size_of::<CutRange>() == 24);

/// What a range means for a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It stays whole.
    Keep,
    /// All of its payload is body.
    Shorten,
    /// It stays whole, and the range is over.
    Over,
}

impl CutRange {
    /// `length` body bytes from sequence number `from` on, of the flow with this hash
    /// ([`FlowKey::hash`] under the seed in force); more than [`LONGEST`] are not promised.
    #[inline(always)]
    pub const fn new(hash: u32, from: u32, length: u32, learned: u64) -> Self {
        let length = if length > LONGEST { LONGEST } else { length };
        Self {
            from,
            length,
            learned,
            seal: seal(hash, from, length, learned),
        }
    }

    /// The kernel time from which on it does not hold any more, nanoseconds.
    pub const fn until(&self) -> u64 {
        self.learned.saturating_add(LIFETIME_NS).saturating_add(1)
    }

    /// What the range means for a segment of the flow with this hash, which has been what it is since `since`.
    #[inline(always)]
    pub const fn judge(&self, hash: u32, since: u64, now: u64, tcp: &Tcp) -> Cut {
        let is_sealed = self.seal == seal(hash, self.from, self.length, self.learned);
        let is_stale = self.learned < since || now.wrapping_sub(self.learned) > LIFETIME_NS;
        if !is_sealed || is_stale {
            return Cut::Keep;
        }
        let offset = tcp.sequence.wrapping_sub(self.from);
        if offset < self.length {
            return if tcp.payload_length <= self.length - offset {
                Cut::Shorten
            } else {
                Cut::Over
            };
        }
        // Half of all sequence numbers stand behind the end, the others in front of the beginning.
        if offset < 1 << 31 { Cut::Over } else { Cut::Keep }
    }
}

#[inline(always)]
const fn seal(hash: u32, from: u32, length: u32, learned: u64) -> u64 {
    // Odd multipliers with bits all over (the finaliser of SplitMix64).
    let place = (from as u64) << 32 | length as u64;
    let mixed = place ^ learned.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (hash as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

/// Whether a range is worth looking up for a segment of a frame of this length.
#[inline(always)]
pub const fn is_candidate(tcp: &Tcp, frame_length: u32) -> bool {
    tcp.payload_length >= LEAST_PAYLOAD
        && tcp.tcp_flags & SPECIAL == 0
        && tcp.payload_offset as u32 + tcp.payload_length <= frame_length
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: u32 = 77;

    fn segment(sequence: u32, payload_length: u32) -> Tcp {
        Tcp {
            sequence,
            payload_length,
            tcp_flags: 0x10,
            payload_offset: 54,
            ..Tcp::NONE
        }
    }

    fn judged(range: CutRange, sequence: u32, length: u32) -> Cut {
        range.judge(HASH, 5, 1000, &segment(sequence, length))
    }

    #[test]
    fn only_what_lies_wholly_inside_is_shortened() {
        let range = CutRange::new(HASH, 1000, 5000, 10);
        assert_eq!(judged(range, 1000, 1460), Cut::Shorten);
        assert_eq!(judged(range, 4540, 1460), Cut::Shorten);
        assert_eq!(judged(range, 999, 1460), Cut::Keep, "it begins in front");
        assert_eq!(judged(range, 4541, 1460), Cut::Over, "it ends behind");
        assert_eq!(judged(range, 6000, 1460), Cut::Over, "it stands behind");
        assert_eq!(judged(range, 0, 300), Cut::Keep, "an old byte again");
    }

    #[test]
    fn a_range_may_lie_over_the_wrap() {
        let range = CutRange::new(HASH, u32::MAX - 999, 5000, 10);
        assert_eq!(judged(range, u32::MAX - 999, 1460), Cut::Shorten);
        assert_eq!(judged(range, u32::MAX - 99, 1460), Cut::Shorten);
        assert_eq!(judged(range, 1000, 1460), Cut::Shorten);
        assert_eq!(judged(range, 4000, 1460), Cut::Over);
        assert_eq!(judged(range, u32::MAX - 1100, 300), Cut::Keep);
    }

    #[test]
    fn a_range_holds_for_its_flow_its_connection_and_its_time() {
        let range = CutRange::new(HASH, 1000, 5000, 10);
        let tcp = segment(1000, 1460);
        assert_eq!(range.judge(HASH, 10, 1000, &tcp), Cut::Shorten);
        assert_eq!(range.judge(HASH + 1, 10, 1000, &tcp), Cut::Keep, "another flow");
        assert_eq!(range.judge(HASH, 11, 1000, &tcp), Cut::Keep, "an earlier connection");
        assert_eq!(range.judge(HASH, 10, 11 + LIFETIME_NS, &tcp), Cut::Keep, "long ago");
        for torn in [
            CutRange { from: 1001, ..range },
            CutRange { length: 5001, ..range },
            CutRange { learned: 11, ..range },
        ] {
            assert_eq!(torn.judge(HASH, 10, 1000, &tcp), Cut::Keep, "{torn:?}");
        }
    }

    #[test]
    fn no_range_is_longer_than_can_be_compared() {
        let range = CutRange::new(HASH, 0, u32::MAX, 10);
        assert_eq!(judged(range, LONGEST - 1460, 1460), Cut::Shorten);
        assert_eq!(judged(range, LONGEST, 1460), Cut::Over);
        assert_eq!(judged(range, u32::MAX - 10, 1460), Cut::Keep);
    }

    #[test]
    fn special_segments_and_short_payloads_are_left_alone() {
        assert!(is_candidate(&segment(0, 1460), 1514));
        assert!(!is_candidate(&segment(0, LEAST_PAYLOAD - 1), 1514));
        assert!(!is_candidate(&segment(0, 1461), 1514), "not all of it is there");
        for flag in [0x01, 0x02, 0x04, 0x20] {
            let tcp = Tcp {
                tcp_flags: 0x10 | flag,
                ..segment(0, 1460)
            };
            assert!(!is_candidate(&tcp, 1514));
        }
    }
}
