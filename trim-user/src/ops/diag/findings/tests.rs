//! A fault is planted, and has to be named; without one nothing may be.

use std::collections::BTreeMap;

use super::*;
use crate::control::accounts::{Accounts, Lost};
use crate::control::alert::view::{AlertStatistics, ChannelView};
use crate::control::health::{Arm, Errors, Evidence, Level, Packets, Resources, Shadow, Target, Thread};
use crate::control::operator::View;
use crate::control::rollout::{Phase, Rollback, Trigger};
use crate::control::status::{InterfaceStatus, LatencyStatus, Status, StrategyStatus};
use crate::ops::diag::collected::{InterfaceFacts, MapFacts};
use crate::ops::diag::manifest::{Daemon, Manifest, Part};

const START: u64 = 1_700_000_000_000;

/// An hour of good samples.
fn samples() -> Vec<Sample> {
    let sample = |minute: u64| {
        let at = Moment(START + (minute + 1) * 60_000);
        let arm = Arm {
            flows: 500,
            packets: 10_000,
            busy_ns: 1_000_000,
            busy_packets: 10_000,
            shadow: Shadow {
                segments: 1000,
                ..Shadow::default()
            },
            ..Arm::default()
        };
        let evidence = Evidence {
            at,
            seconds: 60.0,
            target: Target {
                mode: "ab_test".to_owned(),
                share: 0.5,
                has_changed: false,
            },
            legacy: arm,
            scanning: arm,
            packets: Packets {
                seen: 20_000,
                written: 20_000,
                ..Packets::default()
            },
            resources: Resources {
                resident_bytes: Some(100 << 20),
                memory_total: Some(8 << 30),
                disk_total: Some(100 << 30),
                disk_free: Some(50 << 30),
                ..Resources::default()
            },
            threads: Vec::new(),
        };
        Sample {
            at,
            samples: 12,
            level: Level::Healthy,
            scores: BTreeMap::new(),
            evidence,
            spreads: BTreeMap::new(),
        }
    };
    (0..60).map(sample).collect()
}

fn status() -> Status {
    Status {
        version: "1.0.0".to_owned(),
        pid: 1,
        uptime_s: 3600.0,
        mode: "ab_test".to_owned(),
        split_percent: 50.0,
        generation: 0,
        packets: Default::default(),
        accounts: Accounts {
            seen: 1_200_000,
            written: 1_200_000,
            ..Accounts::default()
        },
        balance: 0,
        overloads: 0,
        bytes: Default::default(),
        http: Default::default(),
        strategies: BTreeMap::from([("scanning".to_owned(), StrategyStatus::default())]),
        switch: None,
        interfaces: vec![InterfaceStatus {
            name: "span0".to_owned(),
            xdp_mode: "native".to_owned(),
            link: "up".to_owned(),
            ..InterfaceStatus::default()
        }],
        files: Default::default(),
        kernel: BTreeMap::new(),
    }
}

fn healthy() -> Collected {
    Collected {
        manifest: Manifest {
            format: 1,
            made_at: String::new(),
            made_at_ms: START + 3_660_000,
            version: "1.0.0".to_owned(),
            host: "box".to_owned(),
            hours: 1,
            daemon: Daemon::Alive { pid: 1 },
            parts: BTreeMap::new(),
        },
        status: Some(status()),
        view: Some(View::default()),
        alerts: None,
        alert_statistics: None,
        histograms: None,
        samples: samples(),
        events: Vec::new(),
        decisions: Vec::new(),
        interfaces: vec![InterfaceFacts {
            name: "span0".to_owned(),
            rx_vlan_offload: Some(false),
            ..InterfaceFacts::default()
        }],
        maps: Vec::new(),
        threads: Vec::new(),
        log: Vec::new(),
        damaged: Vec::new(),
    }
}

#[track_caller]
fn assert_named(name: &str, plant: impl FnOnce(&mut Collected)) {
    let mut collected = healthy();
    plant(&mut collected);
    let names: Vec<_> = findings(&collected).iter().map(|finding| finding.name).collect();
    assert_eq!(names, [name]);
}

#[test]
fn where_nothing_is_wrong_nothing_is_found() {
    assert_eq!(findings(&healthy()), []);
}

#[test]
fn loss_is_named_by_its_place_and_dated() {
    for (name, plant) in [
        ("no_socket", (|it| it.no_socket = 30) as fn(&mut Packets)),
        ("rx_ring_full", |it| it.rx_ring_full = 30),
        ("fill_ring_empty", |it| it.fill_ring_empty = 30),
        ("rx_dropped", |it| it.rx_dropped = 30),
        ("queue_full", |it| it.queue_full = 30),
        ("write_failed", |it| it.write_failed = 30),
    ] {
        assert_named(name, |it| plant(&mut it.samples[40].evidence.packets));
    }
    let mut collected = healthy();
    collected.samples[40].evidence.packets.queue_full = 30;
    assert_eq!(findings(&collected)[0].since, Some(collected.samples[40].at));
    assert_named("queue_full", |it| {
        it.samples.clear();
        if let Some(status) = &mut it.status {
            status.accounts.lost = Lost {
                queue_full: 5,
                ..Lost::default()
            };
        }
    });
    assert_named("balance", |it| it.status.as_mut().unwrap().balance = 7);
}

