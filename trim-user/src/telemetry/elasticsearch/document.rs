//! Documents with the fields of the Elastic Common Schema. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::bulk::Record;
use super::settings::ElasticsearchSettings;
use crate::control::alert::Time;
use crate::control::alert::engine::State as AlertState;
use crate::control::operator::View;
use crate::control::status::{Status, StrategyStatus};
use crate::control::web::Picture;

/// Version of the Elastic Common Schema whose fields are used.
const ECS: &str = "8.11.0";

/// Makes documents of what is seen, and remembers what was seen last, because a change is an event.
#[derive(Debug)]
pub struct Reporter {
    host: String,
    metrics: String,
    events: String,
    last: Option<Marks>,
}

/// What makes an event when it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Marks {
    mode: String,
    status: &'static str,
    phase: &'static str,
    step: usize,
    /// Why the rollout is where it is.
    reasons: String,
    /// Alerts that fire, by their identity: level and summary.
    firing: BTreeMap<String, (&'static str, String)>,
}

impl Reporter {
    /// For the data streams of the settings; `host` is this machine's name.
    pub fn new(settings: &ElasticsearchSettings, host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            metrics: settings.data_stream.clone(),
            events: settings.event_data_stream.clone(),
            last: None,
        }
    }

    /// The documents of a moment: the metrics, and what has changed since the moment before.
    pub fn records(&mut self, picture: &Picture, now: Time) -> Vec<Record> {
        // Latencies of which a thread's are missing would be wrong.
        let metrics = self.metric(&picture.status, &picture.view, picture.silent == 0, now);
        let marks = Marks::of(picture);
        let mut records = vec![metrics];
        if let Some(last) = self.last.replace(marks.clone()) {
            records.extend(changes(&last, &marks).into_iter().map(|change| self.event(change, now)));
        }
        records
    }

    fn metric(&self, status: &Status, view: &View, has_latency: bool, now: Time) -> Record {
        let mut document = self.common(&self.metrics, "metric", now);
        document["service"]["version"] = json!(status.version);
        document["observer"]["version"] = json!(status.version);
        document["process"] = json!({ "pid": status.pid });
        document["trim"] = json!({
            "uptime_s": status.uptime_s,
            "mode": status.mode,
            "generation": status.generation,
            "packets": packets(status),
            "bytes": status.bytes,
            "strategy": strategies(status, has_latency),
            "split": split(view),
            "health": health(view),
            "rollout": {
                "status": view.state.status.name(),
                "phase": view.state.phase.name(),
                "step": view.state.step,
            },
        });
        Record {
            data_stream: self.metrics.clone(),
            document,
        }
    }

    fn event(&self, change: Change, now: Time) -> Record {
        let mut document = self.common(&self.events, "event", now);
        document["event"]["action"] = json!(change.action);
        document["event"]["category"] = json!(["configuration"]);
        document["event"]["type"] = json!([change.kind]);
        document["message"] = json!(change.message);
        document["log"] = json!({ "level": change.level });
        document["trim"] = change.details;
        Record {
            data_stream: self.events.clone(),
            document,
        }
    }

    /// Fields that every document has.
    fn common(&self, data_stream: &str, kind: &str, now: Time) -> Value {
        let mut parts = data_stream.splitn(3, '-');
        let mut part = || parts.next().unwrap_or_default();
        let (stream, dataset, namespace) = (part(), part(), part());
        let version = env!("CARGO_PKG_VERSION");
        json!({
            "@timestamp": now.to_string(),
            "ecs": { "version": ECS },
            "data_stream": { "type": stream, "dataset": dataset, "namespace": namespace },
            "event": { "kind": kind, "module": "trim", "dataset": dataset },
            "host": { "name": self.host },
            "service": { "name": "trim", "type": "trim", "version": version },
            "observer": {
                "hostname": self.host, "name": self.host, "product": "trim", "type": "capture", "version": version,
            },
        })
    }
}

fn packets(status: &Status) -> Value {
    let accounts = &status.accounts;
    json!({
        "seen": accounts.seen,
        "written": accounts.written,
        "passed": accounts.passed,
        "omitted": { "kernel": accounts.omitted_by_kernel, "trimmer": accounts.omitted_by_trimmer },
        "lost": accounts.lost,
        "lost_total": accounts.lost.total(),
        "in_flight": accounts.in_flight,
        "balance": status.balance,
    })
}

