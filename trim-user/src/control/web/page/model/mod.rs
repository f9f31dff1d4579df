//! What the page says, as texts ready to be shown. Pure: made from what was read before, with the time as an argument.

mod accounts;
mod banner;
mod decision;
mod evidence;
mod health;
mod latency;
mod past;
mod way;

use std::time::Duration;

use crate::control::alert::view::AlertList;
use crate::control::figures;
use crate::control::health::Moment;
use crate::control::operator::View;
use crate::control::rates::Rates;
use crate::control::status::Status;
use crate::control::store::{LoggedEvent, Recorded};

use super::plot::Plot;
pub(super) use accounts::Accounts;
pub(super) use banner::Banner;
pub(super) use decision::DecisionPage;
pub(super) use health::HealthCard;
pub(super) use latency::LatencyRow;
pub(super) use past::{AlertRow, DecisionRow, EventRow, Stamp};
pub(super) use way::{Split, Way};

/// What the database told, or why it did not.
pub(super) type Past = Result<(Vec<Recorded>, Vec<LoggedEvent>), String>;

/// Everything a page is made from.
pub(super) struct Sight<'a> {
    /// The time of day.
    pub(super) now: Moment,
    /// This machine's name.
    pub(super) host: &'a str,
    /// What the capture last said of itself.
    pub(super) status: Option<&'a Status>,
    /// Threads that did not hand over their latencies in time.
    pub(super) silent: usize,
    /// How long ago that was.
    pub(super) age: Duration,
    /// Health and rollout.
    pub(super) view: &'a View,
    /// Alerts.
    pub(super) alerts: &'a AlertList,
    /// Rates of the last minutes.
    pub(super) rates: &'a Rates,
    /// Decisions and events.
    pub(super) past: &'a Past,
}

/// The overview.
pub(super) struct Dashboard {
    pub(super) host: String,
    pub(super) version: String,
    pub(super) uptime: String,
    pub(super) made: Stamp,
    pub(super) mode: String,
    pub(super) banners: Vec<Banner>,
    pub(super) plots: Vec<Plot>,
    pub(super) accounts: Option<Accounts>,
    pub(super) latency: Vec<LatencyRow>,
    pub(super) split: Split,
    pub(super) way: Way,
    pub(super) health: HealthCard,
    pub(super) alerts: Vec<AlertRow>,
    pub(super) silences: Vec<String>,
    pub(super) decisions: Result<Vec<DecisionRow>, String>,
    pub(super) events: Vec<EventRow>,
    pub(super) machine: Option<Machine>,
}

/// Interfaces and files.
pub(super) struct Machine {
    pub(super) interfaces: Vec<InterfaceRow>,
    pub(super) files: Vec<(&'static str, String)>,
}

/// An interface.
pub(super) struct InterfaceRow {
    pub(super) name: String,
    pub(super) link: String,
    pub(super) is_up: bool,
    pub(super) xdp: String,
    pub(super) af_xdp: String,
    pub(super) queues: u32,
    pub(super) is_pinned: bool,
}

impl Dashboard {
    pub(super) fn of(sight: &Sight<'_>) -> Self {
        let status = sight.status;
        let (decisions, events) = past::rows(sight.past);
        Self {
            host: sight.host.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime: status.map_or_else(
                || "unknown".to_owned(),
                |it| figures::span(Duration::from_secs_f64(it.uptime_s)),
            ),
            made: Stamp::of(sight.now),
            mode: status.map_or_else(|| "unknown".to_owned(), mode),
            banners: banner::banners(sight),
            plots: plots(sight.rates),
            accounts: status.map(Accounts::of),
            latency: status.map(latency::rows).unwrap_or_default(),
            split: Split::of(sight.view),
            way: Way::of(sight.view, sight.now),
            health: HealthCard::of(sight.view, sight.now),
            alerts: sight
                .alerts
                .alerts
                .iter()
                .map(|it| AlertRow::of(it, sight.now))
                .collect(),
            silences: sight.alerts.silences.iter().map(past::silence).collect(),
            decisions,
            events,
            machine: status.map(Machine::of),
        }
    }

    /// Warnings and critical alerts that hold and that nobody has seen.
    pub(super) fn open_alerts(&self) -> usize {
        self.alerts
            .iter()
            .filter(|alert| alert.can_be_acknowledged && alert.level != "healthy")
            .count()
    }
}

/// The mode with its split, in words.
fn mode(status: &Status) -> String {
    match status.mode.as_str() {
        "ab_test" => format!("ab_test, {} % of new flows on scanning", status.split_percent),
        other => other.to_owned(),
    }
}

fn plots(rates: &Rates) -> Vec<Plot> {
    let plot = |title, of: fn(&crate::control::rates::Rate) -> f64, unit: &'static str| {
        Plot::new(title, &rates.series(of), super::INTERVAL.as_secs_f64(), |value| {
            figures::metric(value, unit)
        })
    };
    vec![
        plot("Packets seen", |rate| rate.packets, "pkt/s"),
        plot("Received from the wire", |rate| rate.bits, "bit/s"),
        plot("Written to files", |rate| rate.file_bytes, "B/s"),
        plot("Packets lost", |rate| rate.lost, "pkt/s"),
    ]
}

impl Machine {
    fn of(status: &Status) -> Self {
        let interfaces = status.interfaces.iter().map(|it| InterfaceRow {
            name: it.name.clone(),
            link: it.link.clone(),
            is_up: it.link == "up",
            xdp: it.xdp_mode.clone(),
            af_xdp: it.xsk_mode.clone(),
            queues: it.queues,
            is_pinned: it.is_pinned,
        });
        let (bytes, http, files) = (&status.bytes, &status.http, &status.files);
        Self {
            interfaces: interfaces.collect(),
            files: vec![
                ("Folder", files.directory.clone()),
                ("Stored", figures::bytes(files.bytes)),
                ("Received", figures::bytes(bytes.received)),
                (
                    "Kept of it",
                    format!(
                        "{} ({})",
                        figures::bytes(bytes.written),
                        figures::share(bytes.written, bytes.received)
                    ),
                ),
                ("HTTP messages", figures::number(http.messages)),
                (
                    "Bodies cut",
                    format!(
                        "{} of {}",
                        figures::bytes(http.body_bytes_cut),
                        figures::bytes(http.body_bytes)
                    ),
                ),
                ("Kept as unsure", figures::bytes(http.unsure_bytes)),
                ("Kept as undecided", figures::bytes(http.undecided_bytes)),
                ("Waiting for labels", figures::bytes(files.held_bytes)),
                ("Overloads", figures::number(status.overloads)),
                ("Out of order", figures::counted(files.out_of_order, "packet")),
            ],
        }
    }
}
