//! Wireshark's programs agree with what is written and with what is read.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its files has failed")]

mod capture;

use std::path::Path;
use std::process::Command;

use capture::builder::Builder;
use capture::{Packet, collect, collect_bytes, sample};
use trim_user::data::sink::{FileSink, OutputFormat, Sink};
use trim_user::data::{Compression, Format, Interface, InterfaceStatistics};
use trim_user::packet::LinkType;

/// Whether the program is installed; says so where it is not.
fn has(program: &str, test: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        xtask::lab::skip(test, &format!("{program} is not installed"));
    }
    found
}

/// Time in nanoseconds, captured length and length on the wire of each packet, and the names of their interfaces,
/// as tshark reads the file.
fn tshark(path: &Path) -> Vec<(u64, usize, u32, String)> {
    let output = Command::new("tshark")
        .args([
            "-n",
            "-T",
            "fields",
            "-e",
            "frame.time_epoch",
            "-e",
            "frame.cap_len",
            "-e",
            "frame.len",
        ])
        .args(["-e", "frame.interface_name", "-r"])
        .arg(path)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).replace("Running as user", "");
    assert!(output.status.success(), "{}: {errors}", path.display());
    assert!(
        !errors.contains("cut short") && !errors.contains("damaged"),
        "{}: {errors}",
        path.display()
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| {
            let fields: Vec<_> = line.split('\t').collect();
            let time = fields[0].replace('.', "").parse().unwrap();
            (
                time,
                fields[1].parse().unwrap(),
                fields[2].parse().unwrap(),
                fields.get(3).unwrap_or(&"").to_string(),
            )
        })
        .collect()
}

fn plain(packets: &[Packet]) -> Vec<(u64, usize, u32)> {
    packets
        .iter()
        .map(|packet| (packet.time_ns, packet.data.len(), packet.original_length))
        .collect()
}

#[test]
fn tshark_reads_every_format_and_compression_as_it_was_written() {
    if !has("tshark", "tshark_reads_every_format_and_compression_as_it_was_written") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // More than one chunk of 1 MiB, so that compressed files have several members.
    let packets = sample(4000);
    for format in [Format::Pcap, Format::Pcapng] {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let output = OutputFormat { format, compression };
            let path = folder.path().join(format!("sample.{}", output.extension()));
            let mut sink = FileSink::create(&path, &[], output).unwrap();
            let named = |name: &str| Interface {
                name: Some(name.into()),
                ..Interface::new(LinkType::ETHERNET)
            };
            sink.interface(&named("eth0")).unwrap();
            sink.interface(&named("eth1")).unwrap();
            for (number, packet) in packets.iter().enumerate() {
                let record = trim_user::data::Record {
                    interface: number as u32 % 2,
                    ..packet.record()
                };
                sink.record(&record).unwrap();
            }
            sink.finish().unwrap();
            let seen = tshark(&path);
            let fields: Vec<_> = seen
                .iter()
                .map(|(time, captured, length, _)| (*time, *captured, *length))
                .collect();
            assert_eq!(fields, plain(&packets), "{output:?}");
            if format == Format::Pcapng {
                assert!(
                    seen.iter()
                        .enumerate()
                        .all(|(number, packet)| packet.3 == format!("eth{}", number % 2))
                );
            }
        }
    }
}

#[test]
fn tshark_and_the_reader_agree_on_the_corpus_and_on_mixed_sections() {
    if !has(
        "tshark",
        "tshark_and_the_reader_agree_on_the_corpus_and_on_mixed_sections",
    ) {
        return;
    }
    for path in capture::corpus().unwrap_or_default() {
        let seen: Vec<_> = tshark(&path)
            .into_iter()
            .map(|(time, captured, length, _)| (time, captured, length))
            .collect();
        assert_eq!(seen, plain(&collect(&path).packets), "{}", path.display());
    }
    let mut file = Builder::new(false).section(true);
    let options = [file.option(9, &[0x80 | 20]), file.option_u64(14, 1_600_000_000)];
    file = file
        .interface(1, 0, &options)
        .packet(0, 1 << 19, 60, &[0x5a; 60])
        .section(false)
        .interface(1, 0, &[]);
    file = file.packet(0, 1_700_000_000_123_456, 90, &[0x5a; 61]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed.pcapng");
    std::fs::write(&path, &file.bytes).unwrap();
    let seen: Vec<_> = tshark(&path)
        .into_iter()
        .map(|(time, captured, length, _)| (time, captured, length))
        .collect();
    assert_eq!(seen, plain(&collect_bytes(&file.bytes).packets));
}

#[test]
fn capinfos_shows_the_program_the_interface_and_its_counts() {
    if !has("capinfos", "capinfos_shows_the_program_the_interface_and_its_counts") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.pcapng");
    let output = OutputFormat {
        format: Format::Pcapng,
        compression: Compression::None,
    };
    let mut sink = FileSink::create(&path, &[], output).unwrap();
    let interface = Interface {
        name: Some("eth7".into()),
        description: Some("mirror of the web servers".into()),
        filter: Some("tcp port 80".into()),
        speed: Some(25_000_000_000),
        snaplen: 9000,
        ..Interface::new(LinkType::ETHERNET)
    };
    sink.interface(&interface).unwrap();
    for packet in sample(10) {
        sink.record(&packet.record()).unwrap();
    }
    sink.statistics(
        0,
        &InterfaceStatistics {
            received: Some(12),
            dropped: Some(2),
            ..Default::default()
        },
    );
    sink.finish().unwrap();
    let output = Command::new("capinfos").arg(&path).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let version = concat!("trim ", env!("CARGO_PKG_VERSION"));
    for expected in [
        version,
        "Number of packets:   10",
        "Name = eth7",
        "Description = mirror of the web servers",
        "Filter string = tcp port 80",
        "Speed = 25000000000",
        "Capture length = 9000",
        "Time precision = nanoseconds",
        "Number of stat entries = 1",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing in\n{text}");
    }
}
