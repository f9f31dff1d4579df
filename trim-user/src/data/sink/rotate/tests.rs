//! A rotating sink on a volume that fills up and gets space back at any moment.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::super::chunk::Medium;
use super::*;
use crate::data::capture::file::{CaptureReader, Event};
use crate::data::{Compression, Format, Interface};
use crate::packet::LinkType;

/// A folder with a limited number of free bytes.
#[derive(Clone)]
struct SmallDisk {
    free: Arc<AtomicU64>,
}

struct SmallFile {
    file: File,
    length: u64,
    free: Arc<AtomicU64>,
}

impl Volume for SmallDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Medium>> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Box::new(SmallFile {
            file,
            length: 0,
            free: Arc::clone(&self.free),
        }))
    }
}

impl Medium for SmallFile {
    /// Like the kernel: writes what fits, then says that the rest does not. Bytes that were there before always fit.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let free = self.free.load(Ordering::Relaxed);
        let fitting = bytes.len().min((self.length - offset + free) as usize);
        self.file.write_all_at(&bytes[..fitting], offset)?;
        let length = self.length.max(offset + fitting as u64);
        self.free.store(free - (length - self.length), Ordering::Relaxed);
        self.length = length;
        if fitting < bytes.len() {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.free.fetch_add(self.length - length, Ordering::Relaxed);
        self.length = length;
        Medium::truncate(&mut self.file, length)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Debug)]
enum Step {
    Packets(u8),
    Interface,
    Flush,
    Rotate,
    Free(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => any::<u8>().prop_map(Step::Packets),
        1 => Just(Step::Interface),
        3 => Just(Step::Flush),
        1 => Just(Step::Rotate),
        2 => (0_u64..20_000).prop_map(Step::Free),
    ];
    prop::collection::vec(step, 1..60)
}

fn options(directory: &Path, format: Format, compression: Compression) -> RotationOptions {
    RotationOptions {
        directory: directory.to_owned(),
        prefix: "trim".into(),
        format: OutputFormat { format, compression },
        max_bytes: None,
        max_age: None,
        max_packets: None,
        quota: None,
        sync: false,
    }
}

/// The times of all packets in the folder's files, in the order of the files' names. Every file must be whole.
fn times(directory: &Path) -> Vec<u64> {
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut times = Vec::new();
    for path in paths {
        assert!(path.extension().unwrap() != "part", "{} is unfinished", path.display());
        let mut reader = CaptureReader::open(&path).unwrap();
        let mut interfaces = Vec::new();
        while let Some(event) = reader.next_event().unwrap() {
            match event {
                Event::Interface { interface, .. } => interfaces.push(interface.clone()),
                Event::Statistics { .. } => {}
                Event::Packet(record) => {
                    let name = interfaces[record.interface as usize].name.as_deref();
                    assert!(name.is_none_or(|name| name == record.original_length.to_string()));
                    assert_eq!(record.data.len() as u64, record.time_ns % 100);
                    times.push(record.time_ns);
                }
            }
        }
    }
    times
}

/// An interface whose name is its number; its packets carry the number as their original length.
fn named(number: u32) -> Interface {
    Interface {
        name: Some(number.to_string().into()),
        ..Interface::new(LinkType::ETHERNET)
    }
}

fn run(sink: &mut RotatingSink, free: &AtomicU64, steps: &[Step]) {
    let mut interfaces = 1;
    let mut time_ns = 0;
    sink.interface(&named(0)).unwrap();
    for step in steps {
        match step {
            Step::Packets(count) => {
                for _ in 0..*count {
                    time_ns += 1;
                    let data = vec![0x5a; (time_ns % 100) as usize];
                    let interface = time_ns as u32 % interfaces;
                    sink.record(&Record {
                        interface,
                        time_ns,
                        original_length: interface,
                        data: &data,
                    })
                    .unwrap();
                }
            }
            Step::Interface => {
                sink.interface(&named(interfaces)).unwrap();
                interfaces += 1;
            }
            Step::Flush => sink.flush().unwrap(),
            Step::Rotate => sink.rotate().unwrap(),
            Step::Free(bytes) => free.store(*bytes, Ordering::Relaxed),
        }
    }
}

fn check(format: Format, compression: Compression, free: u64, steps: &[Step]) {
    let folder = tempfile::tempdir().unwrap();
    let free = Arc::new(AtomicU64::new(free));
    let disk = SmallDisk {
        free: Arc::clone(&free),
    };
    let mut sink = RotatingSink::on_volume(options(folder.path(), format, compression), Box::new(disk)).unwrap();
    run(&mut sink, &free, steps);
    let counters = sink.finish().unwrap().counters;
    let times = times(folder.path());
    assert_eq!(counters.buffered(), 0);
    assert_eq!(counters.stored, times.len() as u64, "{counters:?}");
    assert!(
        times.is_sorted_by(|a, b| a < b),
        "packets out of order or twice: {times:?}"
    );
    assert_eq!(counters.failed == 0, times.len() as u64 == counters.offered);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn however_the_disk_fills_up_every_file_is_whole_and_the_count_exact(free in 0_u64..20_000, steps in steps()) {
        check(Format::Pcapng, Compression::None, free, &steps);
        check(Format::Pcap, Compression::None, free, &steps);
        check(Format::Pcapng, Compression::Zstd, free / 8, &steps);
        check(Format::Pcapng, Compression::Gzip, free / 8, &steps);
    }
}

#[test]
fn a_full_disk_is_one_failure_and_the_packets_of_the_buffer_outlive_it() {
    let folder = tempfile::tempdir().unwrap();
    let free = Arc::new(AtomicU64::new(2000));
    let disk = SmallDisk {
        free: Arc::clone(&free),
    };
    let options = options(folder.path(), Format::Pcapng, Compression::None);
    let mut sink = RotatingSink::on_volume(options, Box::new(disk)).unwrap();
    run(
        &mut sink,
        &free,
        &[
            Step::Packets(10),
            Step::Flush,
            Step::Packets(200),
            Step::Flush,
            Step::Flush,
        ],
    );
    let counters = sink.counters();
    assert!(counters.failing);
    assert_eq!(
        (counters.failures, counters.stored, counters.failed, counters.buffered()),
        (1, 10, 0, 200)
    );
    free.store(1 << 20, Ordering::Relaxed);
    sink.flush().unwrap();
    let summary = sink.finish().unwrap();
    assert!(!summary.counters.failing);
    assert_eq!(
        (summary.counters.stored, summary.counters.failed, summary.counters.files),
        (210, 0, 2)
    );
    assert_eq!(times(folder.path()).len(), 210);
}

#[test]
fn while_the_disk_is_full_only_what_does_not_fit_into_the_buffer_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let free = Arc::new(AtomicU64::new(0));
    let disk = SmallDisk {
        free: Arc::clone(&free),
    };
    let options = options(folder.path(), Format::Pcapng, Compression::None);
    let mut sink = RotatingSink::on_volume(options, Box::new(disk)).unwrap();
    let many: Vec<_> = std::iter::repeat_n(Step::Packets(250), 100).collect();
    run(&mut sink, &free, &many);
    let full = sink.counters();
    assert!(full.failing && full.failed > 0 && full.buffered() > 1000, "{full:?}");
    free.store(1 << 30, Ordering::Relaxed);
    let counters = sink.finish().unwrap().counters;
    assert_eq!((counters.stored, counters.failed), (full.buffered(), full.failed));
    assert_eq!(times(folder.path()).len() as u64, counters.stored);
}
