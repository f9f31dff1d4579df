//! The rollout on real traffic: all five phases, and what happens when `scanning` fails on the way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use xtask::lab::{Client, Exchange, Link, Namespace, Nginx, Signal, Site, Span, SpanOptions};

use super::appliance::{Appliance, Setting, assert_nothing_lost, can_run};

/// Fourteen days in seconds. Limits that depend on how busy this machine is, and on an unoptimised build, are out of the way.
pub(crate) const REHEARSAL: &str = "health:
  sample_interval: 200ms
  shadowed_percent: 40
  unresponsive_after: 2s
  fewest_packets: 40
  warning: {cpu_percent: 100, disk_percent: 100, memory_percent: 97, slow_down_percent: 400, latency_p95: 1m, loss_percent: 100}
  critical: {cpu_percent: 100, disk_percent: 100, memory_percent: 98, slow_down_percent: 800, latency_p95: 1m, loss_percent: 100}
rollout:
  allow_faults: true
  baseline: {duration: 1s}
  ab_test: {percent: 30, duration: 1s}
  gradual: {percents: [50, 75], duration: 1s}
  full: {duration: 1s}
  cleanup: {duration: 1s}
  bake: 500ms
  fewest_flows: 10
  approve: []
  cool_down: 1s
  step_back_after: 1m
  rollback: {error_hold: 400ms, slow_down_percent: 1000, slow_down_hold: 600ms, memory_hold: 400ms}
";
/// As long as the slowest machine may take for what takes seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn setting(layout: &'static str) -> Setting {
    Setting {
        layout,
        more: REHEARSAL,
        ..Setting::default()
    }
}

/// Small pages over new connections, again and again, while `body` runs.
pub(crate) fn under_traffic<T: Send>(span: &Span, body: impl FnOnce() -> T + Send) -> T {
    let _nginx = Nginx::start(
        &span.server,
        Site {
            download_bytes: 1_000_000,
        },
    )
    .unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for link in Link::ALL {
            let done = &done;
            scope.spawn(move || {
                let client = Client::new(&span.client, link, Nginx::PORTS[0]).unwrap();
                while !done.load(Ordering::Relaxed) {
                    for page in 0..4 {
                        client.run(Exchange::Page(page)).unwrap();
                    }
                    client.run(Exchange::KeepAlive).unwrap();
                }
            });
        }
        let result = scope.spawn(body).join();
        done.store(true, Ordering::Relaxed);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Waits until the rollout's state is as wanted; gives the whole view.
fn wait_for(appliance: &Appliance, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let view = appliance.try_command(&["rollout", "status"]);
        if let Ok(view) = &view
            && wanted(&view["state"])
        {
            return view.clone();
        }
        assert!(Instant::now() < end, "{what} did not come: {view:#?}");
        thread::sleep(Duration::from_millis(100));
    }
}

fn has_status(status: &'static str) -> impl Fn(&Value) -> bool {
    move |state| state["status"] == status
}

/// Starts a rollout and waits until half of the flows are to be on `scanning`.
pub(crate) fn at_half(appliance: &Appliance) {
    appliance.command(&["rollout", "start", "--reason", "test"]);
    wait_for(appliance, "one half", |state| {
        assert_ne!(state["status"], "rolled_back", "{state}");
        state["phase"] == "gradual_rollout"
    });
    appliance.command(&["rollout", "pause", "--reason", "the test stays here"]);
}

/// Rolling back was told as a critical alert, and it arrived.
fn assert_alert_arrived(appliance: &Appliance) {
    let path = appliance.folder().join("alerts.json");
    let end = Instant::now() + PATIENCE;
    let arrived = || std::fs::read_to_string(&path).unwrap_or_default();
    while !arrived().contains("taken back to legacy") {
        assert!(Instant::now() < end, "no alert in {}: {}", path.display(), arrived());
        thread::sleep(Duration::from_millis(100));
    }
    assert!(arrived().contains("critical"), "{}", arrived());
}

/// What was put aside at the end of the time of `legacy`.
fn archived(appliance: &Appliance) -> String {
    let files = std::fs::read_dir(appliance.folder()).unwrap();
    let mut paths = files.map(|entry| entry.unwrap().path());
    let is_archive = |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("legacy-");
    std::fs::read_to_string(paths.find(is_archive).unwrap()).unwrap()
}

