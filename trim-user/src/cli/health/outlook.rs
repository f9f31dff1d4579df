//! What is to come, as `trim health --full` shows it.

use std::fmt::Write as _;

use crate::control::health::{Forecast, Resources, Subject};
use crate::control::operator::View;

/// Appends a line for each trend.
pub(super) fn render(text: &mut String, view: &View) {
    let outlook = &view.outlook;
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "outlook");
    if outlook.forecasts.is_empty() {
        let _ = writeln!(
            text,
            "  nothing yet: it takes 6 hours of samples to see where things are going"
        );
    }
    let resources = view
        .evidence
        .as_ref()
        .map(|evidence| evidence.resources)
        .unwrap_or_default();
    for forecast in &outlook.forecasts {
        let _ = writeln!(
            text,
            "  {:<22} {:<6} {:>14}  {:>16} an hour  rising in {:>3.0}% of pairs{}",
            forecast.subject.name(),
            forecast.past.name(),
            amount(forecast.subject, forecast.trend.now),
            change(forecast),
            forecast.trend.rising * 100.0,
            consequence(forecast, &resources)
        );
    }
    if let Some(bytes) = outlook.captures_may_grow {
        let _ = writeln!(
            text,
            "  captures may still grow by {:.1} MiB until the quota deletes old ones",
            mebibytes(bytes as f64)
        );
    }
}

fn mebibytes(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}

fn amount(subject: Subject, value: f64) -> String {
    match subject {
        Subject::DiskShare | Subject::MemoryShare => format!("{:.2}%", value * 100.0),
        Subject::LegacyErrorShare | Subject::ScanningErrorShare => format!("{:.3}%", value * 100.0),
        Subject::ResidentBytes => format!("{:.1} MiB", mebibytes(value)),
        Subject::LegacyCost | Subject::ScanningCost => format!("{value:.0} ns"),
    }
}

fn change(forecast: &Forecast) -> String {
    let per_hour = forecast.trend.per_hour;
    let sign = if per_hour < 0.0 { '-' } else { '+' };
    format!("{sign}{}", amount(forecast.subject, per_hour.abs()))
}

/// What follows when a value rises steadily.
fn consequence(forecast: &Forecast, resources: &Resources) -> String {
    if !forecast.is_steady() {
        return String::new();
    }
    let limit = match forecast.subject {
        Subject::DiskShare | Subject::MemoryShare => Some(1.0),
        Subject::ResidentBytes => resources.memory_limit.map(|limit| limit as f64),
        _ => None,
    };
    let full = limit.and_then(|limit| forecast.trend.hours_to(limit));
    match (forecast.subject, full) {
        (Subject::ResidentBytes, Some(hours)) => format!(": a leak? At its limit in {hours:.0} h"),
        (Subject::ResidentBytes, None) => ": a leak?".to_owned(),
        (_, Some(hours)) => format!(": full in {hours:.0} h"),
        (_, None) => ": rising steadily".to_owned(),
    }
}
