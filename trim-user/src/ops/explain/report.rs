//! Flows and packets as they are shown. The JSON form is described in the help of `trim explain` and stays as it is.

use serde::Serialize;

use super::Explanation;
use super::flow::Flow;
use crate::ops::ends::ends;
use crate::packet::{Dissection, TcpFlags, TcpLayout, transport_end};
use crate::trimmer::{Action, Fate, Label, NonHttp};

/// A flow at a glance.
#[derive(Clone, Debug, Serialize)]
pub struct FlowReport {
    /// Its number, from 1, in the order in which flows begin.
    pub flow: u64,
    /// Address and port of who asks.
    pub client: String,
    /// Address and port of who answers.
    pub server: String,
    /// Number of its first packet in the capture, from 1.
    pub first_packet: u64,
    /// Capture time of that packet, nanoseconds since 1970-01-01 UTC.
    pub first_time_ns: u64,
    /// Packets.
    pub packets: u64,
    /// Requests that were found.
    pub requests: u64,
    /// Responses that were found, interim ones included.
    pub responses: u64,
    /// Payload bytes of header blocks and trailers.
    pub header_bytes: u64,
    /// Payload bytes of chunk-size lines and line ends behind chunk data.
    pub framing_bytes: u64,
    /// Payload bytes of message bodies.
    pub body_bytes: u64,
    /// Payload bytes behind CONNECT and Upgrade.
    pub opaque_bytes: u64,
    /// Payload bytes at places where the framing is lost.
    pub unsure_bytes: u64,
    /// Payload bytes before the flow showed whether it speaks HTTP.
    pub undecided_bytes: u64,
    /// Payload bytes that are not HTTP.
    pub not_http_bytes: u64,
}

/// A packet and what became of its bytes.
#[derive(Clone, Debug, Serialize)]
pub struct PacketReport {
    /// Its number in the capture, from 1.
    pub packet: u64,
    /// Capture time, nanoseconds since 1970-01-01 UTC.
    pub time_ns: u64,
    /// Bytes captured.
    pub captured_bytes: u64,
    /// Bytes on the wire.
    pub original_bytes: u64,
    /// Bytes that are stored of it; 0 when it is left out.
    pub stored_bytes: u64,
    /// Number of its flow; `null` when it is no TCP segment.
    pub flow: Option<u64>,
    /// Address and port of the sender.
    pub from: Option<String>,
    /// Address and port of the receiver.
    pub to: Option<String>,
    /// Who sent it: `client` or `server`.
    pub sender: Option<&'static str>,
    /// TCP flags, such as `SYN ACK`.
    pub flags: Option<String>,
    /// TCP sequence number.
    pub sequence: Option<u32>,
    /// Place of its first payload byte in the direction's stream, from 0; `null` where the beginning was not captured.
    pub stream_offset: Option<i64>,
    /// Offset of the payload in the frame.
    pub payload_offset: u64,
    /// Bytes of captured payload.
    pub payload_bytes: u64,
    /// Bytes of payload on the wire.
    pub wire_payload_bytes: u64,
    /// What is to be said of the packet as a whole.
    pub note: Option<String>,
    /// What its payload is, in order; together they cover it.
    pub ranges: Vec<Range>,
}

/// Neighbouring payload bytes of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Range {
    /// Offset of the first byte in the payload.
    pub from: u32,
    /// Offset behind the last byte.
    pub to: u32,
    /// What they are.
    pub label: &'static str,
    /// What became of them: `kept`, `cut`, `zeroed`, `overwritten` or `omitted`.
    pub fate: &'static str,
    /// The message they belong to.
    pub message: Option<String>,
    /// Why.
    pub why: String,
}

fn flag_names(flags: TcpFlags) -> String {
    let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];
    let set = names.iter().enumerate().filter(|(bit, _)| flags.0 >> bit & 1 == 1);
    set.map(|(_, name)| *name).collect::<Vec<_>>().join(" ")
}

