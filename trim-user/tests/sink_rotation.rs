//! Rotation: limits, names, quota, and what dead processes leave behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its files has failed")]

mod capture;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use capture::{Packet, collect, sample};
use trim_user::data::sink::{OutputFormat, RotatingSink, RotationOptions, Sink, SinkError};
use trim_user::data::{Compression, Format, Interface, InterfaceStatistics};
use trim_user::packet::LinkType;

fn options(directory: &Path) -> RotationOptions {
    RotationOptions {
        directory: directory.to_owned(),
        prefix: "trim".into(),
        format: OutputFormat {
            format: Format::Pcapng,
            compression: Compression::None,
        },
        max_bytes: None,
        max_age: None,
        max_packets: None,
        quota: None,
        sync: true,
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

fn write_all(sink: &mut RotatingSink, packets: &[Packet]) {
    for packet in packets {
        sink.record(&packet.record()).unwrap();
    }
}

/// Packets of all files in the order of their names; each file describes the interfaces and ends whole.
fn packets(folder: &Path) -> Vec<Packet> {
    let mut packets = Vec::new();
    for path in files(folder) {
        let read = collect(&path);
        assert!(read.error.is_none(), "{}: {:?}", path.display(), read.error);
        assert_eq!(read.interfaces.len(), 1);
        packets.extend(read.packets);
    }
    packets
}

#[test]
fn a_file_is_full_by_bytes_and_never_larger() {
    for (format, compression) in [(Format::Pcapng, Compression::None), (Format::Pcap, Compression::None)] {
        for flush_every in [7, 100_000] {
            let folder = tempfile::tempdir().unwrap();
            let format = OutputFormat { format, compression };
            let mut sink = RotatingSink::create(RotationOptions {
                max_bytes: Some(100_000),
                format,
                ..options(folder.path())
            })
            .unwrap();
            sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
            sink.statistics(
                0,
                &InterfaceStatistics {
                    received: Some(1),
                    ..Default::default()
                },
            );
            for (number, packet) in sample(2000).iter().enumerate() {
                sink.record(&packet.record()).unwrap();
                if number % flush_every == 0 {
                    sink.flush().unwrap();
                }
            }
            let counters = sink.finish().unwrap().counters;
            let sizes: Vec<_> = files(folder.path())
                .iter()
                .map(|path| fs::metadata(path).unwrap().len())
                .collect();
            let (last, full) = sizes.split_last().unwrap();
            assert!(full.iter().all(|size| (97_000..=100_000).contains(size)), "{sizes:?}");
            assert!(*last <= 100_000);
            assert_eq!(counters.file_bytes, sizes.iter().sum::<u64>());
            assert_eq!(counters.files, sizes.len() as u64);
            assert_eq!(packets(folder.path()), sample(2000));
        }
    }
}

#[test]
fn a_compressed_file_is_full_by_its_compressed_size() {
    let folder = tempfile::tempdir().unwrap();
    let format = OutputFormat {
        format: Format::Pcapng,
        compression: Compression::Zstd,
    };
    let options = RotationOptions {
        max_bytes: Some(10_000),
        format,
        ..options(folder.path())
    };
    let mut sink = RotatingSink::create(options).unwrap();
    sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
    for packet in sample(1000) {
        sink.record(&packet.record()).unwrap();
        sink.flush().unwrap();
    }
    sink.finish().unwrap();
    assert!(files(folder.path()).len() > 3);
    assert_eq!(packets(folder.path()), sample(1000));
}

#[test]
fn a_file_is_full_by_packets() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = RotatingSink::create(RotationOptions {
        max_packets: Some(30),
        ..options(folder.path())
    })
    .unwrap();
    sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
    write_all(&mut sink, &sample(95));
    sink.finish().unwrap();
    let counts: Vec<_> = files(folder.path())
        .iter()
        .map(|path| collect(path).packets.len())
        .collect();
    assert_eq!(counts, [30, 30, 30, 5]);
    assert_eq!(packets(folder.path()), sample(95));
}

#[test]
fn a_file_with_packets_is_finished_by_age_and_on_demand_and_an_empty_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let max_age = Some(Duration::from_nanos(1));
    let mut sink = RotatingSink::create(RotationOptions {
        max_age,
        ..options(folder.path())
    })
    .unwrap();
    sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
    for _ in 0..3 {
        sink.flush().unwrap();
        sink.rotate().unwrap();
    }
    assert_eq!(files(folder.path()).len(), 1);
    write_all(&mut sink, &sample(3)[..1]);
    sink.flush().unwrap();
    assert!(
        sink.current_file().is_none(),
        "the old file was finished and no packet came since"
    );
    write_all(&mut sink, &sample(3)[1..2]);
    sink.rotate().unwrap();
    write_all(&mut sink, &sample(3)[2..]);
    let summary = sink.finish().unwrap();
    assert_eq!(summary.counters.files, 3);
    assert_eq!(summary.last_file.as_ref(), files(folder.path()).last());
    assert_eq!(packets(folder.path()), sample(3));
}

#[test]
fn a_capture_without_packets_leaves_one_whole_file_with_its_counts() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = RotatingSink::create(options(folder.path())).unwrap();
    sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
    sink.statistics(
        0,
        &InterfaceStatistics {
            received: Some(0),
            ..Default::default()
        },
    );
    sink.finish().unwrap();
    let [file] = &files(folder.path())[..] else {
        panic!("{:?}", files(folder.path()))
    };
    let read = collect(file);
    assert!(read.error.is_none() && read.packets.is_empty());
    assert_eq!(read.statistics[0].1.received, Some(0));
    assert!(matches!(sink.flush(), Err(SinkError::Closed)));
}

