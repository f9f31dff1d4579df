//! Taking a flow over in the middle, from a trimmer that knows exactly where it stands.

use trim_common::flow::FlowKey;

use super::Legacy;
use super::flow::{ENDLESS, Flow, Half, Opening, Phase};
use super::requests::Asked;
use super::run::Shared;
use crate::trimmer::handover::{Handover, Next, Standpoint};
use crate::trimmer::{Label, Late};

impl Legacy {
    /// Goes on with a flow where it stands.
    pub(in crate::trimmer) fn adopt(&mut self, key: FlowKey, handover: Handover, late: &mut dyn Late) {
        self.forget(&key, late);
        let number = self.insert(key, late);
        let flow = self.flows.get_mut(number);
        (flow.http, flow.proper_start, flow.client) = (true, true, Some(handover.client));
        let end = handover.directions[usize::from(handover.client)].parsed;
        for (method, upgrade) in handover.outstanding {
            if !flow.requests.push(Asked::Request { method, upgrade }, end) {
                flow.lose_requests();
            }
        }
        for (half, standpoint) in flow.halves.iter_mut().zip(handover.directions) {
            half.adopt(standpoint, &mut self.shared);
        }
    }

    /// Whether everything of a flow was framed: nothing was lost, and requests and answers can be counted.
    pub(in crate::trimmer) fn is_exact(&mut self, key: &FlowKey) -> bool {
        self.flows
            .find(key)
            .is_some_and(|number| self.flows.get_mut(number).is_exact())
    }

    /// Decides everything held of a flow and forgets it.
    pub(in crate::trimmer) fn forget(&mut self, key: &FlowKey, late: &mut dyn Late) {
        if let Some(number) = self.flows.find(key) {
            self.run(number, late).flush();
            self.flows.remove(number);
            self.shared.statistics.flows = self.flows.len() as u64;
        }
    }
}

impl Flow {
    fn is_exact(&self) -> bool {
        let is_framed = |half: &Half| !matches!(half.phase, Phase::Lost | Phase::Doubt { .. });
        !self.lossy && !self.unpaired && !self.requests_lost && self.halves.iter().all(is_framed)
    }
}

impl Half {
    fn adopt(&mut self, at: Standpoint, shared: &mut Shared) {
        (self.reference, self.base, self.frontier) = (at.top, at.base, at.parsed);
        (self.syn, self.acknowledged, self.keep_left) = (at.base - 1, at.acknowledged, at.keep_left);
        (self.seen, self.started) = (true, true);
        let (from, to) = at.content;
        self.history.set(&mut shared.blocks, at.base, Label::Unsure);
        if from < to {
            self.history.set(&mut shared.blocks, from, Label::Body);
        }
        if to < at.parsed {
            self.history.set(&mut shared.blocks, to.max(at.base), Label::Unsure);
        }
        self.phase = match at.next {
            _ if at.parsed == ENDLESS => Phase::Endless,
            Next::Message => Phase::Message,
            Next::Chunk(parser) => Phase::Chunk(parser),
            Next::Block(parser) => Phase::Head {
                parser: shared.parsers.insert(parser),
                opening: Opening {
                    origin: at.parsed,
                    received: 0,
                    tentative: false,
                },
            },
        };
    }
}