impl Explanation<'_> {
    pub(super) fn flow_report(&self, index: usize, flow: &Flow) -> FlowReport {
        let mut bytes = [0_u64; Label::COUNT];
        for &packet in &flow.packets {
            for (from, to, label) in self.labels[packet].iter() {
                bytes[label.index()] += u64::from(to - from);
            }
        }
        let sum = |labels: &[Label]| labels.iter().map(|label| bytes[label.index()]).sum::<u64>();
        let messages = flow.halves.iter().flat_map(|half| &half.messages);
        let requests = messages.clone().filter(|message| message.is_request).count() as u64;
        let (client, server) = flow.ends();
        let first = flow.packets.first().copied();
        FlowReport {
            flow: index as u64 + 1,
            client: client.to_string(),
            server: server.to_string(),
            first_packet: first.map_or(0, |packet| packet as u64 + 1),
            first_time_ns: first.map_or(0, |packet| self.capture.packets[packet].time_ns),
            packets: flow.packets.len() as u64,
            requests,
            responses: messages.count() as u64 - requests,
            header_bytes: sum(&[Label::Header, Label::Redacted, Label::Trailer]),
            framing_bytes: sum(&[Label::Framing]),
            body_bytes: sum(&[Label::Body, Label::BodyKept]),
            opaque_bytes: sum(&[Label::Opaque]),
            unsure_bytes: sum(&[Label::Unsure]),
            undecided_bytes: sum(&[Label::Undecided]),
            not_http_bytes: sum(&[Label::NotHttp]),
        }
    }

    pub(super) fn explain(&self, index: usize) -> PacketReport {
        let packet = &self.capture.packets[index];
        let captured = self.capture.data(packet).len();
        let mut report = PacketReport {
            packet: index as u64 + 1,
            time_ns: packet.time_ns,
            captured_bytes: captured as u64,
            original_bytes: u64::from(packet.original_length),
            stored_bytes: captured as u64,
            flow: None,
            from: None,
            to: None,
            sender: None,
            flags: None,
            sequence: None,
            stream_offset: None,
            payload_offset: captured as u64,
            payload_bytes: 0,
            wire_payload_bytes: 0,
            note: None,
            ranges: Vec::new(),
        };
        match &packet.inside {
            Dissection::Tcp(layout) => self.segment(index, layout, &mut report),
            Dissection::Fragment => report.note = Some("an IP fragment: kept whole, never interpreted".to_owned()),
            Dissection::Other => self.other(index, &mut report),
        }
        report
    }

    fn other(&self, index: usize, report: &mut PacketReport) {
        let packet = &self.capture.packets[index];
        let (stored, note) = match self.policy.non_http {
            NonHttp::Keep => (self.capture.data(packet).len(), "no TCP: kept whole (non_http: keep)"),
            NonHttp::Headers => (
                transport_end(packet.link, self.capture.data(packet), packet.original_length),
                "no TCP: kept up to the end of its headers (non_http: headers)",
            ),
            NonHttp::Drop => (0, "no TCP: left out (non_http: drop)"),
        };
        report.stored_bytes = stored as u64;
        report.note = Some(note.to_owned());
    }

    fn segment(&self, index: usize, layout: &TcpLayout, report: &mut PacketReport) {
        let Some((number, flow)) = self.flow_of(index) else {
            return;
        };
        let (from, to) = ends(&layout.flow, layout.direction);
        let half = &flow.halves[layout.direction.index()];
        let place = half.places.get(&index);
        report.flow = Some(number as u64 + 1);
        report.from = Some(from.to_string());
        report.to = Some(to.to_string());
        report.sender = Some(if layout.direction == flow.client() {
            "client"
        } else {
            "server"
        });
        report.flags = Some(flag_names(layout.flags));
        report.sequence = Some(layout.sequence);
        report.stream_offset = half.base.zip(place).map(|(base, place)| place - base);
        report.payload_offset = u64::from(layout.payload_offset);
        report.payload_bytes = u64::from(layout.payload_end - layout.payload_offset);
        report.wire_payload_bytes = u64::from(layout.wire_payload);
        let labels = &self.labels[index];
        let stored = match self.policy.omits(labels) {
            true => 0,
            false => self.policy.kept_length(layout, labels, report.captured_bytes as usize),
        };
        report.stored_bytes = stored as u64;
        if report.payload_bytes == 0 {
            report.note = Some("no payload".to_owned());
        } else if report.wire_payload_bytes > report.payload_bytes {
            let missing = report.wire_payload_bytes - report.payload_bytes;
            report.note = Some(format!("{missing} more bytes of payload were not captured (snaplen)"));
        }
        report.ranges = self.ranges(index, layout, flow);
        for range in &mut report.ranges {
            range.fate = self.fate(range, layout, stored);
        }
    }

    fn fate(&self, range: &Range, layout: &TcpLayout, stored: usize) -> &'static str {
        let label = Label::ALL.into_iter().find(|label| label.name() == range.label);
        match label.map(|label| self.policy.fate(label)) {
            _ if stored == 0 => "omitted",
            Some(Fate::Overwrite) => "overwritten",
            Some(Fate::Remove) if self.policy.action == Action::Mask => "zeroed",
            Some(Fate::Remove) if (layout.payload_offset + range.from) as usize >= stored => "cut",
            Some(Fate::Remove) => "zeroed",
            Some(Fate::Keep) | None => "kept",
        }
    }
}
