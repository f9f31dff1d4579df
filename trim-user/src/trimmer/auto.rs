//! The fast trimmer wherever its framing is exact, with the exact one's help elsewhere.

use std::collections::VecDeque;

use hashbrown::HashMap;
use trim_common::flow::FlowKey;
use trim_common::strategy::Strategy;

use super::{Judgement, Label, Labels, Late, Legacy, Scanning, Segment, Standing, Statistics, Ticket, Trimmer};

/// Starts every flow on `scanning`. A flow in which that loses its framing is shown to `legacy` too from the next segment
/// on, until it is forgotten. What `scanning` is sure of stays as it says; of the rest `legacy` decides. So nothing that
/// `scanning` removes stays, and nothing goes that one of the two has not framed itself.
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
    /// Uses the two together. `most_moved` bounds how many flows are remembered as moved; beyond it the one that moved
    /// first is left to `scanning` alone again.
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

    /// The next segments of this flow go to `legacy` too, but none that `scanning` has seen already: a copy may say
    /// something else than the bytes it repeats, and `legacy` would take it for new.
    fn move_flow(&mut self, flow: FlowKey, late: &mut dyn Late) {
        let from = self.fast.newest(&flow);
        if let Some(oldest) = self.moved.remember(flow, from) {
            self.exact.forget(&oldest, &mut self.opinions.listen(late));
        }
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
        match exact.judge(ticket, segment, exact_labels, &mut opinions.listen(late)) {
            Judgement::Held => {
                opinions.waiting.insert(ticket, labels.clone());
                Judgement::Held
            }
            Judgement::Decided => {
                opinions.settle(labels, exact_labels);
                std::mem::swap(labels, &mut opinions.settled);
                Judgement::Decided
            }
        }
    }

    /// Adds up what both have seen since; a flow that moved is one flow.
    fn count(&mut self, before: [u64; 2]) {
        let (fast, exact) = (self.fast.statistics(), self.exact.statistics());
        let new = [fast.messages - before[0], exact.messages - before[1]];
        self.found += new[1].saturating_sub(new[0]);
        self.statistics = Statistics {
            messages: fast.messages + self.found,
            lost_to_limit: fast.lost_to_limit + exact.lost_to_limit,
            resynchronised: fast.resynchronised + exact.resynchronised,
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
        let mut judgement = self.fast.judge(ticket, segment, labels, late);
        match self.moved.admits(segment) {
            Some(true) => judgement = self.ask_exact(ticket, segment, labels, late),
            Some(false) => {}
            None if segment.payload.is_empty() => {}
            None => {
                if self.fast.standing() == Standing::Lost {
                    self.move_flow(segment.flow, late);
                }
            }
        }
        self.count(before);
        judgement
    }

    fn release(&mut self, ticket: Ticket, late: &mut dyn Late) {
        let before = self.messages();
        self.exact.release(ticket, &mut self.opinions.listen(late));
        self.count(before);
    }

    fn finish(&mut self, late: &mut dyn Late) {
        let before = self.messages();
        self.exact.finish(&mut self.opinions.listen(late));
        self.count(before);
    }

    fn statistics(&self) -> &Statistics {
        &self.statistics
    }
}

/// What `scanning` says of segments that `legacy` holds.
#[derive(Debug, Default)]
struct Opinions {
    waiting: HashMap<Ticket, Labels>,
    /// The labels settled last.
    settled: Labels,
}

impl Opinions {
    fn listen<'a>(&'a mut self, late: &'a mut dyn Late) -> Listening<'a> {
        Listening { opinions: self, late }
    }

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

/// Passes the late labels of `legacy` on, settled.
struct Listening<'a> {
    opinions: &'a mut Opinions,
    late: &'a mut dyn Late,
}

impl Late for Listening<'_> {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        let Some(fast) = self.opinions.waiting.remove(&ticket) else {
            return self.late.decide(ticket, labels);
        };
        self.opinions.settle(&fast, labels);
        self.late.decide(ticket, &self.opinions.settled);
    }
}

/// A bounded set of flows; the oldest member makes room.
#[derive(Debug)]
struct Moved {
    /// For each direction the sequence number from which on segments are new; `None` when all are.
    flows: HashMap<FlowKey, [Option<u32>; 2]>,
    order: VecDeque<FlowKey>,
    most: usize,
}

impl Moved {
    fn new(most: usize) -> Self {
        Self {
            flows: HashMap::new(),
            order: VecDeque::new(),
            most: most.max(1),
        }
    }

    /// Whether a segment is new; `None` when its flow has not moved. With a SYN, everything is new.
    #[inline]
    fn admits(&mut self, segment: &Segment<'_>) -> Option<bool> {
        if self.flows.is_empty() {
            return None;
        }
        let from = self.flows.get_mut(&segment.flow)?;
        if segment.flags.syn() {
            *from = [None; 2];
        }
        let end = segment.sequence.wrapping_add(segment.wire_payload);
        let is_new = |from: u32| end.wrapping_sub(from).cast_signed() > 0;
        Some(segment.payload.is_empty() || from[segment.direction.index()].is_none_or(is_new))
    }

    /// Adds a flow; the one that had to make room for it.
    fn remember(&mut self, flow: FlowKey, from: [Option<u32>; 2]) -> Option<FlowKey> {
        if self.flows.insert(flow, from).is_some() {
            return None;
        }
        self.order.push_back(flow);
        if self.order.len() <= self.most {
            return None;
        }
        let oldest = self.order.pop_front()?;
        self.flows.remove(&oldest);
        Some(oldest)
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
            .filter_map(|port| moved.remember(flow(port), [None; 2]))
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
}
