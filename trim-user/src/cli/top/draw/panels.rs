//! The panels as lines of text.

use ratatui::text::{Line, Span};

use super::super::screen::Screen;
use crate::control::alert::notice::Level as AlertLevel;
use crate::control::figures::{chosen_percent, counted, nanoseconds, number, percent, share, span};
use crate::control::health::{Dimension, Level, Verdict};
use crate::control::operator::View;
use crate::control::rollout::{Phase, Status as RolloutStatus};
use crate::control::status::Status;

/// Alerts that are shown at most.
const ALERTS: usize = 8;

/// A part of the screen.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) lines: Vec<Line<'static>>,
    /// Whether it stands on the left where there are two columns.
    pub(super) is_left: bool,
}

/// The first line: what, how well, how far.
pub(super) fn head(screen: &Screen) -> Line<'static> {
    let mut spans = vec![Span::styled("trim", screen.palette.title())];
    if let Some(reading) = &screen.reading {
        let (status, view) = (&reading.status, &reading.view);
        let split = if status.mode == "ab_test" {
            format!(" {} %", status.split_percent)
        } else {
            String::new()
        };
        let up = screen.uptime().map_or_else(String::new, span);
        spans.push(Span::raw(format!("  {}{split}  up {up}  ", status.mode)));
        spans.push(health(screen, view));
        spans.push(Span::raw("  rollout "));
        let style = match view.state.status {
            RolloutStatus::RolledBack | RolloutStatus::Failed => screen.palette.critical(),
            RolloutStatus::Paused => screen.palette.warning(),
            _ => screen.palette.title(),
        };
        spans.push(Span::styled(view.state.status.name().replace('_', " "), style));
    }
    Line::from(spans)
}

fn health(screen: &Screen, view: &View) -> Span<'static> {
    let Some(health) = &view.health else {
        return Span::styled("health unknown", screen.palette.warning());
    };
    let word = match (health.level, health.verdict) {
        (Level::Critical, _) => "critical",
        (Level::Warning, _) => "warning",
        (Level::Healthy, Verdict::NoData) => "health unknown",
        (Level::Healthy, _) => "healthy",
    };
    Span::styled(word, screen.palette.verdict(health.verdict, health.level))
}

/// The second line: what has gone wrong, or what became of a request.
pub(super) fn notice(screen: &Screen) -> Line<'static> {
    if let Some(why) = &screen.lost {
        let text = format!("NO ANSWER, trying again: {why}");
        return Line::styled(text, screen.palette.critical());
    }
    if screen.reading.is_none() {
        return Line::styled("asking the daemon ...", screen.palette.quiet());
    }
    Line::styled(screen.message.clone(), screen.palette.warning())
}

/// The last line.
pub(super) fn keys(screen: &Screen) -> Line<'static> {
    Line::styled(
        "q quit  p pause/resume  r roll back  a acknowledge  ? help",
        screen.palette.quiet(),
    )
}

/// What the keys do.
pub(super) fn help() -> Vec<Line<'static>> {
    [
        "q, Esc, Ctrl-C  quit; the capture goes on",
        "p               pause the rollout, or let it go on",
        "r               take everything back to legacy, after a question",
        "up, down, k, j  choose an alert",
        "a               acknowledge the alert that is chosen",
        "",
        "Rates are of the last second, latencies of the whole capture,",
        "health and flows of the last minute. Any key goes back.",
    ]
    .map(Line::raw)
    .into()
}

/// All panels, what matters most first.
pub(super) fn all(screen: &Screen) -> Vec<Panel> {
    let Some(reading) = &screen.reading else {
        return Vec::new();
    };
    let panel = |title, is_left, lines| Panel { title, lines, is_left };
    vec![
        panel("Packets", true, packets(screen, &reading.status)),
        panel("Rollout", false, rollout(screen, &reading.view)),
        panel("Health", false, dimensions(screen, &reading.view)),
        panel("Latency, kernel to written", true, latency(&reading.status)),
        panel("Alerts", true, alerts(screen)),
    ]
}

fn packets(screen: &Screen, status: &Status) -> Vec<Line<'static>> {
    let accounts = &status.accounts;
    let lost = &accounts.lost;
    let total = lost.total();
    let mut lines = vec![Line::raw(format!(
        "seen {}  written {}  omitted {}  passed {}",
        number(accounts.seen),
        number(accounts.written),
        number(accounts.omitted()),
        number(accounts.passed)
    ))];
    let style = if total > 0 {
        screen.palette.critical()
    } else {
        screen.palette.good()
    };
    let balance = if status.balance == 0 {
        screen.palette.good()
    } else {
        screen.palette.critical()
    };
    lines.push(Line::from(vec![
        Span::styled(
            format!("lost {} ({})", number(total), share(total, accounts.seen)),
            style,
        ),
        Span::raw(format!("  in flight {}  ", number(accounts.in_flight))),
        Span::styled(format!("balance {}", status.balance), balance),
    ]));
    let places = [
        ("no_socket", lost.no_socket),
        ("rx_ring_full", lost.rx_ring_full),
        ("fill_ring_empty", lost.fill_ring_empty),
        ("rx_dropped", lost.rx_dropped),
        ("queue_full", lost.queue_full),
        ("write_failed", lost.write_failed),
    ];
    let places: Vec<_> = places
        .iter()
        .filter(|(_, packets)| *packets > 0)
        .map(|(name, packets)| format!("{name} {}", number(*packets)))
        .collect();
    if !places.is_empty() {
        lines.push(Line::styled(
            format!("  at {}", places.join("  ")),
            screen.palette.critical(),
        ));
    }
    lines
}

