//! Publishes what trimmers know to be body: to the XDP program, and to the trimmers that take a flow over.

use std::sync::Arc;

use trim_common::cut::{CutKey, CutRange, LONGEST};
use trim_common::flow::Direction;

use super::times::TimeBase;
use crate::data::worker::BodyCutter;
use crate::kernel::maps::CutsMap;
use crate::packet::TcpFlags;
use crate::shared::{Promises, Shared};
use crate::trimmer::{BodyAhead, Segment};

/// Shorter bodies are not published to the program, bytes: publishing takes a system call, and by the time it is done their packets have
/// come.
const LEAST: u64 = 64 << 10;
/// Where nothing was promised, the trimmer is asked again behind so many bytes.
const UNPROMISED: u32 = 64 << 10;
/// A range is published anew after so much time, nanoseconds: well within [`LIFETIME_NS`](trim_common::cut::LIFETIME_NS).
const REFRESH_NS: u64 = 4_000_000_000;
/// Directions of which it is remembered how far the trimmer was asked; a power of two.
const REMEMBERED: usize = 4096;

/// What a [`Cutter`] needs.
#[derive(Clone, Debug)]
pub struct CutterParts {
    /// The map of each interface, in the order of their numbers in the sink; none where the program cuts nothing.
    pub maps: Vec<CutsMap>,
    /// Seed of the flow hash.
    pub seed: u64,
}

/// One worker's way to the program.
pub(super) struct Cutter {
    parts: CutterParts,
    base: TimeBase,
    shared: Arc<Shared>,
    asked: Box<[Asked]>,
}

/// How far a direction's trimmer was asked.
#[derive(Clone, Copy, Default)]
struct Asked {
    /// Names the direction.
    name: u64,
    /// Up to this sequence number there is nothing to ask.
    until: u32,
    /// When, capture time in nanoseconds.
    time: u64,
}

impl Cutter {
    pub(super) fn new(parts: CutterParts, base: TimeBase, shared: Arc<Shared>) -> Self {
        Self {
            parts,
            base,
            shared,
            asked: vec![Asked::default(); REMEMBERED].into_boxed_slice(),
        }
    }

    #[inline]
    fn name(&self, segment: &Segment<'_>) -> u64 {
        Promises::name(&segment.flow, self.parts.seed, segment.direction)
    }

    #[inline]
    fn slot(&mut self, name: u64) -> &mut Asked {
        &mut self.asked[name as usize & (REMEMBERED - 1)]
    }
}

impl BodyCutter for Cutter {
    #[inline]
    fn asks(&mut self, segment: &Segment<'_>) -> bool {
        let end = end_of(segment);
        let time = segment.time;
        let name = self.name(segment);
        let asked = self.slot(name);
        let is_before = asked.until.wrapping_sub(end).cast_signed() >= 0;
        asked.name != name || !is_before || time.wrapping_sub(asked.time) > REFRESH_NS
    }

    #[cold]
    fn body_ahead(&mut self, interface: u32, segment: &Segment<'_>, length: BodyAhead) {
        let from = end_of(segment);
        let length = u32::try_from(length).unwrap_or(LONGEST).min(LONGEST);
        let time = segment.time;
        let name = self.name(segment);
        *self.slot(name) = Asked {
            name,
            until: from.wrapping_add(if length == 0 { UNPROMISED } else { length }),
            time,
        };
        if length == 0 {
            return;
        }
        let now = self.base.to_monotonic(time);
        self.shared.promises.make(name, from, length, now);
        if u64::from(length) < LEAST {
            return;
        }
        let Some(map) = self.parts.maps.get(interface as usize) else {
            return;
        };
        let key = CutKey::new(segment.flow, segment.direction);
        let hash = segment.flow.hash(self.parts.seed);
        let range = CutRange::new(hash, from, length, now);
        // A range that is not published costs time and nothing else.
        let _ = map.publish(&key, &range);
    }

    fn begins(&mut self, segment: &Segment<'_>) {
        let now = self.base.to_monotonic(segment.time);
        for direction in [Direction::Up, Direction::Down] {
            let name = Promises::name(&segment.flow, self.parts.seed, direction);
            self.shared.promises.forget(name, now);
        }
    }

    fn is_body(&self, segment: &Segment<'_>) -> bool {
        let now = self.base.to_monotonic(segment.time);
        is_plain(segment.flags)
            && self
                .shared
                .promises
                .cover(self.name(segment), segment.sequence, segment.wire_payload, now)
    }
}

/// FIN, SYN and RST say more than the bytes that come with them.
fn is_plain(flags: TcpFlags) -> bool {
    !(flags.fin() || flags.syn() || flags.rst())
}

fn end_of(segment: &Segment<'_>) -> u32 {
    segment.sequence.wrapping_add(segment.wire_payload)
}

#[cfg(test)]
mod tests {
    use trim_common::flow::{FlowKey, map_ipv4};

    use super::*;

    const SEED: u64 = 7;
    const ACK: u8 = 0x10;
    const NOW: u64 = 1_000_000_000;

    fn cutter() -> Cutter {
        let parts = CutterParts {
            maps: Vec::new(),
            seed: SEED,
        };
        Cutter::new(parts, TimeBase::sample(), Arc::new(Shared::new(Vec::new(), 0)))
    }

    fn segment(cutter: &Cutter, direction: Direction, sequence: u32, flags: u8) -> Segment<'static> {
        let (flow, _) = FlowKey::new(map_ipv4([10, 0, 0, 1]), 40_000, map_ipv4([10, 0, 0, 2]), 80);
        Segment {
            flow,
            direction,
            sequence,
            acknowledgment: 0,
            flags: TcpFlags(flags),
            payload: &[b'x'; 100],
            wire_payload: 100,
            time: cutter.base.to_realtime(NOW),
        }
    }

    /// A trimmer has found that 1000 bytes from sequence number 200 on are body.
    fn promised() -> Cutter {
        let mut cutter = cutter();
        let first = segment(&cutter, Direction::Down, 100, ACK);
        cutter.body_ahead(0, &first, 1000);
        cutter
    }

    #[test]
    fn what_one_trimmer_knows_is_believed_of_that_direction() {
        let cutter = promised();
        let is_body = |direction, sequence| cutter.is_body(&segment(&cutter, direction, sequence, ACK));
        assert!(is_body(Direction::Down, 200) && is_body(Direction::Down, 1100));
        assert!(!is_body(Direction::Down, 1101) && !is_body(Direction::Down, 100));
        assert!(!is_body(Direction::Up, 200));
    }

    #[test]
    fn a_segment_that_says_more_than_its_bytes_is_left_alone() {
        let cutter = promised();
        for flag in [0x01, 0x02, 0x04] {
            assert!(!cutter.is_body(&segment(&cutter, Direction::Down, 200, ACK | flag)));
        }
    }

    #[test]
    fn another_connection_begins_without_what_was_known_of_the_one_before() {
        let mut cutter = promised();
        let syn = segment(&cutter, Direction::Up, 5000, 0x02);
        cutter.begins(&syn);
        assert!(!cutter.is_body(&segment(&cutter, Direction::Down, 200, ACK)));
    }

    #[test]
    fn what_is_doubted_is_not_believed() {
        let cutter = promised();
        cutter.shared.promises.withdraw(NOW + 1);
        assert!(!cutter.is_body(&segment(&cutter, Direction::Down, 200, ACK)));
    }
}
