//! Capture files: what is written is what is read, damage is found where it is, and other programs agree.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its files has failed")]

mod capture;

use std::io::Read;
use std::path::{Path, PathBuf};

use capture::{Packet, collect, sample};
use trim_user::data::capture::file::{CaptureReader, ReadError};
use trim_user::data::sink::{FileSink, OutputFormat, Sink};
use trim_user::data::{Compression, Format, Interface};
use trim_user::packet::LinkType;

const FORMATS: [Format; 2] = [Format::Pcap, Format::Pcapng];
const COMPRESSIONS: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

fn every_output() -> impl Iterator<Item = OutputFormat> {
    FORMATS.into_iter().flat_map(|format| {
        COMPRESSIONS
            .into_iter()
            .map(move |compression| OutputFormat { format, compression })
    })
}

/// Writes packets of the given interfaces to a file in `folder`.
fn write(folder: &Path, output: OutputFormat, interfaces: &[Interface], packets: &[Packet]) -> PathBuf {
    let path = folder.join(format!("sample.{}", output.extension()));
    let mut sink = FileSink::create(&path, &[], output).unwrap();
    for interface in interfaces {
        sink.interface(interface).unwrap();
    }
    for packet in packets {
        sink.record(&packet.record()).unwrap();
    }
    let summary = sink.finish().unwrap();
    assert_eq!(summary.last_file.as_deref(), Some(path.as_path()));
    assert_eq!(summary.counters.stored, packets.len() as u64);
    path
}

#[test]
fn every_format_and_compression_gives_back_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let packets = sample(3000);
    for output in every_output() {
        let path = write(folder.path(), output, &[Interface::new(LinkType::ETHERNET)], &packets);
        let read = collect(&path);
        assert!(read.error.is_none(), "{output:?}: {:?}", read.error);
        assert_eq!(read.packets, packets, "{output:?}");
    }
}

#[test]
fn the_corpus_is_read_and_its_copy_is_equal() {
    let Some(corpus) = capture::corpus() else { return };
    let folder = tempfile::tempdir().unwrap();
    for path in corpus {
        let read = collect(&path);
        assert!(read.error.is_none(), "{}: {:?}", path.display(), read.error);
        assert!(!read.packets.is_empty(), "{}", path.display());
        for output in every_output() {
            let copy = write(folder.path(), output, &read.interfaces, &read.packets);
            assert_eq!(collect(&copy).packets, read.packets, "{} as {output:?}", path.display());
        }
    }
}

/// Gives one byte at a time, as a slow pipe might.
struct Trickle(std::io::Cursor<Vec<u8>>);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let one = buffer.len().min(1);
        self.0.read(&mut buffer[..one])
    }
}

#[test]
fn a_stream_may_come_in_any_pieces_and_position_says_how_far_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let packets = sample(200);
    for output in every_output() {
        let path = write(folder.path(), output, &[Interface::new(LinkType::ETHERNET)], &packets);
        let bytes = std::fs::read(&path).unwrap();
        let length = bytes.len() as u64;
        let trickle = CaptureReader::from_stream("pipe", Trickle(std::io::Cursor::new(bytes)));
        assert_eq!(capture::drain(trickle).packets, packets, "{output:?}");

        let mut reader = CaptureReader::open(&path).unwrap();
        assert_eq!(
            (reader.format(), reader.compression()),
            (output.format, output.compression)
        );
        assert_eq!(reader.total_bytes(), Some(length));
        while reader.next_event().unwrap().is_some() {}
        let end = reader.position();
        assert_eq!((end.packets, end.consumed), (200, length));
        assert!(end.offset >= packets.iter().map(|packet| packet.data.len() as u64).sum());
        assert!(reader.next_event().unwrap().is_none());
    }
}

/// Large enough to be read ahead, in blocks: the same packets, the same damage at the same place as from a stream.
#[test]
fn a_large_file_gives_what_a_stream_of_its_bytes_gives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.pcapng");
    let format = OutputFormat {
        format: Format::Pcapng,
        compression: Compression::None,
    };
    let written = write(
        folder.path(),
        format,
        &[Interface::new(LinkType::ETHERNET)],
        &sample(8000),
    );
    let bytes = std::fs::read(written).unwrap();
    assert!(bytes.len() > 4 << 20);
    let unreadable = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 2000].fill(0xff);
        bytes
    };
    let whole = bytes.len();
    for bytes in [
        bytes.clone(),
        bytes[..whole - 1].to_vec(),
        bytes[..3 << 20].to_vec(),
        unreadable(&bytes),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let (file, stream) = (collect(&path), capture::collect_bytes(&bytes));
        assert!(file.packets == stream.packets && !file.packets.is_empty());
        // Apart from its name.
        let words =
            |error: Option<ReadError>| error.map(|error| error.to_string().replace(&*path.to_string_lossy(), "memory"));
        assert_eq!(words(file.error), words(stream.error));
    }
}
