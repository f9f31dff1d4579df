//! One segment's way through a flow.

use std::sync::Arc;

use super::flow::{ENDLESS, FARTHEST, Flow, Half, Origin, Phase};
use super::history::{Blocks, MOST_BLOCKS};
use super::parse::View;
use super::requests::Budget;
use super::stash::{Arrival, MOST_HELD, Spares, Stash};
use super::tickets::Tickets;
use crate::http::{HeaderBlockParser, RedactedFields};
use crate::trimmer::pool::{NONE, Pool};
use crate::trimmer::{Judgement, Label, Labels, Late, Segment, Settings, Statistics};

/// Farthest that a hint about the beginning of a direction is trusted, bytes.
const FARTHEST_HINT: u64 = 1 << 20;

/// What all flows share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) redacted: RedactedFields,
    pub(super) blocks: Blocks,
    pub(super) parsers: Pool<HeaderBlockParser>,
    pub(super) stashes: Pool<Stash>,
    pub(super) spares: Spares,
    pub(super) tickets: Tickets,
    pub(super) requests: Arc<Budget>,
    /// What everything held in all flows is charged, bytes.
    pub(super) held: usize,
    /// Blocks of history over all flows from which on each direction must do with one.
    pub(super) most_blocks: usize,
    /// How long bytes that are acknowledged and missing are waited for now, nanoseconds.
    pub(super) patience: u64,
    pub(super) statistics: Statistics,
    pub(super) scratch: Labels,
}

/// The segment that is judged at this moment.
pub(super) struct Current<'a> {
    pub(super) ticket: u64,
    pub(super) labels: &'a mut Labels,
    pub(super) decided: bool,
}

/// A flow at work, with everything it needs.
pub(super) struct Run<'a> {
    pub(super) flow: &'a mut Flow,
    pub(super) number: u32,
    pub(super) shared: &'a mut Shared,
    pub(super) late: &'a mut dyn Late,
    pub(super) current: Option<Current<'a>>,
    /// How far the sender of the bytes that are being interpreted had received the other direction.
    pub(super) received: u64,
}