fn strategies(status: &Status, has_latency: bool) -> Value {
    let all = status.strategies.iter();
    Value::Object(
        all.map(|(name, one)| (name.clone(), strategy(one, has_latency)))
            .collect(),
    )
}

fn strategy(one: &StrategyStatus, has_latency: bool) -> Value {
    let mut fields = json!({
        "flows": one.flows,
        "packets": one.packets,
        "bytes": { "in": one.bytes_in, "out": one.bytes_out },
        "http_messages": one.http.messages,
        "errors": { "panics": one.panics, "framing_lost": one.framing_lost },
    });
    // Without packets there is no latency, and 0 would be a lie.
    if has_latency && one.latency_ns.packets > 0 {
        let latency = &one.latency_ns;
        fields["latency_ns"] =
            json!({ "p50": latency.p50, "p95": latency.p95, "p99": latency.p99, "max": latency.max });
    }
    fields
}

/// Shares, 0 to 1. What is not known is left out.
fn split(view: &View) -> Value {
    let Some(evidence) = &view.evidence else {
        return json!({});
    };
    let mut fields = json!({ "target": evidence.target.share });
    let flows = evidence.legacy.flows + evidence.scanning.flows;
    if flows > 0 {
        fields["observed"] = json!(evidence.scanning.flows as f64 / flows as f64);
    }
    fields
}

fn health(view: &View) -> Value {
    let Some(health) = &view.health else {
        return json!({ "verdict": "no_data" });
    };
    let scores = health.dimensions.iter().filter_map(|one| {
        let score = one.score?;
        Some((one.name.name().to_owned(), json!(score)))
    });
    json!({
        "level": health.level,
        "verdict": health.verdict,
        "score": Value::Object(scores.collect::<Map<_, _>>()),
    })
}

/// Something that has changed.
struct Change {
    action: String,
    kind: &'static str,
    level: &'static str,
    message: String,
    details: Value,
}

impl Marks {
    fn of(picture: &Picture) -> Self {
        let state = &picture.view.state;
        let firing = picture
            .alerts
            .alerts
            .iter()
            .filter(|alert| alert.state == AlertState::Firing);
        Self {
            mode: picture.status.mode.clone(),
            status: state.status.name(),
            phase: state.phase.name(),
            step: state.step,
            reasons: picture.view.reasons.join("; "),
            firing: firing
                .map(|alert| (format!("{:?}", alert.id), (alert.level.name(), alert.summary.clone())))
                .collect(),
        }
    }
}

fn changes(last: &Marks, now: &Marks) -> Vec<Change> {
    let mut changes = Vec::new();
    if last.mode != now.mode {
        changes.push(Change {
            action: "mode_changed".to_owned(),
            kind: "change",
            level: "info",
            message: format!("the mode is {}, after {}", now.mode, last.mode),
            details: json!({ "mode": now.mode }),
        });
    }
    let place = |marks: &Marks| (marks.status, marks.phase, marks.step);
    if place(last) != place(now) {
        changes.push(rollout_change(now));
    }
    changes.extend(alert_changes(last, now));
    changes
}

fn rollout_change(now: &Marks) -> Change {
    let is_bad = ["rolled_back", "failed"].contains(&now.status);
    Change {
        action: format!("rollout_{}", now.status),
        kind: "change",
        level: if is_bad { "error" } else { "info" },
        message: format!(
            "rollout {} in {}, step {}: {}",
            now.status, now.phase, now.step, now.reasons
        ),
        details: json!({ "rollout": { "status": now.status, "phase": now.phase, "step": now.step } }),
    }
}

fn alert_changes(last: &Marks, now: &Marks) -> Vec<Change> {
    let all: BTreeSet<&String> = last.firing.keys().chain(now.firing.keys()).collect();
    let change = |id: &String| {
        let (action, kind, (level, summary)) = match (last.firing.get(id), now.firing.get(id)) {
            (None, Some(alert)) => ("alert_fired", "start", alert),
            (Some(alert), None) => ("alert_resolved", "end", alert),
            _ => return None,
        };
        Some(Change {
            action: action.to_owned(),
            kind,
            level: if action == "alert_resolved" { "info" } else { "warning" },
            message: summary.clone(),
            details: json!({ "alert": { "level": level } }),
        })
    };
    all.into_iter().filter_map(change).collect()
}
