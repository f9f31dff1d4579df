//! Walks the messages of one direction from its first byte to its last.

use super::Kind;
use super::grammar::{self, Asked, Content, LONGEST, Start};
use super::stream::{Line, Position, Stream};

/// Start lines are looked for in this many bytes, so that a search in content without line ends stays cheap.
const LONGEST_START_LINE: usize = 16 << 10;

/// A stretch of a direction whose bytes are of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) start: Position,
    pub(super) end: Position,
    pub(super) kind: Kind,
    /// Content bytes of the same message in front of `start`.
    pub(super) content_offset: u64,
    pub(super) reason: &'static str,
}

/// A message whose header block is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// First byte of the start line.
    pub(super) start: Position,
    /// Behind the empty line.
    pub(super) header_end: Position,
    /// Behind the content, or the last captured byte when the content runs on.
    pub(super) end: Position,
    /// For a request: what its answer is an answer to.
    pub(super) asked: Asked,
    /// HTTP/0.9.
    pub(super) simple: bool,
    /// The packet that brought the first byte.
    pub(super) packet: usize,
}

/// What the walk over one direction found.
#[derive(Debug, Default)]
pub(super) struct Track {
    /// Ascending, without overlap.
    pub(super) regions: Vec<Region>,
    pub(super) messages: Vec<Message>,
    /// Behind which byte of the *other* direction HTTP ended, by this direction's 101 or CONNECT answer.
    pub(super) switch: Option<Position>,
}

impl Track {
    /// The region that holds `at`.
    pub(super) fn region_at(&self, at: Position) -> Option<&Region> {
        let index = self.regions.partition_point(|region| region.end <= at);
        self.regions.get(index).filter(|region| region.start <= at)
    }

    /// Whether a byte of `start..end` is doubtful.
    pub(super) fn is_doubtful(&self, start: Position, end: Position) -> bool {
        let from = self.regions.partition_point(|region| region.end <= start);
        let near = self.regions[from..].iter().take_while(|region| region.start < end);
        near.into_iter().any(|region| region.kind == Kind::Opaque)
    }

    /// Makes everything from `at` on opaque, because the connection left HTTP there.
    pub(super) fn leave_http(&mut self, at: Position, end: Position) {
        self.messages.retain(|message| message.start < at);
        self.regions.retain(|region| region.start < at);
        if let Some(last) = self.regions.last_mut() {
            last.end = last.end.min(at);
        }
        self.push(at, end, Kind::Opaque, "behind a protocol switch");
    }

    fn push(&mut self, start: Position, end: Position, kind: Kind, reason: &'static str) {
        self.push_content(start, end, kind, 0, reason);
    }

    /// Like `push`, but a neighbour of the same kind grows.
    fn extend(&mut self, start: Position, end: Position, kind: Kind) {
        match self.regions.last_mut() {
            Some(last) if last.kind == kind && last.end == start => last.end = end.max(start),
            _ => self.push(start, end, kind, ""),
        }
    }

    fn push_content(&mut self, start: Position, end: Position, kind: Kind, offset: u64, reason: &'static str) {
        if end > start {
            self.regions.push(Region {
                start,
                end,
                kind,
                content_offset: offset,
                reason,
            });
        }
    }
}

/// Knows the requests when responses are walked.
pub(super) trait Requests {
    /// What the response at `start` with `status` answers, and where the request ends. `doubt` tells that the response
    /// direction cannot be counted on to have shown every response so far.
    fn answered_by(&mut self, stream: &Stream, start: Position, status: u16, doubt: bool) -> Answered;
}

/// The request of a response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    pub(super) asked: Asked,
    /// Behind the request; `None` when unknown.
    pub(super) request_end: Option<Position>,
    /// Whether the pairing is beyond doubt, even against what the next bytes look like.
    pub(super) certain: bool,
}

/// Where the walk goes on.
enum Next {
    /// At a message boundary.
    Message(Position),
    /// At a place where only a message start that can be recognised helps.
    Lost(Position),
    /// Nowhere: the rest is labelled.
    Done,
}

