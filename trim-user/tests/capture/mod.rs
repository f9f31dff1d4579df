//! Packets in memory, and whole captures read into it, for the tests of readers and sinks.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its files has failed")]
#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod builder;

use std::path::{Path, PathBuf};

use trim_user::data::capture::file::{CaptureReader, Event, Notices, ReadError};
use trim_user::data::{Interface, InterfaceStatistics, Record};

/// A packet that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) interface: u32,
    pub(crate) time_ns: u64,
    pub(crate) original_length: u32,
    pub(crate) data: Vec<u8>,
}

impl Packet {
    pub(crate) fn record(&self) -> Record<'_> {
        Record {
            interface: self.interface,
            time_ns: self.time_ns,
            original_length: self.original_length,
            data: &self.data,
        }
    }
}

impl From<Record<'_>> for Packet {
    fn from(record: Record<'_>) -> Self {
        Self {
            interface: record.interface,
            time_ns: record.time_ns,
            original_length: record.original_length,
            data: record.data.to_vec(),
        }
    }
}

/// Everything a capture gave before its end or its damage.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) packets: Vec<Packet>,
    pub(crate) statistics: Vec<(u32, InterfaceStatistics)>,
    pub(crate) notices: Notices,
    pub(crate) error: Option<ReadError>,
}

/// Reads a file.
pub(crate) fn collect(path: &Path) -> Collected {
    drain(CaptureReader::open(path))
}

/// Reads a capture in memory.
pub(crate) fn collect_bytes(bytes: &[u8]) -> Collected {
    drain(CaptureReader::from_stream(
        "memory",
        std::io::Cursor::new(bytes.to_vec()),
    ))
}

/// Reads everything that a reader gives.
pub(crate) fn drain(reader: Result<CaptureReader, ReadError>) -> Collected {
    let mut collected = Collected::default();
    let mut reader = match reader {
        Ok(reader) => reader,
        Err(error) => {
            return Collected {
                error: Some(error),
                ..collected
            };
        }
    };
    loop {
        match reader.next_event() {
            Ok(Some(Event::Interface { index, interface })) => {
                assert_eq!(index as usize, collected.interfaces.len());
                collected.interfaces.push(interface.clone());
            }
            Ok(Some(Event::Statistics { interface, statistics })) => collected.statistics.push((interface, statistics)),
            Ok(Some(Event::Packet(record))) => collected.packets.push(record.into()),
            Ok(None) => break,
            Err(error) => {
                assert!(
                    collected.error.is_none(),
                    "a second error after {:?}: {error}",
                    collected.error
                );
                collected.error = Some(error);
            }
        }
    }
    collected.notices = reader.notices();
    collected
}

/// `count` packets of changing sizes, times and contents.
pub(crate) fn sample(count: u64) -> Vec<Packet> {
    (0..count)
        .map(|number| {
            let length = (number * 37 % 1500) as usize;
            Packet {
                interface: 0,
                time_ns: 1_700_000_000_000_000_000 + number * 1_234_567,
                original_length: length as u32 + (number % 3) as u32 * 100,
                data: (0..length).map(|at| (at as u64 * (number + 1)) as u8).collect(),
            }
        })
        .collect()
}

/// The captures of the test corpus; `None`, with a line that says so, where there is no corpus.
pub(crate) fn corpus() -> Option<Vec<PathBuf>> {
    let folder = std::env::var_os("TRIM_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"),
        PathBuf::from,
    );
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!(
            "skipped: no corpus of captures in {} (set TRIM_CORPUS)",
            folder.display()
        );
        return None;
    };
    let mut captures: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "pcap" || end == "pcapng"))
        .collect();
    captures.sort();
    assert!(!captures.is_empty(), "no captures in {}", folder.display());
    Some(captures)
}
