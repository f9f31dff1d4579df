//! The reader of capture files, on files that are anything.

use std::io::{self, Read};

use trim_user::data::capture::file::{CaptureReader, Event, Fault, MAX_PACKET, ReadError};
use trim_user::data::{Compression, Interface, InterfaceStatistics};

/// A compressed file of a few bytes may hold any amount; so much of it is read, bytes.
const MOST_DECOMPRESSED: u64 = 8 << 20;

/// An event that owns its bytes.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Interface(u32, Interface),
    Statistics(u32, InterfaceStatistics),
    Packet {
        interface: u32,
        time_ns: u64,
        original_length: u32,
        data: Vec<u8>,
    },
}

/// How reading ended.
#[derive(Clone, Debug, PartialEq)]
enum End {
    Clean,
    Damaged { offset: u64, fault: Fault },
    Input,
    NoCapture,
    Enough,
}

/// All that came of reading a file.
#[derive(Debug, PartialEq)]
struct Transcript {
    compression: Compression,
    events: Vec<Seen>,
    /// Offset in the (decompressed) file behind each event.
    ends: Vec<u64>,
    end: End,
}

/// Gives out a file in pieces of at most this many bytes.
struct Pieces {
    bytes: io::Cursor<Vec<u8>>,
    most: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(self.most);
        self.bytes.read(&mut buffer[..room])
    }
}

fn read(file: &[u8], most: usize) -> Transcript {
    let mut transcript = Transcript {
        compression: Compression::None,
        events: Vec::new(),
        ends: Vec::new(),
        end: End::NoCapture,
    };
    let pieces = Pieces {
        bytes: io::Cursor::new(file.to_vec()),
        most,
    };
    let Ok(mut reader) = CaptureReader::from_stream("input", pieces) else {
        return transcript;
    };
    transcript.compression = reader.compression();
    transcript.end = loop {
        let before = reader.position();
        let seen = match reader.next_event() {
            Ok(Some(event)) => own(event),
            Ok(None) => break End::Clean,
            Err(error) => break end_of(&error),
        };
        let after = reader.position();
        assert!(
            after.offset > before.offset,
            "an event takes at least one byte of the file"
        );
        assert!(after.consumed <= file.len() as u64, "more was read than there is");
        transcript.events.push(seen);
        transcript.ends.push(after.offset);
        if after.offset > MOST_DECOMPRESSED {
            break End::Enough;
        }
    };
    let is_over = transcript.end != End::Enough;
    assert!(
        !is_over || matches!(reader.next_event(), Ok(None)),
        "nothing comes behind the end"
    );
    transcript
}

fn own(event: Event<'_>) -> Seen {
    match event {
        Event::Interface { index, interface } => Seen::Interface(index, interface.clone()),
        Event::Statistics { interface, statistics } => Seen::Statistics(interface, statistics),
        Event::Packet(record) => Seen::Packet {
            interface: record.interface,
            time_ns: record.time_ns,
            original_length: record.original_length,
            data: record.data.to_vec(),
        },
    }
}

fn end_of(error: &ReadError) -> End {
    assert!(!error.to_string().is_empty(), "an error says something");
    match error {
        ReadError::Damaged { place, fault } => End::Damaged {
            offset: place.offset,
            fault: fault.clone(),
        },
        _ => End::Input,
    }
}

/// Target: the first byte chooses how the rest, a capture file, is given to the reader.
pub fn run(data: &[u8]) {
    let Some((&choice, file)) = data.split_first() else {
        return;
    };
    let whole = read(file, usize::MAX);
    let pieces = read(file, 1 + usize::from(choice) % 61);
    assert_eq!(whole, pieces, "a file means the same in whatever pieces it comes");
    interfaces_come_before_their_packets(&whole);
    if whole.compression == Compression::None {
        everything_before_a_cut_comes_out(file, &whole, choice);
        equals_the_plain_reading(file, &whole);
    }
}

fn interfaces_come_before_their_packets(transcript: &Transcript) {
    let mut known = 0;
    for seen in &transcript.events {
        match seen {
            Seen::Interface(index, _) => {
                assert_eq!(*index, known, "interfaces are numbered without gaps");
                known += 1;
            }
            Seen::Statistics(interface, _) => assert!(*interface < known, "counts of an unknown interface"),
            Seen::Packet { interface, data, .. } => {
                assert!(*interface < known, "a packet of an unknown interface");
                assert!(data.len() <= MAX_PACKET as usize, "a packet beyond the limit");
            }
        }
    }
}

/// A file that ends where the damage begins, or behind any event, reads the same up to there, and without an error.
fn everything_before_a_cut_comes_out(file: &[u8], whole: &Transcript, choice: u8) {
    let (count, cut) = match (&whole.end, whole.ends.len()) {
        (End::Damaged { offset, .. }, count) if *offset >= 4 => (count, *offset),
        (_, 0) => return,
        (_, count) => {
            let index = usize::from(choice) % count;
            (index + 1, whole.ends[index])
        }
    };
    let cut = usize::try_from(cut).expect("an offset within the file");
    assert!(cut <= file.len(), "offsets count bytes of the file");
    let short = read(&file[..cut], usize::MAX);
    assert_eq!(short.end, End::Clean, "a file that ends between two records is whole");
    assert_eq!(
        short.events,
        whole.events[..count],
        "everything before the cut comes out"
    );
}

/// Records of a pcap file of version 2.4, read by a loop that shares nothing with the reader: time, length on the wire
/// and bytes. `None` for anything else.
fn plain_records(file: &[u8]) -> Option<Vec<(u64, u32, &[u8])>> {
    let big = match file.get(..4)? {
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => true,
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => false,
        _ => return None,
    };
    let nanoseconds = file[..4].contains(&0x3c);
    let word = |at: usize| {
        let bytes = file.get(at..at + 4)?.try_into().ok()?;
        Some(if big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    };
    let version = word(4)?;
    let link_type = word(20)? & 0x03ff_ffff;
    if version != if big { 0x0002_0004 } else { 0x0004_0002 } || link_type > 0xffff {
        return None;
    }
    let (mut records, mut at) = (Vec::new(), 24);
    while let (Some(seconds), Some(fraction), Some(captured), Some(original)) =
        (word(at), word(at + 4), word(at + 8), word(at + 12))
    {
        let Some(bytes) = file
            .get(at + 16..at + 16 + captured as usize)
            .filter(|_| captured <= MAX_PACKET)
        else {
            break;
        };
        let unit = if nanoseconds { 1 } else { 1000 };
        records.push((
            u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * unit,
            original,
            bytes,
        ));
        at += 16 + captured as usize;
    }
    Some(records)
}

fn equals_the_plain_reading(file: &[u8], whole: &Transcript) {
    let Some(records) = plain_records(file) else {
        return;
    };
    let packets: Vec<_> = whole
        .events
        .iter()
        .filter_map(|seen| match seen {
            Seen::Packet {
                time_ns,
                original_length,
                data,
                ..
            } => Some((*time_ns, *original_length, &data[..])),
            _ => None,
        })
        .collect();
    assert_eq!(packets, records, "the packets are those of the file");
}
