//! Interpretation of one direction's bytes: from phase to phase, each step labelling what it takes.

use super::doubt::may_hold_framing;
use super::flow::{ENDLESS, Opening, Pending, Phase};
use super::requests::Asked;
use super::run::Run;
use crate::http::{
    BlockPart, BlockStep, ChunkPart, ChunkStep, Expected, Framing, HeaderBlock, HeaderBlockParser, LineStep, Method,
    Recognition, StartLine, StartLineParser, recognise_status_line, request_framing, response_framing,
};
use crate::trimmer::Label;
use crate::trimmer::pool::NONE;

/// How many bytes tell a status line from anything else, repeated blanks included.
pub(super) const LOOK_AHEAD: usize = 32;

/// Bytes to interpret, which begin at or below the frontier and reach beyond it.
#[derive(Debug)]
pub(super) struct View<'b> {
    pub(super) start: u64,
    pub(super) bytes: &'b [u8],
    /// A segment begins at `start`, and no message was looked for there yet.
    pub(super) candidate: bool,
}

impl<'b> View<'b> {
    /// The part of `bytes` from `frontier` on.
    pub(super) fn new(start: u64, bytes: &'b [u8], segment_start: bool, frontier: u64) -> Self {
        let skipped = frontier.saturating_sub(start);
        Self {
            start: start + skipped,
            bytes: bytes.get(skipped as usize..).unwrap_or_default(),
            candidate: segment_start && skipped == 0,
        }
    }

    fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes.len() as u64)
    }

    /// Leaves out what lies at or behind `position`.
    fn truncate(&mut self, position: u64) {
        let length = position.saturating_sub(self.start).min(self.bytes.len() as u64);
        self.bytes = self.bytes.get(..length as usize).unwrap_or_default();
    }

    fn from(&self, position: u64) -> &'b [u8] {
        self.bytes.get((position - self.start) as usize..).unwrap_or_default()
    }
}

enum Pairing {
    Known(Method),
    /// By evidence, where counting has failed: the bytes behind the header block overrule it.
    Likely(Method),
    Unknown,
    /// The request may still come.
    Wait,
}

