//! Metrics of a running capture, scraped by ourselves and by the real Prometheus.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use trim_user::telemetry::prometheus::{dashboard, metrics, rules};
use xtask::lab::{Folder, Namespace, Process, Span, SpanOptions, wait_until};
use xtask::toolchain::Tool;

use super::appliance::{Appliance, Setting, can_run};
use super::web::{PATIENCE, ask, setting, traffic};

const PORT: u16 = 9620;
const PROMETHEUS: u16 = 9090;
/// What has a value only under circumstances that this test does not bring about.
const ABSENT: [&str; 1] = ["trim_switch_duration_seconds"];

fn scrape(namespace: &Namespace) -> String {
    let (status, text) = ask(namespace, PORT, "/metrics", "").expect("it answers");
    assert_eq!(status, 200, "{text}");
    text
}

/// The value of one series, named as it stands in the scrape.
#[track_caller]
fn value(scraped: &str, series: &str) -> f64 {
    let line = scraped
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {scraped}"))
        .parse()
        .unwrap()
}

/// The names of metrics in a scrape, as queries use them.
fn names(scraped: &str) -> BTreeSet<&str> {
    let lines = scraped.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split(['{', ' ']).next()).collect()
}

/// Every query of the dashboard and the rules, as Prometheus takes it.
fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&dashboard()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let drawn = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    let rules = rules();
    let ruled = rules
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("expr: "));
    let all = drawn.chain(ruled.map(str::to_owned));
    all.map(|query| query.replace("$__rate_interval", "1m").replace("$instance", ".*"))
        .collect()
}

/// Starts Prometheus in the namespace with our rules, scraping often.
fn prometheus(namespace: &Namespace, folder: &Path) -> Process {
    std::fs::write(folder.join("trim.rules.yml"), rules()).unwrap();
    let file = folder.join("prometheus.yml");
    let text = format!(
        "global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}\nrule_files: [trim.rules.yml]\n\
         scrape_configs: [{{job_name: trim, static_configs: [{{targets: ['127.0.0.1:{PORT}']}}]}}]\n"
    );
    std::fs::write(&file, text).unwrap();
    let mut command = namespace.command(Tool::PROMETHEUS.program);
    command.arg(format!("--config.file={}", file.display()));
    command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{PROMETHEUS}"));
    let mut process = Process::start(command).unwrap();
    let ready = |_: &str, _: &str| ask(namespace, PROMETHEUS, "/-/ready", "").is_some_and(|(status, _)| status == 200);
    process.wait_ready(PATIENCE, ready).unwrap();
    process
}

fn api(namespace: &Namespace, path: &str) -> Value {
    let (_, text) = ask(namespace, PROMETHEUS, &format!("/api/v1/{path}"), "").expect("Prometheus answers");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
}

fn query(namespace: &Namespace, expression: &str) -> Value {
    let escaped: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
    api(namespace, &format!("query?query={escaped}"))
}

fn check_by_promtool(scraped: &str) {
    let mut promtool = Command::new(Tool::PROMTOOL.program);
    promtool
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = promtool.spawn().unwrap();
    child.stdin.take().unwrap().write_all(scraped.as_bytes()).unwrap();
    let checked = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && text.is_empty(), "{text}");
}

fn assert_agrees_with_status(scraped: &str, status: &Value) {
    for (series, words) in [
        ("trim_packets_seen_total", ["packets", "seen"].as_slice()),
        ("trim_packets_written_total", &["packets", "written"]),
        (
            "trim_packets_lost_total{place=\"queue_full\"}",
            &["accounts", "lost", "queue_full"],
        ),
        ("trim_received_bytes_total", &["bytes", "in"]),
        ("trim_kept_bytes_total", &["bytes", "out"]),
        (
            "trim_flows_total{strategy=\"legacy\"}",
            &["strategies", "legacy", "flows"],
        ),
        (
            "trim_strategy_packets_total{strategy=\"scanning\"}",
            &["strategies", "scanning", "packets"],
        ),
        (
            "trim_http_messages_total{strategy=\"scanning\"}",
            &["strategies", "scanning", "http", "messages"],
        ),
        (
            "trim_payload_bytes_total{strategy=\"legacy\",label=\"body\"}",
            &["strategies", "legacy", "http", "body_bytes_cut"],
        ),
        ("trim_interface_up{interface=\"p0\"}", &[]),
    ] {
        let told = words
            .iter()
            .fold(status, |value, word| &value[*word])
            .as_f64()
            .unwrap_or(1.0);
        assert_eq!(value(scraped, series), told, "{series}");
    }
    assert!(value(scraped, "trim_packets_seen_total") > 100.0);
    assert_eq!(value(scraped, "trim_packets_balance"), 0.0);
    let stage = "strategy=\"legacy\",stage=\"kernel_to_written\"";
    let (all, counted) = (
        format!("trim_latency_seconds_bucket{{{stage},le=\"+Inf\"}}"),
        format!("trim_latency_seconds_count{{{stage}}}"),
    );
    assert!(value(scraped, &counted) > 0.0);
    assert_eq!(value(scraped, &all), value(scraped, &counted));
}

