//! `trim logs` as an operator calls it.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its files has failed")]

use std::path::Path;
use std::process::{Command, Output};

const TRIM: &str = env!("CARGO_BIN_EXE_trim");

fn logs(arguments: &[&str], directory: &Path) -> Output {
    let mut command = Command::new(TRIM);
    command.arg("logs").arg("--directory").arg(directory).args(arguments);
    command.output().unwrap()
}

#[track_caller]
fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(str::to_owned).collect()
}

fn a_log() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now();
    let old = "2020-01-01T00:00:00.000000Z  WARN trim: the link is lost state=down\n";
    std::fs::write(folder.path().join("trim-20200101T000001.000000Z.log"), old).unwrap();
    let new =
        format!("{now:.6}  INFO trim: the link is up\n{now:.6} ERROR trim: cannot write\n  a line without a time\n");
    std::fs::write(folder.path().join("trim.log"), new).unwrap();
    folder
}

#[test]
fn lines_are_chosen_by_level_time_and_words() {
    let folder = a_log();
    let count = |arguments: &[&str]| lines(&logs(arguments, folder.path())).len();
    assert_eq!(count(&[]), 4);
    assert_eq!(
        count(&["--level", "warn"]),
        3,
        "a line without a time belongs to the one before"
    );
    assert_eq!(count(&["--since", "1h"]), 3);
    assert_eq!(count(&["--grep", "link is (up|lost)"]), 2);
    let json = lines(&logs(&["--json", "--level", "error", "--grep", "write"], folder.path()));
    let first: serde_json::Value = serde_json::from_str(&json[0]).unwrap();
    assert_eq!(first["level"], "ERROR");
}

#[test]
fn where_there_is_no_log_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let output = logs(&[], folder.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no log in"));
    let file = folder.path().join("trim.yaml");
    std::fs::write(&file, "logging:\n  to: journald\n").unwrap();
    let mut command = Command::new(TRIM);
    command.arg("logs").arg("--config").arg(&file).env("PATH", "");
    let output = command.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("`journalctl`, which reads it, is not installed"));
    std::fs::write(&file, "logging:\n  redact: ['(']\n").unwrap();
    let output = Command::new(TRIM)
        .arg("logs")
        .arg("--config")
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("trim.yaml:2:12: logging.redact: `(` is no regular expression"),
        "{said}"
    );
}
