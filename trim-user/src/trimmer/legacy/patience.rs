//! Doing without bytes that the other end has received.
//!
//! What a receiver has acknowledged is not sent again (RFC 9293 section 3.4). When such bytes were not captured, only a
//! capture that mixes up the order of packets can still bring them, and that takes it milliseconds. Waiting for them as
//! long as for a retransmission would hold every packet behind each packet that a capture loses.

use super::flow::{Half, Phase};
use super::run::Run;
use crate::trimmer::pool::NONE;

/// How far a direction had been acknowledged at some time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Checkpoint {
    position: u64,
    time: u64,
}

impl Run<'_> {
    /// Gives up what waits for bytes whose receiver has acknowledged them long ago. `now` is the capture time.
    pub(super) fn lose_patience(&mut self, now: u64) {
        for direction in 0..2 {
            while let Some(missing) = self.waits_for(direction)
                && self.has_waited_enough(missing, now)
            {
                self.give_up(direction);
            }
        }
    }

    /// The direction whose bytes are waited for by what is held in this one.
    fn waits_for(&self, direction: usize) -> Option<usize> {
        let half = &self.flow.halves[direction];
        if half.stash == NONE {
            return None;
        }
        let stash = self.shared.stashes.get(half.stash);
        let has_hole = stash.next_start(half.frontier).is_some_and(|next| next > half.frontier);
        match half.phase {
            _ if has_hole => Some(direction),
            // More bytes of its own, which stand behind those that are here.
            Phase::Peek(_) | Phase::PeekSimple => None,
            _ => Some(1 - direction),
        }
    }

    fn has_waited_enough(&mut self, direction: usize, now: u64) -> bool {
        let half = &mut self.flow.halves[direction];
        half.note_missing(now);
        let waited = now.saturating_sub(half.checkpoint.time);
        half.misses(half.checkpoint.position) && waited >= self.shared.patience
    }

    /// Whether the bytes between the frontier and a segment that has just come need not be waited for at all: they were
    /// acknowledged long ago, and nothing but them is missing.
    pub(super) fn is_late(&mut self, direction: usize, now: u64) -> bool {
        let half = &self.flow.halves[direction];
        let depends_on_more = match half.phase {
            Phase::Answer(_) | Phase::Peek(_) | Phase::PeekSimple | Phase::Doubt { .. } => true,
            _ => self.flow.answers_simple(direction),
        };
        half.stash == NONE && !depends_on_more && self.has_waited_enough(direction, now)
    }
}

impl Half {
    /// Notes since when the other end has bytes that are not here.
    pub(super) fn note_missing(&mut self, now: u64) {
        if self.misses(self.acknowledged) && !self.misses(self.checkpoint.position) {
            self.checkpoint = Checkpoint {
                position: self.acknowledged,
                time: now,
            };
        }
    }

    /// Whether bytes below `position` are not interpreted.
    pub(super) fn misses(&self, position: u64) -> bool {
        // The FIN counts like a byte.
        let known = self.frontier.saturating_add(u64::from(self.fin == self.frontier));
        self.started && position > known
    }
}
