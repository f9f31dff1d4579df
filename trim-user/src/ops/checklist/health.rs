//! Is the capture well, and will it be?

use super::Period;
use crate::control::client::Client;
use crate::control::health::{Forecast, Health, Level, Outlook, Past, Subject, Verdict};
use crate::ops::finding::{About, Report};

const SUBJECT: &str = "health";

pub(super) fn examine(client: &Client, period: Period, report: &mut Report) {
    // That the daemon does not answer is said once, by the capture.
    let Ok(view) = client.health() else { return };
    let mut about = report.about(SUBJECT);
    match &view.health {
        Some(health) => judge(health, &mut about),
        None => about.warn(
            "level",
            "nothing measured yet",
            "nobody knows how the capture does",
            "wait for `health.interval`, then look again",
        ),
    }
    if period == Period::Weekly {
        grows(&view.outlook, &mut about);
    }
    match &view.database.failing {
        None => about.ok("database", format!("{} entries written", view.database.written)),
        Some(problem) => about.fail(
            "database",
            problem.as_str(),
            "decisions are made, but are not on record and would not outlive a restart",
            "look at disk space and permissions of `control.database`",
        ),
    }
}

fn judge(health: &Health, about: &mut About<'_>) {
    for dimension in &health.dimensions {
        let (name, reasons) = (dimension.name.name(), dimension.reasons.join("; "));
        match (dimension.level, dimension.verdict) {
            (Level::Healthy, Verdict::NoData) => about.note(name, "no data", reasons),
            (Level::Healthy, _) => about.ok(name, "healthy"),
            (Level::Warning, _) => about.warn(name, "warning", reasons, "`trim health --full` shows every measure"),
            (Level::Critical, _) => about.fail(
                name,
                "critical",
                reasons,
                "`trim health --full`; then docs/operations.md",
            ),
        }
    }
}

/// What rises steadily through the week.
fn grows(outlook: &Outlook, about: &mut About<'_>) {
    let of_week = |it: &&Forecast| it.past == Past::Week && it.is_steady();
    for forecast in outlook.forecasts.iter().filter(of_week) {
        let found = format!(
            "{} grows all the time, by {:.3e} an hour from {:.3e}",
            forecast.subject.name(),
            forecast.trend.per_hour,
            forecast.trend.now
        );
        match forecast.subject {
            Subject::ResidentBytes => about.warn(
                "growth",
                found,
                "memory that is never given back is a leak",
                "`trim monitor memory` says where, `trim debug heap-profile` by whom",
            ),
            _ => about.note("growth", found, "`trim report --period weekly` shows it"),
        }
    }
}
