//! Sorts segments into connections and gives every connection its truth.

use std::collections::HashMap;

use super::grammar::{Asked, Start};
use super::stream::{Arrival, Line, Position, Stream};
use super::walk::{self, Answered, Requests, Track};
use super::{Kind, Observed, Span};
use trim_common::flow::{Direction, FlowKey};

/// Segments this far behind the newest one belong to some other connection.
const STRAY_DISTANCE: Position = 1 << 30;

/// What was collected of one direction.
#[derive(Debug, Default)]
struct Half<'a> {
    /// Position of the SYN.
    syn: Option<Position>,
    /// The newest position; sequence numbers are unwrapped around it.
    newest: Option<Position>,
    /// The newest acknowledgment the other side sent for this direction.
    acknowledged: Option<Position>,
    arrivals: Vec<Arrival<'a>>,
}

impl Half<'_> {
    fn unwrap(&self, sequence: u32) -> Position {
        let Some(newest) = self.newest else {
            return Position::from(sequence) + (1 << 32);
        };
        let distance = sequence.wrapping_sub(newest as u32).cast_signed();
        newest + Position::from(distance)
    }

    fn covers(&self, at: Position) -> bool {
        let recent = self.arrivals.iter().rev().take(64);
        recent.into_iter().any(|arrival| {
            let end = arrival.at + arrival.bytes.len() as Position;
            arrival.at <= at && at < end
        })
    }

    /// First position of the direction's payload.
    fn base(&self, stream: &Stream) -> Position {
        match self.syn {
            Some(syn) if stream.is_empty() => syn + 1,
            Some(syn) => stream.first().min(syn + 1),
            None => stream.first(),
        }
    }
}

/// Whether a connection speaks HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speech {
    /// It does.
    Http,
    /// It does not.
    Other,
    /// Its first bytes are something else, but HTTP turns up in it later.
    Inside,
}

struct Connection<'a> {
    halves: [Half<'a>; 2],
}

/// Where a packet's payload belongs.
#[derive(Clone, Copy)]
struct Place {
    connection: usize,
    /// `None` for payload that belongs nowhere: of a RST, a keep-alive probe, or far away.
    at: Option<Position>,
    /// What the packet acknowledges, in the other direction's positions.
    acknowledges: Option<Position>,
}

/// All connections of a capture.
pub(super) struct Connections<'a> {
    connections: Vec<Connection<'a>>,
    places: Vec<Place>,
}

