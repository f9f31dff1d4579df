//! The caller of a trimmer, without anything that is around it in a worker.

use std::collections::VecDeque;
use std::hint::black_box;

use trim_user::trimmer::{Judgement, Label, Labels, Late, Ticket, Trimmer};

use super::traffic::Trace;

/// Payload that the caller of a trimmer lets it hold, bytes: what a worker allows by default.
const MOST_HELD: usize = 64 << 20;

/// Holds what a trimmer holds, as a worker does, and counts body bytes that are removed.
#[derive(Debug, Default)]
pub struct Caller {
    held: VecDeque<(Ticket, usize)>,
    held_bytes: usize,
    removed: usize,
}

impl Late for Caller {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        self.count(labels);
        if let Ok(place) = self.held.binary_search_by_key(&ticket, |held| held.0) {
            self.held_bytes -= std::mem::take(&mut self.held[place].1);
        }
        while self.held.pop_front_if(|held| held.1 == 0).is_some() {}
    }
}

impl Caller {
    /// Body bytes removed so far.
    pub fn removed(&self) -> usize {
        self.removed
    }

    #[inline]
    fn count(&mut self, labels: &Labels) {
        let body = labels.iter().filter(|&(.., label)| label == Label::Body);
        self.removed += body.map(|(from, to, _)| (to - from) as usize).sum::<usize>();
    }

    /// One round of a trace through a trimmer; `shift` is that of [`Trace::segments`].
    pub fn replay(&mut self, trace: &Trace, trimmer: &mut dyn Trimmer, labels: &mut Labels, shift: u32) {
        for (index, segment) in trace.segments(shift).enumerate() {
            let ticket = Ticket(index as u64);
            match trimmer.judge(ticket, &segment, labels, self) {
                Judgement::Decided => self.count(labels),
                Judgement::Held => {
                    self.held.push_back((ticket, segment.payload.len()));
                    self.held_bytes += segment.payload.len();
                }
            }
            while self.held_bytes > MOST_HELD {
                let Some(&(oldest, _)) = self.held.front() else { break };
                trimmer.release(oldest, self);
            }
        }
        trimmer.finish(self);
        black_box(self.removed);
    }
}

/// The part of the body bytes in `trace` that a fresh trimmer keeps, 0 to 1.
pub fn body_kept(trace: &Trace, trimmer: &mut dyn Trimmer) -> f64 {
    let mut caller = Caller::default();
    caller.replay(trace, trimmer, &mut Labels::new(), 0);
    let all = trace.body_bytes() as f64;
    (all - caller.removed as f64) / all
}

#[cfg(test)]
mod tests {
    use trim_user::trimmer::{Legacy, Settings};

    use super::super::SHIFT;
    use super::super::traffic::web;
    use super::*;

    #[test]
    fn legacy_removes_all_bodies_of_a_whole_trace_and_not_of_one_with_holes() {
        let legacy = || Legacy::new(&Settings::default());
        assert_eq!(body_kept(&web(), &mut legacy()), 0.0);
        assert!(body_kept(&web().with_loss(10), &mut legacy()) > 0.0);
    }

    #[test]
    fn a_round_with_another_shift_is_new_traffic() {
        let (trace, mut legacy) = (web(), Legacy::new(&Settings::default()));
        let (mut caller, mut labels) = (Caller::default(), Labels::new());
        caller.replay(&trace, &mut legacy, &mut labels, 0);
        caller.replay(&trace, &mut legacy, &mut labels, SHIFT);
        assert_eq!(caller.removed(), 2 * trace.body_bytes());
    }
}