struct Walk<'s> {
    stream: &'s Stream,
    /// Lower-case names of fields whose values are labelled apart.
    secrets: &'s [String],
    track: Track,
    /// Whether some message boundary so far was uncertain.
    doubt: bool,
    /// Whether the present position follows a hole or doubtful bytes, so that it may be the middle of a line.
    just_lost: bool,
}

/// Walks requests. `base` is the first position of the direction, `anchored` whether the connection's start was seen.
pub(super) fn requests(stream: &Stream, base: Position, anchored: bool, secrets: &[String]) -> Track {
    let mut walk = Walk::new(stream, secrets, !anchored);
    walk.run(base, |walk, at, first| {
        let start = walk.first_line(at, first && anchored).filter(Start::is_request)?;
        // Behind a hole, `EAD / HTTP/1.1` is what is left of `HEAD / HTTP/1.1`.
        let trusted = !walk.just_lost || start.has_common_method();
        trusted.then(|| walk.request(at, &start))
    });
    walk.track
}

/// Walks responses.
pub(super) fn responses(
    stream: &Stream,
    base: Position,
    anchored: bool,
    secrets: &[String],
    requests: &mut dyn Requests,
) -> Track {
    let mut walk = Walk::new(stream, secrets, !anchored);
    walk.run(base, |walk, at, _| {
        let start = walk.first_line(at, false).filter(|start| !start.is_request())?;
        Some(walk.response(at, &start, requests))
    });
    walk.track
}

/// The answer to an HTTP/0.9 request: content from the first byte to the last.
pub(super) fn simple_response(stream: &Stream, base: Position) -> Track {
    let mut track = Track::default();
    track.push(base, stream.end(), Kind::Body, "answer to an HTTP/0.9 request");
    track
}

/// The first line at `at`, also one whose rest is missing. `simple` admits HTTP/0.9.
pub(super) fn first_line(stream: &Stream, at: Position, simple: bool) -> Option<Start> {
    match stream.line_within(at, LONGEST_START_LINE) {
        Line::Whole(line) => grammar::start_line(line, simple),
        Line::Gap(part) | Line::End(part) => grammar::partial_start_line(part),
    }
}

/// Behind the blank lines at `at`.
pub(super) fn skip_blank_lines(stream: &Stream, mut at: Position) -> Position {
    while let Line::Whole(line) = stream.line_at(at) {
        if !grammar::is_blank(line) {
            break;
        }
        at += line.len() as Position;
    }
    at
}

impl<'s> Walk<'s> {
    fn new(stream: &'s Stream, secrets: &'s [String], doubt: bool) -> Self {
        Self {
            stream,
            secrets,
            track: Track::default(),
            doubt,
            just_lost: doubt,
        }
    }

    fn run(&mut self, base: Position, mut message: impl FnMut(&mut Self, Position, bool) -> Option<Next>) {
        let mut at = base;
        let mut first = true;
        while at < self.stream.end() {
            if self.stream.bytes_at(at).is_empty() {
                at = self.stream.next_captured(at);
                self.lose();
                continue;
            }
            let behind_blank = skip_blank_lines(self.stream, at);
            self.track
                .push(at, behind_blank, Kind::Blank, "blank line before a message");
            at = behind_blank;
            if self.stream.bytes_at(at).is_empty() {
                continue;
            }
            let next = message(self, at, first).unwrap_or(Next::Lost(at));
            first = false;
            at = match next {
                Next::Message(at) => {
                    self.just_lost = false;
                    at
                }
                Next::Lost(at) => self.resynchronise(at),
                Next::Done => return,
            };
        }
    }

    fn lose(&mut self) {
        self.doubt = true;
        self.just_lost = true;
    }

    fn first_line(&self, at: Position, simple: bool) -> Option<Start> {
        first_line(self.stream, at, simple)
    }

    /// The next packet whose payload starts with a whole start line; everything before it is doubtful.
    fn resynchronise(&mut self, at: Position) -> Position {
        self.lose();
        let starts = self.stream.packet_starts();
        let later = &starts[starts.partition_point(|&start| start <= at)..];
        let found = later.iter().copied().find(|&start| {
            let line = self.first_line(start, false);
            line.is_some_and(|line| line.is_complete() && (!line.is_request() || line.has_common_method()))
        });
        let next = found.unwrap_or(self.stream.end());
        self.track.push(at, next, Kind::Opaque, "framing is lost");
        next
    }

