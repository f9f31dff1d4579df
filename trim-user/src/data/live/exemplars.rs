//! Exemplars of differences, from a worker whose `scanning` is told to be wrong to the files.

use std::path::Path;
use std::sync::Arc;

use super::lanes::{self, ExemplarOutlet, Extras};
use crate::config::Hold;
use crate::data::capture::file::{CaptureReader, Event};
use crate::data::chunk::Chunk;
use crate::data::exemplar::{ExemplarSettings, Quota, Saver};
use crate::data::record::Record;
use crate::packet::LinkType;
use crate::shared::{ExemplarBoard, FaultPlan, Faults, Lane};
use crate::trimmer::{Policy, Settings};

const REQUEST: &[u8] = b"GET /page HTTP/1.1\r\nHost: example\r\nCookie: id=hidden-value\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nprivate-body-1";

fn frame(port: u16, from_client: bool, sequence: u32, acknowledgment: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    let length = (40 + payload.len()) as u16;
    frame.extend([0x45, 0, (length >> 8) as u8, length as u8, 0, 0, 0x40, 0, 64, 6, 0, 0]);
    let ((source, destination), hosts) = if from_client {
        ((port, 80), [10, 0, 0, 1, 10, 0, 0, 2])
    } else {
        ((80, port), [10, 0, 0, 2, 10, 0, 0, 1])
    };
    frame.extend(hosts);
    frame.extend(source.to_be_bytes());
    frame.extend(destination.to_be_bytes());
    frame.extend(sequence.to_be_bytes());
    frame.extend(acknowledgment.to_be_bytes());
    frame.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    frame.extend(payload);
    frame
}

/// Exchanges on several connections, compared while `scanning` calls the headers of every segment body.
fn compare(settings: ExemplarSettings, connections: u16, board: &Arc<ExemplarBoard>) {
    let faults = Arc::new(Faults::default());
    faults.set(FaultPlan {
        wrong: 1.0,
        ..FaultPlan::default()
    });
    let (out, exemplars) = crossbeam_channel::bounded(64);
    let extras = Extras {
        shadowed: 0.0,
        faults: Some(faults),
        exemplars: Some(ExemplarOutlet {
            quota: Arc::new(Quota::new(settings.of_each_class)),
            out,
            board: Arc::clone(board),
        }),
    };
    let trimmer = Settings {
        redact_headers: vec!["cookie".into()],
        ..Settings::default()
    };
    let hold = Hold {
        bytes: 1 << 20,
        time: std::time::Duration::from_secs(1),
        time_overloaded: std::time::Duration::from_millis(2),
    };
    let mut worker = lanes::worker(&trimmer, &extras, Policy::default(), hold);
    let mut chunk = Chunk::default();
    for port in 1000..1000 + connections {
        let (mut client, mut server) = (1, 1);
        for _ in 0..3 {
            for (from_client, payload) in [(true, REQUEST), (false, ANSWER)] {
                let (from, other) = if from_client {
                    (&mut client, server)
                } else {
                    (&mut server, client)
                };
                let frame = frame(port, from_client, *from, other, payload);
                *from += payload.len() as u32;
                let record = Record {
                    interface: 0,
                    time_ns: 1,
                    original_length: frame.len() as u32,
                    data: &frame,
                };
                worker.packet(Lane::Comparison.index(), LinkType::ETHERNET, &record, &mut chunk);
            }
        }
    }
    worker.finish(&mut chunk);
    drop((worker, extras));
    Saver::new(settings, Arc::clone(board)).run(&exemplars);
}

fn packets(path: &Path) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let mut reader = CaptureReader::open(path).unwrap();
    while let Some(event) = reader.next_event().unwrap() {
        if let Event::Packet(record) = event {
            packets.push(record.data.to_vec());
        }
    }
    packets
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn contains(data: &[u8], text: &str) -> bool {
    memchr::memmem::find(data, text.as_bytes()).is_some()
}

#[test]
fn a_few_differences_are_saved_without_what_both_call_body() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("differences");
    let settings = ExemplarSettings {
        of_each_class: 2,
        directory: directory.clone(),
        bytes: 1 << 20,
    };
    let board = Arc::new(ExemplarBoard::default());
    compare(settings, 10, &board);
    let captures: Vec<_> = files(&directory)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "pcapng"))
        .collect();
    assert_eq!(board.saved.get(), captures.len() as u64);
    let text = std::fs::read_to_string(directory.join("differences.txt")).unwrap();
    assert_eq!(text.lines().count(), captures.len());
    let about = |class: &str| text.lines().filter(|line| line.contains(class)).count();
    assert_eq!(about(": header_lost: "), 2, "{text}");
    let mut ports = std::collections::BTreeSet::new();
    for path in &captures {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let packets = packets(path);
        assert_eq!(packets.len(), 6, "the whole flow");
        if path.to_string_lossy().contains("header_lost") {
            ports.insert(packets[0][34..36].to_vec());
        }
        assert!(packets.iter().any(|data| contains(data, "GET /page")));
        assert!(packets.iter().any(|data| contains(data, "Content-Length: 14")));
        for data in &packets {
            assert!(!contains(data, "private-body"), "a body is in {}", path.display());
            assert!(
                !contains(data, "hidden-value"),
                "a redacted value is in {}",
                path.display()
            );
        }
    }
    assert_eq!(ports.len(), 2, "each from another flow");
}

#[test]
fn what_cannot_be_saved_is_counted() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("a-file");
    std::fs::write(&file, "no folder").unwrap();
    let settings = ExemplarSettings {
        of_each_class: 1,
        directory: file.clone(),
        bytes: 1 << 20,
    };
    let board = Arc::new(ExemplarBoard::default());
    compare(settings, 2, &board);
    assert_eq!(board.saved.get(), 0);
    assert!(board.lost.get() >= 1);
    assert_eq!(std::fs::read_to_string(file).unwrap(), "no folder");
}

#[test]
fn the_folder_does_not_grow_beyond_its_bound() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("earlier.pcapng"), vec![0; 1000]).unwrap();
    let settings = ExemplarSettings {
        of_each_class: 100,
        directory: root.path().into(),
        bytes: 4000,
    };
    let board = Arc::new(ExemplarBoard::default());
    compare(settings, 30, &board);
    assert!(board.saved.get() >= 1 && board.lost.get() >= 1);
    let bytes: u64 = files(root.path())
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    // The frame of the file and its line in the text come on top of the packets.
    assert!(bytes < 4000 + 2000, "{bytes}");
}
