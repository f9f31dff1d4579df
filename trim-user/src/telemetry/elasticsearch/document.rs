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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;

    fn reporter() -> Reporter {
        let settings = ElasticsearchSettings {
            url: "http://e".to_owned(),
            data_stream: "metrics-trim.capture-lab".to_owned(),
            event_data_stream: "logs-trim.event-lab".to_owned(),
            interval: Duration::from_secs(10),
            credentials: None,
            ca_file: None,
            timeout: Duration::from_secs(1),
            spool_directory: PathBuf::new(),
            spool_bytes: 0,
            batch_documents: 1,
            batch_bytes: 0,
        };
        Reporter::new(&settings, "probe")
    }

    fn status() -> Status {
        let latency = json!({ "packets": 9, "p50": 1000, "p95": 2000, "p99": 3000, "max": 4000 });
        let http = json!({
            "messages": 1, "header_bytes": 0, "body_bytes": 0, "body_bytes_cut": 0, "unsure_bytes": 0, "opaque_bytes": 0,
        });
        let strategy = |latency_ns: Value| {
            json!({
                "flows": 2, "packets": 9, "bytes_in": 900, "bytes_out": 90, "http": http, "panics": 1, "framing_lost": 3,
                "latency_ns": latency_ns, "latency": {},
            })
        };
        let none = json!({ "packets": 0, "p50": 0, "p99": 0, "max": 0 });
        serde_json::from_value(json!({
            "version": "1.2.3", "pid": 7, "uptime_s": 1.5, "mode": "ab_test", "split_percent": 10.0, "generation": 4,
            "packets": { "seen": 10, "written": 9, "omitted": 0, "lost": 1 },
            "accounts": {
                "seen": 10, "passed": 0, "omitted_by_kernel": 0, "omitted_by_trimmer": 0, "written": 9, "in_flight": 0,
                "lost": {
                    "no_socket": 0, "rx_ring_full": 1, "fill_ring_empty": 0, "rx_dropped": 0, "queue_full": 0,
                    "write_failed": 0,
                },
            },
            "balance": 0, "bytes": { "in": 900, "out": 90 }, "http": http,
            "strategies": { "legacy": strategy(latency), "scanning": strategy(none) },
            "switch": null, "interfaces": [],
            "files": { "directory": "/", "bytes": 0, "out_of_order": 0, "held_bytes": 0 }, "kernel": {},
        }))
        .unwrap()
    }

    #[test]
    fn a_metric_has_the_fields_of_the_schema_and_our_own() {
        let record = reporter().metric(&status(), &View::default(), true, Time(1_700_000_000_123));
        assert_eq!(record.data_stream, "metrics-trim.capture-lab");
        let document = &record.document;
        for (pointer, value) in [
            ("/@timestamp", json!("2023-11-14T22:13:20.123Z")),
            ("/ecs/version", json!(ECS)),
            ("/event/kind", json!("metric")),
            ("/event/dataset", json!("trim.capture")),
            ("/data_stream/type", json!("metrics")),
            ("/data_stream/namespace", json!("lab")),
            ("/host/name", json!("probe")),
            ("/service/name", json!("trim")),
            ("/service/version", json!("1.2.3")),
            ("/observer/hostname", json!("probe")),
            ("/trim/packets/seen", json!(10)),
            ("/trim/packets/lost/rx_ring_full", json!(1)),
            ("/trim/strategy/legacy/latency_ns/p95", json!(2000)),
            ("/trim/strategy/legacy/errors/framing_lost", json!(3)),
            ("/trim/health/verdict", json!("no_data")),
            ("/trim/rollout/status", json!("not_started")),
        ] {
            assert_eq!(document.pointer(pointer), Some(&value), "{pointer} in {document:#}");
        }
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let of = |has_latency| {
            let record = reporter().metric(&status(), &View::default(), has_latency, Time(0));
            let latency = |name| {
                let pointer = format!("/trim/strategy/{name}/latency_ns");
                record.document.pointer(&pointer).is_some()
            };
            (latency("legacy"), latency("scanning"))
        };
        assert_eq!((of(true), of(false)), ((true, false), (false, false)));
    }

    #[test]
    fn only_changes_are_events() {
        let before = Marks {
            mode: "auto".to_owned(),
            status: "in_progress",
            phase: "ab_test",
            firing: BTreeMap::from([("a".to_owned(), ("warning", "memory is short".to_owned()))]),
            ..Marks::default()
        };
        assert!(changes(&before, &before).is_empty());
        let after = Marks {
            mode: "legacy".to_owned(),
            status: "rolled_back",
            firing: BTreeMap::from([("b".to_owned(), ("critical", "packets are lost".to_owned()))]),
            ..before.clone()
        };
        let found = changes(&before, &after);
        let actions: Vec<_> = found.iter().map(|change| change.action.as_str()).collect();
        assert_eq!(
            actions,
            ["mode_changed", "rollout_rolled_back", "alert_resolved", "alert_fired"]
        );
        let reporter = reporter();
        for change in found {
            let record = reporter.event(change, Time(0));
            assert_eq!(record.data_stream, "logs-trim.event-lab");
            assert_eq!(record.document["event"]["kind"], "event");
            assert!(!record.document["message"].as_str().unwrap_or_default().is_empty());
        }
    }
}
