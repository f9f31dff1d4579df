//! What was measured, over time: the plots that pages share.

use crate::control::health::Evidence;
use crate::control::store::{Measured, Sample};
use crate::plot::{Lines, Mark, Series, Unit};

/// Throughput, loss, latency, cost, errors, split, memory and disk from one moment to another (milliseconds since 1970), as SVG.
pub(super) fn timeline(samples: &[Sample], from: u64, to: u64, marks: &[Mark]) -> Vec<String> {
    let frame = Frame {
        from,
        to,
        gap: gap(samples),
        marks,
    };
    let measured = |name: &str, measured| series(samples, name, measured);
    let counted = |name: &str, of: fn(&Evidence) -> u64| rate(samples, name, of);
    let both = |legacy, scanning| [measured("legacy", legacy), measured("scanning", scanning)];
    let packets = Unit::Count("packets/s");
    vec![
        frame.lines(
            "Throughput",
            packets,
            &[
                counted("seen", |it| it.packets.seen),
                counted("written", |it| it.packets.written),
            ],
        ),
        frame.lines("Loss", packets, &[counted("lost", |it| it.packets.lost())]),
        frame.lines(
            "Latency, 95th percentile, kernel to file",
            Unit::Nanoseconds,
            &both(Measured::LegacyLatency, Measured::ScanningLatency),
        ),
        frame.lines(
            "Cost of trimming a packet",
            Unit::Nanoseconds,
            &both(Measured::LegacyCost, Measured::ScanningCost),
        ),
        frame.lines(
            "Packets not trimmed as they should be",
            Unit::Share,
            &both(Measured::LegacyErrorShare, Measured::ScanningErrorShare),
        ),
        frame.lines(
            "Flows on scanning",
            Unit::Share,
            &[measured("seen", Measured::ScanningShare), target(samples)],
        ),
        frame.lines(
            "Memory of the daemon",
            Unit::Bytes,
            &[measured("resident", Measured::ResidentBytes)],
        ),
        frame.lines(
            "Free space for captures",
            Unit::Bytes,
            &[measured("free", Measured::DiskFree)],
        ),
    ]
}

struct Frame<'a> {
    from: u64,
    to: u64,
    gap: u64,
    marks: &'a [Mark],
}

impl Frame<'_> {
    fn lines(&self, title: &str, unit: Unit, series: &[Series]) -> String {
        let lines = Lines {
            title,
            unit,
            from: self.from,
            to: self.to,
            gap: self.gap,
            series,
            marks: self.marks,
        };
        lines.svg()
    }
}

/// Three times the usual step: what is further apart was not measured in between.
fn gap(samples: &[Sample]) -> u64 {
    let pairs = samples.windows(2);
    let mut steps: Vec<u64> = pairs.map(|pair| pair[1].at.0.saturating_sub(pair[0].at.0)).collect();
    steps.sort_unstable();
    3 * steps.get(steps.len() / 2).copied().unwrap_or(0).max(1000)
}

fn series(samples: &[Sample], name: &str, measured: Measured) -> Series {
    let points: Vec<_> = samples.iter().filter_map(|sample| sample.point(measured)).collect();
    Series {
        name: name.to_owned(),
        points: points.iter().map(|point| (point.at.0, point.value)).collect(),
        band: Vec::new(),
    }
}

fn rate(samples: &[Sample], name: &str, of: fn(&Evidence) -> u64) -> Series {
    let measured = samples.iter().filter(|sample| sample.evidence.seconds > 0.0);
    Series {
        name: name.to_owned(),
        points: measured
            .map(|sample| (sample.at.0, of(&sample.evidence) as f64 / sample.evidence.seconds))
            .collect(),
        band: Vec::new(),
    }
}

fn target(samples: &[Sample]) -> Series {
    Series {
        name: "target".to_owned(),
        points: samples
            .iter()
            .map(|sample| (sample.at.0, sample.evidence.target.share))
            .collect(),
        band: Vec::new(),
    }
}
