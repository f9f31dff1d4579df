//! `trim`'s own program under a flood: what it redirects arrives or is counted as lost, at full speed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use trim_common::maps::Setup;
use trim_common::reason::Reason;
use trim_common::source::{Flow, Step};
use trim_common::strategy::{Mode, Split, Strategy};
use trim_user::kernel::maps::Maps;
use trim_user::kernel::nic::index_of;
use trim_user::kernel::program::{AttachMode, LoadOptions, Program, is_embedded};
use trim_user::kernel::source::{Script, Source};
use trim_user::kernel::xsk::{Frame, Options, Queue, WaitMode, Waiter};
use xtask::lab::{Namespace, skip};

use crate::wire::{on_a_wire, one_queue, small, wait_for};

const FLOWS: u16 = 64;
const PACKETS: u32 = 200_000;

/// A reader that holds up to `hold` frames before it gives them back, and takes `batch` at a time.
struct Reader {
    queue: Queue,
    hold: usize,
    batch: usize,
    held: Vec<Frame>,
    /// Taken so far, by strategy.
    taken: [u64; Strategy::COUNT],
    /// Kernel time of the last packet, by strategy.
    newest: [u64; Strategy::COUNT],
}

impl Reader {
    fn open(options: Options, hold: usize, batch: usize) -> Self {
        let near = index_of("near").unwrap();
        let queue = Queue::open(near, 0, options.check(1500).unwrap()).unwrap();
        Self {
            queue,
            hold,
            batch,
            held: Vec::with_capacity(hold + batch),
            taken: [0; Strategy::COUNT],
            newest: [0; Strategy::COUNT],
        }
    }

    /// Reads until `ended` is set and nothing is left.
    fn read_until(mut self, ended: &AtomicBool) -> Self {
        let mut waiter = Waiter::new(
            WaitMode::Adaptive {
                spin: Duration::from_micros(20),
            },
            1,
        );
        loop {
            let is_last = ended.load(Ordering::Acquire);
            let before = self.taken;
            Strategy::ALL.into_iter().for_each(|strategy| self.take(strategy));
            if self.taken != before {
                continue;
            }
            if is_last {
                return self;
            }
            waiter
                .wait(std::slice::from_ref(&self.queue), Duration::from_millis(1))
                .unwrap();
        }
    }

    fn take(&mut self, strategy: Strategy) {
        let from = self.held.len();
        let count = self.queue.receive(strategy, self.batch, &mut self.held);
        self.taken[strategy.index()] += count as u64;
        for frame in &self.held[from..] {
            let tag = self
                .queue
                .umem()
                .tag(frame)
                .expect("the program tags every packet on veth");
            assert_eq!(usize::from(tag.strategy), strategy.index());
            assert_eq!(tag.original_length as usize, frame.len());
            let newest = &mut self.newest[strategy.index()];
            assert!(
                tag.kernel_time >= *newest,
                "the packets of one socket come in the order of their times"
            );
            *newest = tag.kernel_time;
        }
        if self.held.len() >= self.hold {
            self.queue.recycle(self.held.drain(..));
        }
        self.queue.refill();
    }
}