fn assert_on_legacy(appliance: &Appliance) {
    let status = appliance.command(&["status"]);
    assert_eq!(status["mode"], "legacy", "{status}");
}

#[test]
fn all_five_phases_are_passed_on_real_traffic_and_no_packet_is_lost() {
    if !can_run("all_five_phases_are_passed_on_real_traffic_and_no_packet_is_lost") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, setting("inline"));
    under_traffic(&span, || {
        appliance.command(&["rollout", "start", "--reason", "test"]);
        // The archive once held what the daemon had been started with.
        let file = appliance.folder().join("trim.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text + "logging:\n  level: warn\n").unwrap();
        appliance.command(&["config", "reload"]);
        wait_for(&appliance, "the end", has_status("completed"));
    });
    let status = appliance.command(&["status"]);
    assert_eq!(status["mode"], "scanning");
    let archived = archived(&appliance);
    assert!(archived.contains("\n  level: warn"), "{archived}");
    let summary = appliance.stop();
    assert_nothing_lost(&summary);
    let database = appliance.folder().join("trim.db");
    let replay = std::process::Command::new(env!("CARGO_BIN_EXE_trim"))
        .args(["rollout", "replay", "--json", "--database"])
        .arg(database)
        .output()
        .unwrap();
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stderr));
    let replayed: Value = serde_json::from_slice(&replay.stdout).unwrap();
    assert!(replayed["decisions"].as_u64().unwrap() > 20, "{replayed}");
}

/// Puts a fault into `scanning` at one half and waits for the rollback it has to cause.
pub(crate) fn fault(setting: Setting, fault: &[&str], trigger: &str) -> (Span, Appliance) {
    let span = Span::new(SpanOptions::default()).unwrap();
    let appliance = Appliance::start(&span.appliance, setting);
    under_traffic(&span, || {
        at_half(&appliance);
        appliance.command(&[&["rehearse"], fault].concat());
        let view = wait_for(&appliance, trigger, has_status("rolled_back"));
        assert_eq!(view["state"]["rollbacks"][0]["trigger"], trigger, "{view:#}");
        assert_on_legacy(&appliance);
        assert_alert_arrived(&appliance);
        appliance.command(&["rehearse", "--clear"]);
    });
    (span, appliance)
}

#[test]
fn panics_take_traffic_back_to_legacy() {
    if !can_run("panics_take_traffic_back_to_legacy") {
        return;
    }
    let (_span, mut appliance) = fault(setting("inline"), &["--panics", "20"], "errors");
    assert_nothing_lost(&appliance.stop());
}

#[test]
fn a_slow_trimmer_takes_traffic_back_to_legacy() {
    if !can_run("a_slow_trimmer_takes_traffic_back_to_legacy") {
        return;
    }
    let (_span, mut appliance) = fault(setting("inline"), &["--spins", "20000"], "slow_down");
    assert_nothing_lost(&appliance.stop());
}

/// What leaks costs time too, and that must not be what takes it back.
const LEAK: &str = "health:
  memory_limit: 400MiB
  sample_interval: 200ms
  shadowed_percent: 40
  fewest_packets: 40
  warning: {cpu_percent: 100, disk_percent: 100, memory_percent: 97, slow_down_percent: 10000, latency_p95: 1m, loss_percent: 100}
  critical: {cpu_percent: 100, disk_percent: 100, memory_percent: 98, slow_down_percent: 10000, latency_p95: 1m, loss_percent: 100}
rollout:
  allow_faults: true
  baseline: {duration: 1s}
  ab_test: {percent: 30, duration: 1s}
  gradual: {percents: [50, 75], duration: 1s}
  bake: 500ms
  fewest_flows: 10
  cool_down: 1s
  step_back_after: 1m
  rollback: {slow_down_percent: 10000, memory_hold: 400ms}
";

