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
