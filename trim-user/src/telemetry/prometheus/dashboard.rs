//! The dashboard for Grafana.

use serde_json::{Value, json};

/// A panel: what it shows, in which unit of Grafana's, and its queries with their legends.
struct Panel {
    title: &'static str,
    unit: &'static str,
    queries: &'static [(&'static str, &'static str)],
}

const fn panel(title: &'static str, unit: &'static str, queries: &'static [(&'static str, &'static str)]) -> Panel {
    Panel { title, unit, queries }
}

/// Numbers in the first row.
const NUMBERS: [Panel; 6] = [
    panel(
        "Packets per second",
        "pps",
        &[("rate(trim_packets_seen_total{$instance}[$__rate_interval])", "")],
    ),
    panel(
        "Lost",
        "percentunit",
        &[(
            "sum without (place) (rate(trim_packets_lost_total{$instance}[$__rate_interval])) \
             / rate(trim_packets_seen_total{$instance}[$__rate_interval])",
            "",
        )],
    ),
    panel(
        "Health (0 healthy, 1 warning, 2 critical)",
        "none",
        &[("trim_health_level{$instance}", "")],
    ),
    panel(
        "Flows on scanning",
        "percentunit",
        &[("trim_split_observed_ratio{$instance}", "")],
    ),
    panel("Phase", "none", &[("trim_rollout_phase{$instance} == 1", "{{phase}}")]),
    panel(
        "Alerts firing",
        "none",
        &[("trim_alerts_firing{$instance}", "{{level}}")],
    ),
];

const GRAPHS: [Panel; 18] = [
    panel(
        "Packets by where they went",
        "pps",
        &[
            (
                "rate(trim_packets_written_total{$instance}[$__rate_interval])",
                "written",
            ),
            (
                "rate(trim_packets_passed_total{$instance}[$__rate_interval])",
                "passed on",
            ),
            (
                "rate(trim_packets_omitted_total{$instance}[$__rate_interval])",
                "omitted by {{by}}",
            ),
        ],
    ),
    panel(
        "Packets lost by place",
        "pps",
        &[(
            "rate(trim_packets_lost_total{$instance}[$__rate_interval])",
            "{{place}}",
        )],
    ),
    panel(
        "Bytes",
        "Bps",
        &[
            (
                "rate(trim_received_bytes_total{$instance}[$__rate_interval])",
                "received",
            ),
            ("rate(trim_kept_bytes_total{$instance}[$__rate_interval])", "kept"),
            ("rate(trim_output_bytes_total{$instance}[$__rate_interval])", "stored"),
        ],
    ),
    panel(
        "Payload by what it is",
        "Bps",
        &[(
            "sum without (strategy) (rate(trim_payload_bytes_total{$instance}[$__rate_interval])) > 0",
            "{{label}}",
        )],
    ),
    panel(
        "Flows that begin",
        "cps",
        &[("rate(trim_flows_total{$instance}[$__rate_interval])", "{{strategy}}")],
    ),
    panel(
        "Split",
        "percentunit",
        &[
            ("trim_split_target_ratio{$instance}", "target"),
            ("trim_split_observed_ratio{$instance}", "observed"),
        ],
    ),
    panel(
        "Errors",
        "cps",
        &[(
            "rate(trim_errors_total{$instance}[$__rate_interval]) > 0",
            "{{strategy}} {{class}}",
        )],
    ),
    panel(
        "Bytes on which the trimmers differ",
        "Bps",
        &[(
            "rate(trim_different_bytes_total{$instance}[$__rate_interval]) > 0",
            "{{strategy}} {{class}}",
        )],
    ),
    panel(
        "Trimming costs per packet",
        "s",
        &[(
            "rate(trim_busy_seconds_total{$instance}[$__rate_interval]) \
             / rate(trim_busy_packets_total{$instance}[$__rate_interval])",
            "{{strategy}}",
        )],
    ),
    panel(
        "Latency from the XDP program to the file, 95th percentile",
        "s",
        &[(
            "histogram_quantile(0.95, rate(trim_latency_seconds_bucket{$instance,stage=\"kernel_to_written\"}[$__rate_interval]))",
            "{{strategy}}",
        )],
    ),
    panel(
        "Health by dimension",
        "percentunit",
        &[("trim_health_score_ratio{$instance}", "{{dimension}}")],
    ),
    panel(
        "Resources in use",
        "percentunit",
        &[
            ("trim_cpu_used_ratio{$instance}", "processors"),
            ("trim_memory_used_ratio{$instance}", "memory"),
            (
                "1 - trim_disk_free_bytes{$instance} / trim_disk_size_bytes{$instance}",
                "disk",
            ),
            ("trim_flow_table_used_ratio{$instance}", "flow table"),
        ],
    ),
    panel(
        "Memory",
        "bytes",
        &[
            ("process_resident_memory_bytes{$instance}", "resident"),
            ("trim_thread_held_bytes{$instance}", "held by {{thread}}"),
        ],
    ),
    panel(
        "Batches that wait",
        "none",
        &[("trim_thread_waiting_batches{$instance}", "{{thread}}")],
    ),
    panel("Links", "none", &[("trim_interface_up{$instance}", "{{interface}}")]),
    panel(
        "Lease and database",
        "none",
        &[
            ("trim_lease_age_seconds{$instance}", "age of the lease, seconds"),
            ("trim_database_entries_waiting{$instance}", "database entries that wait"),
            (
                "trim_alert_messages_waiting{$instance}",
                "messages that wait for {{channel}}",
            ),
        ],
    ),
    panel(
        "Documents for Elasticsearch",
        "cps",
        &[
            (
                "rate(trim_elasticsearch_documents_total{$instance}[$__rate_interval])",
                "{{outcome}}",
            ),
            (
                "rate(trim_elasticsearch_requests_failed_total{$instance}[$__rate_interval])",
                "failed requests",
            ),
        ],
    ),
    panel(
        "Documents for Elasticsearch that wait on disk",
        "bytes",
        &[("trim_elasticsearch_spool_bytes{$instance}", "spool")],
    ),
];