    /// Labels the header block at `at`. Where it ends, and its lines; `None` when it is not complete.
    fn header_block(&mut self, at: Position, one_line: bool) -> (Position, Option<Vec<&'s [u8]>>) {
        let mut lines = Vec::new();
        let mut end = at;
        let complete = loop {
            let line = self.stream.line_at(end);
            end += line.bytes().len() as Position;
            lines.push(line.bytes());
            match line {
                Line::Whole(bytes) if grammar::is_blank(bytes) || one_line => break true,
                Line::Whole(_) => {}
                Line::Gap(_) | Line::End(_) => break false,
            }
        };
        self.label_header(at, &lines);
        self.doubt |= !complete;
        (end, complete.then_some(lines))
    }

    fn label_header(&mut self, mut at: Position, lines: &[&[u8]]) {
        let mut is_secret = false;
        for line in lines {
            let end = at + line.len() as Position;
            let value = grammar::value_range(line);
            if let Some((name, _)) = &value {
                is_secret = self.secrets.contains(name);
            }
            let is_fold = grammar::is_fold(line);
            let range = match value {
                Some((_, range)) if is_secret => range,
                None if is_secret && is_fold => 0..grammar::trim_line_end(line).len(),
                _ => 0..0,
            };
            let (from, to) = (at + range.start as Position, at + range.end as Position);
            self.track.extend(at, from, Kind::Header);
            self.track.extend(from, to, Kind::Secret);
            self.track.extend(to.max(at), end, Kind::Header);
            at = end;
        }
    }

    fn remember(&mut self, start: Position, header_end: Position, asked: Asked, simple: bool) {
        self.track.messages.push(Message {
            start,
            header_end,
            end: header_end,
            asked,
            simple,
            packet: self.stream.packet_of(start),
        });
    }

    fn request(&mut self, at: Position, start: &Start) -> Next {
        let simple = *start == Start::Simple;
        let (header_end, lines) = self.header_block(at, simple);
        let (Some(lines), Start::Request { .. } | Start::Simple) = (lines, start) else {
            return Next::Message(header_end);
        };
        let asked = match start {
            Start::Request { method } if method.eq_ignore_ascii_case(b"HEAD") => Asked::Head,
            Start::Request { method } if method.eq_ignore_ascii_case(b"CONNECT") => Asked::Connect,
            _ => Asked::Other,
        };
        self.remember(at, header_end, asked, simple);
        let fields = grammar::fields(lines.get(1..).unwrap_or(&[]));
        self.content(header_end, grammar::request_content(&fields))
    }

    fn response(&mut self, at: Position, start: &Start, requests: &mut dyn Requests) -> Next {
        let (header_end, lines) = self.header_block(at, false);
        let (Some(lines), Start::Response { status }) = (lines, start) else {
            return Next::Message(header_end);
        };
        let answered = requests.answered_by(self.stream, at, *status, self.doubt);
        self.remember(at, header_end, answered.asked, false);
        let fields = grammar::fields(lines.get(1..).unwrap_or(&[]));
        let content = grammar::response_content(&fields, *status, answered.asked);
        let otherwise = grammar::response_content(&fields, *status, Asked::Other);
        if content == Content::Switch {
            self.track.switch = answered.request_end;
        }
        match self.weigh(header_end, answered, content, otherwise) {
            Some(content) => self.content(header_end, content),
            None => Next::Lost(header_end),
        }
    }

