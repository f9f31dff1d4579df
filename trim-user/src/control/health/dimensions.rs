//! What each dimension is judged by.

use super::Known;
use super::comparison::Comparison;
use super::dimension::{Measure, Name, Value};
use super::evidence::{Arm, Evidence};
use super::outlook::Subject;
use super::thresholds::{Limits, Thresholds};

/// A finding that is either there or not: 1 or 0.
const FINDING: Limits = Limits::new(0.0, 0.5);

/// The measures of a dimension.
pub(super) fn measures(name: Name, known: &Known<'_>) -> Vec<Measure> {
    let Known {
        evidence,
        comparison,
        thresholds,
        ..
    } = known;
    match name {
        Name::StrategySelection => selection(evidence, comparison),
        Name::Performance => performance(evidence, comparison, thresholds),
        Name::Errors => errors(evidence, comparison, thresholds),
        Name::Resources => {
            let mut measures = resources(evidence, thresholds);
            measures.extend(process_memory(evidence, thresholds));
            measures.extend(ahead(known));
            measures
        }
        Name::Business => business(evidence, thresholds),
    }
}

fn finding(is_found: bool) -> Value {
    Value::Measured(f64::from(u8::from(is_found)))
}

/// The arms with the names of their strategies.
fn arms(evidence: &Evidence) -> [(&'static str, &Arm); 2] {
    [("legacy", &evidence.legacy), ("scanning", &evidence.scanning)]
}

fn selection(evidence: &Evidence, comparison: &Comparison) -> Vec<Measure> {
    let is_split = evidence.target.mode == "ab_test";
    let mismatch = if !is_split {
        Value::Measured(0.0)
    } else {
        match comparison.ratio.share() {
            None => Value::Missing,
            Some(_) => finding(comparison.is_split_wrong()),
        }
    };
    vec![Measure::new("split_mismatch", mismatch, FINDING)]
}

fn performance(evidence: &Evidence, comparison: &Comparison, thresholds: &Thresholds) -> Vec<Measure> {
    let mut measures: Vec<_> = arms(evidence)
        .into_iter()
        .map(|(name, arm)| {
            let p95 = (arm.latency.packets > 0).then_some(arm.latency.p95 as f64);
            let value = Value::on(
                p95,
                arm.latency.packets,
                thresholds.fewest_packets,
                Value::NotApplicable,
            );
            Measure::new(format!("{name}_latency_p95_ns"), value, thresholds.latency_p95_ns)
        })
        .collect();
    let slow_down = recent_slow_down(evidence, thresholds);
    measures.push(Measure::new("scanning_slow_down", slow_down, thresholds.slow_down));
    measures.push(Measure::new(
        "scanning_certainly_dearer",
        finding(comparison.is_dearer(thresholds)),
        Limits::new(0.0, 1.0),
    ));
    if evidence.packets.seen == 0 {
        measures.push(Measure::new("packets_seen", Value::Missing, FINDING));
    }
    measures
}

/// How much dearer `scanning` was than `legacy` in the window.
fn recent_slow_down(evidence: &Evidence, thresholds: &Thresholds) -> Value {
    let (legacy, scanning) = (&evidence.legacy, &evidence.scanning);
    let slow_down = legacy
        .cost_ns()
        .zip(scanning.cost_ns())
        .map(|(legacy, scanning)| scanning / legacy - 1.0);
    let fewest = legacy.packets.min(scanning.packets);
    Value::on(slow_down, fewest, thresholds.fewest_packets, Value::NotApplicable)
}

fn errors(evidence: &Evidence, comparison: &Comparison, thresholds: &Thresholds) -> Vec<Measure> {
    let mut measures: Vec<_> = arms(evidence)
        .into_iter()
        .map(|(name, arm)| {
            let missing = Value::NotApplicable;
            let value = Value::on(arm.error_share(), arm.packets, thresholds.fewest_packets, missing);
            Measure::new(format!("{name}_error_share"), value, thresholds.errors)
        })
        .collect();
    measures.push(Measure::new(
        "scanning_certainly_more_errors",
        finding(comparison.has_more_errors()),
        Limits::new(0.0, 1.0),
    ));
    measures
}

fn resources(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Measure> {
    let resources = &evidence.resources;
    let optional = |value: Option<f64>| value.map_or(Value::NotApplicable, Value::Measured);
    let stalled = evidence
        .threads
        .iter()
        .map(|thread| thread.stalled_s)
        .max_by(f64::total_cmp);
    let patience = thresholds.unresponsive_after.as_secs_f64();
    vec![
        Measure::new(
            "memory_share",
            Value::state(resources.memory_share()),
            thresholds.memory,
        ),
        Measure::new("cpu_share", Value::state(resources.cpu_share), thresholds.cpu),
        Measure::new("disk_share", Value::state(resources.disk_share()), thresholds.disk),
        Measure::new("umem_share", optional(resources.umem_share), thresholds.tables),
        Measure::new(
            "flow_table_share",
            optional(resources.flow_table_share),
            thresholds.tables,
        ),
        Measure::new(
            "stalled_seconds",
            Value::state(stalled),
            Limits::new(patience / 3.0, patience),
        ),
    ]
}

/// Only where the process was given a limit.
fn process_memory(evidence: &Evidence, thresholds: &Thresholds) -> Option<Measure> {
    evidence.resources.memory_limit?;
    let share = Value::state(evidence.resources.process_memory_share());
    Some(Measure::new("process_memory_share", share, thresholds.memory))
}

/// Disk and memory in some time; nothing while too little is known of the past. What is to come is never worse than a warning.
fn ahead(known: &Known<'_>) -> Vec<Measure> {
    /// So full is as full as anything is said to become, and no level is above it.
    const FULLEST: f64 = 10.0;
    let resources = &known.evidence.resources;
    let of = |subject, unit: f64| {
        let value = known
            .outlook
            .ahead(subject, known.evidence.at, known.thresholds.forecast)?;
        (unit > 0.0).then_some(value / unit)
    };
    let disk = of(Subject::DiskShare, 1.0)
        .zip(resources.disk_share())
        .map(|(share, now)| {
            // Old files make room for new ones as soon as the quota is reached.
            let left = known.outlook.captures_may_grow.zip(resources.disk_total);
            left.map_or(share, |(left, total)| share.min(now + left as f64 / total as f64))
        });
    let memory_limit = known.thresholds.memory.critical;
    let limit = resources.memory_limit.unwrap_or_default() as f64;
    let hours = known.thresholds.forecast.as_secs() / 3600;
    [
        ("disk_share", disk, 1.0),
        ("memory_share", of(Subject::MemoryShare, 1.0), memory_limit),
        ("process_memory_share", of(Subject::ResidentBytes, limit), memory_limit),
    ]
    .into_iter()
    .filter_map(|(name, value, warning)| {
        let value = Value::Measured(value?.clamp(0.0, FULLEST));
        let limits = Limits::new(warning, FULLEST);
        Some(Measure::new(format!("{name}_in_{hours}_hours"), value, limits))
    })
    .collect()
}

fn business(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Measure> {
    let packets = &evidence.packets;
    let mut measures = vec![
        Measure::new("loss_share", Value::state(packets.loss_share()), thresholds.loss),
        Measure::new(
            "write_failures",
            Value::Measured(packets.write_failed as f64),
            Limits::new(0.0, 0.0),
        ),
    ];
    for (name, arm) in arms(evidence) {
        let shadow = &arm.shadow;
        let inaccuracy = shadow.accuracy().map(|accuracy| 1.0 - accuracy);
        let missing = Value::NotApplicable;
        let value = Value::on(inaccuracy, shadow.segments, thresholds.fewest_segments, missing);
        measures.push(Measure::new(
            format!("{name}_shadow_inaccuracy"),
            value,
            thresholds.inaccuracy,
        ));
        let lost = (shadow.segments > 0).then(|| shadow.header_bytes_lost as f64 * 1e6 / shadow.segments as f64);
        let value = Value::on(lost, shadow.segments, thresholds.fewest_segments, missing);
        measures.push(Measure::new(
            format!("{name}_shadow_header_bytes_lost_per_million_segments"),
            value,
            thresholds.header_loss,
        ));
    }
    measures
}
