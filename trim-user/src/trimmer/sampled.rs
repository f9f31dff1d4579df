//! A share of flows gets a second opinion.

use trim_common::flow::FlowKey;
use trim_common::strategy::Strategy;

use super::{BodyAhead, Judgement, Labels, Late, Segment, Settings, Statistics, Ticket, Trimmer};

/// Seed of the choice: not that of the split, or the sampled flows would all be on one strategy.
const SEED: u64 = 0x7368_6164_6f77_5f31;
/// The sampled flows' trimmer has at least so many slots.
const FEWEST_FLOWS: usize = 1024;

/// Gives a share of flows to a trimmer that is compared with another one, and the rest to a plain one.
#[derive(Debug)]
pub struct Sampled<P, S> {
    plain: P,
    shadowed: S,
    threshold: u32,
    statistics: Statistics,
}

impl<P: Trimmer, S: Trimmer> Sampled<P, S> {
    /// `share`, 0 to 1, of all flows goes to `shadowed`.
    pub fn new(plain: P, shadowed: S, share: f64) -> Self {
        Self {
            plain,
            shadowed,
            threshold: (share.clamp(0.0, 1.0) * f64::from(u32::MAX)) as u32,
            statistics: Statistics::default(),
        }
    }

    #[inline]
    fn is_sampled(&self, flow: &FlowKey) -> bool {
        flow.hash(SEED) < self.threshold
    }

    fn count(&mut self) {
        let mut all = *self.plain.statistics();
        let flows = all.flows + self.shadowed.statistics().flows;
        all.absorb(self.shadowed.statistics());
        all.flows = flows;
        self.statistics = all;
    }
}

/// Settings for the trimmers of the sampled flows: their share of the bounds, with room to spare.
pub fn settings(all: &Settings, share: f64) -> Settings {
    let part = |whole: usize| (whole as f64 * (2.0 * share).min(1.0)) as usize;
    Settings {
        max_flows: part(all.max_flows).max(FEWEST_FLOWS.min(all.max_flows)),
        reassembly_bytes: part(all.reassembly_bytes).max(all.reassembly_bytes_per_direction),
        ..all.clone()
    }
}

impl<P: Trimmer, S: Trimmer> Trimmer for Sampled<P, S> {
    fn strategy(&self) -> Strategy {
        self.plain.strategy()
    }

    fn judge(&mut self, ticket: Ticket, segment: &Segment<'_>, labels: &mut Labels, late: &mut dyn Late) -> Judgement {
        let judgement = if self.is_sampled(&segment.flow) {
            self.shadowed.judge(ticket, segment, labels, late)
        } else {
            self.plain.judge(ticket, segment, labels, late)
        };
        self.count();
        judgement
    }

    fn release(&mut self, ticket: Ticket, late: &mut dyn Late) {
        self.plain.release(ticket, late);
        self.shadowed.release(ticket, late);
        self.count();
    }

    fn finish(&mut self, late: &mut dyn Late) {
        self.plain.finish(late);
        self.shadowed.finish(late);
        self.count();
    }

    fn hurry(&mut self, is_overloaded: bool) {
        self.plain.hurry(is_overloaded);
        self.shadowed.hurry(is_overloaded);
    }

    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Of a sampled flow nothing is promised: there are two who want to see its bytes.
    fn body_ahead(&mut self, segment: &Segment<'_>) -> BodyAhead {
        match self.is_sampled(&segment.flow) {
            true => 0,
            false => self.plain.body_ahead(segment),
        }
    }
}
