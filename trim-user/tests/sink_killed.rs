//! A writer that is killed leaves files that can be read up to the last flush, and a full disk costs packets, not files.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its files has failed")]

mod capture;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use capture::{collect, sample};
use trim_user::data::sink::{OutputFormat, RotatingSink, RotationOptions, Sink};
use trim_user::data::{Compression, Format, Interface};
use trim_user::packet::LinkType;

/// Set for the process that is to be killed: its folder.
const VICTIM: &str = "TRIM_TEST_VICTIM";
/// Set for the process in a mount namespace of its own: the folder for the small disk.
const SMALL_DISK: &str = "TRIM_TEST_SMALL_DISK";

fn options(directory: &Path, compression: Compression) -> RotationOptions {
    RotationOptions {
        directory: directory.to_owned(),
        prefix: "trim".into(),
        format: OutputFormat {
            format: Format::Pcapng,
            compression,
        },
        max_bytes: None,
        max_age: None,
        max_packets: None,
        quota: None,
        sync: false,
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn compression(name: &str) -> Compression {
    match name {
        "none" => Compression::None,
        "gzip" => Compression::Gzip,
        _ => Compression::Zstd,
    }
}

/// Not a test of its own: what the other test kills.
#[test]
fn victim_that_writes_until_it_is_killed() {
    let Some(folder) = env::var_os(VICTIM) else { return };
    let compression = compression(&env::var("TRIM_TEST_COMPRESSION").unwrap());
    let mut sink = RotatingSink::create(options(Path::new(&folder), compression)).unwrap();
    sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
    let packets = sample(1000);
    for round in 1_u64.. {
        for packet in &packets {
            sink.record(&packet.record()).unwrap();
        }
        sink.flush().unwrap();
        println!("\nflushed {}", round * 1000);
    }
}

#[test]
fn a_killed_writer_leaves_every_flushed_packet_readable() {
    for name in ["none", "gzip", "zstd"] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "victim_that_writes_until_it_is_killed", "--nocapture"])
            .env(VICTIM, folder.path())
            .env("TRIM_TEST_COMPRESSION", name)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Kept until the child is dead: it must not find its output closed.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let flushed: Vec<u64> = lines
            .by_ref()
            .filter_map(|line| line.unwrap().strip_prefix("flushed ")?.parse().ok())
            .take(20)
            .collect();
        let other = RotatingSink::create(options(folder.path(), compression(name))).unwrap();
        assert!(
            other.recovered().is_empty(),
            "the file of a live process was taken away"
        );
        drop(other);
        child.kill().unwrap();
        child.wait().unwrap();
        drop(lines);
        let parts: Vec<_> = files(folder.path())
            .into_iter()
            .filter(|path| path.extension().unwrap() == "part")
            .collect();
        let [part] = &parts[..] else { panic!("{parts:?}") };
        let read = collect(part);
        assert!(
            read.packets.len() as u64 >= *flushed.last().unwrap(),
            "{name}: {:?}",
            read.error
        );
        let expected = sample(1000).into_iter().cycle();
        assert!(
            expected
                .zip(&read.packets)
                .all(|(expected, packet)| expected == *packet),
            "{name}"
        );
        let next = RotatingSink::create(options(folder.path(), compression(name))).unwrap();
        let [recovered] = next.recovered() else {
            panic!("{:?}", next.recovered())
        };
        assert_eq!(collect(recovered).packets, read.packets);
    }
}

/// Not a test of its own: runs in a mount namespace, on a disk of 1 MiB.
#[test]
fn inhabitant_of_a_small_disk() {
    let Some(folder) = env::var_os(SMALL_DISK).map(PathBuf::from) else {
        return;
    };
    let mut sink = RotatingSink::create(options(&folder, Compression::None)).unwrap();
    sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
    let filler = folder.join("filler");
    fs::write(&filler, vec![0; 600 << 10]).unwrap();
    let packets = sample(2000);
    for packet in &packets {
        sink.record(&packet.record()).unwrap();
    }
    sink.flush().unwrap();
    let full = sink.counters();
    assert!(full.failing && full.failures == 1 && full.failed > 0, "{full:?}");
    fs::remove_file(&filler).unwrap();
    sink.flush().unwrap();
    let summary = sink.finish().unwrap();
    assert!(!summary.counters.failing);
    assert_eq!((summary.counters.failures, summary.counters.failed), (1, full.failed));
    assert_eq!(summary.counters.stored + summary.counters.failed, 2000);
    let mut stored = Vec::new();
    for path in files(&folder) {
        let read = collect(&path);
        assert!(read.error.is_none(), "{}: {:?}", path.display(), read.error);
        stored.extend(read.packets);
    }
    assert_eq!(stored.len() as u64, summary.counters.stored);
    assert_eq!(
        stored,
        packets[..stored.len()],
        "the packets until the buffer was full are all there"
    );
    println!(
        "\nsmall disk: stored {} and counted {}",
        summary.counters.stored, summary.counters.failed
    );
}

#[test]
fn a_full_disk_costs_exactly_the_counted_packets() {
    if !xtask::lab::require_root("a_full_disk_costs_exactly_the_counted_packets") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The mount is gone with the namespace, however this ends.
    let script = "mount -t tmpfs -o size=1M small \"$TRIM_TEST_SMALL_DISK\" && exec \"$0\" --exact inhabitant_of_a_small_disk --nocapture";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script])
        .arg(env::current_exe().unwrap())
        .env(SMALL_DISK, folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.contains("small disk: stored"),
        "the test inside did not run: {text}"
    );
}
