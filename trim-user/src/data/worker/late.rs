//! Labels that come late, for frames that wait.

use crate::data::exemplar::Collector;
use crate::data::held::HeldFrames;
use crate::shared::LaneCounts;
use crate::trimmer::{Labels, Late, Policy, Ticket};

/// Receives late labels and applies the policy to the frames where they wait.
pub(super) struct LateFrames<'a> {
    pub(super) held: &'a mut HeldFrames,
    pub(super) policy: &'a Policy,
    pub(super) counts: &'a mut LaneCounts,
    pub(super) collector: Option<&'a mut Collector>,
}

impl Late for LateFrames<'_> {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        if let Some(collector) = &mut self.collector {
            collector.decided(ticket, labels);
        }
        let Some(waiting) = self.held.waiting(ticket) else {
            return;
        };
        self.counts.label(labels);
        let stored = if self.policy.omits(labels) {
            self.counts.omitted += 1;
            None
        } else {
            let stored = self.policy.kept_length(&waiting.layout, labels, waiting.data.len());
            self.policy
                .rewrite(&waiting.layout, labels, &mut waiting.data[..stored]);
            self.counts.bytes_out += stored as u64;
            Some(stored)
        };
        self.held.settle(ticket, stored);
    }
}
