//! The exact strategy: each direction is framed by RFC 9112, in sequence space.
//!
//! A direction has a *frontier*. Bytes below it are interpreted and their labels are remembered ([`history`]); bytes
//! from it on are not. Inside a body of known length the frontier runs ahead to the body's end, so that segments of the
//! body are decided whatever is lost or out of order. A segment beyond the frontier is held ([`stash`]) until the bytes
//! before it come, unless their receiver has acknowledged them long ago ([`patience`]) or the caller gives it up; then the
//! framing is lost and found again at the next segment that starts with a start line. No bytes are stored otherwise: header blocks and chunks are parsed as they come ([`parse`]).

mod adopt;
mod doubt;
mod flow;
mod history;
mod parse;
mod patience;
mod reassembly;
mod requests;
mod run;
mod stash;
mod tickets;

use std::sync::Arc;

use trim_common::flow::FlowKey;
use trim_common::strategy::Strategy;

use self::flow::Flow;
use self::history::Block;
use self::requests::Budget;
use self::run::{Current, Run, Shared, fast, length};
use self::stash::{Spares, Stash};
use self::tickets::Tickets;
use super::flow_table::FlowTable;
use super::pool::Pool;
use super::{BodyAhead, Judgement, Label, Labels, Late, Segment, Settings, Statistics, Ticket, Trimmer};
use crate::http::RedactedFields;

/// Trims by exact framing.
pub struct Legacy {
    flows: FlowTable<Flow>,
    shared: Shared,
}

impl Legacy {
    /// A trimmer without flows. Memory is bounded by `settings`: the flow table by `max_flows`, held segments by
    /// `reassembly_bytes`; on top of what each flow has of its own, remembered labels by a quarter of that and unlike
    /// outstanding requests by an eighth.
    pub fn new(settings: &Settings) -> Self {
        let shared = Shared {
            settings: settings.clone(),
            redacted: RedactedFields::new(&settings.redact_headers),
            blocks: Pool::new(),
            parsers: Pool::new(),
            stashes: Pool::new(),
            spares: Spares::default(),
            tickets: Tickets::default(),
            requests: Arc::new(Budget::new(settings.reassembly_bytes / 8)),
            held: 0,
            most_blocks: settings.reassembly_bytes / 4 / size_of::<Block>(),
            patience: settings.hold_acknowledged_ns,
            statistics: Statistics::default(),
            scratch: Labels::new(),
        };
        Self {
            flows: FlowTable::new(settings.max_flows),
            shared,
        }
    }

    fn flow(&mut self, segment: &Segment<'_>, late: &mut dyn Late) -> u32 {
        if let Some(flow) = self.flows.find(&segment.flow) {
            return flow;
        }
        self.insert(segment.flow, late)
    }

    fn insert(&mut self, key: FlowKey, late: &mut dyn Late) -> u32 {
        if self.flows.is_full()
            && let Some(oldest) = self.flows.oldest()
        {
            self.run(oldest, late).flush();
            self.flows.remove(oldest);
            self.shared.statistics.flows_evicted += 1;
        }
        let flow = self.flows.insert(key, Flow::new(&self.shared.requests));
        self.shared.statistics.flows_seen += 1;
        self.shared.statistics.flows = self.flows.len() as u64;
        flow
    }

    fn run<'a>(&'a mut self, number: u32, late: &'a mut dyn Late) -> Run<'a> {
        Run {
            flow: self.flows.get_mut(number),
            number,
            shared: &mut self.shared,
            late,
            current: None,
            received: 0,
        }
    }

    /// Gives up the segments held longest until one more payload of this length may be held.
    fn make_room(&mut self, payload: usize, late: &mut dyn Late) {
        let wanted = Stash::charge_for(payload);
        while self.shared.held + wanted > self.shared.settings.reassembly_bytes
            && let Some(oldest) = self.shared.tickets.oldest()
        {
            self.shared.statistics.lost_to_limit += 1;
            self.release(Ticket(oldest), late);
        }
    }
}

impl Trimmer for Legacy {
    fn strategy(&self) -> Strategy {
        Strategy::Legacy
    }

    fn judge(&mut self, ticket: Ticket, segment: &Segment<'_>, labels: &mut Labels, late: &mut dyn Late) -> Judgement {
        labels.clear();
        if !self
            .shared
            .settings
            .ports
            .admit(segment.flow.low_port, segment.flow.high_port)
        {
            labels.fill_to(length(segment.payload), Label::NotHttp);
            return Judgement::Decided;
        }
        let number = self.flow(segment, late);
        if fast(self.flows.get_mut(number), segment, labels) {
            return Judgement::Decided;
        }
        if !segment.payload.is_empty() {
            self.make_room(segment.payload.len(), late);
        }
        let mut run = self.run(number, late);
        run.current = Some(Current {
            ticket: ticket.0,
            labels,
            decided: false,
        });
        run.segment(segment)
    }

    fn release(&mut self, ticket: Ticket, late: &mut dyn Late) {
        while let Some((number, direction)) = self.shared.tickets.find(ticket.0) {
            self.run(number, late).give_up(direction);
        }
    }

    fn finish(&mut self, late: &mut dyn Late) {
        while let Some(oldest) = self.shared.tickets.oldest() {
            self.release(Ticket(oldest), late);
        }
    }

    fn statistics(&self) -> &Statistics {
        &self.shared.statistics
    }

    fn hurry(&mut self, is_overloaded: bool) {
        let shared = &mut self.shared;
        shared.patience = if is_overloaded {
            0
        } else {
            shared.settings.hold_acknowledged_ns
        };
    }

    fn body_ahead(&mut self, segment: &Segment<'_>) -> BodyAhead {
        let Some(number) = self.flows.find(&segment.flow) else {
            return 0;
        };
        self.flows.get_mut(number).body_behind(segment)
    }
}