impl Run<'_> {
    /// Judges a segment that the fast path did not.
    pub(super) fn segment(&mut self, segment: &Segment<'_>) -> Judgement {
        let direction = segment.direction.index();
        let flags = segment.flags;
        if flags.rst() {
            // A reset carries no stream bytes but perhaps a text for people (RFC 9293 section 3.5.3).
            return self.whole(segment, self.flow.unsure());
        }
        if flags.syn() {
            self.synchronise(direction, segment);
        }
        if flags.ack() {
            let other = &mut self.flow.halves[1 - direction];
            other.acknowledge(segment.acknowledgment);
            other.note_missing(segment.time);
        }
        let other = &self.flow.halves[1 - direction];
        self.received = match flags.ack() {
            true => other.position(segment.acknowledgment),
            false => other.acknowledged,
        };
        let half = &mut self.flow.halves[direction];
        half.seen = true;
        let start = half.position(segment.sequence) + u64::from(flags.syn());
        let end = start + u64::from(segment.wire_payload);
        if half.reference == 0 {
            half.reference = start;
        }
        if start.abs_diff(half.reference) > FARTHEST {
            return self.whole(segment, self.flow.unsure());
        }
        half.reference = half.reference.max(end);
        if flags.fin() && half.fin == ENDLESS {
            half.fin = end;
        }
        let judgement = match segment.wire_payload {
            0 => Judgement::Decided,
            _ => self.payload(direction, start, segment),
        };
        if self.flow.holds_anything() {
            self.settle();
            self.lose_patience(segment.time);
        }
        self.trim_history();
        match &self.current {
            Some(current) if current.decided => Judgement::Decided,
            _ => judgement,
        }
    }

    /// The whole payload has one label.
    fn whole(&mut self, segment: &Segment<'_>, label: Label) -> Judgement {
        if let Some(current) = &mut self.current {
            current.labels.fill_to(length(segment.payload), label);
        }
        Judgement::Decided
    }

    /// Handles a SYN: the beginning of this connection, or of another one with the same addresses and ports.
    fn synchronise(&mut self, direction: usize, segment: &Segment<'_>) {
        let half = &self.flow.halves[direction];
        let syn = half.position(segment.sequence);
        if half.syn == syn {
            return;
        }
        if half.syn == 0 && half.started && half.base == syn + 1 {
            self.flow.halves[direction].syn = syn;
            return;
        }
        match self.flow.origin_of(direction, syn, segment) {
            Origin::Overtaken => return,
            Origin::Here => {}
            Origin::Another => {
                self.flush();
                *self.flow = Flow::new(&self.shared.requests);
            }
        }
        let half = &mut self.flow.halves[direction];
        half.reference = 0;
        let syn = half.position(segment.sequence);
        (half.syn, half.reference) = (syn, syn + 1);
        half.start_at(syn + 1);
    }

    /// Judges the payload of a segment that begins at `start`.
    fn payload(&mut self, direction: usize, start: u64, segment: &Segment<'_>) -> Judgement {
        let end = start + segment.payload.len() as u64;
        let missing = segment.wire_payload.saturating_sub(length(segment.payload));
        if !self.start(direction, start, segment.wire_payload) {
            return self.whole(segment, self.flow.unsure());
        }
        let half = &self.flow.halves[direction];
        if end > half.frontier && start > half.fin {
            // Behind the FIN there is no stream.
            self.emit_current(direction, start, end.min(half.frontier));
            return self.whole(segment, self.flow.unsure());
        }
        if start > half.frontier && (!self.holds(direction) || self.is_late(direction, segment.time)) {
            self.lose(direction, start);
        }
        let half = &self.flow.halves[direction];
        if start <= half.frontier && (half.stash == NONE || end <= half.frontier) {
            let mut view = View::new(start, segment.payload, true, half.frontier);
            if self.advance(direction, &mut view) {
                self.skip_missing(direction, end, missing);
                self.emit_current(direction, start, end);
                return Judgement::Decided;
            }
        }
        if segment.payload.is_empty() {
            return Judgement::Decided;
        }
        self.hold(direction, start, missing, segment.payload);
        Judgement::Held
    }

    /// Sees to it that interpretation of this direction has begun; false when the segment shows nothing that could
    /// begin it.
    fn start(&mut self, direction: usize, start: u64, wire_payload: u32) -> bool {
        let half = &mut self.flow.halves[direction];
        if half.started {
            return true;
        }
        let hint = half.hint;
        if hint != 0 && wire_payload == 1 && start + 1 == hint {
            // A keep-alive probe repeats a byte that was acknowledged (RFC 9293 section 3.8.4).
            return false;
        }
        let trusted = hint != 0 && hint < start && start - hint < FARTHEST_HINT;
        half.start_at(if trusted { hint } else { start });
        true
    }

    /// Whether segments of this direction are to wait for bytes before them.
    fn holds(&self, direction: usize) -> bool {
        let half = &self.flow.halves[direction];
        let whole = half.syn != 0;
        self.flow.http
            || match half.phase {
                Phase::Lost => false,
                Phase::Head { parser, .. } => whole || self.shared.parsers.get(parser).is_plausible(),
                _ => whole,
            }
    }

    fn hold(&mut self, direction: usize, start: u64, missing: u32, payload: &[u8]) {
        let Some(ticket) = self.current.as_ref().map(|current| current.ticket) else {
            return;
        };
        let half = &mut self.flow.halves[direction];
        if half.stash == NONE {
            half.stash = self.shared.stashes.reuse_or(Stash::default);
        }
        let arrival = Arrival {
            start,
            payload,
            missing,
            ticket,
            frontier: half.frontier,
            received: self.received,
        };
        let stash = self.shared.stashes.get_mut(half.stash);
        let contradicting = stash.insert(&arrival, &mut self.shared.spares);
        self.shared.statistics.conflicting_bytes += contradicting;
        self.shared.statistics.held += 1;
        self.shared.held += Stash::charge_for(payload.len());
        self.shared.tickets.insert(ticket, self.number, direction);
        self.settle();
        while self.is_over_budget(direction) {
            self.shared.statistics.lost_to_limit += 1;
            self.give_up(direction);
        }
    }

    fn is_over_budget(&self, direction: usize) -> bool {
        let stash = self.flow.halves[direction].stash;
        if stash == NONE {
            return false;
        }
        let stash = self.shared.stashes.get(stash);
        let settings = &self.shared.settings;
        stash.charge() > settings.reassembly_bytes_per_direction
            || stash.len() > MOST_HELD
            || self.shared.held > settings.reassembly_bytes
    }

    /// Bytes that the snaplen cut off, `missing` of them behind `end`, will not come.
    pub(super) fn skip_missing(&mut self, direction: usize, end: u64, missing: u32) {
        let half = &self.flow.halves[direction];
        let behind = end + u64::from(missing);
        if missing > 0 && half.frontier >= end && half.frontier < behind {
            self.lose(direction, behind);
        }
    }

    fn emit_current(&mut self, direction: usize, from: u64, to: u64) {
        let unknown = self.flow.unsure();
        if let Some(current) = &mut self.current {
            let history = &self.flow.halves[direction].history;
            history.emit(&self.shared.blocks, from, to.max(from), unknown, current.labels);
        }
    }

    fn trim_history(&mut self) {
        let shared = &mut *self.shared;
        for half in &mut self.flow.halves {
            if half.history.blocks() > 1 {
                let scarce = shared.blocks.used() > shared.most_blocks;
                half.history
                    .trim(&mut shared.blocks, if scarce { 1 } else { MOST_BLOCKS });
            }
        }
    }

    /// Decides everything held and gives back all that the flow has in the pools.
    pub(super) fn flush(&mut self) {
        for direction in 0..2 {
            while self.flow.halves[direction].stash != NONE {
                self.give_up(direction);
            }
        }
        for direction in 0..2 {
            self.leave_head(direction);
            self.flow.halves[direction].history.clear(&mut self.shared.blocks);
        }
        self.flow.requests.clear();
    }
}

