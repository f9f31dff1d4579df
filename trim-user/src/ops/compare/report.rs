//! The outcome of a comparison. Its JSON form is described in the help of `trim compare` and stays as it is.

use std::time::Duration;

use serde::Serialize;

use super::find::Found;
use super::timing::Times;
use crate::ops::capture::Capture;
use crate::ops::tape::Recorded;
use crate::shared::Lane;
use crate::trimmer::{Class, Fate, Label, Policy};

/// The outcome.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The capture.
    pub file: String,
    /// Packets in it.
    pub packets: u64,
    /// Captured bytes in it.
    pub captured_bytes: u64,
    /// How often each strategy ran to be timed; the shortest time counts.
    pub rounds: u32,
    /// One for each strategy, the reference first.
    pub strategies: Vec<StrategyReport>,
    /// One for each strategy but the reference.
    pub comparisons: Vec<Comparison>,
    /// Places of differences: a few for each class, each from another flow.
    pub exemplars: Vec<Exemplar>,
    /// No strategy removes a byte that another one keeps as part of a header block or trailer.
    pub same_headers: bool,
    /// Why the capture could not be read to its end, if it could not.
    pub damage: Option<String>,
}

/// What one strategy made of the capture. The bytes by label add up to the TCP payload of the capture.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct StrategyReport {
    /// Its name.
    pub strategy: &'static str,
    /// Packets that it judged or let pass.
    pub packets: u64,
    /// TCP flows that it saw.
    pub flows: u64,
    /// Messages whose header block was complete.
    pub messages: u64,
    /// Bytes of header blocks and trailers.
    pub header_bytes: u64,
    /// Bytes of chunk-size lines and of line ends behind chunk data.
    pub framing_bytes: u64,
    /// Bytes of message bodies, those that are kept on purpose included.
    pub body_bytes: u64,
    /// Bytes behind CONNECT and Upgrade.
    pub opaque_bytes: u64,
    /// Bytes at places where the framing is lost.
    pub unsure_bytes: u64,
    /// Bytes of flows that have not shown yet whether they speak HTTP.
    pub undecided_bytes: u64,
    /// Bytes of flows that do not speak HTTP.
    pub not_http_bytes: u64,
    /// Captured bytes of packets that stay as they are (or are overwritten, where they are redacted).
    pub kept_bytes: u64,
    /// Captured bytes that are not stored, or stored as zeros.
    pub cut_bytes: u64,
    /// The shortest time for the whole capture, nanoseconds.
    pub time_ns: u64,
    /// The same per packet, nanoseconds.
    pub ns_per_packet: f64,
    /// Times that the trimmer panicked.
    pub panics: u64,
}

/// Where one strategy differs from the reference.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The strategy that is compared.
    pub strategy: &'static str,
    /// The one it is compared with.
    pub reference: &'static str,
    /// Segments that differ.
    pub segments: u64,
    /// Flows in which segments differ.
    pub flows: u64,
    /// One for each class, the gravest first.
    pub classes: Vec<ClassReport>,
}

/// Differences of one class.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ClassReport {
    /// Which.
    pub class: Class,
    /// Bytes.
    pub bytes: u64,
    /// Segments with such bytes.
    pub segments: u64,
    /// Flows with such segments.
    pub flows: u64,
}

/// The place of a difference.
#[derive(Clone, Debug, Serialize)]
pub struct Exemplar {
    /// Its class.
    pub class: Class,
    /// The reference.
    pub reference: &'static str,
    /// What the reference calls the first byte.
    pub reference_says: &'static str,
    /// The other strategy.
    pub strategy: &'static str,
    /// What it calls the first byte.
    pub strategy_says: &'static str,
    /// Sender and receiver of the packet.
    pub flow: String,
    /// Number of the packet in the capture, from 1.
    pub packet: u64,
    /// Offset of the first byte in the packet's TCP payload.
    pub payload_from: u32,
    /// Offset behind the last byte in the packet's TCP payload.
    pub payload_to: u32,
    /// Offset of the first byte in the frame.
    pub frame_from: u32,
    /// Offset behind the last byte in the frame.
    pub frame_to: u32,
    /// The capture in which it was saved, if it was.
    pub file: Option<String>,
}

impl Report {
    pub(super) fn new(file: &str, capture: &Capture, times: &Times) -> Self {
        Self {
            file: file.to_owned(),
            packets: capture.packets.len() as u64,
            captured_bytes: capture.captured_bytes(),
            rounds: times.rounds,
            strategies: Vec::new(),
            comparisons: Vec::new(),
            exemplars: Vec::new(),
            same_headers: true,
            damage: None,
        }
    }

    pub(super) fn add(&mut self, found: Found) {
        let headers = found.comparison.classes.iter();
        let mut headers = headers.filter(|report| report.class.is_about_headers());
        self.same_headers &= headers.all(|report| report.bytes == 0);
        self.comparisons.push(found.comparison);
        self.exemplars.extend(found.exemplars);
    }
}

impl StrategyReport {
    pub(super) fn new(lane: Lane, recorded: &Recorded, time: Duration, policy: &Policy) -> Self {
        let counts = &recorded.counts;
        let sum = |labels: &[Label]| labels.iter().map(|&label| counts.bytes(label)).sum::<u64>();
        let is_removed = |label: &&Label| policy.fate(**label) == Fate::Remove;
        let cut_bytes: u64 = Label::ALL
            .iter()
            .filter(is_removed)
            .map(|&label| counts.bytes(label))
            .sum();
        let time_ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self {
            strategy: lane.name(),
            packets: counts.packets,
            flows: recorded.statistics.flows_seen,
            messages: recorded.statistics.messages,
            header_bytes: sum(&[Label::Header, Label::Redacted, Label::Trailer]),
            framing_bytes: sum(&[Label::Framing]),
            body_bytes: sum(&[Label::Body, Label::BodyKept]),
            opaque_bytes: sum(&[Label::Opaque]),
            unsure_bytes: sum(&[Label::Unsure]),
            undecided_bytes: sum(&[Label::Undecided]),
            not_http_bytes: sum(&[Label::NotHttp]),
            kept_bytes: counts.bytes_in - cut_bytes,
            cut_bytes,
            time_ns,
            ns_per_packet: time_ns as f64 / counts.packets.max(1) as f64,
            panics: counts.panics,
        }
    }
}

impl Comparison {
    pub(super) fn new(reference: Lane, strategy: Lane) -> Self {
        let empty = |class| ClassReport {
            class,
            bytes: 0,
            segments: 0,
            flows: 0,
        };
        Self {
            strategy: strategy.name(),
            reference: reference.name(),
            segments: 0,
            flows: 0,
            classes: Class::ALL.map(empty).to_vec(),
        }
    }
}
