//! What is remembered of one TCP connection.

use std::sync::Arc;

use super::history::History;
use super::patience::Checkpoint;
use super::requests::{Asked, Budget, Requests};
use crate::http::{ChunkParser, Expected, Framing, FramingFields, Method, response_framing};
use crate::trimmer::pool::NONE;
use crate::trimmer::{Label, Segment};

/// Segments further than this from everything seen in their direction belong to no stream that is known, bytes.
pub(super) const FARTHEST: u64 = 1 << 30;

/// Most payload that a SYN and the segments right behind it are believed to carry, bytes.
const FARTHEST_DATA_WITH_SYN: u64 = 1 << 16;

/// A frontier behind which everything is known.
pub(super) const ENDLESS: u64 = u64::MAX;

/// How a message began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    /// Where.
    pub(super) origin: u64,
    /// How far its sender had received the other direction.
    pub(super) received: u64,
    /// At the start of a segment while the framing was lost; until its start line is complete it may be anything.
    pub(super) tentative: bool,
}

/// A response header block whose framing still depends on its request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) status: u16,
    pub(super) fields: FramingFields,
    /// What the server had received of the client's stream when it began to send it.
    pub(super) acknowledged: u64,
    /// The same when it had sent the whole header block.
    pub(super) received: u64,
}

impl Pending {
    /// Where its body would end if it began at `position`; `None` where only the body itself tells.
    pub(super) fn body_end(&self, position: u64) -> Option<u64> {
        match response_framing(self.status, Method::Other, &self.fields) {
            Framing::Length(length) => Some(position.saturating_add(length)),
            Framing::UntilClose => Some(ENDLESS),
            _ => None,
        }
    }

    /// Whether its body has a known length of at most `length` bytes.
    pub(super) fn fits_into(&self, length: u64) -> bool {
        self.body_end(0).is_some_and(|end| end <= length)
    }
}

/// What is expected at the frontier of a direction.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    /// A message starts.
    Message,
    /// Inside a header block.
    Head {
        /// The parser's number in the pool.
        parser: u32,
        /// How it began.
        opening: Opening,
    },
    /// Behind a response header block whose request may still come.
    Answer(Pending),
    /// Behind a response header block whose request is unknown: a status line here means that it had no body.
    Peek(Pending),
    /// In front of the answer to an HTTP/0.9 request: a status line here means that it is an ordinary response.
    PeekSimple,
    /// Chunked coding, outside of the data.
    Chunk(ChunkParser),
    /// In what is body unless the request was HEAD, behind a hole; a status line in it shows that it was.
    Doubt {
        /// Where the body ends.
        end: u64,
    },
    /// Nothing any more: the label of all later bytes is known.
    Endless,
    /// Framing is lost; a message may start where a segment starts.
    Lost,
}

/// One direction. Positions are sequence numbers continued to 64 bits, the first being near 2^32.
#[derive(Debug)]
pub(super) struct Half {
    /// Highest position seen, around which sequence numbers are continued; 0 when nothing was seen.
    pub(super) reference: u64,
    /// Bytes below are interpreted and labelled, bytes from here on are not. It runs ahead of what was seen where a
    /// body's length is known.
    pub(super) frontier: u64,
    /// Where interpretation began.
    pub(super) base: u64,
    /// Position of the SYN, 0 when it was not seen.
    pub(super) syn: u64,
    /// Position of the FIN, [`ENDLESS`] when it was not seen.
    pub(super) fin: u64,
    /// Highest position acknowledged by the other end, 0 for none.
    pub(super) acknowledged: u64,
    /// How far that was a while ago.
    pub(super) checkpoint: Checkpoint,
    /// HTTP ends here at the latest, [`ENDLESS`] when it does not.
    pub(super) opaque_from: u64,
    /// HTTP ends behind the current message.
    pub(super) opaque_next: bool,
    /// What the other end waited for before any byte of this direction was seen, 0 for unknown.
    pub(super) hint: u64,
    pub(super) phase: Phase,
    pub(super) history: History,
    /// Number of the stash, [`NONE`] when nothing is held.
    pub(super) stash: u32,
    /// Content bytes of the current chunked message that are still to be kept.
    pub(super) keep_left: u32,
    /// A packet of this direction was seen.
    pub(super) seen: bool,
    /// `frontier` means something.
    pub(super) started: bool,
    /// The connection was seen from its beginning, and this direction does not begin with a message.
    pub(super) bad_start: bool,
}

