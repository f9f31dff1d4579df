//! Latency histograms as others read them: a HdrHistogram log, and the percentiles that a plot needs.

use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use serde::{Deserialize, Serialize};

use crate::shared::{Lane, Latency, Stage};

/// `GET /v1/histograms`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Histograms {
    /// A HdrHistogram interval log, version 2, with one histogram since the start for each lane and stage that has seen
    /// packets; its tag is `LANE.STAGE`, its values are nanoseconds.
    pub log: String,
    /// The same as percentiles.
    pub curves: Vec<Percentiles>,
    /// Threads that did not hand over their latencies in time: theirs are missing.
    pub silent_threads: usize,
}

/// One histogram as percentiles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Percentiles {
    /// Which trimmer judged the packets.
    pub lane: String,
    /// Which stretch of their way.
    pub stage: String,
    /// Packets measured.
    pub packets: u64,
    /// Shares, 0 to 1, and the nanoseconds that this share did not exceed.
    pub points: Vec<(f64, u64)>,
}

/// Shares of the percentiles: finer where it becomes rare.
const SHARES: [f64; 14] = [
    0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999,
];

impl Histograms {
    /// Everything that was recorded since `began`.
    pub fn of(latency: &Latency, silent_threads: usize, began: SystemTime) -> Self {
        let mut curves = Vec::new();
        for (lane, stage) in recorded(latency) {
            let histogram = latency.of(lane, stage);
            let point = |share| (share, histogram.value_at_quantile(share));
            curves.push(Percentiles {
                lane: lane.name().to_owned(),
                stage: stage.name().to_owned(),
                packets: histogram.len(),
                points: SHARES.into_iter().map(point).collect(),
            });
        }
        Self {
            // Writing to memory cannot fail, and these histograms are within what the format takes.
            log: log(latency, began).unwrap_or_default(),
            curves,
            silent_threads,
        }
    }
}

fn recorded(latency: &Latency) -> impl Iterator<Item = (Lane, Stage)> + '_ {
    let all = Lane::ALL
        .into_iter()
        .flat_map(|lane| Stage::ALL.into_iter().map(move |stage| (lane, stage)));
    all.filter(|(lane, stage)| !latency.of(*lane, *stage).is_empty())
}

fn log(latency: &Latency, began: SystemTime) -> Option<String> {
    let mut bytes = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    {
        let mut writer = IntervalLogWriterBuilder::new()
            .add_comment("trim: nanoseconds, since the capture began")
            .with_start_time(began)
            .with_max_value_divisor(1.0)
            .begin_log_with(&mut bytes, &mut serializer)
            .ok()?;
        let length = began.elapsed().unwrap_or_default();
        for (lane, stage) in recorded(latency) {
            let tag = format!("{}.{}", lane.name(), stage.name());
            let histogram = latency.of(lane, stage);
            writer
                .write_histogram(histogram, Duration::ZERO, length, Tag::new(&tag))
                .ok()?;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;

    #[test]
    fn the_log_is_read_by_the_format_and_has_what_was_recorded() {
        let mut latency = Latency::new();
        latency.record(Lane::Scanning.index(), Stage::KernelToWritten, 5_000, 99);
        latency.record(Lane::Scanning.index(), Stage::KernelToWritten, 9_000_000, 1);
        let histograms = Histograms::of(&latency, 0, SystemTime::now());
        let tags: Vec<_> = IntervalLogIterator::new(histograms.log.as_bytes())
            .filter_map(|entry| match entry {
                Ok(LogEntry::Interval(interval)) => interval.tag().map(|tag| tag.as_str().to_owned()),
                Ok(_) => None,
                Err(error) => panic!("{error:?} in {}", histograms.log),
            })
            .collect();
        assert_eq!(tags, ["scanning.kernel_to_written"]);
        let curve = &histograms.curves[0];
        assert_eq!((histograms.curves.len(), curve.packets), (1, 100));
        assert!(
            curve
                .points
                .iter()
                .any(|(share, value)| *share == 0.5 && (4_900..5_100).contains(value))
        );
        assert!(curve.points.last().unwrap().1 > 8_900_000);
    }
}