#[test]
fn failing_strategies_are_named() {
    let errors = |errors: Errors| {
        move |it: &mut Collected| {
            for sample in &mut it.samples[50..] {
                sample.evidence.scanning.errors = errors;
            }
        }
    };
    let gaps = Errors {
        gaps: 5000,
        ..Errors::default()
    };
    assert_named("scanning_errors", errors(gaps));
    let panics = Errors {
        panics: 1,
        ..Errors::default()
    };
    assert_named("scanning_panics", errors(panics));
    assert_named("slow_down", |it| {
        for sample in &mut it.samples {
            sample.evidence.scanning.busy_ns *= 2;
        }
    });
    assert_named("header_loss", |it| {
        it.samples[3].evidence.scanning.shadow.header_bytes_lost = 1
    });
    assert_named("accuracy", |it| {
        for sample in &mut it.samples {
            sample.evidence.scanning.shadow.different = 500;
        }
    });
    assert_named("split_mismatch", |it| {
        for sample in &mut it.samples {
            sample.evidence.scanning.flows = 100;
        }
    });
}

#[test]
fn the_machine_is_judged() {
    assert_named("generic_xdp", |it| {
        it.status.as_mut().unwrap().interfaces[0].xdp_mode = "generic".to_owned();
    });
    assert_named("link_lost", |it| {
        it.status.as_mut().unwrap().interfaces[0].link = "no_carrier".to_owned();
    });
    assert_named("vlan_offload", |it| it.interfaces[0].rx_vlan_offload = Some(true));
    assert_named("nic_missed", |it| it.interfaces[0].rx_missed = 1);
    assert_named("slow_disk", |it| {
        let slow = LatencyStatus {
            packets: 1000,
            p50: 1000,
            p95: 2000,
            p99: 400_000_000,
            p999: 800_000_000,
            max: 900_000_000,
        };
        let strategies = &mut it.status.as_mut().unwrap().strategies;
        let scanning = strategies.get_mut("scanning").unwrap();
        scanning.latency.insert("trimmed_to_written".to_owned(), slow);
    });
    assert_named("disk_full", |it| {
        it.samples[59].evidence.resources.disk_free = Some(1 << 30)
    });
    assert_named("memory_growth", |it| {
        for (minute, sample) in (0u64..).zip(&mut it.samples) {
            sample.evidence.resources.resident_bytes = Some((100 + minute) << 20);
        }
    });
    assert_named("clock_step", |it| {
        for sample in &mut it.samples[30..] {
            sample.at = Moment(sample.at.0 - 20_000);
            sample.evidence.at = sample.at;
        }
    });
}

#[test]
fn the_control_wing_is_judged() {
    assert_named("daemon_dead", |it| {
        it.manifest.daemon = Daemon::Dead {
            reason: "connection refused".to_owned(),
        };
    });
    assert_named("daemon_hangs", |it| {
        it.manifest.daemon = Daemon::Hanging {
            pid: Some(7),
            reason: "silent".to_owned(),
        };
    });
    assert_named("version_mismatch", |it| it.manifest.version = "2.0.0".to_owned());
    assert_named("lease_expired", |it| {
        it.maps.push(MapFacts {
            counters: BTreeMap::from([("lease_stale".to_owned(), 3)]),
            ..MapFacts::default()
        });
    });
    assert_named("thread_stalled", |it| {
        it.samples[10].evidence.threads.push(Thread {
            name: "scanning-0".to_owned(),
            waiting: 64,
            stalled_s: 60.0,
        });
    });
    assert_named("rolled_back", |it| {
        it.view.as_mut().unwrap().state.rollbacks.push(Rollback {
            at: Moment(START + 5),
            trigger: Some(Trigger::Errors),
            reason: "20 % errors on scanning".to_owned(),
            phase: Phase::default(),
        });
    });
    assert_named("alerts_undelivered", |it| {
        let channel = ChannelView {
            refused: 1,
            ..ChannelView::default()
        };
        it.alert_statistics = Some(AlertStatistics {
            levels: BTreeMap::new(),
            rules: BTreeMap::new(),
            channels: BTreeMap::from([("mail".to_owned(), channel)]),
            waiting_bytes: 0,
        });
    });
    assert_named("incomplete", |it| {
        let part = Part::Missing {
            reason: "no".to_owned(),
        };
        it.manifest.parts.insert("log.txt".to_owned(), part);
    });
    let line = "2023-11-14T22:20:00Z  WARN trim: 7 log lines were dropped: they came faster";
    assert_named("log_lost", |it| it.log.push(line.to_owned()));
}
