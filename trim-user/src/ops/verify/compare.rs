//! Compares two captures pair by pair.

use std::collections::HashSet;

use super::super::capture::{Capture, Packet};
use super::layers::{self, Outcome};
use super::options::{Matching, Options};
use super::pairs::Pairs;
use super::payload::{self, Terms};
use super::report::{Fault, Finding, Report};
use super::truth::{Kind, Observed, Span, spans};
use crate::packet::{Dissection, TcpLayout};
use crate::trimmer::Action;
use trim_common::flow::FlowKey;

struct Comparison<'c> {
    original: &'c Capture,
    trimmed: &'c Capture,
    options: &'c Options,
    /// Of each original packet, by index; empty for packets without a TCP payload.
    spans: Vec<Vec<Span>>,
    /// Flows of which the trimmed capture lacks packets.
    gappy: HashSet<FlowKey>,
    report: Report,
}

/// The outcome for two captures.
pub(super) fn compare(original: &Capture, trimmed: &Capture, options: &Options) -> Report {
    let pairs = Pairs::of(original, trimmed, options.matching);
    let mut comparison = Comparison {
        original,
        trimmed,
        options,
        spans: truth(original, options),
        gappy: gappy_flows(original, &pairs),
        report: Report::new(),
    };
    comparison.count(&pairs);
    for &(index, partner) in &pairs.pairs {
        comparison.pair(index, partner);
    }
    comparison.report
}

/// The spans of every packet, by index.
fn truth(original: &Capture, options: &Options) -> Vec<Vec<Span>> {
    let secrets: Vec<String> = options.redacted.iter().map(|name| name.to_ascii_lowercase()).collect();
    let mut indexes = Vec::new();
    let mut observed = Vec::new();
    for (index, packet) in original.packets.iter().enumerate() {
        let Dissection::Tcp(layout) = packet.inside else {
            continue;
        };
        indexes.push(index);
        observed.push(Observed {
            flow: layout.flow,
            direction: layout.direction,
            sequence: layout.sequence,
            acknowledgment: layout.acknowledgment,
            flags: layout.flags,
            payload: payload_of(original.data(packet), &layout),
            wire_payload: layout.wire_payload,
        });
    }
    let mut all = vec![Vec::new(); original.packets.len()];
    for (index, spans) in indexes.into_iter().zip(spans(&observed, &secrets)) {
        all[index] = spans;
    }
    all
}

fn payload_of<'d>(data: &'d [u8], layout: &TcpLayout) -> &'d [u8] {
    let end = (layout.payload_end as usize).min(data.len());
    data.get(layout.payload_offset as usize..end).unwrap_or(&[])
}

fn gappy_flows(original: &Capture, pairs: &Pairs) -> HashSet<FlowKey> {
    let missing = pairs.missing.iter().map(|&index| original.packets[index].inside);
    missing
        .filter_map(|inside| match inside {
            Dissection::Tcp(layout) if layout.wire_payload > 0 => Some(layout.flow),
            _ => None,
        })
        .collect()
}

