//! One connection: both directions and what connects them.

use trim_common::flow::Direction;

use super::binary::BinaryContent;
use super::block::Pending;
use super::pairing::Pairing;
use super::secrets::Secrets;
use super::track::{Phase, Track, Why};
use crate::http::{Expected, RedactedFields};
use crate::trimmer::pool::{NONE, Pool};
use crate::trimmer::{Label, Labels, Segment, Statistics};

/// What all flows share.
#[derive(Debug)]
pub(super) struct Shared {
    /// Longest header block that is followed, bytes.
    pub(super) longest_block: u32,
    /// First bytes of each body that are kept.
    pub(super) keep: u32,
    /// Names of the fields to redact, when there are any.
    pub(super) redacted: Option<RedactedFields>,
    pub(super) no_fields: RedactedFields,
    /// Header blocks that are spread over segments.
    pub(super) blocks: Pool<Pending>,
    pub(super) secrets: Pool<Secrets>,
    pub(super) binary: BinaryContent,
    pub(super) statistics: Statistics,
}

/// A segment on its way through a flow.
pub(super) struct Visit<'a> {
    pub(super) shared: &'a mut Shared,
    pub(super) segment: &'a Segment<'a>,
    pub(super) labels: &'a mut Labels,
    /// Position of the first payload byte.
    pub(super) start: u64,
    /// Position behind the last byte that may be interpreted.
    pub(super) end: u64,
    /// Index of the direction.
    pub(super) side: usize,
}

impl<'a> Visit<'a> {
    /// The payload from a position on, which is not before the segment, as far as it may be interpreted.
    pub(super) fn from(&self, position: u64) -> &'a [u8] {
        let (from, to) = ((position - self.start) as usize, (self.end - self.start) as usize);
        self.segment.payload.get(from..to).unwrap_or_default()
    }

    /// Labels what is not labelled yet.
    pub(super) fn label_rest(&mut self, label: Label) {
        self.labels.fill_to(self.segment.payload.len() as u32, label);
    }
}

/// How certain a flow's framing is in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every byte's place is known, or the flow has not shown that it speaks HTTP.
    Exact,
    /// Framing is lost in a flow that speaks HTTP, until a message start is certain again.
    Lost,
}

/// State of a flow.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) tracks: [Track; 2],
    pub(super) pairing: Pairing,
    /// Index of the direction that requests take, once a start line was seen.
    pub(super) requests: Option<u8>,
    /// The last response was an interim one, so that the rest of a request may follow on it.
    pub(super) interim: bool,
    /// The first request was an HTTP/0.9 one.
    pub(super) simple: bool,
    /// The framing of a direction was lost some time.
    pub(super) was_lost: bool,
}

impl Flow {
    pub(super) fn new() -> Self {
        Self {
            tracks: [Track::new(), Track::new()],
            pairing: Pairing::default(),
            requests: None,
            interim: false,
            simple: false,
            was_lost: false,
        }
    }

    /// Whether a start line was seen.
    pub(super) fn speaks_http(&self) -> bool {
        self.requests.is_some()
    }

    pub(super) fn expected(&self, side: usize) -> Expected {
        match self.requests {
            None => Expected::Any,
            Some(requests) if usize::from(requests) == side => Expected::Request,
            Some(_) => Expected::Response,
        }
    }

    /// A SYN with this sequence number. Whether it belongs to another connection than the one known so far. Taking
    /// one connection for two only costs the framing; taking two for one would apply the old framing to new bytes.
    pub(super) fn is_reused_by(&self, side: usize, sequence: u32, acknowledges: bool) -> bool {
        let (track, other) = (&self.tracks[side], &self.tracks[Self::other(side)]);
        match track.anchored || track.seen {
            true => track.base != sequence.wrapping_add(1),
            false => other.seen && !acknowledges,
        }
    }

    /// A SYN of this connection with this sequence number.
    pub(super) fn anchor(&mut self, side: usize, sequence: u32) {
        let track = &mut self.tracks[side];
        if !track.anchored && !track.seen {
            track.begin(sequence.wrapping_add(1));
            (track.phase, track.opening) = (Phase::Start, true);
        }
        track.anchored = true;
    }

