//! From the histograms of the data path to buckets.

use hdrhistogram::Histogram;

use super::metric::{Samples, Value};
use super::strategies::lanes;
use crate::control::web::Picture;
use crate::shared::Stage;

/// Upper bounds, nanoseconds: 1, 2.5 and 5 of each power of ten from a microsecond to ten seconds.
const BOUNDS: [u64; 22] = [
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// The latencies of every lane and stage. When a thread did not hand over its own, there are none: they would go back, and a
/// counter that goes back means a restart to whoever reads it.
pub(super) fn latencies(picture: &Picture, out: &mut Samples) {
    if picture.silent > 0 {
        return;
    }
    for (lane, _) in lanes(picture) {
        for stage in Stage::ALL {
            out.put(&[lane.name(), stage.name()], seconds(picture.latency.of(lane, stage)));
        }
    }
}

/// A histogram of nanoseconds in seconds. Values are known to one percent, and so is their sum.
fn seconds(histogram: &Histogram<u64>) -> Value {
    let mut counts = [0; BOUNDS.len() + 1];
    let mut sum = 0.0;
    for step in histogram.iter_recorded() {
        let (value, count) = (step.value_iterated_to(), step.count_since_last_iteration());
        let value = histogram.median_equivalent(value);
        counts[BOUNDS.partition_point(|bound| *bound < value)] += count;
        sum += value as f64 / 1e9 * count as f64;
    }
    let bounds = BOUNDS.iter().map(|&bound| bound as f64 / 1e9).chain([f64::INFINITY]);
    Value::Histogram {
        sum,
        count: histogram.len(),
        buckets: bounds.zip(counts).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_the_bucket_whose_bounds_it_lies_between() {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 2).unwrap();
        for (value, count) in [(900, 1), (1_100, 2), (70_000_000, 3), (59_000_000_000, 4)] {
            histogram.record_n(value, count).unwrap();
        }
        let Value::Histogram { sum, count, buckets } = seconds(&histogram) else {
            panic!("no histogram");
        };
        let filled: Vec<_> = buckets.iter().filter(|(_, count)| *count > 0).copied().collect();
        assert_eq!(filled, [(1e-6, 1), (2.5e-6, 2), (0.1, 3), (f64::INFINITY, 4)]);
        assert_eq!(count, 10);
        assert!((sum / 236.21 - 1.0).abs() < 0.01, "{sum}");
    }
}
