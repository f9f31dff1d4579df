//! Two trimmers on the same bytes: one decides, the other is compared with it.

use std::collections::VecDeque;
use std::mem;

use trim_common::strategy::Strategy;

use super::{Differences, Judgement, Labels, Late, Segment, Statistics, Ticket, Trimmer};

/// Most segments that wait for the second opinion; the oldest is given up beyond that.
const MOST_WAITING: usize = 4096;

/// Runs `exact` and `fast` on the same segments, uses the labels of `exact` and counts where `fast` differs.
#[derive(Debug)]
pub struct Shadow<E, F> {
    exact: E,
    fast: F,
    opinions: Opinions,
    fast_labels: Labels,
    statistics: Statistics,
}

impl<E: Trimmer, F: Trimmer> Shadow<E, F> {
    /// Compares `fast` with `exact`.
    pub fn new(exact: E, fast: F) -> Self {
        Self {
            exact,
            fast,
            opinions: Opinions::default(),
            fast_labels: Labels::new(),
            statistics: Statistics::default(),
        }
    }

    fn count(&mut self) {
        self.statistics = Statistics {
            differences: self.opinions.differences,
            ..*self.exact.statistics()
        };
    }

    /// Calls `fast` and keeps what it says of earlier segments.
    fn ask_fast(&mut self, call: impl FnOnce(&mut F, &mut Labels, &mut FastLate<'_>)) {
        let Self {
            fast,
            fast_labels,
            opinions,
            ..
        } = self;
        call(fast, fast_labels, &mut FastLate(opinions));
    }

    fn tell(&mut self, late: &mut dyn Late, call: impl FnOnce(&mut E, &mut ExactLate<'_>)) {
        let Self { exact, opinions, .. } = self;
        call(exact, &mut ExactLate { late, opinions });
    }
}

impl<E: Trimmer, F: Trimmer> Trimmer for Shadow<E, F> {
    fn strategy(&self) -> Strategy {
        self.exact.strategy()
    }

    fn judge(&mut self, ticket: Ticket, segment: &Segment<'_>, labels: &mut Labels, late: &mut dyn Late) -> Judgement {
        let mut fast_says = Judgement::Held;
        self.ask_fast(|fast, labels, late| {
            labels.clear();
            fast_says = fast.judge(ticket, segment, labels, late);
        });
        let mut exact_says = Judgement::Held;
        self.tell(late, |exact, late| {
            exact_says = exact.judge(ticket, segment, labels, late)
        });
        match (exact_says, fast_says) {
            (Judgement::Decided, Judgement::Decided) => self.opinions.differences.compare(labels, &self.fast_labels),
            (Judgement::Decided, Judgement::Held) => self.opinions.wait(ticket, Some(labels.clone()), None),
            (Judgement::Held, Judgement::Decided) => {
                let fast_labels = mem::take(&mut self.fast_labels);
                self.opinions.wait(ticket, None, Some(fast_labels));
            }
            (Judgement::Held, Judgement::Held) => self.opinions.wait(ticket, None, None),
        }
        self.count();
        exact_says
    }

    fn release(&mut self, ticket: Ticket, late: &mut dyn Late) {
        self.ask_fast(|fast, _, late| fast.release(ticket, late));
        self.tell(late, |exact, late| exact.release(ticket, late));
        self.count();
    }

    fn finish(&mut self, late: &mut dyn Late) {
        self.ask_fast(|fast, _, late| fast.finish(late));
        self.tell(late, |exact, late| exact.finish(late));
        self.count();
    }

    fn statistics(&self) -> &Statistics {
        &self.statistics
    }
}

/// Segments of which one trimmer, or both, have not spoken yet, in the order of their tickets.
#[derive(Debug, Default)]
struct Opinions {
    waiting: VecDeque<Opinion>,
    differences: Differences,
}

#[derive(Debug)]
struct Opinion {
    ticket: Ticket,
    exact: Option<Labels>,
    fast: Option<Labels>,
}

impl Opinions {
    fn wait(&mut self, ticket: Ticket, exact: Option<Labels>, fast: Option<Labels>) {
        if self.waiting.len() == MOST_WAITING {
            self.waiting.pop_front();
            self.differences.not_compared += 1;
        }
        self.waiting.push_back(Opinion { ticket, exact, fast });
    }

    fn hear(&mut self, ticket: Ticket, place: impl FnOnce(&mut Opinion) -> &mut Option<Labels>, labels: &Labels) {
        let Ok(index) = self.waiting.binary_search_by_key(&ticket, |opinion| opinion.ticket) else {
            return;
        };
        let opinion = &mut self.waiting[index];
        *place(opinion) = Some(labels.clone());
        if let (Some(exact), Some(fast)) = (&opinion.exact, &opinion.fast) {
            self.differences.compare(exact, fast);
            self.waiting.remove(index);
        }
    }
}

/// Passes late labels on, and listens.
struct ExactLate<'a> {
    late: &'a mut dyn Late,
    opinions: &'a mut Opinions,
}

impl Late for ExactLate<'_> {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        self.late.decide(ticket, labels);
        self.opinions.hear(ticket, |opinion| &mut opinion.exact, labels);
    }
}

/// Only listens: what the second trimmer says has no effect.
struct FastLate<'a>(&'a mut Opinions);

impl Late for FastLate<'_> {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        self.0.hear(ticket, |opinion| &mut opinion.fast, labels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trimmer::{Class, Label};

    fn labels(spans: &[(u32, Label)]) -> Labels {
        let mut labels = Labels::new();
        spans.iter().for_each(|&(length, label)| labels.push(length, label));
        labels
    }

    #[test]
    fn opinions_that_come_late_are_compared_when_both_are_there() {
        let mut opinions = Opinions::default();
        opinions.wait(Ticket(3), None, Some(labels(&[(4, Label::Body)])));
        opinions.wait(Ticket(5), None, None);
        opinions.hear(Ticket(5), |opinion| &mut opinion.exact, &labels(&[(1, Label::Header)]));
        opinions.hear(Ticket(3), |opinion| &mut opinion.exact, &labels(&[(4, Label::Header)]));
        assert_eq!(opinions.differences.of(Class::HeaderLost), 4);
        assert_eq!(opinions.waiting.len(), 1);
    }
}
