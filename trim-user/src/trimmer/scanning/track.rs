//! Where one direction of a flow stands, in sequence space.
//!
//! Positions are sequence numbers unwrapped to 64 bits. The known end of a body is a position like any other, so that
//! it is honoured in whatever order segments come.

use crate::http::ChunkParser;
use crate::trimmer::{Label, Labels};

/// Stretches of content before the current one whose positions are remembered.
const REMEMBERED: usize = 2;
/// Sequence numbers further than this from the newest one belong to no segment of the connection, bytes.
const WINDOW: u64 = 1 << 30;
/// Length of content that ends with the connection. Far beyond any sequence number, and far from wrapping.
pub(super) const UNTIL_CLOSE: u64 = 1 << 62;
/// Behind all positions.
pub(super) const NOWHERE: u64 = u64::MAX;
/// First position of a fresh direction, so that positions before it do not underflow.
const ORIGIN: u64 = 1 << 32;

/// What stands at the next position to be interpreted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    /// A message, or blank lines before it.
    Start,
    /// The rest of a header block, with the number of its parser.
    Block(u32),
    /// Anything of the chunked coding but data.
    Chunk(ChunkParser),
    /// Either content of this length, or the next message if the request was HEAD, which is not known.
    /// [`UNTIL_CLOSE`] and [`CHUNKED`] are lengths.
    Doubt(u64),
    /// Another protocol.
    Opaque,
    /// Nobody knows.
    Lost(Why),
}

/// Whether one sequence number stands behind another.
pub(super) const fn is_after(one: u32, other: u32) -> bool {
    one.wrapping_sub(other).cast_signed() > 0
}

/// Stands for the length of chunked content.
pub(super) const CHUNKED: u64 = u64::MAX;

/// Why nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Bytes before it are missing.
    Missing,
    /// The first bytes of the connection are no start line.
    NotHttp,
    /// No message stands where one should, or a limit was reached, or content cannot be told from a message.
    Derailed,
    /// A recipient has to refuse the framing: the rest of the connection means what the peers make of it.
    Rejected,
}

#[derive(Clone, Copy, Debug, Default)]
struct Stretch {
    start: u32,
    length: u32,
}

/// Content between two positions.
#[derive(Clone, Copy, Debug, Default)]
struct Content {
    start: u64,
    end: u64,
}

/// State of one direction.
#[derive(Clone, Debug)]
pub(super) struct Track {
    /// The latest content that is removed.
    content: Content,
    /// Behind the newest byte seen.
    pub(super) top: u64,
    /// Next position to be interpreted; everything before it was.
    pub(super) parsed: u64,
    /// Lowest position behind `parsed` that was seen and could not be interpreted, or [`NOWHERE`].
    pub(super) passed: u64,
    pub(super) phase: Phase,
    /// Content before the latest, newest first, by sequence number.
    past: [Stretch; REMEMBERED],
    /// Sequence number of the first byte.
    pub(super) base: u32,
    /// Highest acknowledgment number of the segments with payload.
    pub(super) acknowledged: u32,
    /// While bytes are missing: acknowledgment number that a trustworthy message start exceeds.
    pub(super) doubted: u32,
    /// Content bytes kept in front of the latest content.
    kept: u32,
    /// Content bytes of the current message that are still to be kept.
    pub(super) keep_left: u32,
    /// Number of the list of redacted values, or [`NONE`](crate::trimmer::pool::NONE).
    pub(super) secrets: u32,
    /// Which part of a gibibyte-sized lap `top` was in when `past` was last cleared of entries too old to compare.
    lap: u8,
    /// The connection was seen from its beginning on.
    pub(super) anchored: bool,
    /// A payload was seen.
    pub(super) seen: bool,
    /// No message was seen, and none can have been missed.
    pub(super) opening: bool,
    /// What the current message frames as content is content.
    pub(super) certain: bool,
}

