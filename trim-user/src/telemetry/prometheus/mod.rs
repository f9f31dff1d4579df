//! Metrics for Prometheus.
//!
//! Each metric is defined once, with what it means and where its values come from. The definitions are also what
//! `docs/metrics.md`, the dashboard and the alert rules are made from or checked against.

mod control;
mod dashboard;
mod documents;
mod exposition;
mod histogram;
mod metric;
mod packets;
mod process;
mod reference;
mod rules;
mod strategies;

pub use dashboard::dashboard;
pub use exposition::{Format, render};
pub use metric::{Kind, Metric, Unit};
pub use reference::reference;
pub use rules::{NOT_MEASURED, rules};

/// All metrics, by what they are about.
pub const SECTIONS: [(&str, &[Metric]); 8] = [
    ("Packets", packets::METRICS),
    ("Strategies", strategies::METRICS),
    ("Policy and rollout", control::POLICY),
    ("Health", control::HEALTH),
    ("Alerts", control::ALERTS),
    ("Database", control::DATABASE),
    ("Elasticsearch", documents::METRICS),
    ("Process and machine", process::METRICS),
];

/// All metrics.
pub fn metrics() -> impl Iterator<Item = &'static Metric> {
    SECTIONS.iter().flat_map(|(_, metrics)| *metrics)
}
