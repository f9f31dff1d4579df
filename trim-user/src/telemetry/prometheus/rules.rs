//! Alert rules for Prometheus, with the thresholds of the appliance's own.

use std::fmt::Write as _;

use crate::control::alert::Level;
use crate::control::alert::rules::{Bad, RULES, Rule, RuleBook};

/// Rules of the appliance that are events, which a metric cannot show.
pub const NOT_MEASURED: [&str; 3] = ["rollout", "configuration", "operator"];

/// What a rule of the appliance is in terms of metrics. A measured one gets its thresholds behind it.
struct Query {
    /// The rule's name, as in `alerts.rules`; or that of a rule which only somebody outside the process can have.
    rule: &'static str,
    expression: &'static str,
    summary: &'static str,
}

const fn query(rule: &'static str, expression: &'static str, summary: &'static str) -> Query {
    Query {
        rule,
        expression,
        summary,
    }
}

/// Computed once and used by several.
const RECORDED: [(&str, &str); 2] = [
    (
        "trim:packet_cost_seconds",
        "rate(trim_busy_seconds_total[2m]) / rate(trim_busy_packets_total[2m])",
    ),
    (
        "trim:loss_ratio",
        "sum without (place) (rate(trim_packets_lost_total[1m])) / rate(trim_packets_seen_total[1m])",
    ),
];

const QUERIES: [Query; 13] = [
    query(
        "error_rate",
        "100 * sum without (class) (rate(trim_errors_total[1m])) / rate(trim_strategy_packets_total[1m])",
        "{{ $value | printf \"%.2f\" }}% of the packets on {{ $labels.strategy }} were not trimmed as they should be",
    ),
    query(
        "slow_down",
        "100 * (trim:packet_cost_seconds{strategy=\"scanning\"} / ignoring (strategy) \
         trim:packet_cost_seconds{strategy=\"legacy\"} - 1)",
        "a packet costs {{ $value | printf \"%.0f\" }}% more on scanning than on legacy",
    ),
    query(
        "memory",
        "100 * trim_memory_used_ratio",
        "{{ $value | printf \"%.1f\" }}% of the memory is in use",
    ),
    query(
        "cpu",
        "100 * trim_cpu_used_ratio",
        "{{ $value | printf \"%.1f\" }}% of the processors is in use",
    ),
    query(
        "disk",
        "100 * (1 - trim_disk_free_bytes / trim_disk_size_bytes)",
        "{{ $value | printf \"%.1f\" }}% of the captures' file system is in use",
    ),
    query(
        "loss",
        "100 * trim:loss_ratio",
        "{{ $value | printf \"%.3f\" }}% of the packets are lost",
    ),
    query(
        "accuracy",
        "100 * (1 - rate(trim_different_segments_total[5m]) / rate(trim_compared_segments_total[5m]))",
        "the trimmers agree on {{ $value | printf \"%.2f\" }}% of what both judged on {{ $labels.strategy }}",
    ),
    query(
        "unavailable",
        "increase(trim_thread_beats_total[1m]) == 0",
        "{{ $labels.thread }} makes no progress",
    ),
    query(
        "rollback",
        "trim_rollout_status{status=\"rolled_back\"} == 1",
        "the rollout was rolled back",
    ),
    query(
        "split_mismatch",
        "abs(trim_split_observed_ratio - trim_split_target_ratio) > 0.1 \
         and on (instance) sum by (instance) (increase(trim_flows_total[5m])) > 1000",
        "the share of flows on scanning is off by {{ $value | humanizePercentage }}",
    ),
    query(
        "link_lost",
        "trim_interface_up == 0",
        "the link of {{ $labels.interface }} is not up",
    ),
    query(
        "write_failed",
        "rate(trim_packets_lost_total{place=\"write_failed\"}[1m]) > 0",
        "packets are lost because captures cannot be written",
    ),
    query(
        "channel_failing",
        "increase(trim_alert_attempts_failed_total[10m]) > 0 unless increase(trim_alert_messages_delivered_total[10m]) > 0",
        "nothing arrives by the alert channel {{ $labels.channel }}",
    ),
];

