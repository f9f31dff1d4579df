//! One output file: complete or absent, never the input, and never more than a pipe can take.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its files has failed")]

mod capture;

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use capture::{Packet, collect, sample};
use trim_user::data::capture::file::CaptureReader;
use trim_user::data::sink::{FileSink, NullSink, OutputFormat, Sink, SinkError};
use trim_user::data::{Compression, Format, Interface, InterfaceStatistics, Record, TimeResolution};
use trim_user::packet::LinkType;

const PCAPNG: OutputFormat = OutputFormat {
    format: Format::Pcapng,
    compression: Compression::None,
};
const PCAP: OutputFormat = OutputFormat {
    format: Format::Pcap,
    compression: Compression::None,
};

fn ethernet(resolution: TimeResolution) -> Interface {
    Interface {
        resolution,
        ..Interface::new(LinkType::ETHERNET)
    }
}

fn write_all(sink: &mut dyn Sink, packets: &[Packet]) {
    sink.interface(&Interface::new(LinkType::ETHERNET)).unwrap();
    for packet in packets {
        sink.record(&packet.record()).unwrap();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn an_output_that_is_not_finished_leaves_nothing_and_the_old_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcapng");
    fs::write(&path, "old").unwrap();
    let mut sink = FileSink::create(&path, &[], PCAPNG).unwrap();
    write_all(&mut sink, &sample(2000));
    sink.flush().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    drop(sink);
    assert_eq!(names(folder.path()), ["out.pcapng"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
}

#[test]
fn a_finished_output_replaces_the_old_one_and_follows_a_link_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("out.pcapng"), folder.path().join("link.pcapng"));
    fs::write(&path, "old").unwrap();
    symlink(&path, &link).unwrap();
    let mut sink = FileSink::create(&link, &[], PCAPNG).unwrap();
    write_all(&mut sink, &sample(10));
    sink.finish().unwrap();
    assert_eq!(names(folder.path()), ["link.pcapng", "out.pcapng"]);
    assert!(link.is_symlink());
    assert_eq!(collect(&path).packets, sample(10));
}

#[test]
fn the_input_is_never_the_output_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.pcap");
    let (link, hard) = (folder.path().join("link.pcap"), folder.path().join("hard.pcap"));
    fs::write(&input, "input").unwrap();
    symlink(&input, &link).unwrap();
    fs::hard_link(&input, &hard).unwrap();
    let roundabout = folder.path().join(".").join("in.pcap");
    for output in [&input, &link, &hard, &roundabout] {
        let inputs = [PathBuf::from("elsewhere.pcap"), input.clone()];
        let error = FileSink::create(output, &inputs, PCAPNG).err().unwrap();
        assert!(
            matches!(error, SinkError::OutputIsInput { .. }),
            "{}: {error}",
            output.display()
        );
    }
    assert_eq!(fs::read_to_string(&input).unwrap(), "input");
    assert_eq!(names(folder.path()).len(), 3);
}

#[test]
fn a_device_is_written_directly_and_a_full_one_is_an_error() {
    let mut sink = FileSink::create(Path::new("/dev/null"), &[], PCAPNG).unwrap();
    write_all(&mut sink, &sample(2000));
    assert_eq!(sink.finish().unwrap().counters.stored, 2000);
    assert!(!fs::metadata("/dev/null").unwrap().is_file());

    let mut sink = FileSink::create(Path::new("/dev/full"), &[], PCAPNG).unwrap();
    write_all(&mut sink, &sample(10));
    let error = sink.finish().unwrap_err();
    assert!(
        matches!(&error, SinkError::Write { .. }) && error.to_string().contains("/dev/full"),
        "{error}"
    );
    assert_eq!((sink.counters().stored, sink.counters().failed), (0, 10));
    assert!(matches!(sink.record(&sample(1)[0].record()), Err(SinkError::Closed)));
}

#[test]
fn a_pipe_gets_a_whole_capture_in_every_compression() {
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let (reader, writer) = std::io::pipe().unwrap();
        let reading = std::thread::spawn(|| capture::drain(CaptureReader::from_stream("pipe", reader)));
        let path = PathBuf::from(format!("/proc/self/fd/{}", writer.as_raw_fd()));
        let output = OutputFormat {
            format: Format::Pcapng,
            compression,
        };
        let mut sink = FileSink::create(&path, &[], output).unwrap();
        write_all(&mut sink, &sample(3000));
        assert_eq!(sink.finish().unwrap().last_file, None);
        drop((sink, writer));
        let read = reading.join().unwrap();
        assert!(read.error.is_none(), "{compression:?}: {:?}", read.error);
        assert_eq!(read.packets, sample(3000));
    }
}

#[test]
fn a_folder_or_a_missing_folder_cannot_be_the_output() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("missing/out.pcap")] {
        let error = FileSink::create(&path, &[], PCAP).err().unwrap();
        assert!(matches!(error, SinkError::Create { .. }), "{error}");
    }
}

