//! Strategies that make errors, disagree, cost too much, or get other flows than they should.

use trim_common::strategy::Strategy;

use crate::control::health::{Errors, Evidence, Ratio, Shadow};
use crate::ops::diag::collected::Collected;

use super::{Finding, Severity, first};

/// Above these shares of packets, errors are a warning and critical.
const ERRORS: (f64, f64) = (0.05, 0.10);
/// Above this many times the cost of `legacy`, `scanning` is too dear.
const SLOW_DOWN: f64 = 1.2;
/// So many packets at least are judged.
const FEWEST_PACKETS: u64 = 200;

pub(super) fn find(collected: &Collected, found: &mut Vec<Finding>) {
    let all = sum(collected);
    for strategy in [Strategy::Scanning, Strategy::Legacy] {
        errors(collected, &all, strategy, found);
    }
    disagreement(&all, found);
    cost(&all, found);
    mismatch(collected, found);
}

fn sum(collected: &Collected) -> Evidence {
    let mut all = Evidence::default();
    for sample in &collected.samples {
        all.absorb(&sample.evidence);
    }
    all
}

fn errors(collected: &Collected, all: &Evidence, strategy: Strategy, found: &mut Vec<Finding>) {
    let (arm, name) = (all.arm(strategy), strategy.name());
    let panics = arm.errors.panics;
    let status = collected.status.as_ref().and_then(|status| status.strategies.get(name));
    let panics = panics.max(status.map_or(0, |status| status.panics));
    if panics > 0 {
        let finding = Finding::new(
            if strategy == Strategy::Scanning {
                "scanning_panics"
            } else {
                "legacy_panics"
            },
            Severity::Critical,
            format!("the {name} trimmer panicked; {panics} packets were kept whole for it"),
            format!("{panics} panics or packets kept by one, by the counters of {name}"),
            "No packet is lost, but their bodies are in the captures. Take traffic back with `trim rollback`, keep this archive, and report it; the log has the panic's place",
        );
        found.push(finding.since(first(&collected.samples, |it| {
            it.evidence.arm(strategy).errors.panics > 0
        })));
    }
    let Some(share) = arm.error_share().filter(|_| arm.packets >= FEWEST_PACKETS) else {
        return;
    };
    if share <= ERRORS.0 {
        return;
    }
    let severity = if share > ERRORS.1 {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let finding = Finding::new(
        if strategy == Strategy::Scanning {
            "scanning_errors"
        } else {
            "legacy_errors"
        },
        severity,
        format!(
            "{:.1} % of the packets on {name} were not trimmed as they should be",
            share * 100.0
        ),
        classes(&arm.errors),
        "Gaps come from packets lost before the capture or a SPAN port that is overrun; limits from `trimming` bounds that are too low; framing from traffic that is no HTTP/1: `trim explain` tells for a capture. If only scanning is hit, `trim rollback`",
    );
    let is_bad = |share: Option<f64>| share.is_some_and(|share| share > ERRORS.0);
    found.push(finding.since(first(&collected.samples, |it| {
        is_bad(it.evidence.arm(strategy).error_share())
    })));
}

fn classes(errors: &Errors) -> String {
    let classes = [
        ("panics", errors.panics),
        ("malformed framing", errors.framing),
        ("gaps", errors.gaps),
        ("limits", errors.limits),
        ("released unjudged", errors.released),
        ("flows evicted", errors.evictions),
    ];
    let told: Vec<String> = classes
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name}: {count}"))
        .collect();
    told.join(", ")
}

fn disagreement(all: &Evidence, found: &mut Vec<Finding>) {
    let total = |of: fn(&Shadow) -> u64| of(&all.scanning.shadow) + of(&all.legacy.shadow);
    let lost = total(|it| it.header_bytes_lost);
    if lost > 0 {
        found.push(Finding::new(
            "header_loss",
            Severity::Critical,
            format!("scanning removed, or would have removed, {lost} bytes of headers"),
            format!("second opinion on {} segments", total(|it| it.segments)),
            "Take traffic back with `trim rollback`; `trim compare` on an untrimmed capture shows where they differ",
        ));
    }
    let (segments, different) = (total(|it| it.segments), total(|it| it.different));
    let accuracy = 1.0 - different as f64 / segments.max(1) as f64;
    if segments >= FEWEST_PACKETS && accuracy < 0.9 {
        found.push(Finding::new(
            "accuracy",
            Severity::Warning,
            format!("the trimmers agree on {:.1} % of the segments that both judged", accuracy * 100.0),
            format!("{different} of {segments} segments differ"),
            "Below 90 % the rollout does not advance. `trim compare` on an untrimmed capture shows which messages they see differently",
        ));
    }
}

fn cost(all: &Evidence, found: &mut Vec<Finding>) {
    let (Some(legacy), Some(scanning)) = (all.legacy.cost_ns(), all.scanning.cost_ns()) else {
        return;
    };
    if scanning > legacy * SLOW_DOWN {
        found.push(Finding::new(
            "slow_down",
            Severity::Warning,
            format!("scanning costs {:.0} % more than legacy for a packet", (scanning / legacy - 1.0) * 100.0),
            format!("{scanning:.0} ns a packet, legacy {legacy:.0} ns"),
            "It should be cheaper. See whether its threads share cores with others (`trim doctor`), and what traffic it has; without an explanation, `trim rollback`",
        ));
    }
}

/// Flows are only counted together as long as the target stays.
fn mismatch(collected: &Collected, found: &mut Vec<Finding>) {
    let (mut ratio, mut target) = (Ratio::default(), None);
    for sample in &collected.samples {
        let evidence = &sample.evidence;
        let now = (evidence.target.mode.as_str(), evidence.target.share);
        if target != Some(now) || evidence.target.has_changed {
            (ratio, target) = (Ratio::default(), Some(now));
            continue;
        }
        if now.0 != "ab_test" {
            continue;
        }
        ratio.observe(evidence.legacy.flows, evidence.scanning.flows);
        if ratio.is_mismatch(now.1) {
            let share = ratio.share().unwrap_or_default() * 100.0;
            let finding = Finding::new(
                "split_mismatch",
                Severity::Critical,
                format!(
                    "flows are not split as they should be: {share:.2} % are on scanning, {:.2} % should be",
                    now.1 * 100.0
                ),
                format!(
                    "{} flows on legacy, {} on scanning; by chance that happens less than once in a million",
                    ratio.legacy, ratio.scanning
                ),
                "A comparison of the arms means nothing until this is explained: look for lost packets on one of them, a stale lease, or queues without sockets",
            );
            found.push(finding.since(Some(sample.at)));
            return;
        }
    }
}