/// Labels a segment that lies wholly in the newest run of known bytes of its direction and changes nothing else:
/// what nearly all segments of large bodies do. False when it is not such a segment.
///
/// The payload may have been cut off the packet: then it counts as seen, and there is nothing to label.
#[inline]
pub(super) fn fast(flow: &mut Flow, segment: &Segment<'_>, labels: &mut Labels) -> bool {
    const SPECIAL: u8 = 0x01 | 0x02 | 0x04;
    let (length, captured) = (segment.wire_payload, length(segment.payload));
    if segment.flags.0 & SPECIAL != 0 || length == 0 || (captured != length && captured != 0) {
        return false;
    }
    let (half, other) = pair(flow, segment.direction.index());
    let start = half.position(segment.sequence);
    let end = start + u64::from(length);
    let near = start.abs_diff(half.reference) <= FARTHEST;
    if !(half.seen && half.started && near && end <= half.frontier && end <= half.fin) {
        return false;
    }
    let Some(label) = half.history.newest(start) else {
        return false;
    };
    half.reference = half.reference.max(end);
    if segment.flags.ack() {
        other.acknowledge(segment.acknowledgment);
    }
    labels.push(captured, label);
    true
}

#[inline]
fn pair(flow: &mut Flow, direction: usize) -> (&mut Half, &mut Half) {
    let [up, down] = &mut flow.halves;
    if direction == 0 { (up, down) } else { (down, up) }
}

/// A payload is never longer than a packet, which is never longer than 2^32 bytes.
#[inline]
pub(super) fn length(payload: &[u8]) -> u32 {
    u32::try_from(payload.len()).unwrap_or(u32::MAX)
}