/// What the appliance cannot tell of itself, or tells otherwise.
const OTHERS: [(Query, Level, &str); 6] = [
    (
        query(
            "thread_ended",
            "up{job=\"trim\"} == 0",
            "the capture has ended, or does not answer",
        ),
        Level::Critical,
        "30s",
    ),
    (
        query(
            "health",
            "trim_health_level == 2",
            "health is critical; `trim health` says why",
        ),
        Level::Critical,
        "1m",
    ),
    (
        query(
            "database",
            "trim_database_failing == 1",
            "the database cannot be written",
        ),
        Level::Warning,
        "1m",
    ),
    (
        query(
            "elasticsearch_refused",
            "increase(trim_elasticsearch_documents_total{outcome=\"refused\"}[10m]) > 0",
            "Elasticsearch refused {{ $value | printf \"%.0f\" }} documents, which are given up",
        ),
        Level::Warning,
        "0s",
    ),
    (
        query(
            "elasticsearch_lost",
            "increase(trim_elasticsearch_documents_total{outcome=\"dropped\"}[10m]) > 0",
            "{{ $value | printf \"%.0f\" }} documents for Elasticsearch had no room on disk, or were damaged there",
        ),
        Level::Warning,
        "0s",
    ),
    (
        query(
            "elasticsearch_waiting",
            "min_over_time(trim_elasticsearch_documents_waiting[5m]) > 0 and delta(trim_elasticsearch_documents_waiting[5m]) > 0",
            "documents for Elasticsearch pile up on disk",
        ),
        Level::Warning,
        "5m",
    ),
];

const INTRODUCTION: &str = "\
# Alert rules for Prometheus, with the default thresholds of `alerts.rules`. docs/alerts.md says what each means and what to
# do. Made from trim-user/src/telemetry/prometheus/rules.rs; change it there.
groups:
";

/// The file of rules.
pub fn rules() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("  - name: trim-recorded\n    rules:\n");
    for (name, expression) in RECORDED {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "      - record: {name}\n        expr: {expression}");
    }
    text.push_str("  - name: trim\n    rules:\n");
    let book = RuleBook::default();
    for query in &QUERIES {
        if let Some(rule) = book.get(query.rule) {
            measured(&mut text, query, rule);
        }
    }
    for (query, level, hold) in &OTHERS {
        write(&mut text, query, query.expression, *level, hold);
    }
    debug_assert!(
        RULES.iter().all(|kind| is_covered(kind.name)),
        "a rule of the appliance has no query"
    );
    text
}

fn is_covered(rule: &str) -> bool {
    NOT_MEASURED.contains(&rule)
        || QUERIES.iter().any(|query| query.rule == rule)
        || OTHERS.iter().any(|(query, ..)| query.rule == rule)
}

/// One alert per threshold, or one for a condition that has none.
fn measured(text: &mut String, query: &Query, rule: &Rule) {
    let hold = format!("{}s", rule.hold.as_secs());
    let sign = match rule.bad {
        Bad::Above => '>',
        Bad::Below => '<',
        Bad::Always(level) => return write(text, query, query.expression, level, &hold),
    };
    let thresholds = [(Level::Warning, rule.warning), (Level::Critical, rule.critical)];
    for (level, threshold) in thresholds {
        if let Some(threshold) = threshold {
            let expression = format!("{} {sign} {threshold}", query.expression);
            write(text, query, &expression, level, &hold);
        }
    }
}

fn write(text: &mut String, query: &Query, expression: &str, level: Level, hold: &str) {
    let (name, rule, level) = (alert_name(query.rule), query.rule, level.name());
    let summary = query.summary;
    let _ = writeln!(
        text,
        "      - alert: {name}\n        expr: {expression}\n        for: {hold}\n        labels: {{ severity: {level}, rule: {rule} }}\n        annotations:\n          summary: '{}'",
        summary.replace('\'', "''")
    );
}

/// `error_rate` is `TrimErrorRate`.
fn alert_name(rule: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    format!("Trim{}", rule.split('_').map(capital).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_the_appliance_has_a_query_or_is_an_event() {
        for kind in RULES {
            assert!(is_covered(kind.name), "{}", kind.name);
        }
    }

    #[test]
    fn thresholds_are_those_of_the_appliance() {
        let text = rules();
        assert!(
            text.contains("100 * trim_memory_used_ratio > 80\n")
                && text.contains("100 * trim_memory_used_ratio > 95\n")
        );
        assert!(text.contains("[5m])) < 90\n"));
        assert!(text.contains("- alert: TrimLinkLost\n"));
    }
}
