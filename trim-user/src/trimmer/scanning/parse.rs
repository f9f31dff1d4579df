//! Interprets bytes that follow on what was interpreted before.

use super::block::{Otherwise, Pending};
use super::flow::{Flow, Visit};
use super::pairing::{Answered, Overtaken, Request};
use super::quick;
use super::secrets::Secrets;
use super::track::{CHUNKED, Phase, UNTIL_CLOSE, Why, is_after};
use crate::http::{
    ChunkParser, ChunkPart, ChunkStep, Expected, Framing, HeaderBlock, HeaderBlockParser, Method, Recognition,
    StartLine, recognise_message, request_framing, response_framing,
};
use crate::trimmer::Label;
use crate::trimmer::pool::NONE;

impl Flow {
    /// Interprets the payload from the next position on, which is inside it or at its end.
    pub(super) fn interpret(&mut self, visit: &mut Visit<'_>) {
        let side = visit.side;
        loop {
            let parsed = self.tracks[side].parsed;
            if parsed >= visit.end {
                return;
            }
            if parsed < visit.start {
                // Content that was doubted ended before this segment.
                return visit.label_rest(self.unknown(side));
            }
            match self.tracks[side].phase {
                Phase::Start => self.message_start(visit),
                Phase::Block(number) => {
                    let pending = visit.shared.blocks.get(number).clone();
                    self.set_phase(visit.shared, side, Phase::Start);
                    self.feed_block(visit, pending);
                }
                Phase::Chunk(parser) => self.chunk(visit, parser),
                Phase::Doubt(length) => self.doubt(visit, length),
                Phase::Opaque => return visit.label_rest(Label::Opaque),
                Phase::Lost(_) => return visit.label_rest(self.unknown(side)),
            }
        }
    }

    fn message_start(&mut self, visit: &mut Visit<'_>) {
        let expected = self.expected(visit.side);
        let track = &mut self.tracks[visit.side];
        let rest = visit.from(track.parsed);
        if visit.shared.redacted.is_none() {
            let window = rest.get(..visit.shared.longest_block as usize).unwrap_or(rest);
            let found = quick::read(window).filter(|(_, block)| admits(expected, block.start));
            visit.shared.statistics.examined += found.map_or(window.len(), |(length, _)| length) as u64;
            if let Some((length, block)) = found {
                track.parsed += length as u64;
                visit.labels.push(length as u32, Label::Header);
                return self.message(visit, &block);
            }
        } else if track.secrets == NONE {
            track.secrets = visit.shared.secrets.reuse_or(Secrets::new);
            visit.shared.secrets.get_mut(track.secrets).clear();
        }
        let simple_allowed = track.opening && expected != Expected::Response;
        let parser = HeaderBlockParser::new(expected, simple_allowed);
        self.feed_block(
            visit,
            Pending {
                parser,
                otherwise: None,
            },
        );
    }

    /// A header block is complete, and the next position is behind it.
    pub(super) fn message(&mut self, visit: &mut Visit<'_>, block: &HeaderBlock) {
        let side = visit.side;
        visit.shared.statistics.messages += 1;
        let track = &mut self.tracks[side];
        (track.opening, track.certain) = (false, true);
        track.keep_left = visit.shared.keep;
        self.learn_role(side, block.start);
        match block.start {
            StartLine::Request { method } => self.request(visit, method, block),
            StartLine::Simple => {
                self.simple = true;
                self.pairing.request(Method::Other, false);
                self.set_phase(visit.shared, side, Phase::Start);
            }
            StartLine::Response { status } => self.response(visit, status, block),
        }
    }

    /// The first start line tells which way requests go.
    pub(super) fn learn_role(&mut self, side: usize, start: StartLine) {
        let requests = match start {
            StartLine::Request { .. } | StartLine::Simple => side,
            StartLine::Response { .. } => Self::other(side),
        };
        self.requests.get_or_insert(requests as u8);
    }

    fn request(&mut self, visit: &mut Visit<'_>, method: Method, block: &HeaderBlock) {
        // Behind a CONNECT or Upgrade request that is not answered yet, nobody knows whether this is HTTP.
        self.tracks[visit.side].certain = !self.pairing.may_switch();
        let (request, overtaken) = self.pairing.request(method, block.fields.upgrade);
        match request_framing(&block.fields) {
            Framing::Length(length) => self.content(visit, length),
            Framing::Chunked => self.set_phase(visit.shared, visit.side, Phase::Chunk(ChunkParser::new())),
            Framing::Reject => self.reject(visit),
            Framing::None | Framing::UntilClose | Framing::Switch => {
                self.set_phase(visit.shared, visit.side, Phase::Start);
            }
        }
        if let Some(overtaken) = overtaken {
            self.settle_overtaken(visit, request, overtaken);
        }
    }