impl<'a> Connections<'a> {
    /// Sorts the segments of a capture.
    pub(super) fn group(observed: &[Observed<'a>]) -> Self {
        let mut connections: Vec<Connection<'a>> = Vec::new();
        let mut current: HashMap<FlowKey, usize> = HashMap::new();
        let mut places = Vec::with_capacity(observed.len());
        for (packet, segment) in observed.iter().enumerate() {
            let known = current.get(&segment.flow).copied();
            let index = match known.filter(|&index| !connections[index].is_replaced_by(segment)) {
                Some(index) => index,
                None => {
                    connections.push(Connection {
                        halves: Default::default(),
                    });
                    current.insert(segment.flow, connections.len() - 1);
                    connections.len() - 1
                }
            };
            let (at, acknowledges) = connections[index].take(packet, segment);
            places.push(Place {
                connection: index,
                at,
                acknowledges,
            });
        }
        Self { connections, places }
    }

    /// The spans of every packet.
    pub(super) fn spans(&self, observed: &[Observed<'a>], secrets: &[String]) -> Vec<Vec<Span>> {
        let verdicts: Vec<_> = self
            .connections
            .iter()
            .map(|connection| connection.judge(&self.places, secrets))
            .collect();
        let pairs = observed.iter().zip(&self.places);
        pairs
            .map(|(segment, place)| verdicts[place.connection].spans(segment, place.at))
            .collect()
    }
}

impl<'a> Connection<'a> {
    /// Whether a SYN opens a new connection between the same endpoints.
    fn is_replaced_by(&self, segment: &Observed<'a>) -> bool {
        if !segment.flags.syn() {
            return false;
        }
        let half = &self.halves[segment.direction.index()];
        let at = half.unwrap(segment.sequence);
        match half.syn {
            Some(syn) => at != syn && (!segment.flags.ack() || !half.arrivals.is_empty()),
            None => {
                let first = half.arrivals.iter().map(|arrival| arrival.at).min();
                let other = &self.halves[segment.direction.reverse().index()];
                match first.or(half.newest) {
                    Some(first) => first != at + 1,
                    None => other.newest.is_some() && !segment.flags.ack(),
                }
            }
        }
    }

    fn take(&mut self, packet: usize, segment: &Observed<'a>) -> (Option<Position>, Option<Position>) {
        let half = &mut self.halves[segment.direction.index()];
        let mut at = half.unwrap(segment.sequence);
        if segment.flags.syn() {
            half.syn = Some(at);
            half.newest = Some(at);
            at += 1;
        }
        let belongs = !segment.flags.rst() && !half.is_stray(at) && !half.is_keep_alive(at, segment);
        if belongs {
            if !segment.payload.is_empty() {
                half.arrivals.push(Arrival {
                    at,
                    bytes: segment.payload,
                    packet,
                });
            }
            half.newest = Some(half.newest.map_or(at, |newest| newest.max(at)));
        }
        let acknowledges = segment.flags.ack().then(|| self.acknowledge(segment));
        (belongs.then_some(at), acknowledges)
    }

    fn acknowledge(&mut self, segment: &Observed<'a>) -> Position {
        let other = &mut self.halves[segment.direction.reverse().index()];
        let at = other.unwrap(segment.acknowledgment);
        other.newest.get_or_insert(at);
        other.acknowledged = Some(other.acknowledged.map_or(at, |newest| newest.max(at)));
        at
    }
}

impl Half<'_> {
    fn is_stray(&self, at: Position) -> bool {
        let began = self.syn.is_some() || !self.arrivals.is_empty();
        began && self.newest.is_some_and(|newest| newest - at > STRAY_DISTANCE)
    }

    /// A probe repeats, with any content, one byte that the peer has acknowledged (RFC 9293 section 3.8.4). It only
    /// matters where that byte itself was never captured.
    fn is_keep_alive(&self, at: Position, segment: &Observed<'_>) -> bool {
        let acknowledged = self.acknowledged == Some(at + 1);
        segment.wire_payload == 1 && acknowledged && self.syn.is_none() && !self.covers(at)
    }
}

/// The truth about one connection.
struct Verdict {
    speech: Speech,
    streams: [Stream; 2],
    tracks: [Track; 2],
}

/// How a direction begins.
struct Opening {
    /// The first start line found, and whether it opens a request.
    is_request: Option<bool>,
    /// It stands at the very first position.
    at_once: bool,
    /// The beginning of the direction was seen, and it is no message.
    is_other: bool,
}

impl Opening {
    fn of(half: &Half<'_>, stream: &Stream) -> Self {
        let anchored = half.syn.is_some();
        let base = half.base(stream);
        let head = walk::skip_blank_lines(stream, base);
        let line = (!stream.is_empty())
            .then(|| walk::first_line(stream, head, anchored))
            .flatten();
        if let Some(line) = line {
            return Self {
                is_request: Some(line.is_request()),
                at_once: true,
                is_other: false,
            };
        }
        let later = stream
            .packet_starts()
            .iter()
            .filter(|&&start| start != head)
            .find_map(|&start| walk::first_line(stream, start, false).filter(Start::is_complete));
        Self {
            is_request: later.map(|line| line.is_request()),
            at_once: false,
            is_other: anchored && !stream.is_empty() && stream.first() <= base && !is_broken_text(stream.line_at(head)),
        }
    }
}

/// Whether a line without its end could be the beginning of a start line.
fn is_broken_text(line: Line<'_>) -> bool {
    let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r');
    matches!(line, Line::Gap(part) | Line::End(part) if part.iter().all(is_text))
}

impl Connection<'_> {
    fn judge(&self, places: &[Place], secrets: &[String]) -> Verdict {
        let streams = [0, 1].map(|index: usize| Stream::assemble(&self.halves[index].arrivals));
        let openings = [0, 1].map(|index: usize| Opening::of(&self.halves[index], &streams[index]));
        let speech = speech(&openings);
        let mut verdict = Verdict {
            speech,
            streams,
            tracks: Default::default(),
        };
        if speech == Speech::Http {
            self.walk(&openings, places, secrets, &mut verdict);
        }
        verdict
    }

