//! A veth pair with the bare XDP program and open queues on one end and a raw sender on the other.

use std::thread;
use std::time::{Duration, Instant};

use trim_common::strategy::Strategy;
use trim_user::kernel::bare::{BareRedirect, Hook};
use trim_user::kernel::netns;
use trim_user::kernel::nic::{Link, XdpAttachment, index_of};
use trim_user::kernel::packet_socket::PacketSocket;
use trim_user::kernel::xsk::{BindMode, Frame, HugePages, Options, Queue, QueueLoss};
use xtask::lab::{Namespace, VethOptions, VethPair, require_root};

/// Long enough for anything that happens at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// An EtherType for local experiments (IEEE 802), which no protocol of the machine uses.
const ETHER_TYPE: [u8; 2] = [0x88, 0xb5];
/// Destination, source and type.
pub(crate) const HEADER: usize = 14;

/// Runs `work` in a namespace with a veth pair `near` (received on) and `far` (sent from); not at all without root.
pub(crate) fn on_a_wire(test: &str, options: VethOptions, work: impl FnOnce(&Namespace) + Send) {
    if !require_root(test) {
        return;
    }
    let namespace = Namespace::new("xsk").unwrap();
    VethPair::silent((&namespace, "near"), (&namespace, "far"), options).unwrap();
    netns::run_in(&namespace.path(), || work(&namespace)).unwrap();
}

pub(crate) fn one_queue() -> VethOptions {
    VethOptions { queues: 1, mtu: 1500 }
}

/// A small pool in copy mode, which is all that veth has.
pub(crate) fn small() -> Options {
    Options {
        frame_count: 512,
        fill_ring: 512,
        rx_ring: 512,
        huge_pages: HugePages::Never,
        bind: BindMode::Copy,
        ..Options::default()
    }
}

/// The receiving end.
pub(crate) struct Receiver {
    program: Option<BareRedirect>,
    pub(crate) queues: Vec<Queue>,
    taken: u64,
    /// What veth had dropped on the way here before this receiver was opened.
    dropped_before: u64,
}

impl Receiver {
    pub(crate) fn open(queues: u32, hook: Hook, tag: bool, options: Options) -> Self {
        let near = index_of("near").unwrap();
        let program = BareRedirect::attach(near, queues, hook, tag).unwrap();
        let mtu = Link::query(near).unwrap().mtu;
        let open = |queue| Queue::open(near, queue, options.check(mtu).unwrap()).unwrap();
        let receiver = Self {
            program: Some(program),
            queues: (0..queues).map(open).collect(),
            taken: 0,
            dropped_before: dropped_by_veth(),
        };
        receiver.connect();
        receiver
    }

    /// Detaches the program and attaches another one to the same sockets.
    pub(crate) fn replace_program(&mut self, hook: Hook, tag: bool) {
        let near = index_of("near").unwrap();
        let queues = self.queues.len() as u32;
        // An interface takes one program at a time, and the old one goes when its last descriptor is closed.
        self.program.take();
        wait_until("the old program is detached", || {
            Link::query(near).unwrap().xdp == XdpAttachment::None
        });
        self.program = Some(BareRedirect::attach(near, queues, hook, tag).unwrap());
        self.connect();
    }

    fn program(&self) -> &BareRedirect {
        self.program.as_ref().unwrap()
    }

    /// Puts the sockets into the program's map.
    pub(crate) fn connect(&self) {
        for queue in &self.queues {
            for strategy in Strategy::ALL {
                self.program()
                    .set_socket(queue.index(), strategy, queue.socket(strategy))
                    .unwrap();
            }
        }
    }

    /// Waits until `sent` packets are accounted for: dropped by veth on the way here, or seen by the program and then
    /// in an RX ring, taken out of one, or counted as lost. The last three must be what the program saw, exactly.
    pub(crate) fn settle(&self, sent: u64) {
        let mut figures = String::new();
        let balanced = wait_for(|| {
            let seen = self.program().seen().unwrap();
            let dropped = dropped_by_veth() - self.dropped_before;
            let waiting: u64 = self.queues.iter().map(|queue| queue.audit().rx_rings).sum();
            let (taken, lost) = (self.taken, self.lost());
            figures =
                format!("{sent} sent, {dropped} dropped, {seen} seen, {waiting} waiting, {taken} taken, {lost:?}");
            seen + dropped == sent && waiting + taken + lost.total() == seen
        });
        assert!(balanced, "not accounted for: {figures}");
    }

    pub(crate) fn lost(&self) -> QueueLoss {
        let mut loss = QueueLoss::default();
        for queue in &self.queues {
            loss += queue.statistics().unwrap().loss();
        }
        loss
    }

    /// Takes what is there now, at most `most` packets.
    pub(crate) fn receive(&mut self, queue: usize, strategy: Strategy, most: usize) -> Vec<Frame> {
        let mut frames = Vec::new();
        self.taken += self.queues[queue].receive(strategy, most, &mut frames) as u64;
        frames
    }

    /// Takes `count` packets, waiting for them.
    pub(crate) fn take(&mut self, queue: usize, strategy: Strategy, count: usize) -> Vec<Frame> {
        let mut frames = Vec::new();
        wait_until("the packets arrive", || {
            let missing = count - frames.len();
            frames.extend(self.receive(queue, strategy, missing));
            frames.len() == count
        });
        frames
    }

    /// Gives frames back and fills the fill ring.
    pub(crate) fn give_back(&mut self, queue: usize, frames: Vec<Frame>) {
        self.queues[queue].recycle(frames);
        self.queues[queue].refill();
    }

    /// Asserts that every frame of every queue is where it can be when nothing is handed out and nothing happens.
    pub(crate) fn assert_nothing_leaked(&self) {
        for audit in self.queues.iter().map(Queue::audit) {
            assert!(audit.is_whole(), "{audit:?}");
            assert_eq!(audit.handed_out, 0, "{audit:?}");
            assert!(audit.kernel <= 1, "{audit:?}");
        }
    }
}

/// Packets for which the near end had no room; they never reach XDP.
fn dropped_by_veth() -> u64 {
    Link::query(index_of("far").unwrap()).unwrap().counters.tx_dropped
}

/// The sending end.
pub(crate) fn sender() -> PacketSocket {
    PacketSocket::open(index_of("far").unwrap(), 0).unwrap()
}

/// A frame of `length` bytes for the socket of `strategy`, with content that depends on `number` at every place.
pub(crate) fn packet(strategy: Strategy, number: u32, length: usize) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, strategy.index() as u8, 2, 0, 0, 0, 0, 9];
    frame.extend(ETHER_TYPE);
    frame.extend(number.to_be_bytes());
    let mut state = number.wrapping_mul(0x9e37_79b9) | 1;
    frame.resize_with(length, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    frame
}

/// The number that a frame of [`packet`] carries.
pub(crate) fn number_of(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(*bytes[HEADER..].first_chunk().unwrap())
}

/// Waits until `done`; false when it takes too long.
pub(crate) fn wait_for(mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_micros(200));
    }
    true
}

pub(crate) fn wait_until(what: &str, done: impl FnMut() -> bool) {
    assert!(wait_for(done), "waited {PATIENCE:?} in vain until {what}");
}
