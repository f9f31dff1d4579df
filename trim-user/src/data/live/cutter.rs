//! Publishes to the XDP program what trimmers know to be body.

use trim_common::cut::{CutKey, CutRange, LONGEST};

use super::times::TimeBase;
use crate::data::worker::BodyCutter;
use crate::kernel::maps::CutsMap;
use crate::trimmer::{BodyAhead, Segment};

/// Shorter bodies are not published, bytes: publishing takes a system call, and by the time it is done their packets have
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
    /// The map of each interface, in the order of their numbers in the sink.
    pub maps: Vec<CutsMap>,
    /// Seed of the flow hash.
    pub seed: u64,
}

/// One worker's way to the program.
pub(super) struct Cutter {
    parts: CutterParts,
    base: TimeBase,
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
    pub(super) fn new(parts: CutterParts, base: TimeBase) -> Self {
        Self {
            parts,
            base,
            asked: vec![Asked::default(); REMEMBERED].into_boxed_slice(),
        }
    }

    fn slot(&mut self, segment: &Segment<'_>) -> (u64, &mut Asked) {
        // Two hashes: two directions that share both only ask less than they could.
        let (place, more) = (segment.flow.hash(self.parts.seed), segment.flow.hash(!self.parts.seed));
        let place = (place as usize) << 1 | segment.direction.index();
        let name = u64::from(more) << 1 | segment.direction.index() as u64 | 1 << 63;
        (name, &mut self.asked[place & (REMEMBERED - 1)])
    }
}

impl BodyCutter for Cutter {
    #[inline]
    fn asks(&mut self, segment: &Segment<'_>) -> bool {
        let end = end_of(segment);
        let time = segment.time;
        let (name, asked) = self.slot(segment);
        let is_before = asked.until.wrapping_sub(end).cast_signed() >= 0;
        asked.name != name || !is_before || time.wrapping_sub(asked.time) > REFRESH_NS
    }

    #[cold]
    fn body_ahead(&mut self, interface: u32, segment: &Segment<'_>, length: BodyAhead) {
        let from = end_of(segment);
        let length = u32::try_from(length).unwrap_or(LONGEST).min(LONGEST);
        let time = segment.time;
        let (name, asked) = self.slot(segment);
        *asked = Asked {
            name,
            until: from.wrapping_add(if length == 0 { UNPROMISED } else { length }),
            time,
        };
        if u64::from(length) < LEAST {
            return;
        }
        let Some(map) = self.parts.maps.get(interface as usize) else {
            return;
        };
        let key = CutKey::new(segment.flow, segment.direction);
        let hash = segment.flow.hash(self.parts.seed);
        let range = CutRange::new(hash, from, length, self.base.to_monotonic(time));
        // A range that is not published costs time and nothing else.
        let _ = map.publish(&key, &range);
    }
}

fn end_of(segment: &Segment<'_>) -> u32 {
    segment.sequence.wrapping_add(segment.wire_payload)
}