    fn walk(&self, openings: &[Opening; 2], places: &[Place], secrets: &[String], verdict: &mut Verdict) {
        let client = client_index(openings);
        let server = 1 - client;
        let half = &self.halves[client];
        let stream = &verdict.streams[client];
        let anchored = half.syn.is_some();
        let base = half.base(stream);
        let track = walk::requests(stream, base, anchored, secrets);
        let mut ledger = Ledger::new(&track, stream, places, base, anchored);

        let half = &self.halves[server];
        let stream = &verdict.streams[server];
        let base = half.base(stream);
        let answer_begins = walk::first_line(stream, walk::skip_blank_lines(stream, base), false);
        let simple = track.messages.first().is_some_and(|request| request.simple);
        let answers = if simple && answer_begins.is_none() {
            walk::simple_response(stream, base)
        } else {
            walk::responses(stream, base, half.syn.is_some(), secrets, &mut ledger)
        };
        let switch = answers.switch;
        verdict.tracks[client] = track;
        verdict.tracks[server] = answers;
        if let Some(at) = switch {
            let end = verdict.streams[client].end();
            verdict.tracks[client].leave_http(at, end);
        }
    }
}

/// Which direction carries the requests. A message at the very beginning says so with more weight than one found later.
fn client_index(openings: &[Opening; 2]) -> usize {
    let by_weight = [true, false];
    let witness = by_weight.iter().find_map(|&at_once| {
        let fits = |opening: &Opening| opening.is_request.filter(|_| opening.at_once == at_once);
        openings
            .iter()
            .enumerate()
            .find_map(|(index, opening)| Some((index, fits(opening)?)))
    });
    match witness {
        Some((index, true)) => index,
        Some((index, false)) => 1 - index,
        None => 0,
    }
}

fn speech(openings: &[Opening; 2]) -> Speech {
    if openings.iter().all(|opening| opening.is_request.is_none()) {
        return Speech::Other;
    }
    let starts_as_http = openings.iter().any(|opening| opening.at_once);
    if !starts_as_http && openings.iter().any(|opening| opening.is_other) {
        return Speech::Inside;
    }
    Speech::Http
}

/// Pairs responses with requests (RFC 9112 section 9.2: in order, and interim responses do not count).
struct Ledger<'v> {
    requests: &'v Track,
    stream: &'v Stream,
    places: &'v [Place],
    /// Where the requests begin.
    base: Position,
    /// The first request that has no final response yet.
    next: usize,
    /// Whether counting messages is out of the question from the start.
    doubt: bool,
}

impl<'v> Ledger<'v> {
    fn new(requests: &'v Track, stream: &'v Stream, places: &'v [Place], base: Position, anchored: bool) -> Self {
        Self {
            requests,
            stream,
            places,
            base,
            next: 0,
            doubt: !anchored,
        }
    }

    /// Whether every byte of the requests up to `end` was seen and understood.
    fn understood(&self, end: Position) -> bool {
        let start = match self.next.checked_sub(1) {
            Some(last) => self.requests.messages[last].header_end,
            None => self.base,
        };
        !self.requests.is_doubtful(start, end) && self.holes_are_body(start, end)
    }

    /// Whether holes in `start..end` stand only in content.
    fn holes_are_body(&self, start: Position, end: Position) -> bool {
        if self.stream.is_whole(start, end) {
            return true;
        }
        let mut at = start;
        while at < end {
            match self.requests.region_at(at) {
                Some(region) if region.kind == Kind::Body => at = region.end,
                Some(region) if self.stream.is_whole(region.start, region.end.min(end)) => at = region.end,
                _ => return false,
            }
        }
        true
    }