impl Track {
    /// A direction of which nothing was seen.
    pub(super) fn new() -> Self {
        Self {
            content: Content::default(),
            top: ORIGIN,
            parsed: ORIGIN,
            passed: NOWHERE,
            phase: Phase::Lost(Why::Missing),
            past: [Stretch::default(); REMEMBERED],
            base: 0,
            acknowledged: 0,
            doubted: 0,
            kept: 0,
            keep_left: 0,
            secrets: crate::trimmer::pool::NONE,
            lap: 0,
            anchored: false,
            seen: false,
            opening: false,
            certain: true,
        }
    }

    /// Begins at this sequence number.
    pub(super) fn begin(&mut self, sequence: u32) {
        self.base = sequence;
        self.top = ORIGIN + u64::from(sequence);
        self.parsed = self.top;
        self.content = Content::default();
        self.lap = self.current_lap();
    }

    /// The position of a sequence number, if it can belong to the connection.
    #[inline]
    pub(super) fn position(&self, sequence: u32) -> Option<u64> {
        let distance = i64::from(sequence.wrapping_sub(self.top as u32).cast_signed());
        (distance.unsigned_abs() <= WINDOW).then(|| self.top.wrapping_add_signed(distance))
    }

    /// Whether everything between two positions is content that goes: the common case, decided at once.
    #[inline]
    pub(super) fn is_content(&self, from: u64, to: u64) -> bool {
        from >= self.content.start && to <= self.content.end
    }

    /// Bytes up to `to` were seen.
    #[inline]
    pub(super) fn saw(&mut self, to: u64) {
        if to > self.top {
            self.top = to;
            if self.current_lap() != self.lap {
                self.forget_old();
            }
        }
    }

    const fn current_lap(&self) -> u8 {
        (self.top >> 29) as u8
    }

    #[cold]
    fn forget_old(&mut self) {
        self.lap = self.current_lap();
        let newest = self.top as u32;
        for stretch in &mut self.past {
            if u64::from(newest.wrapping_sub(stretch.start)) > WINDOW {
                *stretch = Stretch::default();
            }
        }
    }

    /// A segment with payload had this acknowledgment number.
    #[inline]
    pub(super) fn saw_acknowledgment(&mut self, acknowledgment: u32) {
        if !self.seen || is_after(acknowledgment, self.acknowledged) {
            self.acknowledged = acknowledgment;
        }
        self.seen = true;
    }

    /// The latest content that is removed: from and to.
    pub(super) fn content(&self) -> (u64, u64) {
        (self.content.start, self.content.end)
    }

    /// Whether bytes that have to be interpreted are missing although later ones were seen.
    pub(super) fn has_gap(&self) -> bool {
        self.passed != NOWHERE
    }

    /// Whether it is not known what stands at the next position, or that is missing.
    pub(super) fn is_lost(&self) -> bool {
        self.has_gap() || matches!(self.phase, Phase::Lost(_))
    }

    /// After interpretation: whether the known end of some content closed the gap. When what comes next was seen
    /// already it is too late to interpret it: a later copy may say something else.
    pub(super) fn close_gap(&mut self) -> bool {
        if self.parsed >= self.top {
            self.passed = NOWHERE;
        }
        self.parsed < self.passed
    }

    /// Content of this length begins at the next position. It goes, but for what is still to be kept of the message,
    /// and unless it may be no content at all.
    pub(super) fn enter_content(&mut self, length: u64) {
        let start = self.parsed;
        self.parsed = start.saturating_add(length.min(UNTIL_CLOSE));
        if !self.certain {
            return;
        }
        let kept = u64::from(self.keep_left).min(length) as u32;
        self.keep_left -= kept;
        self.remember();
        self.kept = kept;
        self.content = Content {
            start: start + u64::from(kept),
            end: self.parsed,
        };
    }

    /// Content that was doubted is content; what was seen of it stays kept.
    pub(super) fn confirm_content(&mut self) {
        if !self.certain && self.parsed > self.top {
            self.remember();
            self.kept = 0;
            self.content = Content {
                start: self.top,
                end: self.parsed,
            };
        }
        self.certain = true;
    }

