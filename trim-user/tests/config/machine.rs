//! `trim config validate --test-mode` looks at the machine, and changes nothing.

use std::path::Path;

use serde_json::Value;

use crate::trim;

fn judged(folder: &Path, yaml: &str) -> (Option<i32>, Value) {
    let file = folder.join("trim.yaml");
    std::fs::write(&file, yaml).unwrap();
    let output = trim()
        .args(["config", "validate", "--test-mode", "--json"])
        .arg(&file)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    (
        output.status.code(),
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{output:?}")),
    )
}

/// A configuration that keeps to the folder.
fn yaml(folder: &Path, more: &str) -> String {
    let folder = folder.display();
    format!(
        "output: {{ directory: {folder}/captures }}\ncontrol: {{ socket: {folder}/s, database: {folder}/db }}\n{more}"
    )
}

fn grade<'a>(answer: &'a Value, subject: &str, check: &str) -> &'a str {
    let findings = answer["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|finding| finding["subject"] == subject && finding["check"] == check);
    found.unwrap_or_else(|| panic!("no {subject} {check} in {answer:#}"))["grade"]
        .as_str()
        .unwrap()
}

#[test]
fn a_good_machine_passes_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (code, answer) = judged(folder.path(), &yaml(folder.path(), "capture: { interfaces: [lo] }\n"));
    for (subject, check) in [
        ("directories", "output.directory"),
        ("directories", "control.database"),
        ("cores", "layout"),
    ] {
        assert_eq!(grade(&answer, subject, check), "ok", "{answer:#}");
    }
    assert_eq!(code, Some(i32::from(answer["valid"] != true)), "{answer:#}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn each_planted_fault_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("captures"), "in the way").unwrap();
    let more = "\
capture: { interfaces: [nosuchif], frames_per_queue: 1048576 }
pipeline: { receive_cores: [4000] }
alerts: { channels: { webhook: [{ name: hook, url: 'http://127.0.0.1:1/' }] } }
";
    let (code, answer) = judged(folder.path(), &yaml(folder.path(), more));
    for (subject, check) in [
        ("nosuchif", "name"),
        ("cores", "layout"),
        ("directories", "output.directory"),
        ("alert channels", "hook"),
    ] {
        assert_eq!(grade(&answer, subject, check), "failure", "{answer:#}");
    }
    assert_eq!((code, &answer["valid"]), (Some(1), &Value::Bool(false)));
}