#[test]
fn a_leak_takes_traffic_back_to_legacy_before_memory_is_exhausted() {
    if !can_run("a_leak_takes_traffic_back_to_legacy_before_memory_is_exhausted") {
        return;
    }
    let setting = Setting {
        more: LEAK,
        ..setting("inline")
    };
    let (_span, mut appliance) = fault(setting, &["--leak", "256KiB"], "memory");
    assert_nothing_lost(&appliance.stop());
}

#[test]
fn wrong_trims_take_traffic_back_to_legacy() {
    if !can_run("wrong_trims_take_traffic_back_to_legacy") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, setting("inline"));
    under_traffic(&span, || {
        at_half(&appliance);
        appliance.command(&["rehearse", "--wrong", "50"]);
        let view = wait_for(&appliance, "rollback", has_status("rolled_back"));
        let trigger = view["state"]["rollbacks"][0]["trigger"].as_str().unwrap();
        assert!(["inaccuracy", "header_loss"].contains(&trigger), "{trigger}");
        assert_on_legacy(&appliance);
    });
    assert_nothing_lost(&appliance.stop());
}

#[test]
fn a_stuck_trimmer_takes_traffic_back_to_legacy() {
    if !can_run("a_stuck_trimmer_takes_traffic_back_to_legacy") {
        return;
    }
    let (_span, mut appliance) = fault(setting("threads"), &["--stall"], "unresponsive");
    let summary = appliance.stop();
    assert_eq!(summary["balance"], 0, "{summary}");
}

#[test]
fn a_rollback_outlives_the_process_that_decided_it() {
    if !can_run("a_rollback_outlives_the_process_that_decided_it") {
        return;
    }
    let (span, mut appliance) = fault(setting("inline"), &["--panics", "20"], "errors");
    appliance.process().signal(Signal::KILL);
    appliance.process().wait(PATIENCE).unwrap();
    let mut next = appliance.restart(&span.appliance, setting("inline"));
    let view = next.command(&["rollout", "status"]);
    assert_eq!(view["state"]["status"], "rolled_back", "{view:#}");
    assert_on_legacy(&next);
    assert_nothing_lost(&next.stop());
}

#[test]
fn a_rollout_goes_on_in_its_phase_after_a_kill() {
    if !can_run("a_rollout_goes_on_in_its_phase_after_a_kill") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, setting("inline"));
    let span = &span;
    let mut next = under_traffic(span, move || {
        at_half(&appliance);
        appliance.process().signal(Signal::KILL);
        appliance.process().wait(PATIENCE).unwrap();
        let next = appliance.restart(&span.appliance, setting("inline"));
        let view = next.command(&["rollout", "status"]);
        assert_eq!(view["state"]["status"], "paused", "{view:#}");
        assert_eq!(view["state"]["phase"], "gradual_rollout", "{view:#}");
        next.command(&["rollout", "resume", "--reason", "test"]);
        wait_for(&next, "the end", has_status("completed"));
        next
    });
    assert_nothing_lost(&next.stop());
}

#[test]
fn a_rollback_needs_no_daemon() {
    if !can_run("a_rollback_needs_no_daemon") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, setting("inline"));
    under_traffic(&span, || {
        at_half(&appliance);
        appliance.process().signal(Signal::STOP);
        let socket = appliance.folder().join("trim.sock");
        let rollback = |namespace: &Namespace| {
            let mut rollback = namespace.command(env!("CARGO_BIN_EXE_trim"));
            rollback
                .args(["rollback", "--direct", "--reason", "it hangs", "--socket"])
                .arg(&socket);
            rollback.output().unwrap()
        };
        // What is captured in another network namespace is not this one's business.
        let elsewhere = rollback(&span.client);
        let words = String::from_utf8_lossy(&elsewhere.stderr).into_owned();
        assert!(
            !elsewhere.status.success() && words.contains("nothing is pinned"),
            "{words}"
        );
        let done = rollback(&span.appliance);
        let words = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{words}");
        assert!(words.contains("by the command line"), "{words}");
        appliance.process().signal(Signal::CONT);
        let view = wait_for(&appliance, "rollback", has_status("rolled_back"));
        let reason = view["state"]["rollbacks"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("set to legacy"), "{reason}");
        assert_on_legacy(&appliance);
    });
    let summary = appliance.stop();
    assert_eq!(summary["balance"], 0, "{summary}");
}

