//! The fast trimmer wherever its framing is exact, the exact one elsewhere.

use std::collections::VecDeque;

use hashbrown::HashSet;
use trim_common::flow::FlowKey;
use trim_common::strategy::Strategy;

use super::{Judgement, Label, Labels, Late, Segment, Statistics, Ticket, Trimmer};

/// Starts every flow on `fast`. A flow of which `fast` becomes unsure moves to `exact` with its next segment and stays
/// there until it ends: it begins there in its middle, so nothing is cut that `exact` has not framed itself.
#[derive(Debug)]
pub struct Auto<E, F> {
    exact: E,
    fast: F,
    moved: Moved,
    statistics: Statistics,
}

impl<E: Trimmer, F: Trimmer> Auto<E, F> {
    /// Chooses between the two. `most_moved` bounds how many flows are remembered as moved; beyond it the one that moved
    /// first starts on `fast` again.
    pub fn new(exact: E, fast: F, most_moved: usize) -> Self {
        Self {
            exact,
            fast,
            moved: Moved::new(most_moved),
            statistics: Statistics::default(),
        }
    }

    fn count(&mut self) {
        let mut all = *self.fast.statistics();
        let flows = all.flows + self.exact.statistics().flows;
        all.absorb(self.exact.statistics());
        all.flows = flows;
        // A flow that moved is seen by both.
        all.flows_seen = self.fast.statistics().flows_seen;
        self.statistics = all;
    }
}

impl<E: Trimmer, F: Trimmer> Trimmer for Auto<E, F> {
    fn strategy(&self) -> Strategy {
        Strategy::Scanning
    }

    fn judge(&mut self, ticket: Ticket, segment: &Segment<'_>, labels: &mut Labels, late: &mut dyn Late) -> Judgement {
        if segment.flags.syn() && !segment.flags.ack() {
            self.moved.forget(&segment.flow);
        }
        if self.moved.contains(&segment.flow) {
            let judgement = self.exact.judge(ticket, segment, labels, late);
            self.count();
            return judgement;
        }
        let judgement = self.fast.judge(ticket, segment, labels, late);
        if labels.iter().any(|(_, _, label)| label == Label::Unsure) {
            self.moved.remember(segment.flow);
        }
        self.count();
        judgement
    }

    fn release(&mut self, ticket: Ticket, late: &mut dyn Late) {
        self.fast.release(ticket, late);
        self.exact.release(ticket, late);
        self.count();
    }

    fn finish(&mut self, late: &mut dyn Late) {
        self.fast.finish(late);
        self.exact.finish(late);
        self.count();
    }

    fn statistics(&self) -> &Statistics {
        &self.statistics
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

    fn remember(&mut self, flow: FlowKey) {
        if !self.flows.insert(flow) {
            return;
        }
        if self.order.len() >= self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.flows.remove(&oldest);
        }
        self.order.push_back(flow);
    }

    /// The order keeps a flow that is forgotten until its turn comes: at worst it leaves early if it moves again.
    #[inline]
    fn forget(&mut self, flow: &FlowKey) {
        if !self.flows.is_empty() {
            self.flows.remove(flow);
        }
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

    #[test]
    fn the_oldest_flow_makes_room() {
        let mut moved = Moved::new(2);
        for port in [1, 2, 2, 3] {
            moved.remember(flow(port));
        }
        assert!(!moved.contains(&flow(1)));
        assert!(moved.contains(&flow(2)) && moved.contains(&flow(3)));
        moved.forget(&flow(2));
        assert!(!moved.contains(&flow(2)));
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
