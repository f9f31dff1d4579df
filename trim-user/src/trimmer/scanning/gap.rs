//! What can be said although bytes are missing: nothing is held back, so it has to be said at once.
//!
//! The next position keeps its meaning while bytes at it are missing. When they come after all, interpretation goes on
//! there; if it then reaches the known end of some content behind everything seen, the gap is closed as though nothing
//! had happened. If not, the bytes that follow were seen and are gone.
//!
//! Until then a message may be found again where a segment begins with a whole start line. Content may hold such a
//! line too, and content whose header block is only late must not be read as messages. So the line is believed
//! - in the first segment ever seen of a direction whose beginning was not captured;
//! - when the segment acknowledges more than any before it, and than the one with which the gap began: the sender has
//!   received another message, and what it sends first after that is the answer and not the rest of something older.
//!   What it acknowledges has to end where a message of the other direction ends, as far as that is known, and an
//!   interim response (RFC 9110 section 15.2) is no such message for a request: it is answered with content.
//!
//! Peers that send several requests at once may thus stay unsure until they pause, which keeps bytes that could go.

use super::flow::{Flow, Visit};
use super::track::{NOWHERE, Phase, Why, is_after};
use crate::http::{Expected, Recognition, recognise_message};
use crate::trimmer::Label;

impl Flow {
    /// Labels a segment that does not follow on what was interpreted; some of it may be labelled already.
    pub(super) fn beyond(&mut self, visit: &mut Visit<'_>) {
        let side = visit.side;
        self.note_gap(visit);
        if self.finds_message(visit) {
            self.synchronise(visit);
            return self.interpret(visit);
        }
        // A copy of what was seen may have been changed on purpose, and then bytes without text say nothing.
        if self.may_be_mere_content(side) && visit.start >= self.tracks[side].top {
            let content = visit.shared.binary.find(visit.segment.payload);
            visit.shared.statistics.examined += visit.segment.payload.len() as u64;
            visit.labels.fill_to(content.start as u32, self.unknown(side));
            visit.labels.fill_to(content.end as u32, Label::Body);
        }
        visit.label_rest(self.unknown(side));
    }

    fn note_gap(&mut self, visit: &mut Visit<'_>) {
        let speaks_http = self.speaks_http();
        let track = &mut self.tracks[visit.side];
        if matches!(track.phase, Phase::Lost(_)) {
            return;
        }
        if !track.has_gap() {
            visit.shared.statistics.lost_to_gap += u64::from(speaks_http);
            track.doubted = match track.phase {
                // This segment may belong to the message whose beginning is missing.
                Phase::Start | Phase::Doubt(_) => visit.segment.acknowledgment,
                _ => track.acknowledged,
            };
        }
        track.passed = track.passed.min(visit.start);
    }

    fn finds_message(&self, visit: &Visit<'_>) -> bool {
        let track = &self.tracks[visit.side];
        let other = &self.tracks[Self::other(visit.side)];
        let is_not_http = |phase| matches!(phase, Phase::Lost(Why::NotHttp));
        let foreign = !self.speaks_http() && (is_not_http(track.phase) || is_not_http(other.phase));
        if foreign || visit.start < track.parsed || matches!(track.phase, Phase::Lost(Why::Rejected)) {
            return false;
        }
        let is_first = !track.seen && !track.anchored;
        let trusted = is_first || (self.answers(visit) && self.is_asked_for(visit));
        trusted && recognise_message(visit.segment.payload, self.expected(visit.side)) == Recognition::Yes
    }

    /// Whether the sender has received something since bytes are missing, and sends this first after it.
    fn answers(&self, visit: &Visit<'_>) -> bool {
        let track = &self.tracks[visit.side];
        let acknowledgment = visit.segment.acknowledgment;
        visit.segment.flags.ack()
            && is_after(acknowledgment, track.doubted)
            && is_after(acknowledgment, track.acknowledged)
    }

    /// Whether what the sender has received ends where messages of the other direction do. A request is sent when the
    /// response before it is complete, and not behind an interim one; the other way round, the framing of requests may
    /// be lost as well, and then the response shows the way.
    fn is_asked_for(&self, visit: &Visit<'_>) -> bool {
        let other = &self.tracks[Self::other(visit.side)];
        let is_request = self.expected(visit.side) == Expected::Request;
        if !is_request && (other.is_lost() || !other.seen) {
            return true;
        }
        let is_complete = other.position(visit.segment.acknowledgment) == Some(other.parsed);
        other.seen && is_complete && matches!(other.phase, Phase::Start) && !(is_request && self.interim)
    }

    /// A message begins with this segment.
    fn synchronise(&mut self, visit: &mut Visit<'_>) {
        visit.shared.statistics.resynchronised += 1;
        self.pairing.give_up();
        self.set_phase(visit.shared, visit.side, Phase::Start);
        let track = &mut self.tracks[visit.side];
        track.opening = false;
        (track.parsed, track.passed) = (visit.start, NOWHERE);
    }

    /// Whether bytes without any text in them can only be content: of what is missing nothing can have ended HTTP.
    fn may_be_mere_content(&self, side: usize) -> bool {
        let missing = match self.tracks[side].phase {
            Phase::Lost(why) => why == Why::Missing,
            _ => true,
        };
        missing && self.speaks_http() && !self.pairing.may_switch()
    }
}
