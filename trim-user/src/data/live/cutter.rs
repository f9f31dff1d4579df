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
