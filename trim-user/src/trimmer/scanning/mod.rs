//! `scanning`: looks for header blocks where they can stand, remembers known ends of content, holds nothing.
//!
//! A direction's state is a few dozen bytes: where the next message, chunk or piece of header block stands, and where
//! the latest content did. Every segment is labelled at once. What cannot be told is kept.

mod binary;
mod block;
mod flow;
mod gap;
mod handover;
mod pairing;
mod parse;
mod quick;
mod secrets;
mod track;

pub use flow::Standing;

use trim_common::strategy::Strategy;

use self::binary::BinaryContent;
use self::flow::{Flow, Shared, Visit};
use super::flow_table::FlowTable;
use super::pool::Pool;
use super::{BodyAhead, Judgement, Label, Labels, Late, Ports, Segment, Settings, Statistics, Ticket, Trimmer};
use crate::http::RedactedFields;

/// The fast trimmer.
#[derive(Debug)]
pub struct Scanning {
    ports: Ports,
    flows: FlowTable<Flow>,
    shared: Shared,
    standing: Standing,
}

impl Scanning {
    /// A trimmer with these settings. The longest header block it follows is the smaller one of `scan_window` and
    /// `max_header_block`.
    pub fn new(settings: &Settings) -> Self {
        let redacts = !settings.redact_headers.is_empty();
        Self {
            flows: FlowTable::new(settings.max_flows),
            shared: Shared {
                longest_block: settings.scan_window.min(settings.max_header_block),
                keep: settings.body_keep_bytes,
                redacted: redacts.then(|| RedactedFields::new(&settings.redact_headers)),
                no_fields: RedactedFields::default(),
                blocks: Pool::new(),
                secrets: Pool::new(),
                binary: BinaryContent::new(),
                statistics: Statistics::default(),
            },
            ports: settings.ports.clone(),
            standing: Standing::Exact,
        }
    }

    /// How certain the framing was behind the segment that was judged last.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    fn find_or_insert(&mut self, segment: &Segment<'_>) -> u32 {
        match self.flows.find(&segment.flow) {
            Some(flow) => flow,
            None => self.insert(segment),
        }
    }

    #[inline(never)]
    fn insert(&mut self, segment: &Segment<'_>) -> u32 {
        if self.flows.is_full()
            && let Some(oldest) = self.flows.oldest()
        {
            self.flows.get_mut(oldest).dismantle(&mut self.shared);
            self.flows.remove(oldest);
            self.shared.statistics.flows_evicted += 1;
        }
        self.shared.statistics.flows_seen += 1;
        let flow = self.flows.insert(segment.flow, Flow::new());
        self.shared.statistics.flows = self.flows.len() as u64;
        flow
    }

    /// A SYN: the flow begins, or another one with the same endpoints does.
    #[inline(never)]
    fn synchronise(&mut self, flow: u32, segment: &Segment<'_>) {
        let side = segment.direction.index();
        let flow = self.flows.get_mut(flow);
        if flow.is_reused_by(side, segment.sequence, segment.flags.ack()) {
            flow.dismantle(&mut self.shared);
            *flow = Flow::new();
            self.shared.statistics.flows_seen += 1;
        }
        flow.anchor(side, segment.sequence);
    }

    fn label(&mut self, segment: &Segment<'_>, labels: &mut Labels) {
        let number = self.find_or_insert(segment);
        if segment.flags.syn() {
            self.synchronise(number, segment);
        }
        let flow = self.flows.get_mut(number);
        let side = segment.direction.index();
        let sequence = segment.sequence.wrapping_add(u32::from(segment.flags.syn()));
        let length = segment.payload.len();
        let track = &mut flow.tracks[side];
        if let Some(start) = track.position(sequence)
            && track.is_content(start, start + length as u64)
            && !segment.flags.rst()
        {
            track.saw_acknowledgment(segment.acknowledgment);
            track.saw(start + length as u64);
            self.standing = Standing::Exact;
            return labels.push(length as u32, Label::Body);
        }
        self.standing = self.look(number, sequence, segment, labels);
    }

    /// A segment whose payload was cut off the packet. In the middle of known content it counts as seen.
    fn pass(&mut self, segment: &Segment<'_>) {
        let Some(number) = self.flows.find(&segment.flow) else {
            return;
        };
        let track = &mut self.flows.get_mut(number).tracks[segment.direction.index()];
        let Some(start) = track.position(segment.sequence) else {
            return;
        };
        let end = start + u64::from(segment.wire_payload);
        if track.is_content(start, end) && !segment.flags.rst() {
            track.saw_acknowledgment(segment.acknowledgment);
            track.saw(end);
        }
    }

    /// Labels a payload that is not simply the middle of some content.
    #[inline(never)]
    fn look(&mut self, number: u32, sequence: u32, segment: &Segment<'_>, labels: &mut Labels) -> Standing {
        let flow = self.flows.get_mut(number);
        let side = segment.direction.index();
        let track = &mut flow.tracks[side];
        let is_fresh = !track.seen && !track.anchored;
        // One byte may be a keep-alive probe in front of the first byte that counts.
        let is_probe = is_fresh && segment.payload.len() == 1;
        if is_fresh && !is_probe && !segment.flags.rst() {
            track.begin(sequence);
        }
        match track.position(sequence) {
            Some(start) if !is_probe && !segment.flags.rst() && !segment.payload.is_empty() => {
                flow.payload(&mut Visit {
                    shared: &mut self.shared,
                    segment,
                    labels,
                    start,
                    end: start + segment.payload.len() as u64,
                    side,
                });
            }
            _ => labels.push(segment.payload.len() as u32, flow.unknown(side)),
        }
        flow.standing(side)
    }
}

impl Trimmer for Scanning {
    fn strategy(&self) -> Strategy {
        Strategy::Scanning
    }

    /// Never holds. A segment without payload needs no label, and its acknowledgment says nothing that the next one
    /// with payload does not say; so only a SYN among them is looked at.
    #[inline]
    fn judge(
        &mut self,
        _ticket: Ticket,
        segment: &Segment<'_>,
        labels: &mut Labels,
        _late: &mut dyn Late,
    ) -> Judgement {
        labels.clear();
        if segment.payload.is_empty() && !segment.flags.syn() {
            if segment.wire_payload > 0 {
                self.pass(segment);
            }
            return Judgement::Decided;
        }
        match self.ports.admit(segment.flow.low_port, segment.flow.high_port) {
            true => self.label(segment, labels),
            false => labels.push(segment.payload.len() as u32, Label::NotHttp),
        }
        Judgement::Decided
    }

    fn release(&mut self, _ticket: Ticket, _late: &mut dyn Late) {}

    fn finish(&mut self, _late: &mut dyn Late) {}

    fn statistics(&self) -> &Statistics {
        &self.shared.statistics
    }

    fn body_ahead(&mut self, segment: &Segment<'_>) -> BodyAhead {
        let Some(number) = self.flows.find(&segment.flow) else {
            return 0;
        };
        let (flow, side) = (self.flows.get_mut(number), segment.direction.index());
        let end = segment.sequence.wrapping_add(segment.wire_payload);
        flow.tracks[side]
            .position(end)
            .map_or(0, |position| flow.body_behind(side, position))
    }
}
