//! The benchmark's source: what it sends arrives, as the segments it says.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use trim_common::reason::Reason;
use trim_common::source::{Flow, Step};
use trim_common::strategy::{Mode, Split, Strategy};
use trim_user::kernel::maps::Maps;
use trim_user::kernel::nic::index_of;
use trim_user::kernel::program::AttachMode;
use trim_user::kernel::source::{Script, Source};
use trim_user::kernel::xsk::{Options, Queue};
use xtask::lab::wait_until;

use crate::frames::{Frame, PSH_ACK};
use crate::interfaces::{PATIENCE, load, with_interfaces};

const FLOWS: u16 = 5;
const REQUEST: usize = 100;
const RESPONSE: usize = 300;
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

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

fn segment(from_server: bool, payload: &[u8]) -> Vec<u8> {
    let (client, server) = ((CLIENT, 0), (Ipv4Addr::new(10, 0, 0, 1), 80));
    let (from, to) = if from_server {
        (server, client)
    } else {
        (client, server)
    };
    Frame::tcp(from, to, PSH_ACK, payload).make().bytes
}

/// Clients ask in one segment and get two, the second of which is of the filling only, again and again.
fn script() -> Script {
    let (request, response) = (segment(false, &[b'q'; REQUEST]), segment(true, &[b'b'; RESPONSE]));
    let response = Step {
        repeat: 2,
        next: 0,
        ..Step::new(&response, true, 54)
    };
    let request = Step {
        next: 1,
        ..Step::new(&request, false, usize::MAX)
    };
    let flow = |number| Flow {
        sequences: [1000, 5000],
        address: CLIENT.into(),
        port: 40_000 + number,
        ..Flow::default()
    };
    Script {
        steps: vec![request, response],
        flows: (0..FLOWS).map(flow).collect(),
        filling: segment(true, &[b'b'; RESPONSE]),
    }
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
        let mut source = Source::load(index_of("far").unwrap(), &script()).unwrap();
        source.send(50, None).unwrap();
        source.send(40, None).unwrap();
        assert_eq!(source.made().unwrap(), 90);

        let mut frames = Vec::new();
        let all_came = wait_until(PATIENCE, || {
            queue.receive(Strategy::Scanning, 90, &mut frames);
            frames.len() >= 90
        });
        assert!(all_came, "{} frames came", frames.len());
        let mut seen: BTreeMap<u16, Vec<(u8, u32, u32, usize)>> = BTreeMap::new();
        for frame in &frames {
            let tag = queue.umem().tag(frame).expect("a tag");
            assert_eq!((tag.strategy, tag.payload_offset), (Strategy::Scanning as u8, 54));
            let bytes = queue.umem().bytes(frame);
            for (part, bytes) in [
                ("segment", pseudo_and_segment(bytes)),
                ("IP header", bytes[14..34].to_vec()),
            ] {
                assert_eq!(ones_sum(&bytes), 0xffff, "the checksum of the {part} {bytes:02x?}");
            }
            let number = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
            let ports = [34, 36].map(|at| u16::from_be_bytes([bytes[at], bytes[at + 1]]));
            let client = if ports[0] == 80 { ports[1] } else { ports[0] };
            let said = (bytes[54], number(38), number(42), bytes.len() - 54);
            seen.entry(client).or_default().push(said);
        }
        let round = |round: u32| {
            let (client, server) = (1000 + 100 * round, 5000 + 600 * round);
            [
                (b'q', client, server, REQUEST),
                (b'b', server, client + 100, RESPONSE),
                (b'b', server + 300, client + 100, RESPONSE),
            ]
        };
        let expected: Vec<_> = (0..6).flat_map(round).collect();
        assert_eq!(seen.len(), usize::from(FLOWS));
        for (port, seen) in seen {
            assert_eq!(seen, expected, "port {port}");
        }
        queue.recycle(frames);
    });
}

#[test]
fn what_the_source_makes_is_seen_by_the_capture_program() {
    with_interfaces("what_the_source_makes_is_seen_by_the_capture_program", |_| {
        let (mut program, maps) = load("near");
        program.attach(AttachMode::Native).unwrap();
        let mut source = Source::load(index_of("far").unwrap(), &script()).unwrap();
        source.send(200, None).unwrap();
        assert!(wait_until(PATIENCE, || maps.counters.read().unwrap().get(Reason::Tcp) == 200));
        assert_eq!(maps.flows.census().by_strategy, [u64::from(FLOWS), 0]);
    });
}

#[test]
fn at_an_interval_frames_are_made_that_far_apart() {
    with_interfaces("at_an_interval_frames_are_made_that_far_apart", |_| {
        let (mut program, _maps) = load("near");
        program.attach(AttachMode::Native).unwrap();
        let mut source = Source::load(index_of("far").unwrap(), &script()).unwrap();
        let started = Instant::now();
        source.send(20_000, Some(5000)).unwrap();
        // Not how long it took at most: that is the machine's affair.
        assert!(started.elapsed() >= Duration::from_nanos(19_999 * 5000));
        assert_eq!(source.made().unwrap(), 20_000);
    });
}
