//! The systemd units, judged by systemd.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests fail the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::command::find;
use xtask::lab::{Folder, skip};
use xtask::workspace;

/// Exposure by `systemd-analyze security`, in tenths; docs/installation.md names them.
const MOST_EXPOSED: [(&str, u32); 3] = [
    ("trim.service", 25),
    ("trim-backup.service", 10),
    ("trim-report@.service", 10),
];

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

/// The units as they are here: programs and pages are where the package puts them.
fn staged() -> Folder {
    let folder = Folder::new("units").unwrap();
    for entry in fs::read_dir(units()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "service" || end == "timer") {
            let text = fs::read_to_string(&path).unwrap().replace("/usr/bin/trim", "/bin/true");
            let lines = text.lines().filter(|line| !line.starts_with("Documentation="));
            let text: Vec<&str> = lines.collect();
            fs::write(folder.path().join(path.file_name().unwrap()), text.join("\n") + "\n").unwrap();
        }
    }
    let drop_in = folder.path().join("trim.service.d");
    fs::create_dir(&drop_in).unwrap();
    fs::copy(units().join("before-253.conf"), drop_in.join("before-253.conf")).unwrap();
    folder
}

#[test]
fn no_unit_has_a_directive_that_systemd_does_not_know() {
    if !can_run("no_unit_has_a_directive_that_systemd_does_not_know") {
        return;
    }
    let folder = staged();
    let names = [
        "trim.service",
        "trim-backup.service",
        "trim-backup.timer",
        "trim-report@weekly.service",
        "trim-report-weekly.timer",
    ];
    for name in names {
        let (_, said) = analyze(&["verify", "--recursive-errors=no"], &folder.path().join(name));
        // systemd before 253 says this, and takes the drop-in's word.
        let complaints: Vec<_> = said
            .lines()
            .filter(|line| !line.ends_with("Failed to parse service type, ignoring: notify-reload"))
            .collect();
        assert!(complaints.is_empty(), "{name}: {said}");
    }
}

#[test]
fn units_are_as_confined_as_the_documents_say() {
    if !can_run("units_are_as_confined_as_the_documents_say") {
        return;
    }
    for (name, most) in MOST_EXPOSED {
        let threshold = format!("--threshold={most}");
        let (is_below, said) = analyze(
            &["security", "--offline=true", "--no-pager", &threshold],
            &units().join(name),
        );
        assert!(is_below, "{said}");
    }
}

/// `@privileged` holds calls that the daemon makes without any privilege: to confine itself, and to give its socket to a
/// group.
#[test]
fn the_unit_lets_the_daemon_do_what_it_does_without_privileges() {
    let text = fs::read_to_string(units().join("trim.service")).unwrap();
    let filters = text.lines().filter_map(|line| line.strip_prefix("SystemCallFilter="));
    // What is named after the last list of refused calls is allowed.
    let mut allowed = Vec::new();
    for filter in filters {
        if filter.starts_with('~') {
            allowed.clear();
        } else {
            allowed.extend(filter.split(' '));
        }
    }
    let needed = [
        "capset",
        "seccomp",
        "landlock_create_ruleset",
        "landlock_add_rule",
        "landlock_restrict_self",
        "@chown",
    ];
    for call in needed {
        assert!(allowed.contains(&call), "{call}: {allowed:?}");
    }
}

/// The times of the timers, as systemd reads them.
#[test]
fn timers_say_when() {
    if !can_run("timers_say_when") {
        return;
    }
    for (name, form) in [
        ("trim-backup.timer", "*-*-* 00:00:00"),
        ("trim-report-weekly.timer", "Mon *-*-* 06:00:00"),
    ] {
        let text = fs::read_to_string(units().join(name)).unwrap();
        let when = text.lines().find_map(|line| line.strip_prefix("OnCalendar=")).unwrap();
        let output = Command::new("systemd-analyze")
            .args(["calendar", when])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains(form), "{name}: {said}");
    }
}
