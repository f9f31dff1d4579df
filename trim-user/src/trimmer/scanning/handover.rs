//! Giving a flow over to the exact trimmer, in front of the first segment that would leave a hole.

use super::Scanning;
use super::flow::{Flow, Shared};
use super::pairing::Request;
use super::track::{Phase, UNTIL_CLOSE};
use crate::http::Method;
use crate::trimmer::Segment;
use crate::trimmer::handover::{Handover, Next, Standpoint};

impl Scanning {
    /// Where the flow of a segment stands, if this segment is the first one to leave a hole and nothing of the flow is
    /// in doubt.
    pub(in crate::trimmer) fn hand_over(&mut self, segment: &Segment<'_>) -> Option<Handover> {
        let special = segment.flags.syn() || segment.flags.rst();
        let number = self.flows.find(&segment.flow).filter(|_| !special)?;
        let flow = self.flows.get_mut(number);
        let track = &flow.tracks[segment.direction.index()];
        let leaves_hole = track.position(segment.sequence)? > track.parsed;
        (leaves_hole && !segment.payload.is_empty())
            .then(|| flow.standpoints(&self.shared))
            .flatten()
    }
}

impl Flow {
    fn standpoints(&self, shared: &Shared) -> Option<Handover> {
        if self.simple {
            return None;
        }
        let outstanding = self.pairing.outstanding()?.map(|request| match request {
            Request::Other => (Method::Other, false),
            Request::Head => (Method::Head, false),
            Request::Connect => (Method::Connect, false),
            Request::Upgrade => (Method::Other, true),
        });
        Some(Handover {
            client: self.requests?,
            outstanding: outstanding.collect(),
            directions: [self.standpoint(shared, 0)?, self.standpoint(shared, 1)?],
        })
    }

    fn standpoint(&self, shared: &Shared, side: usize) -> Option<Standpoint> {
        let (track, other) = (&self.tracks[side], &self.tracks[Self::other(side)]);
        if !track.anchored || track.has_gap() || !track.certain {
            return None;
        }
        let next = match track.phase {
            Phase::Start => Next::Message,
            Phase::Chunk(parser) => Next::Chunk(parser),
            Phase::Block(number) => {
                let pending = shared.blocks.get(number);
                pending
                    .otherwise
                    .is_none()
                    .then(|| Next::Block(pending.parser.clone()))?
            }
            Phase::Doubt(_) | Phase::Opaque | Phase::Lost(_) => return None,
        };
        let base = track.position(track.base)?;
        let acknowledged = match other.seen {
            true => track.position(other.acknowledged)?,
            false => base,
        };
        let endless = track.parsed >= UNTIL_CLOSE;
        Some(Standpoint {
            base,
            top: track.top,
            parsed: if endless { Standpoint::ENDLESS } else { track.parsed },
            acknowledged,
            content: track.content(),
            keep_left: track.keep_left,
            next,
        })
    }
}
