//! `trim doctor` on machines with planted faults: interfaces, privileges, disks.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests fail the test")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use xtask::command::run;
use xtask::lab::{Folder, Namespace, VethOptions, VethPair, require_root};

const TRIM: &str = env!("CARGO_BIN_EXE_trim");

/// What `trim doctor` says, and its exit status.
fn doctor(mut command: Command, arguments: &[&str]) -> (Value, i32) {
    let output = command.args(["doctor", "--json"]).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{output:?}"));
    (report, output.status.code().unwrap())
}

fn finding<'a>(report: &'a Value, subject: &str, check: &str) -> &'a Value {
    let findings = report["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|finding| finding["subject"] == subject && finding["check"] == check);
    found.unwrap_or_else(|| panic!("no {subject} {check} in {report:#}"))
}

#[track_caller]
fn assert_grade(report: &Value, subject: &str, check: &str, grade: &str) {
    let finding = finding(report, subject, check);
    assert_eq!(finding["grade"], grade, "{finding:#}");
    let is_serious = matches!(grade, "warning" | "failure");
    assert!(
        !is_serious || (finding["why"] != "" && finding["fix"] != ""),
        "{finding:#}"
    );
}

/// A configuration that captures to `output`.
fn configuration(folder: &Path, output: &Path, more: &str) -> String {
    let file = folder.join("trim.yaml");
    let text = format!("output:\n  directory: {}\n{more}", output.display());
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_good_interface_passes_and_each_planted_fault_is_named() {
    if !require_root("a_good_interface_passes_and_each_planted_fault_is_named") {
        return;
    }
    let folder = Folder::new("doctor").unwrap();
    let config = configuration(folder.path(), folder.path(), "");
    let namespace = Namespace::new("doctor").unwrap();
    VethPair::silent((&namespace, "good"), (&namespace, "far"), VethOptions::default()).unwrap();
    let jumbo = VethOptions {
        mtu: 9000,
        ..VethOptions::default()
    };
    VethPair::silent((&namespace, "poor"), (&namespace, "away"), jumbo).unwrap();
    let switched_on = ["-K", "poor", "rxvlan", "on"];
    run(namespace.command("ethtool").args(switched_on)).unwrap();
    namespace.ip("link set poor down").unwrap();

    let arguments = |interface| ["--config", config.as_str(), "--interface", interface];
    let (report, code) = doctor(namespace.command(TRIM), &arguments("good"));
    for check in [
        "link",
        "mtu",
        "xdp mode",
        "vlan offload",
        "lro",
        "gro",
        "rss",
        "xdp programs",
    ] {
        assert_grade(&report, "good", check, "ok");
    }
    assert_grade(&report, "good", "zero-copy", "note");
    assert_eq!((code, report["failures"].as_u64()), (0, Some(0)), "{report:#}");

    let (report, code) = doctor(namespace.command(TRIM), &arguments("poor"));
    assert_grade(&report, "poor", "link", "failure");
    assert_grade(&report, "poor", "mtu", "failure");
    assert_grade(&report, "poor", "vlan offload", "warning");
    assert_eq!(code, 1);

    let (report, _) = doctor(namespace.command(TRIM), &arguments("lo"));
    assert_grade(&report, "lo", "xdp mode", "warning");
    let (report, code) = doctor(namespace.command(TRIM), &arguments("nosuch"));
    assert_grade(&report, "nosuch", "name", "failure");
    assert_eq!(code, 1);
}

#[test]
fn an_interface_without_the_other_end_has_no_carrier() {
    if !require_root("an_interface_without_the_other_end_has_no_carrier") {
        return;
    }
    let namespace = Namespace::new("doctor").unwrap();
    VethPair::silent((&namespace, "near"), (&namespace, "far"), VethOptions::default()).unwrap();
    namespace.ip("link set far down").unwrap();
    let (report, _) = doctor(namespace.command(TRIM), &["--interface", "near"]);
    assert_grade(&report, "near", "link", "warning");
}

#[test]
fn without_privileges_it_says_what_is_missing_and_still_looks_at_the_rest() {
    if !require_root("without_privileges_it_says_what_is_missing_and_still_looks_at_the_rest") {
        return;
    }
    let folder = Folder::new("doctor").unwrap();
    let config = configuration(folder.path(), folder.path(), "");
    let mut command = Command::new("setpriv");
    command.args(["--inh-caps=-all", "--bounding-set=-all", TRIM]);
    let (report, code) = doctor(command, &["--config", &config, "--interface", "lo"]);
    assert_grade(&report, "kernel", "privileges", "failure");
    let missing = finding(&report, "kernel", "privileges")["found"].to_string();
    assert!(
        missing.contains("CAP_BPF") && missing.contains("CAP_NET_ADMIN"),
        "{missing}"
    );
    assert_grade(&report, "kernel", "af_xdp", "note");
    assert_grade(&report, "lo", "link", "ok");
    assert_eq!(code, 1);
}

/// A file system of its own, unmounted on drop.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    fn new(place: &'a Path, options: &str) -> Self {
        std::fs::create_dir_all(place).unwrap();
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(place))
        .unwrap();
        Self(place)
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        run(Command::new("umount").arg(self.0)).unwrap();
    }
}

#[test]
fn a_full_and_a_read_only_disk_are_failures_with_their_cure() {
    if !require_root("a_full_and_a_read_only_disk_are_failures_with_their_cure") {
        return;
    }
    let folder = Folder::new("doctor").unwrap();
    let place = folder.path().join("disk");
    let config = configuration(folder.path(), &place, "");
    let examine = || doctor(Command::new(TRIM), &["--config", &config]);
    {
        let _full = Mounted::new(&place, "size=1m");
        std::fs::write(place.join("capture"), vec![1; 1 << 20]).unwrap();
        let (report, code) = examine();
        assert_grade(&report, "disk", "room", "failure");
        assert_eq!(code, 1);
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 1, "nothing of ours is left");
    }
    {
        let _read_only = Mounted::new(&place, "size=1g,ro");
        let (report, code) = examine();
        assert_grade(&report, "disk", "speed", "failure");
        assert!(
            finding(&report, "disk", "speed")["fix"].to_string().contains("remount"),
            "{report:#}"
        );
        assert_eq!(code, 1);
    }
    let _good = Mounted::new(&place, "size=1g");
    assert_grade(&examine().0, "disk", "speed", "ok");
}

#[test]
fn what_the_configuration_asks_for_is_what_the_machine_is_held_to() {
    let folder = Folder::new("doctor").unwrap();
    let more =
        "capture:\n  interfaces: [lo]\n  xdp_mode: native\n  bind: zero_copy\npipeline:\n  receive_cores: [1000]\n";
    let config = configuration(folder.path(), &folder.path().join("later"), more);
    let (report, code) = doctor(Command::new(TRIM), &["--config", &config]);
    assert_grade(&report, "lo", "xdp mode", "failure");
    assert_grade(&report, "lo", "zero-copy", "failure");
    assert_grade(&report, "cores", "layout", "failure");
    assert_grade(&report, "disk", "directory", "note");
    assert!(!folder.path().join("later").exists(), "nothing is changed");
    assert_eq!(code, 1);
}

#[test]
fn a_broken_configuration_is_bad_input() {
    let folder = Folder::new("doctor").unwrap();
    let file = folder.path().join("trim.yaml");
    std::fs::write(&file, "capture: {mtu: 3}\n").unwrap();
    let output = Command::new(TRIM)
        .args(["doctor", "--config"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("trim.yaml:1:"));
}