    /// The requests that a response may answer, judged by what its packet acknowledges, or else by capture order.
    fn candidates(&self, packet: usize) -> &'v [super::walk::Message] {
        let open = &self.requests.messages[self.next..];
        let count = match self.places.get(packet).and_then(|place| place.acknowledges) {
            Some(acknowledged) => open.partition_point(|request| request.header_end <= acknowledged),
            None => open.partition_point(|request| request.packet <= packet),
        };
        &open[..count]
    }

    fn by_order(&self) -> Answered {
        let request = self.requests.messages.get(self.next);
        Answered {
            asked: request.map_or(Asked::Unknown, |request| request.asked),
            request_end: request.map(|request| request.end),
            certain: request.is_some(),
        }
    }

    fn by_evidence(&self, packet: usize) -> Answered {
        let candidates = self.candidates(packet);
        let acknowledged = self.places.get(packet).and_then(|place| place.acknowledges);
        let (Some(first), Some(last)) = (candidates.first(), candidates.last()) else {
            return Answered {
                asked: Asked::Unknown,
                request_end: None,
                certain: false,
            };
        };
        let alike = candidates.iter().all(|request| request.asked == first.asked);
        let understood = self.understood(acknowledged.unwrap_or(last.header_end).max(last.header_end));
        Answered {
            asked: if alike && understood {
                first.asked
            } else {
                Asked::Unknown
            },
            request_end: Some(last.end),
            certain: false,
        }
    }
}

impl Requests for Ledger<'_> {
    fn answered_by(&mut self, stream: &Stream, start: Position, status: u16, doubt: bool) -> Answered {
        self.doubt |= doubt;
        let countable = self
            .requests
            .messages
            .get(self.next)
            .is_none_or(|request| self.understood(request.header_end));
        self.doubt |= !countable;
        let answered = if self.doubt {
            self.by_evidence(stream.packet_of(start))
        } else {
            self.by_order()
        };
        let is_final = status >= 200 || status == 101;
        if is_final && self.next < self.requests.messages.len() {
            let skip = !self.doubt || answered.request_end.is_some();
            self.next += usize::from(skip);
        }
        answered
    }
}

impl Verdict {
    fn spans(&self, segment: &Observed<'_>, at: Option<Position>) -> Vec<Span> {
        let length = segment.payload.len();
        if length == 0 {
            return Vec::new();
        }
        let whole = |kind, reason| {
            vec![Span {
                start: 0,
                end: length,
                kind,
                content_offset: 0,
                reason,
            }]
        };
        match (self.speech, at) {
            (Speech::Other, _) => whole(Kind::NotHttp, "the connection does not speak HTTP"),
            (Speech::Inside, _) => whole(Kind::Opaque, "HTTP inside another protocol"),
            (Speech::Http, None) => whole(Kind::Opaque, "a reset, a probe or a stray segment"),
            (Speech::Http, Some(at)) => self.http_spans(segment, at, whole),
        }
    }

    fn http_spans(
        &self,
        segment: &Observed<'_>,
        at: Position,
        whole: impl Fn(Kind, &'static str) -> Vec<Span>,
    ) -> Vec<Span> {
        let index = Direction::index(segment.direction);
        if !self.streams[index].bytes_at(at).starts_with(segment.payload) {
            return whole(Kind::Opaque, "a copy that contradicts the first one");
        }
        let end = at + segment.payload.len() as Position;
        let mut spans: Vec<Span> = Vec::new();
        let mut here = at;
        while here < end {
            let region = self.tracks[index].region_at(here);
            let (to, kind, offset, reason) = match region {
                Some(region) => {
                    let offset = region.content_offset + (here - region.start) as u64;
                    (region.end.min(end), region.kind, offset, region.reason)
                }
                None => (here + 1, Kind::Opaque, 0, "behind the last message"),
            };
            spans.push(Span {
                start: (here - at) as usize,
                end: (to - at) as usize,
                kind,
                content_offset: offset,
                reason,
            });
            here = to;
        }
        spans
    }
}
