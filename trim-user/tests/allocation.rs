//! After warm-up, the data path allocates nothing: neither for packets nor for messages.

use std::sync::Arc;

use trim_user::data::chunk::Chunk;
use trim_user::data::exemplar::{Collector, Quota};
use trim_user::data::live::makers;
use trim_user::data::sink::{FileSink, OutputFormat, Sink};
use trim_user::data::worker::{HoldLimits, Worker};
use trim_user::data::{Compression, Format, Interface, Record};
use trim_user::packet::LinkType;
use trim_user::shared::{Lane, Latency, Stage};
use trim_user::trimmer::{Action, Policy, Settings};

const FLOWS: u16 = 8;
/// Enough rounds for every buffer to reach its bound; the longest way has what is remembered of old messages.
const WARM_UP: u32 = 2500;
const MEASURED: u32 = 500;

const REQUEST: &[u8] = b"GET /page HTTP/1.1\r\nHost: example\r\nCookie: secret=1; other=2\r\nAccept: */*\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2000\r\n\r\n";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// One keep-alive connection, as Ethernet frames.
struct Connection {
    port: u16,
    client: u32,
    server: u32,
}

impl Connection {
    fn frame(&self, from_client: bool, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        let (source, destination) = if from_client { (self.port, 80) } else { (80, self.port) };
        let (sequence, acknowledgment) = if from_client {
            (self.client, self.server)
        } else {
            (self.server, self.client)
        };
        let hosts = if from_client {
            [10, 0, 0, 1, 10, 0, 0, 2]
        } else {
            [10, 0, 0, 2, 10, 0, 0, 1]
        };
        let length = (40 + payload.len()) as u16;
        frame.extend([0x45, 0, (length >> 8) as u8, length as u8, 0, 0, 0x40, 0, 64, 6, 0, 0]);
        frame.extend(hosts);
        frame.extend(source.to_be_bytes());
        frame.extend(destination.to_be_bytes());
        frame.extend(sequence.to_be_bytes());
        frame.extend(acknowledgment.to_be_bytes());
        frame.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        frame.extend(payload);
        frame
    }

    /// A request and its answer, with a length or chunked, in order.
    fn exchange(&mut self, is_chunked: bool) -> Vec<Vec<u8>> {
        let mut frames = vec![self.frame(true, REQUEST)];
        self.client += REQUEST.len() as u32;
        let mut answer = if is_chunked {
            CHUNKED.to_vec()
        } else {
            RESPONSE.to_vec()
        };
        if is_chunked {
            for _ in 0..20 {
                answer.extend(b"64\r\n");
                answer.extend([b'b'; 100]);
                answer.extend(b"\r\n");
            }
            answer.extend(b"0\r\n\r\n");
        } else {
            answer.extend([b'b'; 2000]);
        }
        for part in answer.chunks(1400) {
            frames.push(self.frame(false, part));
            self.server += part.len() as u32;
        }
        frames
    }
}

/// Trims and writes one round of traffic over all flows, as a live capture does.
fn round(
    frames: &[Vec<u8>],
    lane: Lane,
    worker: &mut Worker,
    chunk: &mut Chunk,
    sink: &mut FileSink,
    latency: &mut Latency,
) {
    for (number, frame) in frames.iter().enumerate() {
        let record = Record {
            interface: 0,
            time_ns: number as u64,
            original_length: frame.len() as u32,
            data: frame,
        };
        worker.packet(lane.index(), LinkType::ETHERNET, &record, chunk);
        latency.record(lane.index(), Stage::KernelToWritten, number as u64 * 1000, 1);
        if chunk.is_full() {
            write(chunk, sink);
        }
    }
    write(chunk, sink);
}

fn write(chunk: &mut Chunk, sink: &mut FileSink) {
    for packet in chunk.packets() {
        sink.record(&chunk.record(packet)).expect("/dev/null takes everything");
    }
    chunk.clear();
}

fn allocations_after_warm_up(lane: Lane, action: Action) -> u64 {
    let settings = Settings {
        redact_headers: vec!["cookie".into()],
        ..Settings::default()
    };
    let limits = HoldLimits {
        bytes: 1 << 20,
        time_ns: Some(1_000_000_000),
        overloaded_ns: 2_000_000,
    };
    let policy = Policy {
        action,
        ..Policy::default()
    };
    let (out, _exemplars) = crossbeam_channel::bounded(1);
    let (quota, board) = (Arc::new(Quota::new(1)), Arc::default());
    let mut worker = Worker::new(makers(&settings), policy, limits)
        .with_collector(Lane::Comparison.index(), Collector::new(policy, quota, out, board));
    let format = OutputFormat {
        format: Format::Pcapng,
        compression: Compression::None,
    };
    let mut sink = FileSink::create("/dev/null".as_ref(), &[], format).expect("/dev/null opens");
    sink.interface(&Interface::new(LinkType::ETHERNET))
        .expect("pcapng takes any interface");
    let (mut chunk, mut latency) = (Chunk::default(), Latency::new());
    let mut connections: Vec<_> = (0..FLOWS)
        .map(|number| Connection {
            port: 1024 + number,
            client: 1,
            server: 1,
        })
        .collect();
    let mut counted = 0;
    for number in 0..WARM_UP + MEASURED {
        let is_chunked = number % 2 == 1;
        let frames: Vec<_> = connections
            .iter_mut()
            .flat_map(|connection| connection.exchange(is_chunked))
            .collect();
        let counts = allocation_counter::measure(|| {
            round(&frames, lane, &mut worker, &mut chunk, &mut sink, &mut latency);
        });
        if number >= WARM_UP {
            counted += counts.count_total;
        }
    }
    let messages = worker.statistics(lane.index()).messages;
    assert_eq!(
        messages,
        u64::from(FLOWS) * 2 * u64::from(WARM_UP + MEASURED),
        "the traffic was not understood"
    );
    counted
}

#[test]
fn legacy_allocates_nothing_per_packet() {
    assert_eq!(allocations_after_warm_up(Lane::Legacy, Action::Cut), 0);
    assert_eq!(allocations_after_warm_up(Lane::Legacy, Action::Mask), 0);
}

#[test]
fn scanning_allocates_nothing_per_packet() {
    assert_eq!(allocations_after_warm_up(Lane::Scanning, Action::Cut), 0);
    assert_eq!(allocations_after_warm_up(Lane::Scanning, Action::Mask), 0);
}

/// Also while exemplars are looked for, as long as there is no difference.
#[test]
fn comparison_allocates_nothing_per_packet() {
    assert_eq!(allocations_after_warm_up(Lane::Comparison, Action::Cut), 0);
}
