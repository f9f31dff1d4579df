//! The laboratory on real namespaces: what the witness on the mirror sees is what client and server said.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use xtask::lab::{
    Client, Exchange, Folder, Link, Namespace, Nginx, Process, Site, Span, SpanOptions, Tcpdump, require_root, skip,
    wait_until,
};
use xtask::toolchain::{Tool, ensure_tools};

/// Reads the captured packets of a little-endian pcap file with whole packets; a witness needs no more.
fn packets(file: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &file[24..];
    let mut packets = Vec::new();
    while rest.len() >= 16 {
        let length = u32::from_le_bytes(rest[8..12].try_into().expect("four bytes")) as usize;
        packets.push(rest[16..16 + length].to_vec());
        rest = &rest[16 + length..];
    }
    packets
}

fn contains(packet: &[u8], text: &str) -> bool {
    packet.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn the_mirror_shows_both_directions_of_every_link_as_on_the_wire() {
    if !require_root("the_mirror_shows_both_directions_of_every_link_as_on_the_wire") {
        return;
    }
    ensure_tools(Tool::LABORATORY).unwrap();
    let span = Span::new(SpanOptions::default()).unwrap();
    let folder = Folder::new("mirror").unwrap();
    let file = folder.path().join("mirror.pcap");
    let nginx = Nginx::start(
        &span.server,
        Site {
            download_bytes: 3 << 20,
        },
    )
    .unwrap();
    let tcpdump = Tcpdump::start(&span.server, Span::MIRROR, &file).unwrap();
    for link in Link::ALL {
        let client = Client::new(&span.client, link, 8080).unwrap();
        client.run_all(&Exchange::SMALL).unwrap();
        client
            .run(Exchange::Download {
                megabytes_per_second: 0,
            })
            .unwrap();
        client
            .run_parallel(4, &[Exchange::Page(1), Exchange::Post(10)])
            .unwrap();
    }
    let counts = tcpdump.stop().unwrap();
    drop(nginx);
    let packets = packets(&std::fs::read(&file).unwrap());
    assert_eq!(packets.len() as u64, counts.captured);
    assert_eq!(counts.dropped, 0);
    let longest = packets.iter().map(Vec::len).max().unwrap();
    assert!(
        longest <= 1518,
        "offloads are off: the longest frame has {longest} bytes"
    );
    let ether_type = |packet: &[u8]| u16::from_be_bytes([packet[12], packet[13]]);
    for (name, wanted) in [("IPv4", 0x0800), ("IPv6", 0x86dd)] {
        let of_link: Vec<_> = packets.iter().filter(|packet| ether_type(packet) == wanted).collect();
        assert!(
            of_link
                .iter()
                .any(|packet| contains(packet, "GET /pages/0.txt HTTP/1.1")),
            "{name} requests"
        );
        assert!(
            of_link.iter().any(|packet| contains(packet, "HTTP/1.1 204 No Content")),
            "{name} responses"
        );
        let is_chunked = |packet: &[u8]| contains(packet, "HTTP/1.1 200") && contains(packet, "chunked\r\n");
        assert!(of_link.iter().any(|packet| is_chunked(packet)), "{name} chunked");
        assert!(
            of_link.iter().any(|packet| contains(packet, "100 Continue")),
            "{name} interim responses"
        );
    }
    assert!(span.mirror_losses().is_ok());
}

#[test]
fn the_mirror_of_a_trunk_tags_every_frame() {
    if !require_root("the_mirror_of_a_trunk_tags_every_frame") {
        return;
    }
    ensure_tools(Tool::LABORATORY).unwrap();
    let span = match Span::new(SpanOptions {
        vlan: true,
        ..SpanOptions::default()
    }) {
        Ok(span) => span,
        Err(reason) => return skip("the_mirror_of_a_trunk_tags_every_frame", &format!("{reason:#}")),
    };
    let folder = Folder::new("trunk").unwrap();
    let file = folder.path().join("trunk.pcap");
    let _nginx = Nginx::start(&span.server, Site { download_bytes: 1024 }).unwrap();
    let tcpdump = Tcpdump::start(&span.server, Span::MIRROR, &file).unwrap();
    for link in Link::ALL {
        Client::new(&span.client, link, 80)
            .unwrap()
            .run(Exchange::Compressed)
            .unwrap();
    }
    tcpdump.stop().unwrap();
    let packets = packets(&std::fs::read(&file).unwrap());
    assert!(
        packets.iter().all(|packet| packet[12..16] == [0x81, 0x00, 0, 77]),
        "802.1Q, VLAN 77"
    );
    for inner in [[0x08, 0x00], [0x86, 0xdd]] {
        let requests = packets
            .iter()
            .filter(|packet| packet[16..18] == inner && contains(packet, "GET /large.txt"));
        assert_eq!(requests.count(), 1);
    }
}

#[test]
fn the_appliance_end_of_the_mirror_receives_the_packets() {
    if !require_root("the_appliance_end_of_the_mirror_receives_the_packets") {
        return;
    }
    ensure_tools(Tool::LABORATORY).unwrap();
    let span = Span::new(SpanOptions {
        queues: 4,
        ..SpanOptions::default()
    })
    .unwrap();
    let nginx = Nginx::start(&span.server, Site { download_bytes: 1024 }).unwrap();
    Client::new(&span.client, Link::Ipv4, 80)
        .unwrap()
        .run(Exchange::KeepAlive)
        .unwrap();
    drop(nginx);
    let received = || {
        let text = span
            .appliance
            .ip(&format!("-j -s link show {}", Span::INTERFACE))
            .unwrap();
        let links: serde_json::Value = serde_json::from_str(&text).unwrap();
        links[0]["stats64"]["rx"]["packets"].as_u64().unwrap()
    };
    assert!(
        wait_until(Duration::from_secs(5), || received() > 40),
        "{} packets received",
        received()
    );
}

/// Set in the process that is to be interrupted; names nothing but that.
const VICTIM: &str = "TRIM_LAB_VICTIM";

#[test]
fn an_interrupted_program_leaves_nothing_behind() {
    if !require_root("an_interrupted_program_leaves_nothing_behind") {
        return;
    }
    if std::env::var_os(VICTIM).is_some() {
        let namespace = Namespace::new("victim").unwrap();
        let folder = Folder::new("victim").unwrap();
        let _sleeper = Process::start({
            let mut command = namespace.command("sleep");
            command.arg("1000");
            command
        });
        println!("MADE {} {}", namespace.path().display(), folder.path().display());
        std::thread::sleep(Duration::from_secs(1000));
    }
    for signal in [Signal::INT, Signal::TERM] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "an_interrupted_program_leaves_nothing_behind", "--nocapture"])
            .env(VICTIM, "1");
        let mut victim = Process::start(command).unwrap();
        victim
            .wait_ready(Duration::from_secs(30), |stdout, _| stdout.contains("MADE "))
            .unwrap();
        let stdout = victim.stdout();
        let line = stdout.lines().find_map(|line| line.split_once("MADE ")).unwrap().1;
        let made: Vec<&Path> = line.split(' ').map(Path::new).collect();
        assert!(made.iter().all(|path| path.exists()), "{made:?}");
        assert_eq!(victim.stop(signal, Duration::from_secs(20)).unwrap().code(), Some(130));
        assert!(!made.iter().any(|path| path.exists()), "{made:?}");
    }
}
