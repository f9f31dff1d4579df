//! What a live capture writes is what `trim file` makes of a tcpdump of the same traffic.

use std::path::{Path, PathBuf};

use serde_json::Value;
use xtask::lab::{Client, Exchange, Folder, Link, Nginx, Site, Span, SpanOptions, Tcpdump};

use trim_user::kernel::affinity::pin_current_thread;

use super::appliance::{Appliance, Setting, assert_nothing_lost, can_run, trim_file};
use super::packets::{by_direction, difference};

/// A download of several megabytes a second: enough to fill segments, slow enough for the ring of a veth.
const DOWNLOAD: Exchange = Exchange::Download {
    megabytes_per_second: 25,
};

/// A mirror that keeps the order of packets: with several queues, a veth chooses the queue by the CPU that sends, and one
/// direction of a flow may overtake itself.
pub(crate) fn one_queue(vlan: bool) -> SpanOptions {
    SpanOptions {
        queues: 1,
        vlan,
        ..SpanOptions::default()
    }
}

/// The same traffic, captured by both.
pub(crate) struct Captured {
    pub(crate) summary: Value,
    pub(crate) live: PathBuf,
    pub(crate) plain: PathBuf,
    /// Packets that only one of the two can have seen: the mirror or tcpdump lost them.
    missed: u64,
    folder: Folder,
    _appliance: Appliance,
}

/// Captures every kind of exchange over IPv4 and IPv6; `meanwhile` runs while the traffic flows.
///
/// Server and clients run on one CPU: what two CPUs send at once may pass tcpdump in another order than XDP.
pub(crate) fn capture(setting: Setting, options: SpanOptions, meanwhile: impl FnOnce(&Appliance) + Send) -> Captured {
    let span = Span::new(options).unwrap();
    let folder = Folder::new("plain").unwrap();
    let plain = folder.path().join("plain.pcap");
    let mut appliance = Appliance::start(&span.appliance, setting);
    let tcpdump = Tcpdump::start(&span.server, Span::MIRROR, &plain).unwrap();
    std::thread::scope(|scope| {
        let traffic = scope.spawn(|| traffic(&span));
        meanwhile(&appliance);
        traffic.join().unwrap();
    });
    let counts = tcpdump.stop().unwrap();
    let summary = appliance.stop();
    let live = PathBuf::from(summary["output"].as_str().unwrap());
    assert!(live.starts_with(appliance.captures()));
    Captured {
        summary,
        live,
        plain,
        missed: counts.dropped + span.mirror_losses().unwrap(),
        folder,
        _appliance: appliance,
    }
}

fn traffic(span: &Span) {
    assert!(
        pin_current_thread(0),
        "threads and processes started from here run on CPU 0"
    );
    let site = Site {
        download_bytes: 8_000_000,
    };
    let _nginx = Nginx::start(&span.server, site).unwrap();
    std::thread::scope(|scope| {
        for link in Link::ALL {
            scope.spawn(move || {
                let client = Client::new(&span.client, link, Nginx::PORTS[0]).unwrap();
                client.run_all(&Exchange::SMALL).unwrap();
                client.run(DOWNLOAD).unwrap();
                client.run_all(&Exchange::SMALL).unwrap();
            });
        }
    });
}

/// Every direction of every flow is, packet for packet and byte for byte, what one of `strategies` makes of it.
pub(crate) fn assert_each_flow_equals_one_of(captured: &Captured, strategies: &[&str]) {
    assert_eq!(
        captured.missed, 0,
        "the mirror or tcpdump lost packets; there is nothing to compare with"
    );
    let live = by_direction(&captured.live);
    let offline: Vec<_> = strategies.iter().map(|strategy| offline(captured, strategy)).collect();
    assert!(live.len() > 40, "{} directions; the traffic is missing", live.len());
    for directions in &offline {
        assert_eq!(live.keys().collect::<Vec<_>>(), directions.keys().collect::<Vec<_>>());
    }
    for (ends, packets) in &live {
        let differences: Vec<_> = offline
            .iter()
            .map(|directions| difference(packets, &directions[ends]))
            .collect();
        assert!(
            differences.iter().any(Option::is_none),
            "{ends:?} equals none of {strategies:?}: {}",
            differences.into_iter().flatten().collect::<Vec<_>>().join("\n")
        );
    }
}

fn offline(
    captured: &Captured,
    strategy: &str,
) -> std::collections::BTreeMap<super::packets::Ends, Vec<super::packets::Packet>> {
    let output = captured.folder.path().join(format!("{strategy}.pcapng"));
    trim_file(Path::new(&captured.plain), strategy, &output);
    by_direction(&output)
}

fn equal_to_the_file(test: &str, setting: Setting, vlan: bool) {
    if !can_run(test) {
        return;
    }
    let captured = capture(setting, one_queue(vlan), |_| {});
    assert_nothing_lost(&captured.summary);
    assert_eq!(captured.summary["xdp_mode"], setting.xdp_mode);
    assert_each_flow_equals_one_of(&captured, &[setting.mode]);
}

#[test]
fn over_several_queues_the_same_packets_are_written() {
    if !can_run("over_several_queues_the_same_packets_are_written") {
        return;
    }
    // Two queues are served by two CPUs, which may be busy elsewhere: bursts have to fit the ring of a veth.
    let slow = SpanOptions {
        megabits: 100,
        ..SpanOptions::default()
    };
    let captured = capture(Setting::default(), slow, |_| {});
    assert_nothing_lost(&captured.summary);
    assert_eq!(
        captured.missed, 0,
        "the mirror or tcpdump lost packets; there is nothing to compare with"
    );
    assert_eq!(captured.summary["interfaces"][0]["queues"], 2);
    let sorted = |mut directions: std::collections::BTreeMap<super::packets::Ends, Vec<super::packets::Packet>>| {
        directions.values_mut().for_each(|packets| packets.sort());
        directions
    };
    let (live, file) = (
        sorted(by_direction(&captured.live)),
        sorted(offline(&captured, "legacy")),
    );
    for (ends, packets) in &live {
        assert_eq!(difference(packets, &file[ends]), None, "{ends:?}");
    }
    assert_eq!(live.len(), file.len());
}

macro_rules! equality {
    ($($name:ident: $xdp_mode:literal, $mode:literal, $layout:literal, $vlan:literal;)*) => {$(
        #[test]
        fn $name() {
            let setting = Setting { xdp_mode: $xdp_mode, mode: $mode, layout: $layout, ..Setting::default() };
            equal_to_the_file(stringify!($name), setting, $vlan);
        }
    )*};
}

equality! {
    native_legacy_writes_what_trim_file_makes_of_a_tcpdump: "native", "legacy", "inline", false;
    native_scanning_writes_what_trim_file_makes_of_a_tcpdump: "native", "scanning", "inline", false;
    native_legacy_on_threads_in_a_vlan_writes_the_same: "native", "legacy", "threads", true;
    native_scanning_on_threads_in_a_vlan_writes_the_same: "native", "scanning", "threads", true;
    generic_legacy_writes_the_same: "generic", "legacy", "inline", false;
    generic_scanning_writes_the_same: "generic", "scanning", "inline", false;
    generic_legacy_in_a_vlan_writes_the_same: "generic", "legacy", "inline", true;
    generic_scanning_in_a_vlan_writes_the_same: "generic", "scanning", "inline", true;
}