    /// Gives back what the flow holds in pools.
    pub(super) fn dismantle(&mut self, shared: &mut Shared) {
        for side in 0..2 {
            self.set_phase(shared, side, Phase::Start);
            let secrets = std::mem::replace(&mut self.tracks[side].secrets, NONE);
            if secrets != NONE {
                shared.secrets.free(secrets);
            }
        }
    }

    pub(super) fn set_phase(&mut self, shared: &mut Shared, side: usize, phase: Phase) {
        self.was_lost |= matches!(phase, Phase::Lost(_));
        let before = std::mem::replace(&mut self.tracks[side].phase, phase);
        if let Phase::Block(number) = before {
            shared.blocks.free(number);
        }
    }

    /// Labels a payload.
    pub(super) fn payload(&mut self, visit: &mut Visit<'_>) {
        let (start, side) = (visit.start, visit.side);
        let end = visit.end;
        let unknown = self.unknown(side);
        let track = &self.tracks[side];
        track.label_known(start, end.min(track.parsed), unknown, visit.labels);
        self.hide_again(visit);
        let track = &self.tracks[side];
        match track.phase {
            Phase::Opaque => visit.label_rest(Label::Opaque),
            Phase::Lost(_) => self.beyond(visit),
            _ if start > track.parsed => self.beyond(visit),
            _ => self.continue_with(visit),
        }
        let track = &mut self.tracks[side];
        track.saw_acknowledgment(visit.segment.acknowledgment);
        track.saw(end);
    }

    /// Interprets a payload that follows on what was interpreted.
    fn continue_with(&mut self, visit: &mut Visit<'_>) {
        let side = visit.side;
        let end = visit.end;
        visit.end = end.min(self.tracks[side].passed);
        self.interpret(visit);
        visit.end = end;
        let track = &mut self.tracks[side];
        track.saw(end);
        if !track.close_gap() && !matches!(track.phase, Phase::Lost(_)) {
            let phase = Phase::Lost(Why::Missing);
            self.set_phase(visit.shared, side, phase);
        }
        self.label_content(visit);
        visit.label_rest(self.unknown(side));
    }

    /// Values that were redacted are redacted when they come again.
    fn hide_again(&self, visit: &mut Visit<'_>) {
        let track = &self.tracks[visit.side];
        if track.secrets != NONE && visit.start < track.parsed {
            visit
                .shared
                .secrets
                .get_mut(track.secrets)
                .relabel(visit.start, visit.labels);
        }
    }

    pub(super) fn standing(&self, side: usize) -> Standing {
        let track = &self.tracks[side];
        let lost = match track.phase {
            Phase::Lost(why) => why != Why::Rejected,
            Phase::Opaque => false,
            _ => track.has_gap(),
        };
        if lost && self.speaks_http() {
            Standing::Lost
        } else {
            Standing::Exact
        }
    }

    /// How many bytes behind a position are body beyond doubt: in a connection of which everything was seen from its
    /// beginning on.
    pub(super) fn body_behind(&self, side: usize, position: u64) -> u64 {
        let track = &self.tracks[side];
        let is_whole = self.tracks.iter().all(|track| track.anchored && !track.has_gap());
        let (from, to) = track.content();
        if is_whole && !self.was_lost && track.certain && (from..to).contains(&position) {
            to - position
        } else {
            0
        }
    }

    /// The label of bytes whose place is not known.
    pub(super) fn unknown(&self, side: usize) -> Label {
        match self.tracks[side].phase {
            _ if self.speaks_http() => Label::Unsure,
            Phase::Lost(Why::NotHttp) => Label::NotHttp,
            _ => Label::Undecided,
        }
    }

    pub(super) const fn other(side: usize) -> usize {
        if side == Direction::Up.index() {
            Direction::Down.index()
        } else {
            Direction::Up.index()
        }
    }
}