fn rollout(screen: &Screen, view: &View) -> Vec<Line<'static>> {
    let (state, plan) = (&view.state, &view.plan);
    let mut lines = Vec::new();
    if let Some(evidence) = &view.evidence {
        let flows = evidence.legacy.flows + evidence.scanning.flows;
        let observed = if flows == 0 {
            "no flow began".to_owned()
        } else {
            percent(evidence.scanning.flows as f64 / flows as f64)
        };
        let target = chosen_percent(evidence.target.share);
        lines.push(Line::raw(format!(
            "on scanning {observed}, target {target}  ({})",
            counted(flows, "flow")
        )));
    }
    let is_done = |phase: Phase| match state.status {
        RolloutStatus::NotStarted => false,
        RolloutStatus::Completed => true,
        _ => phase < state.phase,
    };
    let mut way = Vec::new();
    for phase in Phase::ALL {
        let (mark, style) = if state.status != RolloutStatus::NotStarted && phase == state.phase && !is_done(phase) {
            (">", screen.palette.title())
        } else if is_done(phase) {
            ("x", screen.palette.good())
        } else {
            (".", screen.palette.quiet())
        };
        way.push(Span::styled(format!("{mark} {}  ", short(phase)), style));
    }
    lines.push(Line::from(way));
    if state.is_under_way() {
        let step = state.current_step(plan);
        lines.push(Line::raw(format!(
            "step {} of {}: {} for {} of {}, healthy {} of {}",
            state.step + 1,
            plan.phase(state.phase).steps.len(),
            chosen_percent(step.share),
            span(state.observed),
            span(step.minimum),
            span(state.good_for),
            span(step.bake)
        )));
    }
    if let Some(rollback) = state
        .rollbacks
        .last()
        .filter(|_| state.status == RolloutStatus::RolledBack)
    {
        lines.push(Line::styled(rollback.reason.clone(), screen.palette.critical()));
    } else if let Some(why) = &state.paused {
        lines.push(Line::styled(format!("paused: {why}"), screen.palette.warning()));
    } else if let Some(reason) = view.reasons.first() {
        lines.push(Line::raw(reason.clone()));
    }
    lines
}

const fn short(phase: Phase) -> &'static str {
    match phase {
        Phase::BaselineValidation => "baseline",
        Phase::AbTest => "A/B",
        Phase::GradualRollout => "gradual",
        Phase::FullMigration => "full",
        Phase::LegacyCleanup => "cleanup",
    }
}

fn dimensions(screen: &Screen, view: &View) -> Vec<Line<'static>> {
    let Some(health) = &view.health else {
        return vec![Line::styled("nothing measured yet", screen.palette.quiet())];
    };
    health.dimensions.iter().map(|it| dimension(screen, it)).collect()
}

fn dimension(screen: &Screen, dimension: &Dimension) -> Line<'static> {
    let score = dimension.score.filter(|_| dimension.verdict != Verdict::NoData);
    let score = score.map_or_else(|| "   -".to_owned(), |score| format!("{score:.2}"));
    let word = match dimension.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
        Verdict::NoData => "no data",
    };
    Line::from(vec![
        Span::raw(format!("{:<19}{score}  ", dimension.name.name())),
        Span::styled(
            format!("{word:<12}"),
            screen.palette.verdict(dimension.verdict, dimension.level),
        ),
        Span::raw(format!("  {}", dimension.reasons.join("; "))),
    ])
}

fn latency(status: &Status) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (name, strategy) in &status.strategies {
        let latency = strategy.latency_ns;
        if latency.packets == 0 {
            continue;
        }
        lines.push(Line::raw(format!(
            "{name:<11} p50 {:>9}  p95 {:>9}  p99 {:>9}  max {:>9}",
            nanoseconds(latency.p50),
            nanoseconds(latency.p95),
            nanoseconds(latency.p99),
            nanoseconds(latency.max)
        )));
    }
    if lines.is_empty() {
        lines.push(Line::raw("no packet measured yet"));
    }
    lines
}

fn alerts(screen: &Screen) -> Vec<Line<'static>> {
    let open = screen.open_alerts();
    if open.is_empty() {
        return vec![Line::styled("none", screen.palette.good())];
    }
    // The one that is chosen is always among those shown.
    let from = screen.chosen.saturating_sub(ALERTS - 1);
    let mut lines = Vec::new();
    for (index, alert) in open.iter().enumerate().skip(from).take(ALERTS) {
        let mark = if index == screen.chosen { ">" } else { " " };
        let style = match (&alert.acknowledged, alert.level) {
            (Some(_), _) => screen.palette.quiet(),
            (None, AlertLevel::Critical) => screen.palette.critical(),
            (None, AlertLevel::Warning) => screen.palette.warning(),
            (None, AlertLevel::Info) => screen.palette.title(),
        };
        let seen = alert
            .acknowledged
            .as_ref()
            .map_or_else(String::new, |seen| format!("  [seen by {}]", seen.by));
        lines.push(Line::from(vec![
            Span::raw(format!("{mark} ")),
            Span::styled(alert.level.shout(), style),
            Span::raw(format!(" {}: {}{seen}", alert.rule, alert.summary)),
        ]));
    }
    let hidden = open.len().saturating_sub(from + ALERTS);
    if hidden > 0 {
        lines.push(Line::styled(
            format!("  and {}", counted(hidden as u64, "more alert")),
            screen.palette.quiet(),
        ));
    }
    lines
}
