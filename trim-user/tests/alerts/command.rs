//! `trim alert` as an operator calls it.

use std::process::{Command, Output};

use tempfile::TempDir;

use crate::web::{Answer, Web};

const SECRET: &str = "T0KEN-hunter2";

fn trim(folder: &TempDir, yaml: &str, arguments: &[&str]) -> Output {
    let file = folder.path().join("trim.yaml");
    std::fs::write(&file, yaml).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_trim"));
    command.args(["alert", "test", "--config"]).arg(file).args(arguments);
    command.env("TRIM_TEST_SLACK", SECRET).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn every_channel_is_tested_and_one_that_fails_fails_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let web = Web::start([]);
    let broken = Web::start([Answer::status(500), Answer::status(500)]);
    let log = folder.path().join("alerts.json");
    let yaml = format!(
        "alerts:\n  channels:\n    webhook:\n      - name: good\n        url: {}\n      - name: bad\n        url: {}\n    log_file:\n      - name: log\n        path: {}\n",
        web.url("/"),
        broken.url("/"),
        log.display()
    );
    let output = trim(&folder, &yaml, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let said = text(&output);
    assert!(
        said.contains("good (webhook): delivered") && said.contains("bad (webhook): FAILED"),
        "{said}"
    );
    assert!(
        said.contains("500") && said.contains("log (log_file): delivered"),
        "{said}"
    );

    let output = trim(&folder, &yaml, &["--channel", "good", "--channel", "log", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let tested: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (tested.as_array().unwrap().len(), tested[0]["delivered"].as_bool()),
        (2, Some(true))
    );
    assert_eq!(web.requests()[1].body["alerts"][0]["labels"]["test"], "true");
}

#[test]
fn a_channel_that_is_not_there_and_no_channel_at_all_are_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("alerts.json");
    let yaml = format!(
        "alerts:\n  channels:\n    log_file:\n      - name: log\n        path: {}\n",
        log.display()
    );
    let output = trim(&folder, &yaml, &["--channel", "mail"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("one of log"), "{}", text(&output));
    let output = trim(&folder, "", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("alerts.channels"), "{}", text(&output));
}

#[test]
fn a_secret_is_in_no_output() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "logging:\n  level: debug\nalerts:\n  channels:\n    slack:\n      - name: slack\n        url: env:TRIM_TEST_SLACK\n";
    for arguments in [&[][..], &["--json"]] {
        let output = trim(&folder, yaml, arguments);
        assert_eq!(output.status.code(), Some(3));
        assert!(
            text(&output).contains("no http:// or https:// URL"),
            "{}",
            text(&output)
        );
        assert!(!text(&output).contains("hunter2"), "{}", text(&output));
    }
}
