//! The plain reference: a trimmer that holds everything until the end and frames whole streams.

use trim_common::flow::{Direction, FlowKey};
use trim_common::strategy::Strategy;
use trim_user::ops::verify::truth::{Kind, Observed, spans};
use trim_user::packet::TcpFlags;
use trim_user::trimmer::{Judgement, Label, Labels, Late, Segment, Statistics, Ticket, Trimmer};

/// See the module.
#[derive(Default)]
pub struct Reference {
    held: Vec<Held>,
    statistics: Statistics,
}

struct Held {
    ticket: Ticket,
    flow: FlowKey,
    direction: Direction,
    sequence: u32,
    acknowledgment: u32,
    flags: TcpFlags,
    payload: Vec<u8>,
    wire_payload: u32,
}

impl Trimmer for Reference {
    fn strategy(&self) -> Strategy {
        Strategy::Legacy
    }

    fn judge(&mut self, ticket: Ticket, segment: &Segment<'_>, labels: &mut Labels, _: &mut dyn Late) -> Judgement {
        labels.clear();
        self.held.push(Held {
            ticket,
            flow: segment.flow,
            direction: segment.direction,
            sequence: segment.sequence,
            acknowledgment: segment.acknowledgment,
            flags: segment.flags,
            payload: segment.payload.to_vec(),
            wire_payload: segment.wire_payload,
        });
        Judgement::Held
    }

    fn release(&mut self, ticket: Ticket, late: &mut dyn Late) {
        let Some(index) = self.held.iter().position(|held| held.ticket == ticket) else {
            return;
        };
        let held = self.held.remove(index);
        let mut labels = Labels::new();
        labels.push(held.payload.len() as u32, Label::Unsure);
        late.decide(ticket, &labels);
    }

    fn finish(&mut self, late: &mut dyn Late) {
        let held = std::mem::take(&mut self.held);
        let observed: Vec<_> = held
            .iter()
            .map(|held| Observed {
                flow: held.flow,
                direction: held.direction,
                sequence: held.sequence,
                acknowledgment: held.acknowledgment,
                flags: held.flags,
                payload: &held.payload,
                wire_payload: held.wire_payload,
            })
            .collect();
        let mut labels = Labels::new();
        for (held, spans) in held.iter().zip(spans(&observed, &[])) {
            labels.clear();
            for span in spans {
                labels.push((span.end - span.start) as u32, label(span.kind));
            }
            late.decide(held.ticket, &labels);
        }
    }

    fn statistics(&self) -> &Statistics {
        &self.statistics
    }
}

fn label(kind: Kind) -> Label {
    match kind {
        Kind::Header | Kind::Blank => Label::Header,
        Kind::Secret => Label::Redacted,
        Kind::Trailer => Label::Trailer,
        Kind::Framing => Label::Framing,
        Kind::Body => Label::Body,
        Kind::Opaque => Label::Opaque,
        Kind::NotHttp => Label::NotHttp,
    }
}