/// Connections on which the server sends segments of 900 bytes without end. Their checksum is wrong, so that GRO does not
/// merge them.
fn script() -> Script {
    let length = 900_u16;
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00];
    let [high, low] = (length - 14).to_be_bytes();
    frame.extend([0x45, 0, high, low, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1]);
    frame.extend([0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    frame.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    frame.resize(length.into(), b'b');
    let mut step = Step::new(&frame, true, 0);
    step.tcp_sum ^= 1;
    let flow = |number| Flow {
        sequences: [1, 1],
        address: 0x0a00_0001,
        port: 30_000 + number,
        ..Flow::default()
    };
    Script {
        steps: vec![step],
        flows: (0..FLOWS).map(flow).collect(),
        filling: frame,
    }
}

fn load(mode: AttachMode, queue: &Queue) -> (Program, Maps) {
    let (mut program, mut maps, _) = Program::load("near", &LoadOptions::default()).unwrap();
    maps.setup
        .set(Setup {
            seed: 7,
            queues: 1,
            detect: 1,
            ..Setup::default()
        })
        .unwrap();
    maps.policy
        .switch_immediately(Mode::AbTest, Split::from_basis_points(5000))
        .unwrap();
    for strategy in Strategy::ALL {
        maps.sockets.set(0, strategy, &queue.socket(strategy)).unwrap();
    }
    program.attach(mode).unwrap();
    (program, maps)
}

/// Floods a reader; the accounts must be exact for each strategy. Returns how many packets were lost.
fn flood(mode: AttachMode, options: Options, hold: usize, batch: usize) -> u64 {
    let reader = Reader::open(options, hold, batch);
    let (mut program, maps) = load(mode, &reader.queue);
    let ended = AtomicBool::new(false);
    let mut reader = std::thread::scope(|scope| {
        let reading = scope.spawn(|| reader.read_until(&ended));
        let mut source = Source::load(index_of("far").unwrap(), &script()).unwrap();
        source.send(PACKETS, None).unwrap();
        let mut seen = 0;
        wait_for(|| {
            let before = std::mem::replace(&mut seen, maps.counters.read().unwrap().get(Reason::Seen));
            std::thread::sleep(Duration::from_millis(20));
            seen == before && seen > 0
        });
        program.detach();
        ended.store(true, Ordering::Release);
        reading.join().unwrap()
    });
    let counts = maps.counters.read().unwrap();
    assert_eq!(counts.imbalance(), 0, "{counts:?}");
    let statistics = reader.queue.statistics().unwrap();
    let redirected = [Reason::RedirectedLegacy, Reason::RedirectedScanning].map(|reason| counts.get(reason));
    for strategy in Strategy::ALL.map(Strategy::index) {
        let accounted = reader.taken[strategy] + statistics.sockets[strategy].lost();
        assert_eq!(accounted, redirected[strategy], "{:?}, {statistics:?}", reader.taken);
        assert!(reader.taken[strategy] > 0, "both strategies have flows");
    }
    let loss = statistics.loss().total();
    assert_eq!(reader.taken.iter().sum::<u64>() + loss, redirected.iter().sum::<u64>());
    reader.queue.recycle(reader.held.drain(..));
    let audit = reader.queue.audit();
    assert!(
        audit.is_whole() && audit.handed_out == 0 && audit.kernel <= 1,
        "{audit:?}"
    );
    loss
}

fn on_a_wire_with_the_program(test: &str, work: impl FnOnce(&Namespace) + Send) {
    if is_embedded() {
        on_a_wire(test, one_queue(), work);
    } else {
        skip(test, "the binary has no eBPF object; `cargo xtask test` builds it");
    }
}

#[test]
fn what_is_redirected_natively_arrives_or_is_counted_as_lost() {
    on_a_wire_with_the_program("what_is_redirected_natively_arrives_or_is_counted_as_lost", |_| {
        flood(AttachMode::Native, Options::default(), 64, 64);
    });
}

#[test]
fn what_is_redirected_generically_arrives_or_is_counted_as_lost() {
    on_a_wire_with_the_program(
        "what_is_redirected_generically_arrives_or_is_counted_as_lost",
        |namespace| {
            // Without its own XDP program veth takes frames that XDP made only where GRO is on; the wrong checksum of
            // the script keeps GRO from merging them.
            let status = namespace.command("ethtool").args(["-K", "near", "gro", "on"]).status();
            assert!(status.unwrap().success());
            flood(AttachMode::Generic, Options::default(), 64, 64);
        },
    );
}

#[test]
fn a_reader_that_is_too_slow_loses_packets_and_every_one_is_counted() {
    on_a_wire_with_the_program(
        "a_reader_that_is_too_slow_loses_packets_and_every_one_is_counted",
        |_| {
            let tight = Options {
                frame_count: 128,
                fill_ring: 64,
                rx_ring: 32,
                ..small()
            };
            let lost = flood(AttachMode::Native, tight, 100, 8);
            assert!(lost > 0, "the reader was not too slow: the test proves little");
        },
    );
}