    /// What the answer means is known now that its request came.
    fn settle_overtaken(&mut self, visit: &mut Visit<'_>, request: Request, overtaken: Overtaken) {
        let other = Self::other(visit.side);
        if !overtaken.is_last {
            return;
        }
        match (self.tracks[other].phase, request) {
            (Phase::Opaque, Request::Upgrade) => self.set_phase(visit.shared, visit.side, Phase::Opaque),
            (Phase::Doubt(_), Request::Head) => self.set_phase(visit.shared, other, Phase::Start),
            (_, Request::Connect) if overtaken.success => self.switch(visit),
            (Phase::Doubt(CHUNKED), _) => self.set_phase(visit.shared, other, Phase::Chunk(ChunkParser::new())),
            (Phase::Doubt(length), _) => {
                self.tracks[other].certain = true;
                self.tracks[other].enter_content(length);
                self.set_phase(visit.shared, other, Phase::Start);
            }
            _ => self.tracks[other].confirm_content(),
        }
    }

    fn response(&mut self, visit: &mut Visit<'_>, status: u16, block: &HeaderBlock) {
        let side = visit.side;
        self.interim = (100..200).contains(&status) && status != 101;
        if self.interim {
            return self.set_phase(visit.shared, side, Phase::Start);
        }
        let unseen = self.acknowledges_unseen(visit);
        let answered = self.pairing.response(status, unseen);
        let method = match answered {
            Answered::Known(Request::Head) => Method::Head,
            Answered::Known(Request::Connect) => Method::Connect,
            _ => Method::Other,
        };
        let doubtful = !matches!(answered, Answered::Known(_));
        if doubtful && self.pairing.may_have_connected() && (200..300).contains(&status) {
            self.set_phase(visit.shared, Self::other(side), Phase::Lost(Why::Rejected));
            return self.derail(visit, Why::Rejected);
        }
        match response_framing(status, method, &block.fields) {
            Framing::None => self.set_phase(visit.shared, side, Phase::Start),
            Framing::Switch => self.switched(visit, answered),
            Framing::Reject => self.reject(visit),
            Framing::Length(length) => self.body(visit, length.min(UNTIL_CLOSE), doubtful),
            Framing::UntilClose => {
                // The request that is still to come may be CONNECT, whose accepting answer has no length either.
                let tunnel = answered == Answered::Early && (200..300).contains(&status);
                self.tracks[side].certain = !tunnel;
                self.body(visit, UNTIL_CLOSE, doubtful);
            }
            Framing::Chunked => self.body(visit, CHUNKED, doubtful),
        }
    }

    /// Whether the other direction has bytes, received by the sender of this segment, that were not captured yet;
    /// nothing when that direction is not captured at all.
    fn acknowledges_unseen(&self, visit: &Visit<'_>) -> Option<bool> {
        let other = &self.tracks[Self::other(visit.side)];
        if !other.anchored && !other.seen {
            return None;
        }
        let acknowledged = other.position(visit.segment.acknowledgment);
        Some(acknowledged.is_some_and(|acknowledged| acknowledged > other.parsed))
    }

    fn body(&mut self, visit: &mut Visit<'_>, length: u64, doubtful: bool) {
        match doubtful {
            true => self.set_phase(visit.shared, visit.side, Phase::Doubt(length)),
            false => self.settle_doubt(visit, length),
        }
    }

    /// Content of this length ([`CHUNKED`] among them) stands at the next position.
    pub(super) fn settle_doubt(&mut self, visit: &mut Visit<'_>, length: u64) {
        match length {
            CHUNKED => self.set_phase(visit.shared, visit.side, Phase::Chunk(ChunkParser::new())),
            _ => self.content(visit, length),
        }
    }

    fn content(&mut self, visit: &mut Visit<'_>, length: u64) {
        self.set_phase(visit.shared, visit.side, Phase::Start);
        self.tracks[visit.side].enter_content(length);
        self.label_content(visit);
    }