impl Comparison<'_> {
    fn find(&mut self, packet: Option<usize>, partner: Option<usize>, fault: Fault, detail: String) {
        let finding = Finding {
            packet: packet.map(|index| index + 1),
            trimmed_packet: partner.map(|index| index + 1),
            fault,
            detail,
        };
        self.report.add(finding, self.options.max_findings);
    }

    /// Counts the packets, and reports those without a partner where they matter.
    fn count(&mut self, pairs: &Pairs) {
        let packets = &mut self.report.packets;
        packets.original = self.original.packets.len() as u64;
        packets.trimmed = self.trimmed.packets.len() as u64;
        packets.compared = pairs.pairs.len() as u64;
        packets.missing = pairs.missing.len() as u64;
        packets.surplus = pairs.surplus.len() as u64;
        packets.out_of_order = pairs.out_of_order.len() as u64;
        if self.options.matching == Matching::Content && !self.options.strict {
            return;
        }
        for &index in &pairs.missing {
            self.find(Some(index), None, Fault::Missing, String::new());
        }
        for &index in &pairs.surplus {
            self.find(None, Some(index), Fault::Surplus, String::new());
        }
        for &(index, partner) in &pairs.out_of_order {
            self.find(Some(index), Some(partner), Fault::Order, String::new());
        }
    }

    fn pair(&mut self, index: usize, partner: usize) {
        let before = self.report.findings_total;
        let (old, new) = (&self.original.packets[index], &self.trimmed.packets[partner]);
        let mut faults = self.record_faults(old, new);
        match old.inside {
            Dissection::Tcp(layout) => faults.extend(self.segment(index, old, new, &layout)),
            Dissection::Fragment | Dissection::Other => faults.extend(self.other(old, new)),
        }
        for (fault, detail) in faults {
            self.find(Some(index), Some(partner), fault, detail);
        }
        self.report.packets.faulty += u64::from(self.report.findings_total > before);
    }

    /// What the capture file says about the packet.
    fn record_faults(&self, old: &Packet, new: &Packet) -> Vec<(Fault, String)> {
        let mut faults = Vec::new();
        if self.options.matching == Matching::Order {
            let same = match new.is_coarse {
                true => old.time_ns / 1000 == new.time_ns / 1000,
                false => old.time_ns == new.time_ns,
            };
            if !same {
                faults.push((Fault::Time, format!("{} ns became {} ns", old.time_ns, new.time_ns)));
            }
            if old.link != new.link {
                faults.push((Fault::LinkType, format!("{} became {}", old.link.0, new.link.0)));
            }
        }
        let (old_data, new_data) = (self.original.data(old), self.trimmed.data(new));
        // A few capture files record less on the wire than they hold; writing them again mends that.
        let mended = old.original_length.max(old_data.len() as u32);
        if new.original_length != old.original_length && new.original_length != mended {
            let detail = format!("{} became {}", old.original_length, new.original_length);
            faults.push((Fault::OriginalLength, detail));
        }
        if new_data.len() > old_data.len() {
            let detail = format!("{} bytes became {}", old_data.len(), new_data.len());
            faults.push((Fault::Grew, detail));
        }
        faults
    }

    /// A packet without a TCP segment, or a fragment of one: kept as it is.
    fn other(&self, old: &Packet, new: &Packet) -> Option<(Fault, String)> {
        let same = self.original.data(old) == self.trimmed.data(new);
        (!same).then(|| (Fault::NotHttp, "it holds no whole TCP segment".to_owned()))
    }

    fn segment(&mut self, index: usize, old: &Packet, new: &Packet, layout: &TcpLayout) -> Vec<(Fault, String)> {
        let (old_data, new_data) = (self.original.data(old), self.trimmed.data(new));
        let (from, new_layout) = match (self.options.matching, new.inside) {
            // Two capture points may see different link-layer headers.
            (Matching::Content, Dissection::Tcp(inside)) => ((layout.l3_offset, inside.l3_offset), inside),
            _ => ((0, 0), *layout),
        };
        let from = (from.0 as usize, from.1 as usize);
        let mut faults = Vec::new();
        match layers::compare(old_data, layout, new_data, &new_layout, from) {
            Outcome::Good => {}
            Outcome::Changed(at) => faults.push((Fault::Headers, format!("at byte {at}"))),
            Outcome::WrongChecksum => faults.push((Fault::Checksum, "it changed to a wrong one".to_owned())),
        }
        let terms = Terms {
            body_keep: u64::from(self.options.body_keep),
            is_gappy: self.gappy.contains(&layout.flow),
            may_overwrite: !self.options.redacted.is_empty(),
        };
        let old_payload = payload_of(old_data, layout);
        let new_payload = payload_of(new_data, &new_layout);
        let spans = &self.spans[index];
        let is_http = |span: &Span| !matches!(span.kind, Kind::Opaque | Kind::NotHttp);
        self.report.packets.http += u64::from(spans.iter().any(is_http));
        let tally = payload::judge(old_payload, new_payload, spans, terms, &mut self.report);
        faults.extend(tally.faults());
        let old_rest = old_data.get(layout.payload_end as usize..).unwrap_or(&[]);
        let new_rest = new_data.get(new_layout.payload_end as usize..).unwrap_or(&[]);
        if !old_rest.starts_with(new_rest) {
            faults.push((Fault::Headers, "in the bytes behind the IP packet".to_owned()));
        }
        faults.extend(self.form(old_data, new_data, (layout, &new_layout)));
        faults
    }

    /// Whether the packet has the form that the action gives it.
    fn form(&self, old: &[u8], new: &[u8], layouts: (&TcpLayout, &TcpLayout)) -> Option<(Fault, String)> {
        if self.options.action != Some(Action::Mask) {
            return None;
        }
        if new.len() != old.len() {
            let detail = format!(
                "{} bytes became {} although masking keeps lengths",
                old.len(),
                new.len()
            );
            return Some((Fault::Form, detail));
        }
        let was_right = layers::is_checksum_right(old, layouts.0);
        (was_right && !layers::is_checksum_right(new, layouts.1))
            .then(|| (Fault::Checksum, "it was right before masking".to_owned()))
    }
}
