//! The TCP listener of a running capture: what it says of itself, and what clients can do to it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use trim_user::kernel::netns::run_in;
use xtask::lab::{Client, Exchange, Link, Namespace, Nginx, Signal, Site, Span, SpanOptions, wait_until};

use super::appliance::{Appliance, Setting, assert_nothing_lost, can_run};

/// The listener, and samples that come quickly. Limits that depend on how busy this machine is are out of the way.
pub(crate) const LISTENER: &str = "web:
  listen: 127.0.0.1:9620
health:
  sample_interval: 200ms
  shadowed_percent: 40
  fewest_packets: 40
  warning: {cpu_percent: 100, disk_percent: 100, memory_percent: 97, slow_down_percent: 400, latency_p95: 1m, loss_percent: 100}
  critical: {cpu_percent: 100, disk_percent: 100, memory_percent: 98, slow_down_percent: 800, latency_p95: 1m, loss_percent: 100}
";
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn setting() -> Setting {
    Setting {
        mode: "ab_test",
        layout: "threads",
        more: LISTENER,
        ..Setting::default()
    }
}

/// What `port` of the namespace's loopback answers: status and body.
pub(crate) fn ask(namespace: &Namespace, port: u16, path: &str, head: &str) -> Option<(u16, String)> {
    let asked = run_in(&namespace.path(), || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\n{head}\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    });
    asked.unwrap()
}

/// Small pages over new connections, from both kinds of clients, once.
pub(crate) fn traffic(span: &Span) {
    let site = Site {
        download_bytes: 1_000_000,
    };
    let _nginx = Nginx::start(&span.server, site).unwrap();
    for link in Link::ALL {
        let client = Client::new(&span.client, link, Nginx::PORTS[0]).unwrap();
        client.run_all(&Exchange::SMALL).unwrap();
    }
}

#[test]
fn probes_say_what_is_wrong_while_threads_stand_still() {
    if !can_run("probes_say_what_is_wrong_while_threads_stand_still") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, setting());
    let probe = |path: &str| ask(&span.appliance, 9620, path, "").unwrap_or_default();
    assert_eq!(probe("/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(probe("/readyz"), (200, "ready\n".to_owned()));
    assert_eq!(probe("/nowhere").0, 404);

    // The whole process stands still; when it goes on, its lease has run out, and it gets it back.
    appliance.process().signal(Signal::STOP);
    thread::sleep(Duration::from_secs(3));
    let late = thread::scope(|scope| {
        let late = scope.spawn(|| probe("/readyz"));
        thread::sleep(Duration::from_millis(100));
        appliance.process().signal(Signal::CONT);
        late.join().unwrap()
    });
    assert!(matches!(late.0, 200 | 503), "{late:?}");
    assert!(wait_until(PATIENCE, || probe("/readyz").0 == 200));
    assert_eq!(probe("/healthz").0, 200);
    appliance.stop();
    assert!(ask(&span.appliance, 9620, "/healthz", "").is_none(), "it still listens");
}

/// The server names the version that it was asked in.
fn is_ok_answer(text: &[u8]) -> bool {
    text.starts_with(b"HTTP/1.0 200")
}

/// Asks as fast as it can; gives how many answers there were.
fn hammer(path: &str, done: &AtomicBool) -> u64 {
    let mut answers = 0;
    while !done.load(Ordering::Relaxed) {
        let Ok(mut stream) = TcpStream::connect("127.0.0.1:9620") else {
            continue;
        };
        let mut text = Vec::new();
        let asked = write!(stream, "GET {path} HTTP/1.0\r\n\r\n").and_then(|()| stream.read_to_end(&mut text));
        answers += u64::from(asked.is_ok() && is_ok_answer(&text));
    }
    answers
}

/// Takes a place and sends its request a letter at a time.
fn drip(done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        let Ok(mut stream) = TcpStream::connect("127.0.0.1:9620") else {
            continue;
        };
        while !done.load(Ordering::Relaxed) && stream.write_all(b"G").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn many_and_slow_clients_cost_neither_the_lease_nor_health_nor_packets() {
    if !can_run("many_and_slow_clients_cost_neither_the_lease_nor_health_nor_packets") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, setting());
    let (done, answers) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for client in 0..50 {
            let (span, done, answers) = (&span, &done, &answers);
            scope.spawn(move || {
                let inside = run_in(&span.appliance.path(), || match client {
                    0..10 => drip(done),
                    10..40 => drop(answers.fetch_add(hammer("/metrics", done), Ordering::Relaxed)),
                    _ => drop(answers.fetch_add(hammer("/readyz", done), Ordering::Relaxed)),
                });
                inside.unwrap();
            });
        }
        traffic(&span);
        traffic(&span);
        let view = appliance.command(&["health"]);
        done.store(true, Ordering::Relaxed);
        assert_ne!(view["health"]["level"], "critical", "{view:#}");
        for arm in ["legacy", "scanning"] {
            assert_ne!(
                view["evidence"][arm]["latency"]["packets"], 0,
                "nobody took its latencies: {view:#}"
            );
        }
    });
    assert!(answers.load(Ordering::Relaxed) > 100, "{answers:?} answers");
    let summary = appliance.stop();
    assert_nothing_lost(&summary);
    assert_eq!(summary["kernel"]["lease_stale"], Value::from(0), "{summary:#}");
}