#[test]
fn what_is_flushed_can_be_read_while_the_file_is_being_written() {
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let folder = tempfile::tempdir().unwrap();
        let format = OutputFormat {
            format: Format::Pcapng,
            compression,
        };
        let mut sink = RotatingSink::create(RotationOptions {
            format,
            ..options(folder.path())
        })
        .unwrap();
        sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
        sink.flush().unwrap();
        let part = sink.current_file().unwrap().to_owned();
        assert_eq!(part.extension().unwrap(), "part");
        assert!(collect(&part).error.is_none(), "readable from the first flush on");
        for count in [1, 10, 100] {
            write_all(&mut sink, &sample(count));
            sink.flush().unwrap();
            let read = collect(&part);
            assert!(read.error.is_none(), "{compression:?}: {:?}", read.error);
            assert!(read.packets.ends_with(&sample(count)));
        }
        assert_eq!(sink.counters().buffered(), 0);
    }
}

#[test]
fn finished_files_are_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let mut kept = Vec::new();
    // Within the same second, sinks that come one after the other want the same names.
    for round in 0..5_u8 {
        let mut sink = RotatingSink::create(options(folder.path())).unwrap();
        sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
        write_all(&mut sink, &sample(1));
        // Somebody takes the name while the file is being written.
        let name = sink.current_file().unwrap().with_extension("");
        fs::write(&name, [round]).unwrap();
        kept.push((name, round));
        sink.finish().unwrap();
    }
    assert_eq!(files(folder.path()).len(), 10);
    for (name, round) in kept {
        assert_eq!(fs::read(&name).unwrap(), [round], "{}", name.display());
    }
}

#[test]
fn the_quota_deletes_the_oldest_finished_files_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = [
        "other-20200101T000000Z-000001.pcapng",
        "trim-notes.txt",
        "trim-20200101T000000Z-000001.pcapng.bak",
    ];
    for name in foreign {
        fs::write(folder.path().join(name), [0; 5000]).unwrap();
    }
    let old = folder.path().join("trim-20200101T000000Z-000007.pcap.gz");
    fs::write(&old, [0; 50_000]).unwrap();
    let options = RotationOptions {
        max_packets: Some(10),
        quota: Some(40_000),
        ..options(folder.path())
    };
    let mut sink = RotatingSink::create(options).unwrap();
    sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
    write_all(&mut sink, &sample(200));
    let counters = sink.finish().unwrap().counters;
    assert!(!old.exists(), "a file of this prefix is ours whatever its format");
    let (foreign_left, ours): (Vec<_>, Vec<_>) = files(folder.path())
        .into_iter()
        .partition(|path| foreign.iter().any(|name| path.ends_with(name)));
    assert_eq!(foreign_left.len(), foreign.len());
    let total: u64 = ours.iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!((20_000..=40_000).contains(&total), "{total}");
    let left: Vec<_> = ours.iter().flat_map(|path| collect(path).packets).collect();
    assert_eq!(left, sample(200)[200 - left.len()..], "the newest files stay");
    assert_eq!(counters.files_deleted, 1 + 20 - ours.len() as u64);
}

#[test]
fn the_newest_file_stays_even_when_it_is_larger_than_the_quota() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = RotatingSink::create(RotationOptions {
        quota: Some(1),
        ..options(folder.path())
    })
    .unwrap();
    sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
    write_all(&mut sink, &sample(100));
    sink.finish().unwrap();
    assert_eq!(packets(folder.path()), sample(100));
}

#[test]
fn an_unfinished_file_of_a_dead_process_is_kept_under_a_name_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let name = |end: &str| folder.path().join(format!("trim-20200101T000000Z-00000{end}"));
    fs::write(name("1.pcapng.part"), "one").unwrap();
    fs::write(name("2.pcap.zst.part"), "two").unwrap();
    fs::write(name("3.pcapng.part"), "").unwrap();
    fs::write(name("1.recovered.pcapng"), "earlier").unwrap();
    fs::write(
        folder.path().join("other-20200101T000000Z-000001.pcapng.part"),
        "foreign",
    )
    .unwrap();
    let sink = RotatingSink::create(options(folder.path())).unwrap();
    let mut recovered = sink.recovered().to_vec();
    recovered.sort();
    assert_eq!(recovered.len(), 2);
    let content: Vec<_> = recovered.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert!(content.contains(&"one".to_owned()) && content.contains(&"two".to_owned()));
    assert_eq!(fs::read_to_string(name("1.recovered.pcapng")).unwrap(), "earlier");
    assert!(name("2.recovered.pcap.zst").exists() && !name("3.pcapng.part").exists());
    assert!(folder.path().join("other-20200101T000000Z-000001.pcapng.part").exists());
}

#[test]
fn the_unfinished_file_of_a_live_sink_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = RotatingSink::create(options(folder.path())).unwrap();
    let mut second = RotatingSink::create(options(folder.path())).unwrap();
    assert!(second.recovered().is_empty());
    for sink in [&mut first, &mut second] {
        sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
        write_all(sink, &sample(5));
    }
    first.finish().unwrap();
    second.finish().unwrap();
    assert_eq!(packets(folder.path()), [sample(5), sample(5)].concat());
}

#[test]
fn a_sink_that_goes_away_in_a_panic_finishes_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let panicked = std::thread::spawn(move || {
        let mut sink = RotatingSink::create(options(&path)).unwrap();
        sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
        write_all(&mut sink, &sample(5));
        panic!("as a worker might");
    });
    assert!(panicked.join().is_err());
    assert_eq!(packets(folder.path()), sample(5));
}
