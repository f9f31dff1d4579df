//! User space may die at any moment.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use trim_user::data::capture::file::{CaptureReader, Event};
use xtask::lab::{Client, Exchange, Link, Nginx, Process, Signal, Site, Span, SpanOptions};

use super::appliance::{Appliance, Setting, can_run};

/// Longer than the time after which buffered packets are written.
const FLUSHED: Duration = Duration::from_millis(2500);

#[test]
fn after_a_kill_under_load_the_interface_passes_packets_and_the_capture_opens() {
    if !can_run("after_a_kill_under_load_the_interface_passes_packets_and_the_capture_opens") {
        return;
    }
    let (span, mut appliance) = killed_under_load("pass");
    assert!(
        packets_pass(&span),
        "packets must reach the network stack when on_user_space_loss is pass"
    );
    assert_capture_opens(&appliance);
    restart_and_stop(&span, &mut appliance, "pass");
}

#[test]
fn after_a_kill_under_load_the_interface_drops_packets_where_that_is_configured() {
    if !can_run("after_a_kill_under_load_the_interface_drops_packets_where_that_is_configured") {
        return;
    }
    let (span, mut appliance) = killed_under_load("drop");
    assert!(
        !packets_pass(&span),
        "packets must not reach the network stack when on_user_space_loss is drop"
    );
    assert_capture_opens(&appliance);
    restart_and_stop(&span, &mut appliance, "drop");
    assert!(packets_pass(&span), "a clean stop takes the XDP program off");
}

/// A capture that was killed in the middle of a download.
fn killed_under_load(on_loss: &'static str) -> (Span, Appliance) {
    let span = Span::new(SpanOptions::default()).unwrap();
    let nginx = Nginx::start(
        &span.server,
        Site {
            download_bytes: 60_000_000,
        },
    )
    .unwrap();
    let mut appliance = Appliance::start(
        &span.appliance,
        Setting {
            on_loss,
            ..Setting::default()
        },
    );
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let client = Client::new(&span.client, Link::Ipv4, Nginx::PORTS[0]).unwrap();
            client
                .run(Exchange::Download {
                    megabytes_per_second: 12,
                })
                .unwrap();
        });
        std::thread::sleep(FLUSHED);
        appliance.process().signal(Signal::KILL);
        appliance.process().wait(Duration::from_secs(10)).unwrap();
    });
    drop(nginx);
    (span, appliance)
}

/// Whether frames on the mirror get past XDP, to where ordinary sockets see them.
fn packets_pass(span: &Span) -> bool {
    let mut tcpdump = span.appliance.command("tcpdump");
    tcpdump.args(["-n", "-i", Span::INTERFACE, "-c", "1", "-Z", "root", "tcp"]);
    let mut tcpdump = Process::start(tcpdump).unwrap();
    tcpdump
        .wait_ready(Duration::from_secs(10), |_, stderr| stderr.contains("listening on"))
        .unwrap();
    // Nobody listens there: the attempt and its refusal cross the link, and so the mirror.
    let attempt = [
        "-q",
        "-sS",
        "-g",
        "--noproxy",
        "*",
        "--max-time",
        "1",
        "http://10.77.0.1:9/",
    ];
    let client = span.client.command("curl").args(attempt).output().unwrap();
    assert!(!client.status.success());
    tcpdump.wait(Duration::from_secs(2)).is_ok()
}

fn assert_capture_opens(appliance: &Appliance) {
    let part = part_file(appliance);
    let mut reader = CaptureReader::open(&part).unwrap();
    let mut packets = 0;
    while let Some(event) = reader.next_event().unwrap() {
        packets += u64::from(matches!(event, Event::Packet(_)));
    }
    assert!(packets > 1000, "{packets} packets in {}", part.display());
    let tshark = Command::new("tshark")
        .args(["-n", "-r"])
        .arg(&part)
        .args(["-q", "-z", "io,stat,0"])
        .output()
        .unwrap();
    assert!(tshark.status.success(), "{}", String::from_utf8_lossy(&tshark.stderr));
}

fn part_file(appliance: &Appliance) -> PathBuf {
    let files = std::fs::read_dir(appliance.captures()).unwrap();
    let mut parts = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "part"));
    parts.next().expect("the capture that was being written")
}

/// The next daemon takes over what the dead one left, and leaves nothing itself.
fn restart_and_stop(span: &Span, dead: &mut Appliance, on_loss: &'static str) {
    let mut next = Appliance::start(
        &span.appliance,
        Setting {
            on_loss,
            ..Setting::default()
        },
    );
    let summary = next.stop();
    assert_eq!(summary["balance"], 0, "{summary}");
    drop(next);
    assert!(dead.process().ended().is_some());
}
