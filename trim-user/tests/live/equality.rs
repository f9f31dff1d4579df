//! What a live capture writes is what `trim file` makes of a tcpdump of the same traffic.

use std::path::{Path, PathBuf};

use serde_json::Value;
use xtask::lab::{Client, Exchange, Folder, Link, Nginx, Site, Span, SpanOptions, Tcpdump};

use trim_user::kernel::affinity::pin_current_thread;

use super::appliance::{Appliance, Setting, assert_nothing_lost, can_run, trim_file};
use super::packets::{arrivals, by_direction, difference};

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
    folder: Folder,
    _appliance: Appliance,
}

/// How often the traffic is made again, over a slower link each time, where the two saw different things.
const ATTEMPTS: u32 = 6;

/// Captures every kind of exchange over IPv4 and IPv6; `meanwhile` runs while the traffic flows.
///
/// Both must have seen the same packets in the same order, or there is nothing to compare with: then the traffic is made
/// again. On a machine that is busy elsewhere the mirror may lose packets, because the ring of a veth holds 256, and what
/// a timer of the kernel sends from another CPU may pass tcpdump before and XDP behind its neighbour.
///
/// # Panics
/// When the two saw different things each time, or the appliance lost or reordered packets any time.
pub(crate) fn capture(setting: Setting, options: SpanOptions, meanwhile: impl Fn(&Appliance) + Sync) -> Captured {
    for attempt in 0..ATTEMPTS {
        let slower = SpanOptions {
            megabits: options.megabits >> attempt,
            ..options
        };
        let (captured, missed) = capture_once(setting, slower, &meanwhile);
        assert_nothing_lost(&captured.summary);
        match obstacle(&captured, missed, options.queues) {
            None => return captured,
            Some(obstacle) => eprintln!("at {} Mbit/s {obstacle}", slower.megabits),
        }
    }
    panic!("tcpdump and the appliance saw different things {ATTEMPTS} times");
}

/// Why what tcpdump saw cannot be compared with what XDP saw.
fn obstacle(captured: &Captured, missed: u64, queues: u32) -> Option<String> {
    if missed > 0 {
        return Some(format!("the mirror or tcpdump lost {missed} packets"));
    }
    // Several queues promise no order.
    if queues > 1 {
        return None;
    }
    let (live, mut plain) = (arrivals(&captured.live), arrivals(&captured.plain));
    let moved = live.iter().find(|(ends, headers)| plain.get(ends) != Some(headers));
    let (ends, headers) = moved?;
    let (mut headers, mut seen) = (headers.clone(), plain.remove(ends).unwrap_or_default());
    headers.sort();
    seen.sort();
    assert_eq!(headers, seen, "{ends:?}: not the packets that tcpdump saw");
    Some(format!("the packets of {ends:?} passed in another order"))
}

/// The capture, and how many packets only one of the two can have seen: the mirror or tcpdump lost them.
///
/// Server and clients run on one CPU: what two CPUs send at once may pass tcpdump in another order than XDP.
fn capture_once(setting: Setting, options: SpanOptions, meanwhile: &(impl Fn(&Appliance) + Sync)) -> (Captured, u64) {
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
    let captured = Captured {
        summary,
        live,
        plain,
        folder,
        _appliance: appliance,
    };
    (captured, counts.dropped + span.mirror_losses().unwrap())
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
