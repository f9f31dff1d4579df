//! Header blocks that the quick look cannot read: spread over segments, unusual, or with values to redact.

use super::flow::{Flow, Visit};
use super::secrets::Secrets;
use super::track::{Phase, UNTIL_CLOSE, Why};
use crate::http::{BlockPart, BlockStep, HeaderBlockParser};
use crate::trimmer::pool::NONE;
use crate::trimmer::{Label, Labels};

/// A header block that is being read.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) parser: HeaderBlockParser,
    /// What stands here if it is no message.
    pub(super) otherwise: Option<Otherwise>,
}

/// Content that may stand where a header block is being read, because the request is not known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Otherwise {
    /// Position of its first byte.
    pub(super) start: u64,
    /// Its length, as in [`Phase::Doubt`].
    pub(super) length: u64,
    /// A start line here is more than a likeness.
    pub(super) trusted: bool,
}

impl Pending {
    /// A start line here may be a likeness in some content.
    fn is_doubtful(&self) -> bool {
        self.otherwise.is_some_and(|otherwise| !otherwise.trusted)
    }
}

/// Paints header bytes as the parser goes over them.
struct Painter<'a> {
    labels: &'a mut Labels,
    secrets: Option<&'a mut Secrets>,
    /// Payload offset and position of the first byte fed.
    offset: u32,
    position: u64,
    part: BlockPart,
    painted: usize,
    plain: Label,
}

impl Painter<'_> {
    /// Everything up to `to` is what the last part was; then comes `next`.
    fn paint(&mut self, to: usize, next: BlockPart) {
        let label = match self.part {
            BlockPart::Plain => self.plain,
            BlockPart::RedactedValue => Label::Redacted,
        };
        self.labels.fill_to(self.offset + to as u32, label);
        if let (BlockPart::RedactedValue, Some(secrets)) = (self.part, self.secrets.as_deref_mut()) {
            secrets.remember(self.position + self.painted as u64, self.position + to as u64);
        }
        (self.part, self.painted) = (next, to);
    }
}

impl Flow {
    /// Feeds the bytes at the next position to a parser.
    pub(super) fn feed_block(&mut self, visit: &mut Visit<'_>, mut pending: Pending) {
        let side = visit.side;
        let before = self.tracks[side].parsed;
        let step = self.paint_block(visit, &mut pending);
        match step {
            BlockStep::Done { consumed, block } => {
                self.tracks[side].parsed = before + consumed as u64;
                match pending.is_doubtful() {
                    true => self.derail(visit, Why::Derailed),
                    false => self.message(visit, &block),
                }
            }
            BlockStep::More => {
                self.tracks[side].parsed = visit.end;
                if let (Some(start), false) = (pending.parser.start_line(), pending.is_doubtful()) {
                    self.learn_role(side, start);
                }
                let number = visit.shared.blocks.insert(pending);
                self.set_phase(visit.shared, side, Phase::Block(number));
            }
            BlockStep::NotAMessage { .. } => self.no_message(visit, pending.otherwise),
            BlockStep::TooLong { .. } => {
                visit.shared.statistics.lost_to_limit += 1;
                self.derail(visit, Why::Derailed);
            }
        }
    }

    fn paint_block(&mut self, visit: &mut Visit<'_>, pending: &mut Pending) -> BlockStep {
        let track = &self.tracks[visit.side];
        let position = track.parsed;
        let rest = visit.from(position);
        let shared = &mut *visit.shared;
        let mut painter = Painter {
            labels: &mut *visit.labels,
            secrets: (track.secrets != NONE).then(|| shared.secrets.get_mut(track.secrets)),
            offset: (position - visit.start) as u32,
            position,
            part: pending.parser.part(),
            painted: 0,
            plain: if pending.is_doubtful() {
                Label::Unsure
            } else {
                Label::Header
            },
        };
        let redacted = shared.redacted.as_ref().unwrap_or(&shared.no_fields);
        let limit = shared.longest_block;
        let step = pending
            .parser
            .feed(rest, limit, redacted, &mut |at, next| painter.paint(at, next));
        let taken = match step {
            BlockStep::Done { consumed, .. } => consumed,
            BlockStep::More => rest.len(),
            BlockStep::NotAMessage { at } | BlockStep::TooLong { at } => {
                shared.statistics.examined += at as u64;
                return step;
            }
        };
        shared.statistics.examined += taken as u64;
        if !pending.parser.is_plausible() && !self.speaks_http() {
            painter.plain = Label::Undecided;
        }
        painter.paint(taken, BlockPart::Plain);
        step
    }

    /// The bytes at the next position turned out to be no header block.
    fn no_message(&mut self, visit: &mut Visit<'_>, otherwise: Option<Otherwise>) {
        let (simple, speaks_http) = (self.simple, self.speaks_http());
        let track = &mut self.tracks[visit.side];
        if let Some(Otherwise { start, length, .. }) = otherwise {
            track.parsed = start;
            return self.settle_doubt(visit, length);
        }
        if !track.opening {
            visit.shared.statistics.lost_to_framing += u64::from(speaks_http);
            return self.derail(visit, Why::Derailed);
        }
        match track.position(track.base) {
            Some(base) if simple => {
                // Everything that answers an HTTP/0.9 request is content.
                (track.parsed, track.keep_left) = (base, visit.shared.keep);
                self.settle_doubt(visit, UNTIL_CLOSE);
            }
            _ => self.derail(visit, Why::NotHttp),
        }
    }
}
