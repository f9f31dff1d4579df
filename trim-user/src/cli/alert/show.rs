//! Alerts as a person reads them.

use std::fmt::Write as _;

use crate::control::alert::engine::{Reason, State};
use crate::control::alert::view::{AlertList, AlertStatistics, AlertView, ChannelView};

pub(super) fn list(list: &AlertList) -> String {
    let mut text = String::new();
    if list.alerts.is_empty() {
        text.push_str("no alerts\n");
    }
    for alert in &list.alerts {
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "{} {:<8} {:<8} {:<15} {} {}",
            alert.id,
            state(alert),
            alert.level.name(),
            alert.rule,
            alert.since,
            printable(&alert.summary)
        );
        let labels: Vec<String> = alert
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let remarks = [labels.join(", "), remark(alert)];
        let remarks: Vec<String> = remarks.into_iter().filter(|remark| !remark.is_empty()).collect();
        if !remarks.is_empty() {
            let _ = writeln!(text, "                 {}", printable(&remarks.join("; ")));
        }
    }
    for silence in &list.silences {
        let _ = writeln!(
            text,
            "silence {}: {} until {}, by {} {}",
            silence.id,
            printable(&silence.matchers),
            silence.until,
            printable(&silence.by),
            printable(&silence.comment)
        );
    }
    text
}

const fn state(alert: &AlertView) -> &'static str {
    match alert.state {
        State::Firing if alert.event => "happened",
        State::Firing => "firing",
        State::Pending => "pending",
        State::Resolved => "resolved",
    }
}

fn remark(alert: &AlertView) -> String {
    let mut remarks = Vec::new();
    if let Some(value) = alert.value {
        let threshold = alert
            .threshold
            .map_or_else(String::new, |threshold| format!(" (threshold {threshold})"));
        remarks.push(format!("value {value:.3}{threshold}"));
    }
    if let Some(seen) = &alert.acknowledged {
        remarks.push(format!("acknowledged by {}", seen.by));
    }
    remarks.extend(alert.muted.map(|reason| format!("not told: {}", why(reason))));
    remarks.extend(alert.ended.as_ref().map(|ended| format!("ended {ended}")));
    remarks.join("; ")
}

const fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Silenced => "silenced",
        Reason::Inhibited => "muted by a more serious alert",
        Reason::Acknowledged => "acknowledged",
        Reason::RateLimited => "held back by the rate limit",
        Reason::TooMany => "too many alerts",
    }
}

/// Alerts may quote what came over the network: nothing in it steers the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

pub(super) fn statistics(statistics: &AlertStatistics) -> String {
    let mut text = format!("{:<18} {:>8} {:>9} {:>8}\n", "alerts", "fired", "resolved", "events");
    for (name, counts) in statistics.levels.iter().chain(&statistics.rules) {
        let _ = writeln!(
            text,
            "{name:<18} {:>8} {:>9} {:>8}",
            counts.fired, counts.resolved, counts.events
        );
    }
    let _ = writeln!(
        text,
        "{:<18} {:>8} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9}",
        "channel", "messages", "delivered", "waiting", "failures", "refused", "dropped", "p50 ms", "p95 ms", "max ms"
    );
    for (name, channel) in &statistics.channels {
        text.push_str(&channel_row(name, channel));
    }
    text
}

fn channel_row(name: &str, channel: &ChannelView) -> String {
    let mut text = format!(
        "{name:<18} {:>8} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9}\n",
        channel.messages,
        channel.delivered,
        channel.waiting,
        channel.failed_attempts,
        channel.refused,
        channel.dropped,
        channel.latency_ms.p50,
        channel.latency_ms.p95,
        channel.latency_ms.max
    );
    for (reason, count) in &channel.suppressed {
        let _ = writeln!(text, "  {count} not told, or later: {}", why(*reason));
    }
    if let Some(error) = &channel.last_error {
        let _ = writeln!(text, "  last failure: {}", printable(error));
    }
    text
}
