//! A service manager that watches: the messages of sd_notify(3) on a real socket.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use xtask::lab::{Client, Exchange, Folder, Link, Nginx, Signal, Site, Span, SpanOptions};

use super::appliance::{Appliance, Setting, can_run};

/// Long enough for a thread that is not scheduled for a while.
const WATCHDOG: Duration = Duration::from_secs(2);

/// The service manager's end.
struct Manager {
    socket: UnixDatagram,
    folder: Folder,
}

impl Manager {
    fn new() -> Self {
        let folder = Folder::new("notify").unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { socket, folder }
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let socket = self.folder.path().join("notify");
        vec![
            ("NOTIFY_SOCKET", socket.display().to_string()),
            ("WATCHDOG_USEC", WATCHDOG.as_micros().to_string()),
        ]
    }

    fn next(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    /// The next message that has this line; those before it are read away.
    fn wait_for(&self, line: &str) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            let message = self.next();
            if message.lines().any(|it| it.starts_with(line)) {
                return message;
            }
        }
        panic!("no {line}");
    }
}

#[test]
fn a_service_manager_is_told_of_start_progress_reload_stall_and_end() {
    if !can_run("a_service_manager_is_told_of_start_progress_reload_stall_and_end") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let nginx = Nginx::start(&span.server, Site::default()).unwrap();
    let manager = Manager::new();
    let setting = Setting {
        mode: "scanning",
        more: "rollout:\n  allow_faults: true\n",
        ..Setting::default()
    };
    let mut appliance = Appliance::start_with(&span.appliance, setting, &manager.environment());
    assert_eq!(manager.next(), "READY=1\n", "the first thing to be told");
    let fed = manager.wait_for("WATCHDOG=1");
    assert!(
        fed.starts_with("STATUS=") && fed.contains(" packets received, "),
        "{fed}"
    );

    appliance.process().signal(Signal::HUP);
    let reloading = manager.wait_for("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    manager.wait_for("READY=1");

    appliance.command(&["rehearse", "--stall"]);
    let client = Client::new(&span.client, Link::Ipv4, Nginx::PORTS[0]).unwrap();
    client.run_all(&Exchange::SMALL).unwrap();
    let status = manager.wait_for("STATUS=no progress of ");
    assert!(status.contains("capture-0"), "{status}");
    // As long as the stall lasts the watchdog is not fed, so that it would bite.
    let end = Instant::now() + WATCHDOG;
    while Instant::now() < end {
        let message = manager.next();
        assert!(!message.contains("WATCHDOG=1"), "{message}");
    }
    appliance.command(&["rehearse", "--clear"]);
    manager.wait_for("WATCHDOG=1");

    drop(nginx);
    appliance.stop();
    manager.wait_for("STOPPING=1");
}
