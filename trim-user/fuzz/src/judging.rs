//! Shows traffic to a trimmer and holds it to what every trimmer promises.

use std::collections::BTreeMap;

use trim_user::trimmer::{Judgement, Label, Labels, Late, Ticket, Trimmer};

use super::plain::Truth;
use super::traffic::{Packet, Traffic};

/// The packets whose labels are still to come, and all labels that came.
struct Inbox<'t> {
    packets: &'t [Packet],
    waiting: BTreeMap<u64, usize>,
    decided: Vec<Option<Vec<Label>>>,
}

impl<'t> Inbox<'t> {
    fn new(traffic: &'t Traffic) -> Self {
        Self {
            packets: &traffic.packets,
            waiting: BTreeMap::new(),
            decided: vec![None; traffic.packets.len()],
        }
    }

    fn put(&mut self, ticket: u64, labels: &Labels) {
        let length = self.packets[ticket as usize].payload.len();
        assert_eq!(
            labels.covered() as usize,
            length,
            "the labels of packet {ticket} tile its payload"
        );
        let mut bytes = Vec::with_capacity(length);
        let mut before = None;
        for (from, to, label) in labels.iter() {
            assert!(
                from < to && from as usize == bytes.len(),
                "packet {ticket}: a span out of place"
            );
            assert_ne!(
                before,
                Some(label),
                "packet {ticket}: two spans of one kind side by side"
            );
            bytes.resize(to as usize, label);
            before = Some(label);
        }
        let earlier = self.decided[ticket as usize].replace(bytes);
        assert!(earlier.is_none(), "packet {ticket} was decided twice");
    }

    /// Payload bytes that are held, over all flows and in the direction that holds most.
    fn held(&self) -> (usize, usize) {
        let mut directions: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for &index in self.waiting.values() {
            let packet = &self.packets[index];
            *directions.entry((packet.flow, packet.side)).or_default() += packet.payload.len();
        }
        (
            directions.values().sum(),
            directions.values().copied().max().unwrap_or(0),
        )
    }
}

impl Late for Inbox<'_> {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        let waited = self.waiting.remove(&ticket.0);
        assert!(waited.is_some(), "packet {} was not held", ticket.0);
        self.put(ticket.0, labels);
    }
}

/// Shows all packets to the trimmer; every promise of [`Trimmer`] is asserted on the way.
pub fn judge(trimmer: &mut dyn Trimmer, traffic: &Traffic) {
    let mut inbox = Inbox::new(traffic);
    let mut labels = Labels::new();
    let mut releases = traffic.releases.iter().peekable();
    for (index, packet) in traffic.packets.iter().enumerate() {
        let ticket = Ticket(index as u64);
        match trimmer.judge(ticket, &packet.segment(), &mut labels, &mut inbox) {
            Judgement::Decided => inbox.put(ticket.0, &labels),
            Judgement::Held => {
                assert!(
                    inbox.decided[index].is_none(),
                    "packet {index} was decided before it was held"
                );
                inbox.waiting.insert(ticket.0, index);
            }
        }
        within_bounds(trimmer, traffic, &inbox);
        while let Some((_, back)) = releases.next_if(|(after, _)| *after <= index + 1) {
            let wanted = Ticket(index.saturating_sub(*back) as u64);
            trimmer.release(wanted, &mut inbox);
            assert!(
                !inbox.waiting.contains_key(&wanted.0),
                "packet {} was released and still waits",
                wanted.0
            );
        }
    }
    trimmer.finish(&mut inbox);
    assert!(
        inbox.waiting.is_empty(),
        "packets {:?} were never decided",
        inbox.waiting.keys()
    );
    let many_releases = !traffic.releases.is_empty();
    for (packet, labels) in traffic.packets.iter().zip(&inbox.decided) {
        let labels = labels.as_deref().expect("nothing waits, so everything is decided");
        headers_stay(traffic, packet, labels);
        if !many_releases {
            plain_conversations_are_exact(traffic, packet, labels);
        }
    }
}

fn within_bounds(trimmer: &dyn Trimmer, traffic: &Traffic, inbox: &Inbox<'_>) {
    let (all, most) = inbox.held();
    let settings = &traffic.settings;
    assert!(all <= settings.reassembly_bytes, "{all} bytes are held over all flows");
    assert!(
        most <= settings.reassembly_bytes_per_direction,
        "{most} bytes are held in one direction"
    );
    let statistics = trimmer.statistics();
    assert!(
        statistics.flows as usize <= settings.max_flows,
        "{} flows in the table",
        statistics.flows
    );
    assert!(
        statistics.flows + statistics.flows_evicted <= statistics.flows_seen,
        "{statistics:?}"
    );
}

/// A header byte of a whole message is not cut: not when it comes first, nor when it comes again.
fn headers_stay(traffic: &Traffic, packet: &Packet, labels: &[Label]) {
    if !traffic.roomy {
        return;
    }
    for (at, (truth, label)) in packet.truth.iter().zip(labels).enumerate() {
        let precious = matches!(truth, Some(Truth::Header | Truth::Trailer));
        assert!(
            !precious || *label != Label::Body,
            "byte {at} is a header byte and goes: {packet:?}"
        );
    }
}

/// A plain conversation that is seen whole and in order has exactly the labels it was made with.
fn plain_conversations_are_exact(traffic: &Traffic, packet: &Packet, labels: &[Label]) {
    if !traffic.roomy || !packet.in_order {
        return;
    }
    let keeps = traffic.settings.body_keep_bytes > 0;
    let redacts = !traffic.settings.redact_headers.is_empty();
    for (at, (truth, label)) in packet.truth.iter().zip(labels).enumerate() {
        let right = match (truth, label) {
            // The first bytes of a start line do not tell yet that a flow speaks HTTP.
            (Some(Truth::Header), Label::Header | Label::Undecided) => true,
            (Some(Truth::Header), Label::Redacted) => redacts,
            (Some(Truth::Body), Label::BodyKept) => keeps,
            (Some(truth), label) => *label == name(*truth),
            (None, _) => true,
        };
        assert!(right, "byte {at} is {truth:?} and labelled {label:?}: {packet:?}");
    }
}

fn name(truth: Truth) -> Label {
    match truth {
        Truth::Header => Label::Header,
        Truth::Framing => Label::Framing,
        Truth::Trailer => Label::Trailer,
        Truth::Body => Label::Body,
    }
}
