//! The benchmark's source: what it sends arrives, as the segments it says.

use std::collections::BTreeMap;

use trim_common::maps::SourceFlow;
use trim_common::reason::Reason;
use trim_common::strategy::{Mode, Split, Strategy};
use trim_user::kernel::maps::Maps;
use trim_user::kernel::nic::index_of;
use trim_user::kernel::program::AttachMode;
use trim_user::kernel::source::Source;
use trim_user::kernel::xsk::{Options, Queue};
use xtask::lab::wait_until;

use crate::frames::{Frame, PSH_ACK};
use crate::interfaces::{PATIENCE, load, with_interfaces};

const FLOWS: u16 = 5;
const PAYLOAD: usize = 100;

fn template() -> Vec<u8> {
    let host = |last| (std::net::Ipv4Addr::new(10, 0, 0, last), 80);
    let mut bytes = Frame::tcp(host(1), host(2), PSH_ACK, &[b'b'; PAYLOAD]).make().bytes;
    let checksum = !ones_sum(&pseudo_and_segment(&bytes));
    bytes[50..52].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// The bytes under the TCP checksum (RFC 9293 section 3.1).
fn pseudo_and_segment(frame: &[u8]) -> Vec<u8> {
    let mut bytes = frame[26..34].to_vec();
    bytes.extend([0, 6]);
    bytes.extend(((frame.len() - 34) as u16).to_be_bytes());
    bytes.extend(&frame[34..]);
    bytes
}

fn ones_sum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

fn flows() -> Vec<SourceFlow> {
    let flow = |number| SourceFlow {
        sequence: 1000,
        source_port: 80,
        destination_port: 40_000 + number,
    };
    (0..FLOWS).map(flow).collect()
}

/// The queue of `near`, with both of its sockets known to the program.
fn open_queue(maps: &mut Maps) -> Queue {
    let near = index_of("near").unwrap();
    let queue = Queue::open(near, 0, Options::default().check(1500).unwrap()).unwrap();
    for strategy in Strategy::ALL {
        maps.sockets.set(0, strategy, &queue.socket(strategy)).unwrap();
    }
    queue
}

#[test]
fn each_flow_arrives_as_consecutive_segments_with_correct_checksums_and_tags() {
    let test = "each_flow_arrives_as_consecutive_segments_with_correct_checksums_and_tags";
    with_interfaces(test, |_| {
        let (mut program, mut maps) = load("near");
        program.attach(AttachMode::Native).unwrap();
        maps.policy.switch_immediately(Mode::Scanning, Split::ALL).unwrap();
        let mut queue = open_queue(&mut maps);
        let mut source = Source::load(index_of("far").unwrap(), &flows()).unwrap();
        source.send(&template(), 60).unwrap();
        source.send(&template(), 40).unwrap();
        assert_eq!(source.made().unwrap(), 100);

        let mut frames = Vec::new();
        let all_came = wait_until(PATIENCE, || {
            queue.receive(Strategy::Scanning, 100, &mut frames);
            frames.len() >= 100
        });
        assert!(all_came, "{} frames came", frames.len());
        let mut sequences: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
        for frame in &frames {
            let tag = queue.umem().tag(frame).expect("a tag");
            assert_eq!((tag.strategy, tag.payload_offset), (Strategy::Scanning as u8, 54));
            let bytes = queue.umem().bytes(frame);
            assert_eq!(
                ones_sum(&pseudo_and_segment(bytes)),
                0xffff,
                "the checksum of {bytes:02x?}"
            );
            let port = u16::from_be_bytes([bytes[36], bytes[37]]);
            let sequence = u32::from_be_bytes([bytes[38], bytes[39], bytes[40], bytes[41]]);
            sequences.entry(port).or_default().push(sequence);
        }
        let expected: Vec<u32> = (0..100 / u32::from(FLOWS))
            .map(|index| 1000 + index * PAYLOAD as u32)
            .collect();
        assert_eq!(sequences.len(), usize::from(FLOWS));
        for (port, sequences) in sequences {
            assert_eq!(sequences, expected, "port {port}");
        }
        queue.recycle(frames);
    });
}

#[test]
fn what_the_source_makes_is_seen_by_the_capture_program() {
    with_interfaces("what_the_source_makes_is_seen_by_the_capture_program", |_| {
        let (mut program, maps) = load("near");
        program.attach(AttachMode::Native).unwrap();
        let mut source = Source::load(index_of("far").unwrap(), &flows()).unwrap();
        source.send(&template(), 200).unwrap();
        assert!(wait_until(PATIENCE, || maps.counters.read().unwrap().get(Reason::Tcp) == 200));
        assert_eq!(maps.flows.census().by_strategy, [u64::from(FLOWS), 0]);
    });
}
