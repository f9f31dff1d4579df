//! Held bytes: interpreting them when holes fill, and doing without when they do not.

use super::doubt::{LOOK_BEHIND_HOLE, may_be_header, may_hold_framing};
use super::flow::{ENDLESS, Phase};
use super::parse::{LOOK_AHEAD, View};
use super::requests::Asked;
use super::run::Run;
use super::stash::{Held, Piece};
use crate::http::Method;
use crate::trimmer::pool::NONE;
use crate::trimmer::{Label, Ticket};

impl Run<'_> {
    /// Interprets held bytes of both directions as far as they go; what one direction learns may help the other.
    pub(super) fn settle(&mut self) {
        while self.pump(0) | self.pump(1) {}
    }

    /// Interprets held bytes of one direction; true when that led anywhere.
    fn pump(&mut self, direction: usize) -> bool {
        let mut moved = false;
        loop {
            if matches!(self.flow.halves[direction].phase, Phase::Answer(_)) && self.resolve_answer(direction) {
                moved = true;
            }
            let stash = self.flow.halves[direction].stash;
            if stash == NONE {
                return moved;
            }
            if matches!(self.flow.halves[direction].phase, Phase::Peek(_) | Phase::PeekSimple) {
                if !self.peek_held(direction) {
                    return moved;
                }
                moved = true;
            }
            let frontier = self.flow.halves[direction].frontier;
            let Some(piece) = self
                .shared
                .stashes
                .get_mut(stash)
                .take(frontier, &mut self.shared.spares)
            else {
                self.decide_ready(direction);
                return moved;
            };
            let done = self.interpret(direction, stash, piece);
            moved |= self.flow.halves[direction].frontier != frontier;
            let peeks = matches!(self.flow.halves[direction].phase, Phase::Peek(_) | Phase::PeekSimple);
            if !done && !peeks {
                return moved;
            }
        }
    }

    /// Interprets a piece that was taken from the stash; false when some of it must wait and was put back.
    fn interpret(&mut self, direction: usize, stash: u32, piece: Piece) -> bool {
        let frontier = self.flow.halves[direction].frontier;
        self.received = piece.received;
        let mut view = View::new(piece.start, &piece.bytes, piece.segment_start, frontier);
        let done = self.advance(direction, &mut view);
        if done {
            let (end, missing) = (piece.end(), piece.missing);
            self.shared.spares.recycle(piece.bytes);
            let next = self.shared.stashes.get(stash).first().map(|next| next.start);
            if next.is_none_or(|next| next > end) {
                self.skip_missing(direction, end, missing);
            }
        } else {
            self.shared.stashes.get_mut(stash).put_back(piece);
        }
        self.decide_ready(direction);
        done
    }

    fn peek_held(&mut self, direction: usize) -> bool {
        let half = &self.flow.halves[direction];
        let mut near = [0; LOOK_AHEAD];
        let count = self.shared.stashes.get(half.stash).look_ahead(half.frontier, &mut near);
        let complete = half.frontier.saturating_add(count as u64) == half.fin;
        if self.peek(direction, near.get(..count).unwrap_or_default()) {
            return true;
        }
        if complete {
            // The stream ends before a status line does.
            self.peeked(direction, false);
        }
        complete
    }

    /// Hands out the labels of held segments that lie wholly below the frontier.
    fn decide_ready(&mut self, direction: usize) {
        let stash = self.flow.halves[direction].stash;
        if stash == NONE {
            return;
        }
        let frontier = self.flow.halves[direction].frontier;
        while let Some(held) = self.shared.stashes.get_mut(stash).next_decided(frontier) {
            self.decide(direction, &held);
        }
        if self.shared.stashes.get(stash).is_empty() {
            self.shared.stashes.get_mut(stash).clear(&mut self.shared.spares);
            self.shared.stashes.free(stash);
            self.flow.halves[direction].stash = NONE;
        }
    }

    fn decide(&mut self, direction: usize, held: &Held) {
        let unsure = self.flow.unsure();
        let shared = &mut *self.shared;
        shared.tickets.remove(held.ticket);
        shared.held = shared.held.saturating_sub(held.charge());
        let is_current = self
            .current
            .as_ref()
            .is_some_and(|current| current.ticket == held.ticket);
        let labels = match &mut self.current {
            Some(current) if is_current => {
                current.decided = true;
                &mut *current.labels
            }
            _ => &mut shared.scratch,
        };
        labels.clear();
        if held.contradicts {
            labels.push((held.end - held.start) as u32, Label::Unsure);
        } else {
            let history = &self.flow.halves[direction].history;
            history.emit(&shared.blocks, held.start, held.end, unsure, labels);
        }
        if !is_current {
            self.late.decide(Ticket(held.ticket), &shared.scratch);
        }
    }

    /// Does without what the first held bytes of a direction wait for. Each call gets further; when it has been called
    /// often enough nothing is held.
    pub(super) fn give_up(&mut self, direction: usize) {
        let half = &self.flow.halves[direction];
        if half.stash == NONE {
            return;
        }
        let frontier = half.frontier;
        let hole = self
            .shared
            .stashes
            .get(half.stash)
            .next_start(frontier)
            .filter(|next| *next > frontier);
        match (half.phase, hole) {
            (Phase::Answer(pending), _) => {
                self.flow.unpaired = true;
                self.frame_answer(direction, pending, None);
            }
            (Phase::Peek(_) | Phase::PeekSimple | Phase::Doubt { .. }, Some(next)) => {
                self.look_behind_hole(direction, next);
            }
            (Phase::Message, Some(_)) if self.flow.answers_simple(direction) => {
                self.flow.halves[direction].phase = Phase::PeekSimple;
            }
            (Phase::Peek(_) | Phase::PeekSimple, None) => {
                // All there is might be the beginning of a status line.
                let count = self
                    .shared
                    .stashes
                    .get(half.stash)
                    .look_ahead(frontier, &mut [0; LOOK_AHEAD]);
                self.lose(direction, frontier + count.max(1) as u64);
            }
            (_, Some(next)) => self.lose(direction, next),
            (_, None) => self.go_on_without_answer(direction),
        }
        self.settle();
    }

    /// The bytes that would tell whether a header block has a body were lost; those at `next` are body if they cannot be
    /// anything else.
    fn look_behind_hole(&mut self, direction: usize, next: u64) {
        let half = &self.flow.halves[direction];
        let end = match half.phase {
            Phase::Peek(pending) => pending.body_end(half.frontier),
            Phase::Doubt { end } => Some(end),
            _ => Some(ENDLESS),
        };
        let mut near = [0; LOOK_BEHIND_HOLE];
        let count = self.shared.stashes.get(half.stash).look_ahead(next, &mut near);
        let near = near.get(..count).unwrap_or_default();
        self.shared.statistics.examined += count as u64;
        let may_be_message = may_be_header(near) || may_hold_framing(near);
        let Some(end) = end.filter(|end| next < *end && !may_be_message) else {
            self.lose(direction, next);
            return;
        };
        let unsure = self.flow.unsure();
        let keep_left = self.shared.settings.body_keep_bytes;
        let half = &mut self.flow.halves[direction];
        match half.phase {
            Phase::PeekSimple => self.flow.requests.pop(),
            Phase::Peek(_) => half.keep_left = keep_left,
            _ => {}
        }
        half.history.set(&mut self.shared.blocks, half.frontier, unsure);
        half.frontier = next;
        half.phase = Phase::Doubt { end };
    }

    /// The client goes on behind a request that may end HTTP, and the answer does not come; or a server begins with no
    /// message, and the request does not come.
    fn go_on_without_answer(&mut self, direction: usize) {
        if self.flow.awaits_switch(direction) && self.flow.halves[1 - direction].stash != NONE {
            // The answer may be among what the server's direction holds behind a hole of its own.
            self.give_up(1 - direction);
            return;
        }
        let back = self.flow.requests.back();
        match back.filter(|_| self.flow.awaits_switch(direction)) {
            Some(Asked::Request { method, .. }) if method != Method::Connect => {
                // Most servers ignore an Upgrade; what is no request will not be taken for one.
                let upgrade = false;
                self.flow.requests.replace_back(Asked::Request { method, upgrade });
            }
            Some(_) => self.end_with(direction, Label::Opaque),
            None if !self.flow.unpaired => self.flow.unpaired = true,
            None => self.give_up_framing(direction),
        }
    }

    /// Everything up to `next` is unsure; a message may start there or later.
    pub(super) fn lose(&mut self, direction: usize, next: u64) {
        self.flow.lossy = true;
        if self.flow.halves[direction].opaque_next {
            self.end_with(direction, Label::Opaque);
            return;
        }
        let had_framing = !matches!(self.flow.halves[direction].phase, Phase::Lost);
        self.leave_head(direction);
        let unsure = self.flow.unsure();
        let half = &mut self.flow.halves[direction];
        half.history.set(&mut self.shared.blocks, half.frontier, unsure);
        half.frontier = next;
        half.phase = Phase::Lost;
        if had_framing && self.flow.http {
            self.shared.statistics.lost_to_gap += 1;
            self.flow.lose_count(direction);
        }
    }
}