    /// Weighs a doubtful pairing against the bytes behind the header block: a status line there is the mark of an
    /// answer to HEAD. `None` when they contradict each other.
    fn weigh(&self, at: Position, answered: Answered, content: Content, otherwise: Content) -> Option<Content> {
        if answered.certain || matches!(otherwise, Content::Empty | Content::Length(0) | Content::Switch) {
            return Some(content);
        }
        let next = self.stream.bytes_at(at);
        let beginning = next[..next.len().min(5)].to_ascii_uppercase();
        let answer_follows = !next.is_empty() && b"HTTP/".starts_with(&beginning);
        let nothing_follows = at >= self.stream.end();
        let unseen = next.is_empty();
        match answered.asked {
            Asked::Connect if content == Content::Switch => Some(content),
            Asked::Head => (answer_follows || unseen).then_some(Content::Empty),
            Asked::Other | Asked::Connect => (!answer_follows).then_some(content),
            Asked::Unknown if answer_follows || nothing_follows => Some(Content::Empty),
            Asked::Unknown => (!unseen).then_some(content),
        }
    }

    fn content(&mut self, at: Position, content: Content) -> Next {
        let end = self.stream.end();
        let next = match content {
            Content::Empty => Next::Message(at),
            Content::Length(length) => {
                let to = (at + length.min(LONGEST) as Position).min(end);
                self.track.push(at, to, Kind::Body, "");
                Next::Message(to)
            }
            Content::UntilClose => {
                self.track.push(at, end, Kind::Body, "");
                Next::Done
            }
            Content::Chunked => self.chunks(at),
            Content::Switch => self.opaque_rest(at, "behind a protocol switch"),
            Content::Reject => self.opaque_rest(at, "behind malformed framing"),
        };
        let behind = match next {
            Next::Message(at) | Next::Lost(at) => at,
            Next::Done if content == Content::Switch => at,
            Next::Done => end,
        };
        if let Some(message) = self.track.messages.last_mut() {
            message.end = behind;
        }
        next
    }

    fn opaque_rest(&mut self, at: Position, reason: &'static str) -> Next {
        self.track.push(at, self.stream.end(), Kind::Opaque, reason);
        self.doubt = true;
        Next::Done
    }

    /// Labels a chunked body (RFC 9112 section 7.1).
    fn chunks(&mut self, mut at: Position) -> Next {
        let end = self.stream.end();
        let mut offset = 0;
        loop {
            let Some(line) = self.framing_line(&mut at, |line| grammar::chunk_size(line).is_some()) else {
                return self.broken_chunk(at);
            };
            let Some(size @ 1..) = grammar::chunk_size(line) else {
                return self.trailers(at);
            };
            let to = (at + size as Position).min(end);
            self.track.push_content(at, to, Kind::Body, offset, "");
            offset += size;
            at = to;
            if at >= end {
                return Next::Message(end);
            }
            if self.framing_line(&mut at, grammar::is_blank).is_none() {
                return self.broken_chunk(at);
            }
        }
    }

    /// Takes a whole line that is as it should be, and steps over it; a line cut by a hole or the end is labelled too.
    fn framing_line(&mut self, at: &mut Position, good: impl Fn(&[u8]) -> bool) -> Option<&'s [u8]> {
        let line = self.stream.line_at(*at);
        if matches!(line, Line::Whole(bytes) if !good(bytes)) {
            return None;
        }
        let from = *at;
        *at += line.bytes().len() as Position;
        self.track.push(from, *at, Kind::Framing, "");
        match line {
            Line::Whole(bytes) => Some(bytes),
            Line::Gap(_) | Line::End(_) => None,
        }
    }

    /// What follows a chunk whose lines are not as they should be: a hole costs the framing up to the next message,
    /// malformed bytes cost the rest.
    fn broken_chunk(&mut self, at: Position) -> Next {
        self.doubt = true;
        if self.stream.bytes_at(at).is_empty() {
            return Next::Message(at);
        }
        self.opaque_rest(at, "behind a malformed chunk")
    }

    fn trailers(&mut self, mut at: Position) -> Next {
        loop {
            let line = self.stream.line_at(at);
            let from = at;
            at += line.bytes().len() as Position;
            self.track.push(from, at, Kind::Trailer, "");
            match line {
                Line::Whole(bytes) if grammar::is_blank(bytes) => return Next::Message(at),
                Line::Whole(_) => {}
                Line::Gap(_) | Line::End(_) => {
                    self.doubt = true;
                    return Next::Message(at);
                }
            }
        }
    }
}
