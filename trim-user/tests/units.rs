//! The systemd units, judged by systemd.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests fail the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::command::find;
use xtask::lab::{Folder, skip};
use xtask::workspace;

/// Exposure by `systemd-analyze security`, in tenths; docs/installation.md names it.
const MOST_EXPOSED: u32 = 25;

fn units() -> PathBuf {
    workspace::root().join("config/systemd")
}

fn can_run(test: &str) -> bool {
    let can_run = find("systemd-analyze").is_some();
    if !can_run {
        skip(test, "systemd-analyze is not installed");
    }
    can_run
}

fn analyze(words: &[&str], unit: &Path) -> (bool, String) {
    let output = Command::new("systemd-analyze").args(words).arg(unit).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn the_unit_has_no_directive_that_systemd_does_not_know() {
    if !can_run("the_unit_has_no_directive_that_systemd_does_not_know") {
        return;
    }
    // Programs and pages are where the package puts them, so they are named as they are here.
    let folder = Folder::new("units").unwrap();
    let text = fs::read_to_string(units().join("trim.service")).unwrap();
    let text = text.replace("/usr/bin/trim", "/bin/true").replace("man:trim(1) ", "");
    let unit = folder.path().join("trim.service");
    fs::write(&unit, text).unwrap();
    let drop_in = folder.path().join("trim.service.d");
    fs::create_dir(&drop_in).unwrap();
    fs::copy(units().join("before-253.conf"), drop_in.join("before-253.conf")).unwrap();
    let (_, said) = analyze(&["verify", "--recursive-errors=no"], &unit);
    // systemd before 253 says this, and takes the drop-in's word.
    let complaints: Vec<_> = said
        .lines()
        .filter(|line| !line.ends_with("Failed to parse service type, ignoring: notify-reload"))
        .collect();
    assert!(complaints.is_empty(), "{said}");
}

#[test]
fn the_unit_is_as_confined_as_the_documents_say() {
    if !can_run("the_unit_is_as_confined_as_the_documents_say") {
        return;
    }
    let unit = units().join("trim.service");
    let threshold = format!("--threshold={MOST_EXPOSED}");
    let (is_below, said) = analyze(&["security", "--offline=true", "--no-pager", &threshold], &unit);
    assert!(is_below, "{said}");
}