/// Whatever a query names has to be there to be found.
fn assert_every_name_is_scraped(scraped: &str) {
    let names = names(scraped);
    for metric in metrics().map(|metric| metric.full_name()) {
        let is_there = names.contains(metric.as_str()) || names.contains(format!("{metric}_bucket").as_str());
        assert!(
            is_there || ABSENT.contains(&metric.as_str()),
            "{metric} is not in {names:?}"
        );
    }
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':';
    for query in queries() {
        let words = query
            .split(|letter| !is_word(letter))
            .filter(|word| word.starts_with("trim_") || word.starts_with("process_"));
        words.for_each(|word| assert!(names.contains(word), "`{word}` of `{query}` is not in {names:?}"));
    }
}

/// Nobody listens there; its metrics are there all the same.
fn with_elasticsearch() -> Setting {
    let section =
        "elasticsearch:\n  url: http://127.0.0.1:9\n  interval: 1s\n  spool_directory: FOLDER/elasticsearch\n";
    Setting {
        more: (setting().more.to_owned() + section).leak(),
        ..setting()
    }
}

#[test]
fn prometheus_scrapes_well_formed_metrics_that_agree_with_the_status() {
    if !can_run("prometheus_scrapes_well_formed_metrics_that_agree_with_the_status") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, with_elasticsearch());
    let folder = Folder::new("prometheus").unwrap();
    let _prometheus = prometheus(&span.appliance, folder.path());
    // The observed split is that of the flows of the last samples: it is there soon after traffic, and goes again.
    let mut busy = String::new();
    let has_split = || {
        traffic(&span);
        busy = scrape(&span.appliance);
        busy.contains("trim_split_observed_ratio ")
    };
    assert!(wait_until(PATIENCE, has_split));

    let status = || appliance.command(&["status"]);
    let is_quiet = || {
        let before = status()["packets"].clone();
        std::thread::sleep(Duration::from_millis(700));
        let after = status();
        after["packets"] == before && after["accounts"]["in_flight"] == 0
    };
    assert!(wait_until(PATIENCE, is_quiet));
    let scraped = scrape(&span.appliance);
    assert_agrees_with_status(&scraped, &status());
    check_by_promtool(&scraped);
    assert_every_name_is_scraped(&(busy + &scraped));
    let (_, open) = ask(
        &span.appliance,
        PORT,
        "/metrics",
        "Accept: application/openmetrics-text\r\n",
    )
    .unwrap();
    assert!(
        open.ends_with("# EOF\n") && open.contains("# UNIT trim_received_bytes bytes\n"),
        "{open}"
    );

    // Now and then a packet comes late: both are asked anew until they agree.
    let seen = || value(&scrape(&span.appliance), "trim_packets_seen_total").to_string();
    let last = || query(&span.appliance, "trim_packets_seen_total")["data"]["result"][0]["value"][1].clone();
    assert!(
        wait_until(PATIENCE, || last() == seen()),
        "{} is not {}",
        last(),
        seen()
    );
    for expression in queries() {
        let answer = query(&span.appliance, &expression);
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
    }
    let evaluated = || {
        let answer = api(&span.appliance, "rules");
        let groups = answer["data"]["groups"].as_array().unwrap().clone();
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
        rules
            .map(|rule| (rule["name"].clone(), rule["health"].clone(), rule["lastError"].clone()))
            .collect::<Vec<_>>()
    };
    assert!(
        wait_until(PATIENCE, || evaluated().iter().all(|(_, health, _)| health == "ok")),
        "{:?}",
        evaluated()
    );
    appliance.stop();
}