#[test]
fn pcap_keeps_microseconds_for_microsecond_input_and_nanoseconds_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let packet = Record {
        interface: 0,
        time_ns: 1_000_002_000,
        original_length: 9,
        data: b"abc",
    };
    for (resolution, magic) in [
        (TimeResolution::MICROSECONDS, 0xa1b2_c3d4_u32),
        (TimeResolution::NANOSECONDS, 0xa1b2_3c4d),
    ] {
        let path = folder.path().join(format!("{magic:x}.pcap"));
        let mut sink = FileSink::create(&path, &[], PCAP).unwrap();
        sink.interface(&Interface {
            snaplen: 96,
            fcs_length: Some(4),
            ..ethernet(resolution)
        })
        .unwrap();
        sink.record(&packet).unwrap();
        sink.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap()[..4], magic.to_le_bytes());
        let read = collect(&path);
        assert_eq!(read.packets[0].record(), packet);
        let interface = &read.interfaces[0];
        assert_eq!(
            (interface.snaplen, interface.fcs_length, interface.resolution),
            (96, Some(4), resolution)
        );
    }
}

#[test]
fn pcap_says_what_it_cannot_hold() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcap");
    let mut sink = FileSink::create(&path, &[], PCAP).unwrap();
    sink.interface(&ethernet(TimeResolution::MICROSECONDS)).unwrap();
    let error = sink.interface(&Interface::new(LinkType(113))).unwrap_err();
    assert!(
        matches!(error, SinkError::SecondLinkType { .. }) && error.to_string().contains("pcapng"),
        "{error}"
    );
    let late = Record {
        interface: 0,
        time_ns: 1 << 63,
        original_length: 0,
        data: b"",
    };
    assert!(matches!(sink.record(&late), Err(SinkError::TimeBeyondPcap { .. })));
    sink.flush().unwrap();
    assert!(matches!(
        sink.interface(&ethernet(TimeResolution::NANOSECONDS)),
        Err(SinkError::FinerTime)
    ));
    let unknown = Record {
        interface: 1,
        time_ns: 0,
        original_length: 0,
        data: b"",
    };
    assert!(matches!(
        sink.record(&unknown),
        Err(SinkError::UnknownInterface { interface: 1, known: 1 })
    ));
    let counters = sink.finish().unwrap().counters;
    assert_eq!((counters.offered, counters.stored, counters.failed), (2, 0, 2));
    assert!(collect(&path).error.is_none());
}

#[test]
fn interfaces_keep_what_is_known_of_them_and_counts_come_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcapng");
    let option = trim_user::data::InterfaceOption {
        code: 6,
        value: [1, 2, 3, 4, 5, 6].into(),
    };
    let first = Interface {
        snaplen: 128,
        fcs_length: Some(4),
        name: Some("eth0".into()),
        description: Some("uplink ü".into()),
        filter: Some("tcp port 80".into()),
        speed: Some(10_000_000_000),
        other: vec![option],
        ..Interface::new(LinkType::ETHERNET)
    };
    let second = Interface {
        name: Some("x".repeat(70_000).into()),
        ..Interface::new(LinkType(101))
    };
    let counts = InterfaceStatistics {
        time_ns: 5,
        start_ns: Some(u64::MAX),
        end_ns: Some(3),
        received: Some(4),
        dropped: Some(5),
        accepted: Some(6),
        dropped_by_system: Some(7),
        delivered: Some(u64::MAX),
    };
    let mut sink = FileSink::create(&path, &[], PCAPNG).unwrap();
    assert_eq!(sink.interface(&first).unwrap(), 0);
    sink.record(&sample(1)[0].record()).unwrap();
    assert_eq!(sink.interface(&second).unwrap(), 1);
    sink.statistics(1, &counts);
    sink.finish().unwrap();
    let read = collect(&path);
    assert!(read.error.is_none(), "{:?}", read.error);
    assert_eq!(read.interfaces[0], first);
    assert_eq!(
        read.interfaces[1].name.as_deref().map(str::len),
        Some(65_534),
        "as much of the name as an option holds"
    );
    assert_eq!(read.statistics, [(1, counts)]);
}

#[test]
fn a_sink_is_finished_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = FileSink::create(&folder.path().join("out.pcap"), &[], PCAP).unwrap();
    sink.finish().unwrap();
    assert!(matches!(sink.finish(), Err(SinkError::Closed)));
    assert!(matches!(sink.flush(), Err(SinkError::Closed)));
}

#[test]
fn the_null_sink_counts() {
    let mut sink = NullSink::new();
    write_all(&mut sink, &sample(5));
    let counters = sink.finish().unwrap().counters;
    assert_eq!((counters.offered, counters.stored, counters.file_bytes), (5, 5, 0));
}