    /// Labels the bytes of this segment up to the next position.
    pub(super) fn label_content(&self, visit: &mut Visit<'_>) {
        let track = &self.tracks[visit.side];
        let from = visit.start + u64::from(visit.labels.covered());
        track.label_known(from, visit.end.min(track.parsed), Label::Unsure, visit.labels);
    }

    fn chunk(&mut self, visit: &mut Visit<'_>, mut parser: ChunkParser) {
        let side = visit.side;
        let parsed = self.tracks[side].parsed;
        let offset = (parsed - visit.start) as u32;
        let mut part = parser.part();
        let rest = visit.from(parsed);
        let labels = &mut *visit.labels;
        let step = parser.feed(rest, visit.shared.longest_block, |at, next| {
            labels.fill_to(offset + at as u32, chunk_label(part));
            part = next;
        });
        let taken = match step {
            ChunkStep::More => rest.len(),
            ChunkStep::Data { consumed, .. } | ChunkStep::End { consumed } => consumed,
            ChunkStep::Malformed { at } | ChunkStep::TooLong { at } => at,
        };
        labels.fill_to(offset + taken as u32, chunk_label(part));
        visit.shared.statistics.examined += taken as u64;
        self.tracks[side].parsed = parsed + taken as u64;
        self.set_phase(visit.shared, side, Phase::Chunk(parser));
        match step {
            ChunkStep::More => {}
            ChunkStep::Data { length, .. } => {
                self.tracks[side].enter_content(length);
                self.label_content(visit);
            }
            ChunkStep::End { .. } => self.set_phase(visit.shared, side, Phase::Start),
            ChunkStep::Malformed { .. } => self.reject(visit),
            ChunkStep::TooLong { .. } => {
                visit.shared.statistics.lost_to_limit += 1;
                self.derail(visit, Why::Derailed);
            }
        }
    }

    /// Content, or the next message when the request was HEAD: the bytes tell. Content can begin like a message, so a
    /// start line is believed only where it begins a segment that the peer sent after more requests had come.
    fn doubt(&mut self, visit: &mut Visit<'_>, length: u64) {
        let track = &self.tracks[visit.side];
        let start = track.parsed;
        if recognise_message(visit.from(start), Expected::Response) == Recognition::No {
            return self.settle_doubt(visit, length);
        }
        let trusted = start == visit.start && is_after(visit.segment.acknowledgment, track.acknowledged);
        let otherwise = Some(Otherwise { start, length, trusted });
        let parser = HeaderBlockParser::new(Expected::Response, false);
        self.feed_block(visit, Pending { parser, otherwise });
    }

    fn switched(&mut self, visit: &mut Visit<'_>, answered: Answered) {
        match answered {
            Answered::Known(_) => self.switch(visit),
            // The request is still to come and has to be recognised.
            Answered::Early => self.set_phase(visit.shared, visit.side, Phase::Opaque),
            Answered::Unknown => {
                self.set_phase(visit.shared, visit.side, Phase::Opaque);
                self.set_phase(visit.shared, Self::other(visit.side), Phase::Lost(Why::Rejected));
            }
        }
    }

    /// No HTTP any more, either way.
    fn switch(&mut self, visit: &mut Visit<'_>) {
        for side in 0..2 {
            self.set_phase(visit.shared, side, Phase::Opaque);
        }
    }

    fn reject(&mut self, visit: &mut Visit<'_>) {
        visit.shared.statistics.lost_to_framing += 1;
        self.derail(visit, Why::Rejected);
    }

    /// What stands at the next position is not known.
    pub(super) fn derail(&mut self, visit: &mut Visit<'_>, why: Why) {
        self.set_phase(visit.shared, visit.side, Phase::Lost(why));
        let track = &mut self.tracks[visit.side];
        track.opening = false;
        track.doubted = visit.segment.acknowledgment;
        visit.label_rest(self.unknown(visit.side));
    }
}

fn admits(expected: Expected, start: StartLine) -> bool {
    match start {
        StartLine::Response { .. } => expected != Expected::Request,
        StartLine::Request { .. } | StartLine::Simple => expected != Expected::Response,
    }
}

const fn chunk_label(part: ChunkPart) -> Label {
    match part {
        ChunkPart::Framing => Label::Framing,
        ChunkPart::Trailer => Label::Trailer,
    }
}
