//! Two trimmers on the same bytes: one decides, the other is compared with it.
//!
//! Whoever decides, the exact one counts as the truth.

use std::collections::VecDeque;

use trim_common::strategy::Strategy;

use super::{Differences, Finding, Judgement, Labels, Late, Segment, Statistics, Ticket, Trimmer};

/// Most segments that wait for the second opinion; the oldest is given up beyond that.
const MOST_WAITING: usize = 4096;
/// Most findings that wait to be taken; those beyond are counted and no more.
const MOST_FINDINGS: usize = 8;

/// Whose labels are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leader {
    Exact,
    Fast,
}

/// Runs two trimmers on the same segments, uses the labels of the first and counts where the fast one of the two differs from
/// the exact one.
#[derive(Debug)]
pub struct Shadow<L, S> {
    leader: L,
    second: S,
    opinions: Opinions,
    second_labels: Labels,
    statistics: Statistics,
}

impl<L: Trimmer, S: Trimmer> Shadow<L, S> {
    /// Uses the labels of `exact`, and compares `fast` with it.
    pub fn new(exact: L, fast: S) -> Self {
        Self::led_by(Leader::Exact, exact, fast)
    }

    /// Uses the labels of `fast`, and compares it with `exact`.
    pub fn led_by_fast(fast: L, exact: S) -> Self {
        Self::led_by(Leader::Fast, fast, exact)
    }

    fn led_by(kind: Leader, leader: L, second: S) -> Self {
        Self {
            leader,
            second,
            opinions: Opinions {
                leader: kind,
                waiting: VecDeque::new(),
                spare: Vec::new(),
                differences: Differences::default(),
                findings: VecDeque::new(),
                most_findings: 0,
            },
            second_labels: Labels::new(),
            statistics: Statistics::default(),
        }
    }

    /// Keeps a few of the segments on which the two differ for [`Trimmer::take_finding`].
    #[must_use]
    pub fn with_findings(mut self) -> Self {
        self.opinions.most_findings = MOST_FINDINGS;
        self
    }

    fn count(&mut self) {
        self.statistics = Statistics {
            differences: self.opinions.differences,
            ..*self.leader.statistics()
        };
    }

