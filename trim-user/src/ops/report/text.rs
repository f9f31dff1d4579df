//! A report as Markdown.

use std::fmt::Write as _;

use super::{Report, Strategy};
use crate::plot::Unit;

/// The rows of a table, for Markdown and for a page.
pub(super) type Rows = Vec<Vec<String>>;

/// A report as Markdown.
pub fn markdown(report: &Report) -> String {
    let mut text = format!(
        "# {} report\n\n{} to {}\n",
        title(report.period.name()),
        report.from,
        report.to
    );
    if report.is_empty() {
        text.push_str(
            "\nNothing was measured in this period: the daemon was not running, or its database was not kept.\n",
        );
        return text;
    }
    for (name, heads, rows) in tables(report) {
        let _ = write!(text, "\n## {name}\n\n");
        if rows.is_empty() {
            text.push_str("None.\n");
            continue;
        }
        let _ = writeln!(text, "| {} |\n|{}", heads.join(" | "), "---|".repeat(heads.len()));
        for row in rows {
            let cells: Vec<String> = row
                .iter()
                .map(|cell| cell.replace('|', "\\|").replace('\n', " "))
                .collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
    }
    text
}

/// The word with a capital letter.
pub(super) fn title(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Everything as tables: name, heads, rows.
pub(super) fn tables(report: &Report) -> Vec<(&'static str, Vec<&'static str>, Rows)> {
    let two = |rows: Vec<(String, String)>| rows.into_iter().map(|(name, value)| vec![name, value]).collect();
    let mut tables = vec![
        ("Traffic", vec!["what", "value"], two(traffic(report))),
        (
            "Loss by place",
            vec!["place", "packets"],
            two(report
                .loss
                .iter()
                .map(|(place, lost)| ((*place).to_owned(), lost.to_string()))
                .collect()),
        ),
        (
            "Health",
            vec!["level", "time"],
            two(report
                .health_s
                .iter()
                .map(|(level, time)| ((*level).to_owned(), hours(*time)))
                .collect()),
        ),
        (
            "Strategies",
            vec![
                "",
                "flows",
                "packets",
                "messages",
                "errors",
                "cost of a packet",
                "worst p95 latency",
                "agreement",
            ],
            report.strategies.iter().map(|(name, it)| strategy(name, it)).collect(),
        ),
        (
            "Rollout: decisions that changed something",
            vec!["when", "decision", "phase", "why"],
            report
                .decisions
                .iter()
                .map(|it| {
                    vec![
                        it.at.clone(),
                        it.chosen.replace('_', " "),
                        it.phase.replace('_', " "),
                        it.reasons.join("; "),
                    ]
                })
                .collect(),
        ),
        (
            "Events",
            vec!["kind", "count"],
            two(report
                .events
                .iter()
                .map(|(kind, count)| (kind.clone(), count.to_string()))
                .collect()),
        ),
    ];
    tables.extend(outlook(report));
    tables
}

/// What only the daemon knows, and what is to come.
fn outlook(report: &Report) -> Vec<(&'static str, Vec<&'static str>, Rows)> {
    let two = |rows: Vec<(String, String)>| rows.into_iter().map(|(name, value)| vec![name, value]).collect();
    let alerts = report.alerts.as_ref().map_or_else(
        || vec![("not known".to_owned(), "the daemon does not answer".to_owned())],
        |alerts| {
            alerts
                .iter()
                .map(|(rule, count)| (rule.clone(), count.to_string()))
                .collect()
        },
    );
    let forecasts = report.forecasts.iter().map(|it| (it.what.to_owned(), it.words.clone()));
    vec![
        (
            "Alerts since the daemon was started",
            vec!["rule", "count"],
            two(alerts),
        ),
        (
            "Forecast",
            vec!["what", "should it go on like this"],
            two(forecasts.collect()),
        ),
    ]
}

fn traffic(report: &Report) -> Vec<(String, String)> {
    let traffic = &report.traffic;
    let packets = |count: u64| Unit::Count("packets").show(count as f64);
    let share = traffic.lost as f64 / traffic.seen.max(1) as f64;
    let savings = report.savings.map_or_else(
        || "not known: the daemon does not answer".to_owned(),
        |it| {
            format!(
                "{} of {} were not kept ({})",
                Unit::Bytes.show((it.received - it.kept.min(it.received)) as f64),
                Unit::Bytes.show(it.received as f64),
                Unit::Share.show(it.share)
            )
        },
    );
    [
        ("available", Unit::Share.show(report.availability)),
        ("seen", packets(traffic.seen)),
        ("written", packets(traffic.written)),
        ("left out on purpose", packets(traffic.omitted)),
        (
            "lost",
            format!("{} ({})", packets(traffic.lost), Unit::Share.show(share)),
        ),
        ("received", Unit::Bytes.show(traffic.bytes as f64)),
        ("HTTP messages", Unit::Count("").show(traffic.messages as f64)),
        ("mean rate", Unit::Count("packets/s").show(traffic.mean_per_second)),
        (
            "highest rate",
            Unit::Count("packets/s").show(traffic.highest_per_second),
        ),
        ("saved, since the daemon was started", savings),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn strategy(name: &str, it: &Strategy) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    vec![
        name.to_owned(),
        Unit::Count("").show(it.flows as f64),
        Unit::Count("").show(it.packets as f64),
        Unit::Count("").show(it.messages as f64),
        or_dash(it.error_share.map(|share| Unit::Share.show(share))),
        or_dash(it.cost_ns.map(|cost| Unit::Nanoseconds.show(cost))),
        or_dash(it.worst_p95_ns.map(|latency| Unit::Nanoseconds.show(latency as f64))),
        or_dash(it.accuracy.map(|accuracy| Unit::Share.show(accuracy))),
    ]
}

fn hours(seconds: f64) -> String {
    if seconds < 3600.0 {
        format!("{:.1} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}