impl Run<'_> {
    /// Interprets a view to its end; false when what stands at the frontier cannot be told yet.
    pub(super) fn advance(&mut self, direction: usize, view: &mut View<'_>) -> bool {
        let opaque_from = self.flow.halves[direction].opaque_from;
        view.truncate(opaque_from);
        let done = self.advance_http(direction, view);
        if done && self.flow.halves[direction].frontier >= opaque_from {
            self.end_with(direction, Label::Opaque);
        }
        done
    }

    fn advance_http(&mut self, direction: usize, view: &mut View<'_>) -> bool {
        while self.flow.halves[direction].frontier < view.end() {
            let half = &self.flow.halves[direction];
            let rest = view.from(half.frontier);
            let goes_on = match half.phase {
                Phase::Message => self.begin_message(direction, view),
                Phase::Head { .. } => {
                    self.continue_head(direction, view);
                    true
                }
                Phase::Answer(_) => self.resolve_answer(direction),
                Phase::Peek(_) | Phase::PeekSimple => self.peek(direction, rest),
                Phase::Chunk(_) => {
                    self.chunk(direction, rest);
                    true
                }
                Phase::Lost => {
                    self.search(direction, view);
                    true
                }
                Phase::Doubt { end } => {
                    self.doubtful_body(direction, rest, end);
                    true
                }
                Phase::Endless => return true,
            };
            if !goes_on {
                return false;
            }
        }
        true
    }

    fn begin_message(&mut self, direction: usize, view: &mut View<'_>) -> bool {
        if self.flow.awaits_switch(direction) || self.may_answer_unseen(direction, view) {
            return false;
        }
        if self.flow.has_switched(direction) {
            self.end_with(direction, Label::Opaque);
            return true;
        }
        if self.flow.answers_simple(direction) {
            self.flow.halves[direction].phase = Phase::PeekSimple;
            return true;
        }
        let client = self.flow.is_client(direction);
        let half = &self.flow.halves[direction];
        let simple = client != Some(false) && half.syn != 0 && half.frontier == half.base;
        let parser = HeaderBlockParser::new(self.flow.expected(direction), simple);
        let opening = Opening {
            origin: half.frontier,
            received: self.received,
            tentative: false,
        };
        self.feed_head(direction, view, parser, opening);
        true
    }

    /// Whether a connection begins with bytes that are no message but may answer an HTTP/0.9 request that comes later.
    fn may_answer_unseen(&self, direction: usize, view: &View<'_>) -> bool {
        let half = &self.flow.halves[direction];
        let mut first_line = StartLineParser::new(Expected::Any, true);
        half.syn != 0
            && half.frontier == half.base
            && self.flow.client.is_none()
            && !self.flow.unpaired
            && self.flow.halves[1 - direction].lags(self.received)
            && matches!(first_line.feed(view.from(half.frontier)), LineStep::NotAMessage { .. })
    }

    fn continue_head(&mut self, direction: usize, view: &mut View<'_>) {
        let half = &mut self.flow.halves[direction];
        if let Phase::Head { parser, mut opening } = half.phase {
            half.phase = Phase::Message;
            self.shared.parsers.free(parser);
            let parser = self.shared.parsers.get(parser).clone();
            if parser.is_blank() {
                // Blank lines may have been sent long before the message.
                opening.received = self.received;
            }
            self.feed_head(direction, view, parser, opening);
        }
    }

    fn feed_head(&mut self, direction: usize, view: &mut View<'_>, mut parser: HeaderBlockParser, opening: Opening) {
        let unsure = self.flow.unsure();
        let half = &mut self.flow.halves[direction];
        let base = half.frontier;
        let rest = view.from(base);
        let (history, blocks) = (&mut half.history, &mut self.shared.blocks);
        history.set(blocks, base, block_label(parser.part()));
        let limit = self.shared.settings.max_header_block;
        let step = parser.feed(rest, limit, &self.shared.redacted, &mut |at, part| {
            history.set(blocks, base + at as u64, block_label(part));
        });
        self.shared.statistics.examined += match step {
            BlockStep::More => rest.len(),
            BlockStep::Done { consumed: read, .. }
            | BlockStep::NotAMessage { at: read }
            | BlockStep::TooLong { at: read } => read,
        } as u64;
        match step {
            BlockStep::More => {
                let from_middle = opening.tentative || (half.syn == 0 && opening.origin == half.base);
                if from_middle && !parser.is_plausible() {
                    history.set(blocks, base, unsure);
                }
                self.flow.http |= parser.start_line().is_some();
                half.frontier = base + rest.len() as u64;
                half.phase = Phase::Head {
                    parser: self.shared.parsers.insert(parser),
                    opening,
                };
            }
            BlockStep::Done { consumed, block } => {
                half.frontier = base + consumed as u64;
                half.phase = Phase::Message;
                self.message(direction, &block, opening);
            }
            BlockStep::NotAMessage { .. } => self.not_a_message(direction, view, opening),
            BlockStep::TooLong { at } => {
                half.frontier = base + at as u64;
                self.flow.http |= parser.start_line().is_some();
                self.shared.statistics.lost_to_limit += 1;
                self.give_up_framing(direction);
            }
        }
    }

    /// No start line stands at `origin`. The rest of the segment is lost; but where the line began in an earlier segment,
    /// this one may itself start a message.
    fn not_a_message(&mut self, direction: usize, view: &View<'_>, opening: Opening) {
        let Opening { origin, tentative, .. } = opening;
        if !tentative {
            let half = &mut self.flow.halves[direction];
            half.bad_start |= half.syn != 0 && origin == half.base;
            if self.flow.http {
                self.shared.statistics.lost_to_framing += 1;
                self.flow.lose_count(direction);
            }
        }
        let unsure = self.flow.unsure();
        let again = view.candidate && origin < view.start;
        let half = &mut self.flow.halves[direction];
        half.history
            .set(&mut self.shared.blocks, origin.max(view.start), unsure);
        half.frontier = if again { view.start } else { view.end() };
        half.phase = Phase::Lost;
    }

    /// Framing is lost: a message may start where a segment does, everything else is unsure.
    fn search(&mut self, direction: usize, view: &mut View<'_>) {
        let half = &mut self.flow.halves[direction];
        let candidate = view.candidate && half.frontier == view.start;
        view.candidate = false;
        if candidate && self.flow.may_resynchronise() {
            let parser = HeaderBlockParser::new(self.flow.expected(direction), false);
            let opening = Opening {
                origin: view.start,
                received: self.received,
                tentative: true,
            };
            self.feed_head(direction, view, parser, opening);
            return;
        }
        let unsure = self.flow.unsure();
        let half = &mut self.flow.halves[direction];
        half.history.set(&mut self.shared.blocks, half.frontier, unsure);
        half.frontier = view.end();
    }

    /// A header block is complete.
    fn message(&mut self, direction: usize, block: &HeaderBlock, opening: Opening) {
        self.shared.statistics.messages += 1;
        let half = &self.flow.halves[direction];
        let is_first = opening.origin == half.base;
        let mid_connection = is_first && half.syn == 0;
        self.flow.proper_start |= is_first;
        self.flow.http = true;
        if opening.tentative || mid_connection {
            self.shared.statistics.resynchronised += 1;
        }
        let is_request = !matches!(block.start, StartLine::Response { .. });
        self.flow.client = Some(if is_request { direction } else { 1 - direction } as u8);
        if opening.tentative {
            self.flow.lose_count(direction);
        } else if mid_connection && is_request {
            // Requests before the capture may still be unanswered.
            self.flow.lose_requests();
        }
        match block.start {
            StartLine::Response { status } => self.response(direction, status, block, opening.received),
            StartLine::Request { method } => {
                let upgrade = block.fields.upgrade;
                self.request(direction, Asked::Request { method, upgrade }, block);
            }
            StartLine::Simple => self.request(direction, Asked::Simple, block),
        }
    }

    fn request(&mut self, direction: usize, asked: Asked, block: &HeaderBlock) {
        if !self.flow.requests.push(asked, self.flow.halves[direction].frontier) {
            self.flow.requests.clear();
            self.flow.lose_requests();
        }
        self.apply(direction, request_framing(&block.fields));
    }

    fn response(&mut self, direction: usize, status: u16, block: &HeaderBlock, acknowledged: u64) {
        if matches!(status, 100 | 102..=199) {
            // An interim response: the answer to the same request is still to come.
            return;
        }
        self.flow.halves[direction].phase = Phase::Answer(Pending {
            status,
            fields: block.fields,
            acknowledged,
            received: self.received,
        });
        self.resolve_answer(direction);
    }

    /// Finds the request of a response and with it the framing; false when the request may still come.
    pub(super) fn resolve_answer(&mut self, direction: usize) -> bool {
        let Phase::Answer(pending) = self.flow.halves[direction].phase else {
            return false;
        };
        match self.pair(direction, &pending) {
            Pairing::Known(method) => self.frame_answer(direction, pending, Some(method)),
            Pairing::Likely(method) => self.frame_likely_answer(direction, pending, method),
            Pairing::Unknown => self.frame_answer(direction, pending, None),
            Pairing::Wait => return false,
        }
        true
    }

    /// Frames a response to a request with this method.
    pub(super) fn frame_answer(&mut self, direction: usize, pending: Pending, method: Option<Method>) {
        let framing = response_framing(pending.status, method.unwrap_or(Method::Other), &pending.fields);
        let certain = !matches!(method, None | Some(Method::HeadLike));
        match framing {
            Framing::Length(_) | Framing::Chunked | Framing::UntilClose if !certain => {
                self.flow.halves[direction].phase = Phase::Peek(pending);
            }
            Framing::Switch => self.switch(direction, pending.acknowledged),
            framing => self.apply(direction, framing),
        }
    }

    /// Frames a response to what was probably a request with this method: where that gives it a body, the next bytes
    /// have to agree.
    fn frame_likely_answer(&mut self, direction: usize, pending: Pending, method: Method) {
        let has_body = matches!(
            response_framing(pending.status, method, &pending.fields),
            Framing::Length(_) | Framing::Chunked | Framing::UntilClose
        );
        self.frame_answer(direction, pending, (!has_body).then_some(method));
    }

    fn pair(&mut self, direction: usize, pending: &Pending) -> Pairing {
        let flow = &mut *self.flow;
        flow.note_lost_requests();
        let client = &flow.halves[1 - direction];
        let lags = client.lags(pending.received);
        if flow.unpaired {
            if lags && client.stash != NONE && !flow.awaits_switch(1 - direction) {
                return Pairing::Wait;
            }
            return match flow.likely_request(pending) {
                Some(method) => Pairing::Likely(method),
                None => Pairing::Unknown,
            };
        }
        let method = match flow.requests.front() {
            Some(Asked::Request { method, .. }) => method,
            Some(_) => Method::Other,
            None if lags => return Pairing::Wait,
            None => return Pairing::Unknown,
        };
        flow.requests.pop();
        Pairing::Known(method)
    }

    /// Looks at the bytes at the frontier for a status line; false when there are too few to tell.
    pub(super) fn peek(&mut self, direction: usize, bytes: &[u8]) -> bool {
        let near = bytes.get(..LOOK_AHEAD).unwrap_or(bytes);
        self.shared.statistics.examined += near.len() as u64;
        let (blank, found) = recognise_answer(near);
        // Blank lines that are as long as the body may be the body; taking them for it costs no header byte.
        let is_body = match self.flow.halves[direction].phase {
            Phase::Peek(pending) => pending.fits_into(blank as u64),
            _ => false,
        };
        if found == Recognition::NeedMore && near.len() < LOOK_AHEAD && !is_body {
            return false;
        }
        self.peeked(direction, found == Recognition::Yes && !is_body);
        true
    }

    /// It is known whether a status line stands at the frontier.
    pub(super) fn peeked(&mut self, direction: usize, is_status_line: bool) {
        let half = &mut self.flow.halves[direction];
        match half.phase {
            Phase::PeekSimple if is_status_line => {
                half.phase = Phase::Message;
                self.flow.requests.replace_front(Asked::Request {
                    method: Method::Other,
                    upgrade: false,
                });
            }
            Phase::PeekSimple => {
                self.flow.requests.pop();
                self.apply(direction, Framing::UntilClose);
            }
            Phase::Peek(_) if is_status_line => half.phase = Phase::Message,
            Phase::Peek(pending) => {
                let framing = response_framing(pending.status, Method::Other, &pending.fields);
                self.apply(direction, framing);
            }
            _ => {}
        }
    }

    /// What follows the header block that ends at the frontier.
    pub(super) fn apply(&mut self, direction: usize, framing: Framing) {
        let half = &mut self.flow.halves[direction];
        half.keep_left = self.shared.settings.body_keep_bytes;
        half.phase = Phase::Message;
        match framing {
            Framing::None => {}
            Framing::Length(length) => self.content(direction, length),
            Framing::UntilClose => self.content(direction, ENDLESS),
            Framing::Chunked => half.phase = Phase::Chunk(crate::http::ChunkParser::new()),
            // Only the answer to a known request switches, and that is handled where it is known.
            Framing::Switch => self.switch(direction, self.received),
            Framing::Reject => {
                self.shared.statistics.lost_to_framing += 1;
                self.give_up_framing(direction);
            }
        }
    }

    /// The server left HTTP behind this response. So does the client: at once, or behind the chunked body of its request,
    /// or where bytes are still missing before what the server had received then, behind the request that asked for it,
    /// but there at the latest.
    fn switch(&mut self, server: usize, received: u64) {
        self.end_with(server, Label::Opaque);
        let unpaired = self.flow.unpaired;
        let client = &mut self.flow.halves[1 - server];
        let behind = client.seen && client.started && client.frontier < received;
        match client.phase {
            Phase::Chunk(_) => client.opaque_next = true,
            _ if unpaired && behind => client.opaque_from = received,
            _ => self.end_with(1 - server, Label::Opaque),
        }
    }

    /// The next `length` bytes are content; the phase behind them is set already.
    fn content(&mut self, direction: usize, length: u64) {
        let half = &mut self.flow.halves[direction];
        let blocks = &mut self.shared.blocks;
        let kept = u64::from(half.keep_left).min(length);
        half.keep_left -= kept as u32;
        if kept > 0 {
            half.history.set(blocks, half.frontier, Label::BodyKept);
        }
        if kept < length {
            half.history.set(blocks, half.frontier + kept, Label::Body);
        }
        half.frontier = half.frontier.saturating_add(length);
        if half.frontier == ENDLESS {
            half.phase = Phase::Endless;
        }
    }

    fn chunk(&mut self, direction: usize, rest: &[u8]) {
        let half = &mut self.flow.halves[direction];
        let Phase::Chunk(mut parser) = half.phase else {
            return;
        };
        let base = half.frontier;
        let (history, blocks) = (&mut half.history, &mut self.shared.blocks);
        history.set(blocks, base, chunk_label(parser.part()));
        let step = parser.feed(rest, self.shared.settings.max_header_block, |at, part| {
            history.set(blocks, base + at as u64, chunk_label(part));
        });
        half.phase = Phase::Chunk(parser);
        self.shared.statistics.examined += match step {
            ChunkStep::More => rest.len(),
            ChunkStep::Data { consumed: read, .. }
            | ChunkStep::End { consumed: read }
            | ChunkStep::Malformed { at: read }
            | ChunkStep::TooLong { at: read } => read,
        } as u64;
        match step {
            ChunkStep::More => half.frontier = base + rest.len() as u64,
            ChunkStep::Data { consumed, length } => {
                half.frontier = base + consumed as u64;
                self.content(direction, length);
            }
            ChunkStep::End { consumed } => {
                half.frontier = base + consumed as u64;
                half.phase = Phase::Message;
            }
            ChunkStep::Malformed { .. } => {
                self.shared.statistics.lost_to_framing += 1;
                self.give_up_framing(direction);
            }
            ChunkStep::TooLong { .. } => {
                self.shared.statistics.lost_to_limit += 1;
                self.give_up_framing(direction);
            }
        }
    }

    /// Nothing from the frontier on will ever be told: a message start found later might lie inside a body that the
    /// sender chose.
    pub(super) fn give_up_framing(&mut self, direction: usize) {
        let unsure = self.flow.unsure();
        self.end_with(direction, unsure);
    }

    /// Everything from the frontier on is `label`.
    pub(super) fn end_with(&mut self, direction: usize, label: Label) {
        self.leave_head(direction);
        let half = &mut self.flow.halves[direction];
        if half.frontier == ENDLESS {
            return;
        }
        if !half.started {
            let position = if half.hint != 0 { half.hint } else { half.reference };
            half.start_at(position);
        }
        half.history.set(&mut self.shared.blocks, half.frontier, label);
        half.frontier = ENDLESS;
        half.phase = Phase::Endless;
    }

    /// Takes bytes that are body unless something stands among them that delimits messages.
    fn doubtful_body(&mut self, direction: usize, rest: &[u8], end: u64) {
        let half = &self.flow.halves[direction];
        let length = (end - half.frontier).min(rest.len() as u64);
        self.shared.statistics.examined += length;
        if may_hold_framing(rest.get(..length as usize).unwrap_or_default()) {
            self.lose(direction, half.frontier);
            return;
        }
        self.content(direction, length);
        let half = &mut self.flow.halves[direction];
        if half.frontier == end {
            half.phase = Phase::Message;
        }
    }

    /// Gives the parser of an unfinished header block back.
    pub(super) fn leave_head(&mut self, direction: usize) {
        let half = &mut self.flow.halves[direction];
        if let Phase::Head { parser, .. } = half.phase
            && parser != NONE
        {
            self.shared.parsers.free(parser);
            half.phase = Phase::Lost;
        }
    }
}

/// How many bytes of blank lines, whole or cut off, stand at the beginning of `bytes`, and whether a status line stands
/// behind them.
pub(super) fn recognise_answer(bytes: &[u8]) -> (usize, Recognition) {
    let mut line = bytes;
    loop {
        line = match line {
            [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => rest,
            [b'\r'] => return (bytes.len(), Recognition::NeedMore),
            _ => return (bytes.len() - line.len(), recognise_status_line(line)),
        }
    }
}

fn block_label(part: BlockPart) -> Label {
    match part {
        BlockPart::Plain => Label::Header,
        BlockPart::RedactedValue => Label::Redacted,
    }
}

fn chunk_label(part: ChunkPart) -> Label {
    match part {
        ChunkPart::Framing => Label::Framing,
        ChunkPart::Trailer => Label::Trailer,
    }
}