    fn remember(&mut self) {
        let Content { start, end } = self.content;
        let length = (end - start).min(WINDOW);
        // Content of which nothing was seen lately cannot be told from what comes a lap later.
        if length > 0 && end <= self.top + WINDOW && self.top <= end + WINDOW {
            self.past.copy_within(..REMEMBERED - 1, 1);
            self.past[0] = Stretch {
                start: (end - length) as u32,
                length: length as u32,
            };
        }
    }

    /// Labels the positions `from..to`, which were interpreted before; with `unknown` where it is forgotten how.
    pub(super) fn label_known(&self, from: u64, to: u64, unknown: Label, labels: &mut Labels) {
        let mut at = from;
        while at < to {
            let (end, label) = self.known_at(at);
            let end = end.min(to);
            labels.push((end - at) as u32, label.unwrap_or(unknown));
            at = end;
        }
    }

    /// What stood at a position that was interpreted before, and up to where.
    fn known_at(&self, at: u64) -> (u64, Option<Label>) {
        let Content { start, end } = self.content;
        let kept_from = start - u64::from(self.kept);
        let mut until = u64::MAX;
        for (from, to, label) in [(start, end, Label::Body), (kept_from, start, Label::BodyKept)]
            .into_iter()
            .chain(self.past.iter().map(|stretch| self.remembered(*stretch)))
        {
            if (from..to).contains(&at) {
                return (to, Some(label));
            }
            if from > at {
                until = until.min(from);
            }
        }
        (until, None)
    }

    fn remembered(&self, stretch: Stretch) -> (u64, u64, Label) {
        let distance = stretch.start.wrapping_sub(self.top as u32).cast_signed();
        let start = self.top.wrapping_add_signed(i64::from(distance));
        (start, start + u64::from(stretch.length), Label::Body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sequence: u32) -> Track {
        let mut track = Track::new();
        track.begin(sequence);
        track
    }

    fn labels(track: &Track, from: u64, to: u64) -> Vec<(u32, u32, Label)> {
        let mut labels = Labels::new();
        track.label_known(from, to, Label::Unsure, &mut labels);
        labels.iter().collect()
    }

    #[test]
    fn positions_follow_sequence_numbers_over_the_wrap() {
        let mut track = at(u32::MAX - 10);
        let start = track.top;
        track.saw(start + 8);
        assert_eq!(track.position(5), Some(start + 16));
        assert_eq!(track.position(u32::MAX - 12), Some(start - 2));
        assert_eq!(track.position((1 << 30) + 5), None);
        assert_eq!(track.position((1 << 31) + 5), None);
    }

    #[test]
    fn content_is_known_after_two_more_messages() {
        let mut track = at(100);
        let start = track.parsed;
        track.keep_left = 4;
        for _ in 0..3 {
            track.enter_content(10);
            track.parsed += 5;
            track.saw(track.parsed);
        }
        assert_eq!(
            labels(&track, start, start + 45),
            [
                (0, 4, Label::Unsure),
                (4, 10, Label::Body),
                (10, 15, Label::Unsure),
                (15, 25, Label::Body),
                (25, 30, Label::Unsure),
                (30, 40, Label::Body),
                (40, 45, Label::Unsure),
            ]
        );
    }

    #[test]
    fn content_of_a_lap_ago_is_forgotten() {
        let mut track = at(0);
        let start = track.parsed;
        track.enter_content(1000);
        track.enter_content(1);
        track.saw(track.parsed);
        for step in 1..9 {
            track.parsed = start + (step << 29);
            track.saw(track.parsed);
        }
        assert_eq!(labels(&track, track.top, track.top + 1000), [(0, 1000, Label::Unsure)]);
    }

    #[test]
    fn a_direction_is_small() {
        assert!(size_of::<Track>() <= 128, "{}", size_of::<Track>());
    }
}
