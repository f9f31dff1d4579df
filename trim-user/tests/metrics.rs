//! What is made from the definitions of metrics is in the repository as it would be made now.

#![allow(clippy::unwrap_used, reason = "a test that cannot read the repository has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use trim_user::telemetry::prometheus::{Kind, dashboard, metrics, reference, rules};
use xtask::command::find;
use xtask::lab::skip;
use xtask::toolchain::Tool;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn files_made_from_the_definitions_are_fresh() {
    for (file, made) in [
        ("docs/metrics.md", reference()),
        ("config/integrations/prometheus/trim.rules.yml", rules()),
        ("config/integrations/grafana/trim.json", dashboard()),
    ] {
        let path = root().join(file);
        if std::env::var_os("TRIM_REGENERATE").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == made,
            "{file} is not what the definitions say: run this test with TRIM_REGENERATE=1"
        );
    }
}

#[test]
fn names_follow_the_conventions_and_are_used_once() {
    let mut names = BTreeSet::new();
    for metric in metrics() {
        let name = metric.full_name();
        assert!(names.insert(name.clone()), "{name} is defined twice");
        assert!(name.starts_with("trim_") || name.starts_with("process_"), "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}");
        assert!(
            metric.help.ends_with('.') && metric.help.len() > 10,
            "{name}: {}",
            metric.help
        );
        assert!(
            !metric.help.contains('|'),
            "{name}: the table of the reference would break"
        );
    }
}

#[test]
fn promtool_takes_the_rules_and_the_scrape_configuration() {
    if find(Tool::PROMTOOL.program).is_none() {
        skip(
            "promtool_takes_the_rules_and_the_scrape_configuration",
            "promtool is not installed",
        );
        return;
    }
    // The configuration names the rules, and they are checked with it.
    let file = root().join("config/integrations/prometheus/scrape.yml");
    let checked = Command::new(Tool::PROMTOOL.program)
        .args(["check", "config"])
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{text}");
    let alerts = rules().matches("- alert:").count();
    let rules = alerts + rules().matches("- record:").count();
    assert!(text.contains(&format!("{rules} rules found")), "{text}");
}

/// Documents that fail in three ways, minute by minute, and one way in which all is well, by instance.
const RULE_TESTS: &str = r#"
rule_files: [trim.rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'trim_elasticsearch_documents_total{outcome="refused", instance="refuses"}', values: '0x10 7x10'}
      - {series: 'trim_elasticsearch_documents_total{outcome="dropped", instance="drops"}', values: '0x10 7x10'}
      - {series: 'trim_elasticsearch_documents_total{outcome="delivered", instance="well"}', values: '0+6x20'}
      - {series: 'trim_elasticsearch_documents_waiting{instance="piles up"}', values: '0 6+6x20'}
      - {series: 'trim_elasticsearch_documents_waiting{instance="catches up"}', values: '600-6x20'}
      - {series: 'trim_elasticsearch_documents_waiting{instance="well"}', values: '0 1 0 1 0 1 0 2 0 1 0 1 0 3 0 4 0 5 0 6'}
    alert_rule_test:
      - eval_time: 12m
        alertname: TrimElasticsearchRefused
        exp_alerts:
          - exp_labels: {severity: warning, rule: elasticsearch_refused, outcome: refused, instance: refuses}
            exp_annotations: {summary: 'Elasticsearch refused 7 documents, which are given up'}
      - eval_time: 12m
        alertname: TrimElasticsearchLost
        exp_alerts:
          - exp_labels: {severity: warning, rule: elasticsearch_lost, outcome: dropped, instance: drops}
            exp_annotations: {summary: '7 documents for Elasticsearch had no room on disk, or were damaged there'}
      - eval_time: 12m
        alertname: TrimElasticsearchWaiting
        exp_alerts:
          - exp_labels: {severity: warning, rule: elasticsearch_waiting, instance: 'piles up'}
            exp_annotations: {summary: 'documents for Elasticsearch pile up on disk'}
"#;

#[test]
fn rules_about_documents_fire_when_they_should_and_only_then() {
    if find(Tool::PROMTOOL.program).is_none() {
        skip(
            "rules_about_documents_fire_when_they_should_and_only_then",
            "promtool is not installed",
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("trim.rules.yml"), rules()).unwrap();
    std::fs::write(folder.path().join("tests.yml"), RULE_TESTS).unwrap();
    let tested = Command::new(Tool::PROMTOOL.program)
        .args(["test", "rules"])
        .arg(folder.path().join("tests.yml"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&tested.stdout).into_owned() + &String::from_utf8_lossy(&tested.stderr);
    assert!(tested.status.success(), "{text}");
}
