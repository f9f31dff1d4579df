//! The fast trimmer wherever its framing is exact, with the exact one's help elsewhere.

use std::collections::VecDeque;
use std::mem;

use hashbrown::{HashMap, HashSet};
use trim_common::flow::FlowKey;
use trim_common::strategy::Strategy;

use super::{BodyAhead, Judgement, Label, Labels, Late, Legacy, Scanning, Segment, Statistics, Ticket, Trimmer};

/// Starts every flow on `scanning`. Where a segment leaves the first hole in a flow of which nothing is in doubt, `legacy`
/// goes on from there as well, told by `scanning` where both directions stand. From then on `legacy` decides what
/// `scanning` is not sure of, until bytes are lost for good: what follows a loss is left to `scanning`, which believes
/// less. So what `scanning` removes goes, and nothing else goes but what was framed without a gap.
pub struct Auto {
    exact: Legacy,
    fast: Scanning,
    moved: Moved,
    exact_labels: Labels,
    opinions: Opinions,
    /// Messages that only `legacy` saw.
    found: u64,
    statistics: Statistics,
}

impl Auto {
    /// Uses the two together. `most_moved` bounds how many flows both know; beyond it the one that moved first is left
    /// to `scanning` alone again.
    pub fn new(exact: Legacy, fast: Scanning, most_moved: usize) -> Self {
        Self {
            exact,
            fast,
            moved: Moved::new(most_moved),
            exact_labels: Labels::new(),
            opinions: Opinions::default(),
            found: 0,
            statistics: Statistics::default(),
        }
    }

    /// Whether `legacy` knows the flow of this segment, or does from now on.
    #[inline]
    fn is_shared(&mut self, segment: &Segment<'_>, late: &mut dyn Late) -> bool {
        if self.moved.contains(&segment.flow) {
            if !segment.flags.syn() {
                return true;
            }
            // Another connection may begin here, and `legacy` must not be asked about the old one by the state of the new.
            self.leave_to_fast(&segment.flow, late);
        }
        let Some(handover) = self.fast.hand_over(segment) else {
            return false;
        };
        self.exact.adopt(segment.flow, handover, &mut self.opinions);
        if let Some(oldest) = self.moved.remember(segment.flow) {
            self.exact.forget(&oldest, &mut self.opinions);
        }
        self.pass_on(late);
        true
    }

    /// Asks `legacy` about a segment that `scanning` has labelled.
    fn ask_exact(
        &mut self,
        ticket: Ticket,
        segment: &Segment<'_>,
        labels: &mut Labels,
        late: &mut dyn Late,
    ) -> Judgement {
        let Self {
            exact,
            exact_labels,
            opinions,
            ..
        } = self;
        opinions.waiting.insert(ticket, (segment.flow, mem::take(labels)));
        let judgement = exact.judge(ticket, segment, exact_labels, opinions);
        let is_exact = exact.is_exact(&segment.flow);
        if judgement == Judgement::Decided {
            let fast = opinions.waiting.remove(&ticket).map(|(_, fast)| fast);
            *labels = fast.unwrap_or_default();
            if is_exact {
                opinions.settle(labels, exact_labels);
                mem::swap(labels, &mut opinions.settled);
            }
        }
        self.pass_on(late);
        if !is_exact {
            self.leave_to_fast(&segment.flow, late);
        }
        judgement
    }

    /// Passes on what `legacy` has decided late. Of flows in which it has lost something, `scanning`'s word counts.
    fn pass_on(&mut self, late: &mut dyn Late) {
        while let Some((ticket, exact)) = self.opinions.decided.pop_front() {
            let Some((flow, fast)) = self.opinions.waiting.remove(&ticket) else {
                continue;
            };
            match self.exact.is_exact(&flow) {
                true => {
                    self.opinions.settle(&fast, &exact);
                    late.decide(ticket, &self.opinions.settled);
                }
                false => late.decide(ticket, &fast),
            }
        }
    }

    fn leave_to_fast(&mut self, flow: &FlowKey, late: &mut dyn Late) {
        self.moved.forget(flow);
        self.exact.forget(flow, &mut self.opinions);
        self.pass_on(late);
    }

    /// Adds up what both have seen since; a flow that both know is one flow.
    fn count(&mut self, before: [u64; 2]) {
        let (fast, exact) = (self.fast.statistics(), self.exact.statistics());
        let new = [fast.messages - before[0], exact.messages - before[1]];
        self.found += new[1].saturating_sub(new[0]);
        self.statistics = Statistics {
            messages: fast.messages + self.found,
            lost_to_limit: fast.lost_to_limit + exact.lost_to_limit,
            held: exact.held,
            conflicting_bytes: exact.conflicting_bytes,
            examined: fast.examined + exact.examined,
            ..*fast
        };
    }

    fn messages(&self) -> [u64; 2] {
        [self.fast.statistics().messages, self.exact.statistics().messages]
    }
}

impl Trimmer for Auto {
    fn strategy(&self) -> Strategy {
        Strategy::Scanning
    }

