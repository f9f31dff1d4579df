//! What a running capture has taken from itself.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use xtask::lab::{Client, Exchange, Folder, Link, Nginx, Site, Span, SpanOptions, wait_until};

use super::appliance::{Appliance, Setting, assert_nothing_lost, can_run};

const PATIENCE: Duration = Duration::from_secs(30);

fn start(span: &Span, protection: &'static str) -> Appliance {
    let setting = Setting {
        mode: "ab_test",
        layout: "threads",
        more: protection,
        ..Setting::default()
    };
    Appliance::start(&span.appliance, setting)
}

/// A field of the status of each thread, with the thread's name.
fn of_threads(appliance: &mut Appliance, field: &str) -> Vec<(String, String)> {
    let tasks = fs::read_dir(format!("/proc/{}/task", appliance.process().id())).unwrap();
    let statuses = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap());
    let value = |status: &str, field: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        line.unwrap().trim_start_matches(':').trim().to_owned()
    };
    statuses
        .map(|status| (value(&status, "Name"), value(&status, field)))
        .collect()
}

/// Leads the alert log, by a link that is put in its place, to a file of another folder. Whether the daemon writes there.
fn writes_elsewhere(appliance: &Appliance) -> bool {
    let elsewhere = Folder::new("elsewhere").unwrap();
    let target = elsewhere.path().join("file");
    symlink(&target, appliance.folder().join("alerts.json")).unwrap();
    appliance.command(&["alert", "send", "--level", "CRITICAL", "--message", "write this"]);
    let decided = || {
        let statistics = appliance.command(&["alert", "stats"]).to_string();
        target.exists() || statistics.contains("Permission denied")
    };
    assert!(
        wait_until(PATIENCE, decided),
        "{}",
        appliance.command(&["alert", "stats"])
    );
    target.exists()
}

#[test]
fn a_running_capture_has_no_capability_and_cannot_leave_its_files() {
    if !can_run("a_running_capture_has_no_capability_and_cannot_leave_its_files") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let nginx = Nginx::start(&span.server, Site::default()).unwrap();
    let mut appliance = start(
        &span,
        "security: {drop_capabilities: require, landlock: require, seccomp: require}\n",
    );
    for field in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
        for (thread, capabilities) in of_threads(&mut appliance, field) {
            assert_eq!(capabilities, "0000000000000000", "{field} of {thread}");
        }
    }
    for (thread, is_set) in of_threads(&mut appliance, "NoNewPrivs") {
        assert_eq!(is_set, "1", "{thread}");
    }
    for (thread, mode) in of_threads(&mut appliance, "Seccomp:") {
        assert_eq!(mode, "2", "{thread}: a filter is in force");
    }
    assert!(!writes_elsewhere(&appliance), "Landlock is to keep it in its folders");

    // And everything it is there for still works.
    let client = Client::new(&span.client, Link::Ipv4, Nginx::PORTS[0]).unwrap();
    client.run_all(&Exchange::SMALL).unwrap();
    appliance.command(&["switch", "--mode", "scanning", "--immediate"]);
    appliance.command(&["rotate"]);
    client.run_all(&Exchange::SMALL).unwrap();
    appliance.command(&["rollback", "--reason", "to see that it works"]);
    drop(nginx);
    let summary = appliance.stop();
    assert_nothing_lost(&summary);
    assert!(summary["packets"]["written"].as_u64().unwrap() > 50, "{summary}");
}

#[test]
fn protection_that_is_off_takes_nothing() {
    if !can_run("protection_that_is_off_takes_nothing") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = start(
        &span,
        "security: {drop_capabilities: off, landlock: off, seccomp: off}\n",
    );
    for (thread, capabilities) in of_threads(&mut appliance, "CapEff") {
        assert_ne!(capabilities, "0000000000000000", "{thread}");
    }
    let ours = fs::read_to_string("/proc/self/status").unwrap();
    for (thread, mode) in of_threads(&mut appliance, "Seccomp:") {
        assert!(
            ours.contains(&format!("Seccomp:\t{mode}\n")),
            "{thread}: {mode}, and not that of this test"
        );
    }
    assert!(writes_elsewhere(&appliance), "nothing keeps it");
    appliance.stop();
}