#[test]
fn a_rollback_needs_no_database() {
    if !can_run("a_rollback_needs_no_database") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, setting("inline"));
    under_traffic(&span, || {
        at_half(&appliance);
        for file in ["trim.db", "trim.db-wal", "trim.db-shm"] {
            let path = appliance.folder().join(file);
            std::fs::remove_file(&path).unwrap();
            std::fs::create_dir(&path).unwrap();
        }
        appliance.command(&["rehearse", "--panics", "50"]);
        wait_for(&appliance, "rollback", has_status("rolled_back"));
        assert_on_legacy(&appliance);
    });
    assert_nothing_lost(&appliance.stop());
}

/// The disk of the database, mounted with `options`, fails by `fail` at one half, the mail server was never there, and the rollback happens.
fn without_a_disk(options: &str, fail: fn(&Appliance)) {
    let span = Span::new(SpanOptions::default()).unwrap();
    // Nobody listens there.
    let mail = "    email:\n      - {name: mail, host: 127.0.0.1, port: 9, security: none, from: a@example.org, to: [b@example.org]}\n";
    let setting = Setting {
        more: (mail.to_owned() + REHEARSAL).leak(),
        ..setting("inline")
    };
    let mut appliance = Appliance::start_on_small_disk(&span.appliance, setting, options);
    under_traffic(&span, || {
        at_half(&appliance);
        fail(&appliance);
        appliance.command(&["rehearse", "--panics", "50"]);
        let view = wait_for(&appliance, "rollback", has_status("rolled_back"));
        assert!(!view["database"]["failing"].is_null(), "{view:#}");
        assert_on_legacy(&appliance);
        assert_alert_arrived(&appliance);
        let mail = || appliance.command(&["alert", "stats"])["channels"]["mail"].clone();
        let end = Instant::now() + PATIENCE;
        while mail()["last_error"].is_null() {
            assert!(Instant::now() < end, "{}", mail());
            thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(mail()["delivered"], 0);
    });
    assert_nothing_lost(&appliance.stop());
}

#[test]
fn a_rollback_needs_neither_space_on_the_disk_nor_a_mail_server() {
    if !can_run("a_rollback_needs_neither_space_on_the_disk_nor_a_mail_server") {
        return;
    }
    without_a_disk("rw", |appliance| {
        let full = std::fs::write(appliance.small_disk().join("fill"), vec![0; 32 << 20]);
        assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    });
}

#[test]
fn a_rollback_needs_no_right_to_write_to_the_disk() {
    if !can_run("a_rollback_needs_no_right_to_write_to_the_disk") {
        return;
    }
    // A disk with errors is made read-only by the kernel, and stays so over a restart.
    without_a_disk("ro", |_| {});
}

#[test]
fn without_its_daemon_everything_goes_to_legacy_within_the_lease() {
    if !can_run("without_its_daemon_everything_goes_to_legacy_within_the_lease") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let setting = Setting {
        mode: "scanning",
        ..setting("inline")
    };
    let mut appliance = Appliance::start(&span.appliance, setting);
    let flows = |appliance: &Appliance| {
        let status = appliance.command(&["status"]);
        let of = |name: &str| status["strategies"][name]["packets"].as_u64().unwrap();
        (of("legacy"), of("scanning"))
    };
    let (before, after) = under_traffic(&span, || {
        thread::sleep(Duration::from_secs(1));
        let before = flows(&appliance);
        appliance.process().signal(Signal::STOP);
        // The lease is two seconds; what comes after it waits in the ring, tagged.
        thread::sleep(Duration::from_secs(4));
        appliance.process().signal(Signal::CONT);
        thread::sleep(Duration::from_secs(1));
        (before, flows(&appliance))
    });
    // What is not TCP has no flow, and so goes to legacy.
    assert!(
        before.1 > 100 && before.0 < before.1 / 20,
        "all flows on scanning first: {before:?}"
    );
    assert!(
        after.0 > before.0 + 100,
        "packets behind the lease carry legacy's tag: {before:?}, {after:?}"
    );
    let summary = appliance.stop();
    assert_eq!(summary["balance"], 0, "{summary}");
}