impl Half {
    pub(super) fn new() -> Self {
        Self {
            reference: 0,
            frontier: 0,
            base: 0,
            syn: 0,
            fin: ENDLESS,
            acknowledged: 0,
            checkpoint: Checkpoint::default(),
            opaque_from: ENDLESS,
            opaque_next: false,
            hint: 0,
            phase: Phase::Message,
            history: History::EMPTY,
            stash: NONE,
            keep_left: 0,
            seen: false,
            started: false,
            bad_start: false,
        }
    }

    /// Continues a sequence number to 64 bits around what was seen of this direction.
    #[inline]
    pub(super) fn position(&self, sequence: u32) -> u64 {
        if self.reference == 0 {
            return (1 << 32) + u64::from(sequence);
        }
        let difference = sequence.wrapping_sub(self.reference as u32).cast_signed();
        self.reference.wrapping_add_signed(i64::from(difference))
    }

    /// Interpretation begins at `position`.
    pub(super) fn start_at(&mut self, position: u64) {
        (self.base, self.frontier, self.started) = (position, position, true);
        self.phase = Phase::Message;
    }

    /// Remembers that the other end waits for the byte at sequence number `acknowledgment`.
    #[inline]
    pub(super) fn acknowledge(&mut self, acknowledgment: u32) {
        let position = self.position(acknowledgment);
        if self.reference == 0 {
            self.reference = position;
        }
        if !self.started && self.hint == 0 {
            self.hint = position;
        }
        if position.abs_diff(self.reference) <= FARTHEST {
            self.acknowledged = self.acknowledged.max(position);
        }
    }

    /// Whether `position` may be the end of this direction's SYN and of the payload it carried.
    fn began_before(&self, position: u64) -> bool {
        match self.syn {
            0 => self.started && self.base.wrapping_sub(position) < FARTHEST_DATA_WITH_SYN,
            syn => (syn + 1..=self.reference).contains(&position),
        }
    }

    /// Whether payload of this direction was seen.
    fn has_data(&self) -> bool {
        self.frontier > self.base || self.stash != NONE
    }

    /// Whether bytes below `acknowledged`, which the other end has received, were not seen here and may still come.
    pub(super) fn lags(&self, acknowledged: u64) -> bool {
        let settled = matches!(self.phase, Phase::Lost | Phase::Endless);
        self.seen && !settled && self.misses(acknowledged)
    }
}

/// Where a SYN stands in relation to what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It begins this direction of the connection that is known.
    Here,
    /// It belongs to the connection that is known, but bytes behind it were seen first.
    Overtaken,
    /// It begins another connection.
    Another,
}

/// One TCP connection.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) halves: [Half; 2],
    pub(super) requests: Requests,
    /// Index of the direction that sends requests.
    pub(super) client: Option<u8>,
    /// It speaks HTTP: a header block was seen.
    pub(super) http: bool,
    /// Some direction began with a message.
    pub(super) proper_start: bool,
    /// Requests or responses were lost, so that counting them does not pair them.
    pub(super) unpaired: bool,
    /// Requests were lost, or may have been taken for answered too early.
    pub(super) requests_lost: bool,
    /// Bytes that had to be framed were given up.
    pub(super) lossy: bool,
}

impl Flow {
    pub(super) fn new(budget: &Arc<Budget>) -> Self {
        Self {
            halves: [Half::new(), Half::new()],
            requests: Requests::new(budget.clone()),
            client: None,
            http: false,
            proper_start: false,
            unpaired: false,
            requests_lost: false,
            lossy: false,
        }
    }

    /// How many bytes behind a segment are body beyond doubt: in a connection of which everything was seen from its
    /// beginning on.
    pub(super) fn body_behind(&self, segment: &Segment<'_>) -> u64 {
        let half = &self.halves[segment.direction.index()];
        let is_whole = half.syn != 0 && self.proper_start && half.stash == NONE;
        let is_doubted = self.lossy || self.unpaired || self.requests_lost;
        let is_settled = !matches!(
            half.phase,
            Phase::Doubt { .. } | Phase::Lost | Phase::Peek(_) | Phase::PeekSimple
        );
        if !is_whole || is_doubted || !is_settled {
            return 0;
        }
        let next = half.position(segment.sequence) + u64::from(segment.wire_payload);
        match half.history.newest(next) {
            Some(Label::Body) => half.frontier.min(half.fin).min(half.opaque_from).saturating_sub(next),
            _ => 0,
        }
    }

    /// The label of bytes that nobody can tell.
    pub(super) fn unsure(&self) -> Label {
        match (self.http, self.may_resynchronise()) {
            (true, _) => Label::Unsure,
            (false, true) => Label::Undecided,
            (false, false) => Label::NotHttp,
        }
    }

    /// Whether this direction sends requests; `None` while nobody knows.
    pub(super) fn is_client(&self, direction: usize) -> Option<bool> {
        self.client.map(|client| usize::from(client) == direction)
    }