    fn judge(&mut self, ticket: Ticket, segment: &Segment<'_>, labels: &mut Labels, late: &mut dyn Late) -> Judgement {
        let before = self.messages();
        let is_shared = self.is_shared(segment, late);
        let mut judgement = self.fast.judge(ticket, segment, labels, late);
        if is_shared {
            judgement = self.ask_exact(ticket, segment, labels, late);
        }
        self.count(before);
        judgement
    }

    fn release(&mut self, ticket: Ticket, late: &mut dyn Late) {
        let before = self.messages();
        self.exact.release(ticket, &mut self.opinions);
        self.pass_on(late);
        self.count(before);
    }

    fn finish(&mut self, late: &mut dyn Late) {
        let before = self.messages();
        self.exact.finish(&mut self.opinions);
        self.pass_on(late);
        self.count(before);
    }

    fn hurry(&mut self, is_overloaded: bool) {
        self.exact.hurry(is_overloaded);
    }

    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Of a flow that both know nothing is promised.
    fn body_ahead(&mut self, segment: &Segment<'_>) -> BodyAhead {
        match self.moved.contains(&segment.flow) {
            true => 0,
            false => self.fast.body_ahead(segment),
        }
    }
}

/// What the two say of segments that `legacy` holds, or has just decided.
#[derive(Debug, Default)]
struct Opinions {
    /// What `scanning` says.
    waiting: HashMap<Ticket, (FlowKey, Labels)>,
    /// What `legacy` said last.
    decided: VecDeque<(Ticket, Labels)>,
    /// The labels settled last.
    settled: Labels,
}

impl Opinions {
    /// The labels of `fast`, and where it is not sure those of `exact`.
    fn settle(&mut self, fast: &Labels, exact: &Labels) {
        self.settled.clear();
        let mut exact_spans = exact.iter().peekable();
        for (from, to, label) in fast.iter() {
            if !matches!(label, Label::Unsure | Label::Undecided | Label::NotHttp) {
                self.settled.push(to - from, label);
                continue;
            }
            let mut at = from;
            while at < to {
                while exact_spans.peek().is_some_and(|&(_, end, _)| end <= at) {
                    exact_spans.next();
                }
                let (end, label) = exact_spans.peek().map_or((to, label), |&(_, end, label)| (end, label));
                let next = end.min(to);
                self.settled.push(next - at, label);
                at = next;
            }
        }
    }
}

impl Late for Opinions {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        self.decided.push_back((ticket, labels.clone()));
    }
}

/// A bounded set of flows; the oldest member makes room.
#[derive(Debug)]
struct Moved {
    flows: HashSet<FlowKey>,
    order: VecDeque<FlowKey>,
    most: usize,
}

impl Moved {
    fn new(most: usize) -> Self {
        Self {
            flows: HashSet::new(),
            order: VecDeque::new(),
            most: most.max(1),
        }
    }

    #[inline]
    fn contains(&self, flow: &FlowKey) -> bool {
        !self.flows.is_empty() && self.flows.contains(flow)
    }

    /// Adds a flow; the one that had to make room for it.
    fn remember(&mut self, flow: FlowKey) -> Option<FlowKey> {
        if !self.flows.insert(flow) {
            return None;
        }
        self.order.push_back(flow);
        if self.order.len() <= self.most {
            return None;
        }
        let oldest = self.order.pop_front()?;
        self.flows.remove(&oldest).then_some(oldest)
    }

    /// The order keeps a flow that is forgotten until its turn comes: at worst it leaves early if it moves again.
    fn forget(&mut self, flow: &FlowKey) {
        self.flows.remove(flow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(port: u16) -> FlowKey {
        FlowKey {
            low_port: port,
            ..FlowKey::default()
        }
    }

    fn labels(spans: &[(u32, Label)]) -> Labels {
        let mut labels = Labels::new();
        spans.iter().for_each(|&(length, label)| labels.push(length, label));
        labels
    }

    #[test]
    fn the_oldest_flow_makes_room() {
        let mut moved = Moved::new(2);
        let left: Vec<_> = [1, 2, 2, 3]
            .into_iter()
            .filter_map(|port| moved.remember(flow(port)))
            .collect();
        assert_eq!(left, [flow(1)]);
        assert_eq!((moved.order.len(), moved.flows.len()), (2, 2));
    }

    #[test]
    fn the_exact_trimmer_decides_what_the_fast_one_is_not_sure_of() {
        let mut opinions = Opinions::default();
        let fast = labels(&[
            (4, Label::Header),
            (6, Label::Unsure),
            (5, Label::Body),
            (5, Label::Undecided),
        ]);
        let exact = labels(&[(6, Label::Unsure), (10, Label::Header), (4, Label::Body)]);
        opinions.settle(&fast, &exact);
        let expected = labels(&[
            (4, Label::Header),
            (2, Label::Unsure),
            (4, Label::Header),
            (5, Label::Body),
            (1, Label::Header),
            (4, Label::Body),
        ]);
        assert_eq!(opinions.settled, expected);
    }

    #[test]
    fn memory_stays_bounded_when_flows_come_and_go() {
        let mut moved = Moved::new(8);
        for port in 0..1000 {
            moved.remember(flow(port));
            moved.forget(&flow(port));
        }
        assert!(moved.order.len() <= 8 && moved.flows.len() <= 8);
    }
}
