//! From a condition to its arrival: retries, restarts, what is counted.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use trim_user::control::alert::channel::{Address, ChannelKind, HttpSettings, LogFileSettings};
use trim_user::control::alert::engine::EngineSettings;
use trim_user::control::alert::{AlertCenter, AlertDesk, AlertSettings, Level, Notice, QueueBounds};
use xtask::lab::wait_until;

use crate::things::channel;
use crate::web::{Answer, Web};

/// Set for the process that is to be killed: its folder, and the port on which nobody listens.
const VICTIM: &str = "TRIM_TEST_ALERT_VICTIM";

fn settings(directory: Option<&Path>, port: u16) -> AlertSettings {
    let server = HttpSettings {
        url: Address::Open(format!("http://127.0.0.1:{port}/in")),
        token: None,
        ca_file: None,
    };
    AlertSettings {
        directory: directory.map(Path::to_owned),
        queue: QueueBounds::default(),
        engine: EngineSettings {
            resolve_after: Duration::ZERO,
            ..EngineSettings::default()
        },
        channels: vec![channel("hook", ChannelKind::Webhook(server))],
    }
}

fn desk(settings: AlertSettings) -> AlertDesk {
    AlertDesk::new(AlertCenter::open(settings, "probe").unwrap())
}

fn link(name: &str) -> Notice {
    Notice::new(Level::Critical, "link_lost", format!("{name} lost its link")).label("interface", name)
}

fn observe(desk: &AlertDesk, notices: &[Notice]) {
    desk.lock().observe(desk.now(), notices);
}

/// A port on which nobody listens, and the listener that can.
fn reserved() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[test]
fn a_message_is_tried_again_until_it_arrives_and_told_once() {
    let web = Web::start([Answer::status(500), Answer::HalfClose]);
    let desk = desk(settings(None, web.port()));
    observe(&desk, &[link("a")]);
    web.wait(3);
    let delivered = || desk.lock().statistics(desk.now()).channels["hook"].delivered == 1;
    assert!(wait_until(Duration::from_secs(30), delivered));
    observe(&desk, &[link("a")]);
    observe(&desk, &[]);
    let requests = web.wait(4);
    assert_eq!(requests[3].body["status"], "resolved");
    assert_eq!(
        requests
            .iter()
            .filter(|request| request.body["status"] == "firing")
            .count(),
        3
    );
    let hook = desk.lock().statistics(desk.now()).channels["hook"].clone();
    assert_eq!((hook.failed_attempts, hook.refused, hook.dropped), (2, 0, 0));
    assert!(hook.latency_ms.max >= 500, "two pauses are in it: {hook:?}");
}

#[test]
fn a_refused_message_is_counted_and_its_reason_shown() {
    let web = Web::start([Answer::status(404)]);
    let desk = desk(settings(None, web.port()));
    observe(&desk, &[link("a")]);
    let refused = || desk.lock().statistics(desk.now()).channels["hook"].refused == 1;
    assert!(wait_until(Duration::from_secs(30), refused));
    let hook = desk.lock().statistics(desk.now()).channels["hook"].clone();
    assert!(hook.last_error.unwrap().contains("404"));
    assert_eq!(hook.waiting, 0);
}

/// Not a test of its own: what the next test kills.
#[test]
fn victim_whose_alert_nobody_takes() {
    let Ok(place) = std::env::var(VICTIM) else { return };
    let (port, folder) = place.split_once(':').unwrap();
    let desk = desk(settings(Some(Path::new(folder)), port.parse().unwrap()));
    desk.lock()
        .event(desk.now(), Notice::new(Level::Critical, "rollback", "rolled back"));
    let failed = || desk.lock().statistics(desk.now()).channels["hook"].failed_attempts > 0;
    assert!(wait_until(Duration::from_secs(30), failed));
    observe(&desk, &[link("a")]);
    assert!(wait_until(Duration::from_secs(30), || {
        desk.lock().statistics(desk.now()).channels["hook"].waiting == 2
    }));
    println!("\nwaiting");
    std::thread::sleep(Duration::from_secs(600));
}

#[test]
fn what_a_killed_process_could_not_deliver_is_delivered_by_the_next_one_once() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("alerts");
    let port = reserved().1;
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["pipeline::victim_whose_alert_nobody_takes", "--exact", "--nocapture"])
        .env(VICTIM, format!("{port}:{}", place.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let is_waiting = lines.map_while(Result::ok).any(|line| line == "waiting");
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert!(is_waiting);

    let web = Web::start([]);
    let desk = desk(settings(Some(&place), web.port()));
    observe(&desk, &[link("a")]);
    let requests = web.wait(2);
    let rules: Vec<_> = requests
        .iter()
        .map(|request| request.body["alerts"][0]["rule"].clone())
        .collect();
    assert_eq!(rules, ["rollback", "link_lost"], "in their order");
    desk.lock().end();
    assert_eq!(web.requests().len(), 2, "and once");
    assert_eq!(std::fs::read_dir(place.join("spool")).unwrap().count(), 0);
}

#[test]
fn the_state_is_kept_over_a_restart_and_no_second_daemon_may_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let web = Web::start([]);
    let first = desk(settings(Some(folder.path()), web.port()));
    observe(&first, &[link("a")]);
    web.wait(1);
    first
        .lock()
        .acknowledge(first.now(), link("a").fingerprint(), "root")
        .unwrap();
    let second = desk(settings(Some(folder.path()), web.port()));
    assert!(
        second.lock().list(second.now()).alerts.is_empty(),
        "it goes on in memory of its own"
    );
    first.lock().end();
    drop(first);
    let third = desk(settings(Some(folder.path()), web.port()));
    let list = third.lock().list(third.now());
    assert_eq!(list.alerts[0].acknowledged.as_ref().unwrap().by, "root");
    observe(&third, &[link("a")]);
    third.lock().end();
    assert_eq!(web.requests().len(), 1, "it is not told again");
}

#[test]
fn alerts_leave_though_the_disk_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let web = Web::start([]);
    let place = folder.path().join("alerts");
    let desk = desk(settings(Some(&place), web.port()));
    std::fs::remove_dir_all(&place).unwrap();
    std::fs::write(&place, "no folder any more").unwrap();
    observe(&desk, &[link("a")]);
    web.wait(1);
    desk.lock().end();
}

#[test]
fn a_dead_channel_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let web = Web::start([Answer::Silence]);
    let path = folder.path().join("alerts.json");
    let mut settings = settings(None, web.port());
    settings.channels.push(channel(
        "log",
        ChannelKind::LogFile(LogFileSettings {
            path: path.clone(),
            max_bytes: 1 << 20,
            keep: 1,
        }),
    ));
    let desk = desk(settings);
    observe(&desk, &[link("a")]);
    web.wait(1);
    assert!(wait_until(Duration::from_secs(30), || {
        desk.lock().statistics(desk.now()).channels["log"].delivered == 1
    }));
    let line: serde_json::Value = serde_json::from_str(std::fs::read_to_string(&path).unwrap().trim_end()).unwrap();
    assert_eq!(
        (line["rule"].as_str(), line["host"].as_str()),
        (Some("link_lost"), Some("probe"))
    );
}