    /// Calls the second and keeps what it says of earlier segments.
    fn ask_second(&mut self, call: impl FnOnce(&mut S, &mut Labels, &mut SecondLate<'_>)) {
        let Self {
            second,
            second_labels,
            opinions,
            ..
        } = self;
        call(second, second_labels, &mut SecondLate(opinions));
    }

    fn tell(&mut self, late: &mut dyn Late, call: impl FnOnce(&mut L, &mut LeaderLate<'_>)) {
        let Self { leader, opinions, .. } = self;
        call(leader, &mut LeaderLate { late, opinions });
    }
}

impl<L: Trimmer, S: Trimmer> Trimmer for Shadow<L, S> {
    fn strategy(&self) -> Strategy {
        self.leader.strategy()
    }

    fn judge(&mut self, ticket: Ticket, segment: &Segment<'_>, labels: &mut Labels, late: &mut dyn Late) -> Judgement {
        let mut second_says = Judgement::Held;
        self.ask_second(|second, labels, late| {
            labels.clear();
            second_says = second.judge(ticket, segment, labels, late);
        });
        let mut leader_says = Judgement::Held;
        self.tell(late, |leader, late| {
            leader_says = leader.judge(ticket, segment, labels, late)
        });
        match (leader_says, second_says) {
            (Judgement::Decided, Judgement::Decided) if segment.payload.is_empty() => {}
            (Judgement::Decided, Judgement::Decided) => self.opinions.compare(ticket, labels, &self.second_labels),
            (Judgement::Decided, Judgement::Held) => self.opinions.wait(ticket, Some(labels), None),
            (Judgement::Held, Judgement::Decided) => self.opinions.wait(ticket, None, Some(&self.second_labels)),
            (Judgement::Held, Judgement::Held) => self.opinions.wait(ticket, None, None),
        }
        self.count();
        leader_says
    }

    fn release(&mut self, ticket: Ticket, late: &mut dyn Late) {
        self.ask_second(|second, _, late| second.release(ticket, late));
        self.tell(late, |leader, late| leader.release(ticket, late));
        self.count();
    }

    fn finish(&mut self, late: &mut dyn Late) {
        self.ask_second(|second, _, late| second.finish(late));
        self.tell(late, |leader, late| leader.finish(late));
        self.count();
    }

    fn hurry(&mut self, is_overloaded: bool) {
        self.leader.hurry(is_overloaded);
        self.second.hurry(is_overloaded);
    }

    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    fn take_finding(&mut self) -> Option<Finding> {
        self.opinions.findings.pop_front()
    }
}

/// Segments of which one trimmer, or both, have not spoken yet, in the order of their tickets.
#[derive(Debug)]
struct Opinions {
    leader: Leader,
    waiting: VecDeque<Opinion>,
    /// Memory of labels that were compared.
    spare: Vec<Labels>,
    differences: Differences,
    findings: VecDeque<Finding>,
    most_findings: usize,
}

#[derive(Debug)]
struct Opinion {
    ticket: Ticket,
    leader: Option<Labels>,
    second: Option<Labels>,
}

impl Opinions {
    fn compare(&mut self, ticket: Ticket, leader: &Labels, second: &Labels) {
        let (exact, fast) = match self.leader {
            Leader::Exact => (leader, second),
            Leader::Fast => (second, leader),
        };
        let is_different = self.differences.compare(exact, fast);
        if is_different && self.findings.len() < self.most_findings {
            self.findings.push_back(Finding {
                ticket,
                exact: exact.clone(),
                fast: fast.clone(),
            });
        }
    }

    fn wait(&mut self, ticket: Ticket, leader: Option<&Labels>, second: Option<&Labels>) {
        if self.waiting.len() == MOST_WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.differences.not_compared += 1;
            self.spare.extend(oldest.leader);
            self.spare.extend(oldest.second);
        }
        let leader = leader.map(|labels| self.copy(labels));
        let second = second.map(|labels| self.copy(labels));
        self.waiting.push_back(Opinion { ticket, leader, second });
    }

    /// A copy in memory that was used before, where there is any.
    fn copy(&mut self, labels: &Labels) -> Labels {
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.clone_from(labels);
        copy
    }

    fn hear(&mut self, ticket: Ticket, place: impl FnOnce(&mut Opinion) -> &mut Option<Labels>, labels: &Labels) {
        let Ok(index) = self.waiting.binary_search_by_key(&ticket, |opinion| opinion.ticket) else {
            return;
        };
        let labels = self.copy(labels);
        let opinion = &mut self.waiting[index];
        *place(opinion) = Some(labels);
        if let (Some(_), Some(_)) = (&opinion.leader, &opinion.second)
            && let Some(Opinion {
                leader: Some(leader),
                second: Some(second),
                ..
            }) = self.waiting.remove(index)
        {
            self.compare(ticket, &leader, &second);
            self.spare.extend([leader, second]);
        }
    }
}

/// Passes late labels on, and listens.
struct LeaderLate<'a> {
    late: &'a mut dyn Late,
    opinions: &'a mut Opinions,
}

impl Late for LeaderLate<'_> {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        self.late.decide(ticket, labels);
        self.opinions.hear(ticket, |opinion| &mut opinion.leader, labels);
    }
}

/// Only listens: what the second trimmer says has no effect.
struct SecondLate<'a>(&'a mut Opinions);

impl Late for SecondLate<'_> {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        self.0.hear(ticket, |opinion| &mut opinion.second, labels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trimmer::{Class, Label};

    #[test]
    fn opinions_that_come_late_are_compared_when_both_are_there() {
        let mut shadow = Opinions {
            leader: Leader::Exact,
            waiting: VecDeque::new(),
            spare: Vec::new(),
            differences: Differences::default(),
            findings: VecDeque::new(),
            most_findings: 1,
        };
        let opinions = &mut shadow;
        opinions.wait(Ticket(3), None, Some(&Labels::of(&[(4, Label::Body)])));
        opinions.wait(Ticket(5), None, None);
        opinions.hear(
            Ticket(5),
            |opinion| &mut opinion.leader,
            &Labels::of(&[(1, Label::Header)]),
        );
        opinions.hear(
            Ticket(3),
            |opinion| &mut opinion.leader,
            &Labels::of(&[(4, Label::Header)]),
        );
        assert_eq!(opinions.differences.of(Class::HeaderLost), 4);
        assert_eq!(opinions.waiting.len(), 1);
        let finding = opinions.findings.pop_front().expect("a difference was found");
        assert_eq!(finding.ticket, Ticket(3));
        assert_eq!(
            (finding.exact.last(), finding.fast.last()),
            (Some(Label::Header), Some(Label::Body))
        );
    }
}
