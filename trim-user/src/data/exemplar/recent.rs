//! The last packets that a lane has judged, with what became known of them.

use std::collections::VecDeque;

use trim_common::flow::FlowKey;

use super::Packet;
use crate::data::record::Record;
use crate::packet::TcpLayout;
use crate::trimmer::{Action, Finding, Label, Labels, Policy, Ticket};

/// How many packets are remembered.
pub(super) const REMEMBERED: usize = 256;

/// A packet that is remembered. Its memory is used again for another one.
#[derive(Debug)]
struct Remembered {
    ticket: Ticket,
    layout: TcpLayout,
    time_ns: u64,
    original_length: u32,
    data: Vec<u8>,
    labels: Labels,
    says: Says,
}

/// By whose word a remembered packet is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// Nobody has spoken yet.
    Nobody,
    /// The trimmer whose labels count.
    Leader,
    /// Both, and they differ.
    Both,
}

/// The last packets, in the order of their tickets.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Remembered>);

impl Recent {
    /// Remembers a packet and forgets the oldest one when there are too many.
    pub(super) fn push(&mut self, ticket: Ticket, frame: &Record<'_>, layout: &TcpLayout) {
        let mut slot = if self.0.len() == REMEMBERED {
            self.0.pop_front()
        } else {
            None
        }
        .unwrap_or_else(|| Remembered {
            ticket,
            layout: *layout,
            time_ns: 0,
            original_length: 0,
            data: Vec::new(),
            labels: Labels::new(),
            says: Says::Nobody,
        });
        slot.ticket = ticket;
        slot.layout = *layout;
        slot.time_ns = frame.time_ns;
        slot.original_length = frame.original_length;
        slot.data.clear();
        slot.data.extend_from_slice(frame.data);
        slot.labels.clear();
        slot.says = Says::Nobody;
        self.0.push_back(slot);
    }

    fn find(&mut self, ticket: Ticket) -> Option<&mut Remembered> {
        let index = self.0.binary_search_by_key(&ticket, |packet| packet.ticket).ok()?;
        self.0.get_mut(index)
    }

    /// Notes what the trimmer whose labels count says of a packet.
    pub(super) fn decided(&mut self, ticket: Ticket, labels: &Labels) {
        if let Some(packet) = self.find(ticket).filter(|packet| packet.says == Says::Nobody) {
            packet.labels.clone_from(labels);
            packet.says = Says::Leader;
        }
    }

    /// Notes that the two differ on a packet; its flow, if it is still remembered.
    pub(super) fn found(&mut self, finding: &Finding) -> Option<FlowKey> {
        let packet = self.find(finding.ticket)?;
        packet.labels = finding.combined();
        packet.says = Says::Both;
        Some(packet.layout.flow)
    }

    /// The packets of a flow, in order: at most `before` of them in front of `shown`, and all behind it. Also the place of
    /// `shown` among them.
    pub(super) fn of_flow(
        &self,
        flow: &FlowKey,
        shown: Ticket,
        before: usize,
        policy: Policy,
    ) -> Option<(Vec<Packet>, usize)> {
        let of_flow: Vec<&Remembered> = self.0.iter().filter(|packet| packet.layout.flow == *flow).collect();
        let place = of_flow.iter().position(|packet| packet.ticket == shown)?;
        let first = place.saturating_sub(before);
        let packets = of_flow[first..].iter().map(|packet| packet.stored(policy)).collect();
        Some((packets, place - first))
    }
}

impl Remembered {
    /// The packet without what is called body. Of one that nobody has judged yet the whole payload goes.
    fn stored(&self, policy: Policy) -> Packet {
        let mut data = self.data.clone();
        let policy = Policy {
            action: Action::Mask,
            ..policy
        };
        if self.says == Says::Nobody {
            let mut unknown = Labels::new();
            unknown.push(self.layout.payload_end - self.layout.payload_offset, Label::Body);
            policy.rewrite(&self.layout, &unknown, &mut data);
        } else {
            policy.rewrite(&self.layout, &self.labels, &mut data);
        }
        Packet {
            time_ns: self.time_ns,
            original_length: self.original_length,
            data,
        }
    }
}