/// How a query names the chosen appliances.
const INSTANCE: (&str, &str) = ("$instance", "instance=~\"$instance\"");
/// Grafana's grid has so many columns.
const COLUMNS: usize = 24;
const NUMBER_HEIGHT: usize = 4;
const GRAPH_HEIGHT: usize = 8;

/// The dashboard as Grafana takes it.
pub fn dashboard() -> String {
    let width = COLUMNS / NUMBERS.len();
    let numbers = NUMBERS.iter().enumerate().map(|(index, panel)| {
        let place = json!({ "x": index * width, "y": 0, "w": width, "h": NUMBER_HEIGHT });
        draw(panel, "stat", index, &place)
    });
    let half = COLUMNS / 2;
    let graphs = GRAPHS.iter().enumerate().map(|(index, panel)| {
        let y = NUMBER_HEIGHT + index / 2 * GRAPH_HEIGHT;
        let place = json!({ "x": index % 2 * half, "y": y, "w": half, "h": GRAPH_HEIGHT });
        draw(panel, "timeseries", NUMBERS.len() + index, &place)
    });
    let dashboard = json!({
        "uid": "trim",
        "title": "trim",
        "tags": ["trim", "capture"],
        "schemaVersion": 38,
        "timezone": "browser",
        "editable": true,
        "refresh": "15s",
        "time": { "from": "now-1h", "to": "now" },
        "templating": { "list": [
            { "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus" },
            {
                "name": "instance",
                "label": "Appliance",
                "type": "query",
                "datasource": datasource(),
                "query": "label_values(trim_build_info, instance)",
                "includeAll": true,
                "multi": true,
                "refresh": 2,
            },
        ] },
        "panels": numbers.chain(graphs).collect::<Vec<_>>(),
    });
    // Alternate formatting of a `Value` is indented JSON.
    format!("{dashboard:#}\n")
}

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

fn draw(panel: &Panel, kind: &str, index: usize, place: &Value) -> Value {
    let targets = panel.queries.iter().enumerate().map(|(number, (expression, legend))| {
        json!({
            "refId": char::from(b'A' + number as u8).to_string(),
            "datasource": datasource(),
            "expr": expression.replace(INSTANCE.0, INSTANCE.1),
            "legendFormat": legend,
        })
    });
    json!({
        "id": index + 1,
        "type": kind,
        "title": panel.title,
        "datasource": datasource(),
        "gridPos": place,
        "fieldConfig": { "defaults": { "unit": panel.unit, "min": 0 }, "overrides": [] },
        "targets": targets.collect::<Vec<_>>(),
    })
}