    /// The start lines that this direction may have.
    pub(super) fn expected(&self, direction: usize) -> Expected {
        match self.is_client(direction) {
            None => Expected::Any,
            Some(true) => Expected::Request,
            Some(false) => Expected::Response,
        }
    }

    /// Whether a message may be looked for where framing is lost. A connection that was seen to begin with something
    /// else, in a direction, and in neither with HTTP, is another protocol that may carry HTTP inside.
    pub(super) fn may_resynchronise(&self) -> bool {
        self.proper_start || !self.halves.iter().any(|half| half.bad_start)
    }

    /// Whether this direction waits for the answer to a request that may end HTTP.
    pub(super) fn awaits_switch(&self, direction: usize) -> bool {
        let server = &self.halves[1 - direction];
        // A client that has received something from a server that was never seen is captured alone.
        self.is_client(direction) == Some(true)
            && (server.seen || server.acknowledged == 0)
            && self.requests.back().is_some_and(Asked::may_switch)
    }

    /// Whether HTTP has ended where the next message would begin.
    pub(super) fn has_switched(&self, direction: usize) -> bool {
        let half = &self.halves[direction];
        let asked = half.opaque_from != ENDLESS && self.requests.back().is_some_and(Asked::may_switch);
        half.opaque_next || asked
    }

    /// Whether what this direction says next answers an HTTP/0.9 request.
    pub(super) fn answers_simple(&self, direction: usize) -> bool {
        self.is_client(direction) == Some(false) && self.requests.front() == Some(Asked::Simple)
    }

    /// Messages of this direction may have been lost.
    pub(super) fn lose_count(&mut self, direction: usize) {
        if self.is_client(direction) != Some(true) {
            self.unpaired = true;
        } else if self.requests.front().is_none() || !self.requests.push(Asked::Lost, self.halves[direction].frontier) {
            self.lose_requests();
        }
    }

    /// From here on nobody knows how many requests are unanswered.
    pub(super) fn lose_requests(&mut self) {
        (self.unpaired, self.requests_lost) = (true, true);
    }

    /// Requests were lost where the next answers belong.
    pub(super) fn note_lost_requests(&mut self) {
        while self.requests.front() == Some(Asked::Lost) {
            self.requests.pop();
            self.lose_requests();
        }
    }

    /// The method of the request that a response answers, where counting does not tell. `None` leaves it to the bytes
    /// behind the header block.
    pub(super) fn likely_request(&mut self, response: &Pending) -> Option<Method> {
        let acknowledged = response.acknowledged;
        // Behind a stream that ended in something else than HTTP there may be requests, too.
        let unseen = self
            .client
            .map(|client| &self.halves[usize::from(client)])
            .is_some_and(|client| client.frontier == ENDLESS || client.lags(response.received));
        if !self.requests_lost
            && !unseen
            && let Some(Asked::Request { method, .. }) = self.requests.only()
        {
            // Responses were lost, but whichever request this one answers, it is of this kind.
            if self.requests.back().is_some_and(Asked::may_switch) {
                self.requests.pop();
            }
            return Some(method);
        }
        self.requests_lost = true;
        let last = self.requests.pop_acknowledged(acknowledged);
        // Taking a tunnel for a body would remove it; the other mistake keeps a body.
        let tunnel = matches!(response.status, 200..=299)
            && matches!(
                last,
                Some(Asked::Request {
                    method: Method::Connect,
                    ..
                })
            );
        tunnel.then_some(Method::Connect)
    }

    /// Which connection a SYN at position `syn` belongs to. What was seen before is of another one, unless one end has
    /// acknowledged the other's SYN.
    pub(super) fn origin_of(&self, direction: usize, syn: u64, segment: &Segment<'_>) -> Origin {
        let (half, other) = (&self.halves[direction], &self.halves[1 - direction]);
        let first_byte = syn + 1;
        let acknowledged =
            !half.started && [first_byte, first_byte + u64::from(segment.wire_payload)].contains(&half.hint);
        let answers = segment.flags.ack() && other.began_before(other.position(segment.acknowledgment));
        if half.started && (half.syn == 0 || half.has_data()) {
            return if half.syn == 0 && answers {
                Origin::Overtaken
            } else {
                Origin::Another
            };
        }
        let is_new = !half.seen && !other.seen;
        if is_new || acknowledged || answers {
            Origin::Here
        } else {
            Origin::Another
        }
    }

    /// Whether anything is held in either direction.
    pub(super) fn holds_anything(&self) -> bool {
        self.halves.iter().any(|half| half.stash != NONE)
    }
}
