//! The loaded program beside its twin.

use std::collections::{BTreeSet, HashMap};
use std::os::fd::OwnedFd;

use trim_common::assign::FlowState;
use trim_common::cut::{CutKey, CutRange};
use trim_common::flow::FlowKey;
use trim_common::headers::{Content, dissect};
use trim_common::judge::{Outcome, Steered, World, judge_frame};
use trim_common::maps::{PolicyWord, Setup, socket_index};
use trim_common::reason::Reason;
use trim_common::strategy::{Mode, Split, Strategy};
use trim_common::tag::PacketTag;
use trim_user::kernel::clock;
use trim_user::kernel::events::Events;
use trim_user::kernel::maps::Maps;
use trim_user::kernel::program::{LoadOptions, Program, is_embedded};
use trim_user::kernel::test_run::{Action, Arrival, Ran, unbound_socket};

/// Whether the kernel can be asked; says why not, and fails where skipping is forbidden.
pub(crate) fn can_run(test: &str) -> bool {
    if !xtask::lab::require_root(test) {
        return false;
    }
    if !is_embedded() {
        xtask::lab::skip(test, "the binary has no eBPF object; `cargo xtask test` builds it");
        return false;
    }
    true
}

/// The program, what was written into its maps, and the twin's flow table.
pub(crate) struct Rig {
    pub(crate) program: Program,
    pub(crate) maps: Maps,
    pub(crate) events: Events,
    pub(crate) arrival: Arrival,
    world: Mirror,
    sockets: HashMap<u32, OwnedFd>,
}

/// The maps as the twin sees them.
struct Mirror {
    policy: PolicyWord,
    setup: Setup,
    lease: u64,
    now: u64,
    queue: u32,
    ports: BTreeSet<u16>,
    sockets: BTreeSet<u32>,
    flows: HashMap<FlowKey, FlowState>,
    cuts: HashMap<CutKey, CutRange>,
}

impl World for Mirror {
    fn policy(&self) -> PolicyWord {
        self.policy
    }
    fn setup(&self) -> Setup {
        self.setup
    }
    fn lease(&self) -> u64 {
        self.lease
    }
    fn now(&self) -> u64 {
        self.now
    }
    fn queue(&self) -> u32 {
        self.queue
    }
    fn is_http_port(&self, port: u16) -> bool {
        self.ports.contains(&port)
    }
    fn has_socket(&self, index: u32) -> bool {
        self.sockets.contains(&index)
    }
    fn flow(&self, key: &FlowKey) -> Option<FlowState> {
        self.flows.get(key).copied()
    }
    fn store(&mut self, key: &FlowKey, state: FlowState) {
        self.flows.insert(*key, state);
    }
    fn cut(&self, key: &CutKey) -> Option<CutRange> {
        self.cuts.get(key).copied()
    }
    fn forget_cut(&mut self, key: &CutKey) {
        self.cuts.remove(key);
    }
}

/// The settings most tests start from.
pub(crate) const SETUP: Setup = Setup {
    seed: 0x5eed,
    lease_ns: 0,
    queues: 1,
    omit_not_http: 0,
    drop_without_socket: 0,
    detect: 1,
    cut: 0,
};

impl Rig {
    /// One queue with both sockets, mode legacy, no configured port, detection on.
    pub(crate) fn new() -> Self {
        let (program, maps, events) = Program::load("lo", &LoadOptions::default()).unwrap();
        let world = Mirror {
            policy: PolicyWord::from_bits(0),
            setup: Setup::default(),
            lease: 0,
            now: 0,
            queue: 0,
            ports: BTreeSet::new(),
            sockets: BTreeSet::new(),
            flows: HashMap::new(),
            cuts: HashMap::new(),
        };
        let mut rig = Self {
            program,
            maps,
            events,
            arrival: Arrival::default(),
            world,
            sockets: HashMap::new(),
        };
        rig.setup(SETUP);
        for strategy in Strategy::ALL {
            rig.open_socket(0, strategy);
        }
        rig
    }

    pub(crate) fn setup(&mut self, setup: Setup) {
        self.maps.setup.set(setup).unwrap();
        self.world.setup = setup;
    }

    pub(crate) fn ports(&mut self, ports: &[u16]) {
        self.world.ports = ports.iter().copied().collect();
        self.maps.ports.set(&self.world.ports).unwrap();
    }

    pub(crate) fn lease(&mut self, renewed: u64) {
        self.maps.lease.renew(renewed).unwrap();
        self.world.lease = renewed;
    }

    pub(crate) fn switch(&mut self, mode: Mode, split: Split) {
        self.world.policy = self.maps.policy.switch_immediately(mode, split).unwrap();
    }

    pub(crate) fn drain(&mut self, mode: Mode, split: Split) {
        self.world.policy = self.maps.policy.switch_draining(mode, split).unwrap();
    }

    /// Publishes a range of body.
    pub(crate) fn publish(&mut self, key: CutKey, range: CutRange) {
        self.maps.cuts.publish(&key, &range).unwrap();
        self.world.cuts.insert(key, range);
    }

    pub(crate) fn open_socket(&mut self, queue: u32, strategy: Strategy) {
        let socket = unbound_socket().unwrap();
        self.maps.sockets.set(queue, strategy, &socket).unwrap();
        let index = socket_index(queue, strategy);
        self.world.sockets.insert(index);
        self.sockets.insert(index, socket);
    }

    pub(crate) fn close_socket(&mut self, queue: u32, strategy: Strategy) {
        let index = socket_index(queue, strategy);
        self.maps.sockets.unset(queue, strategy).unwrap();
        self.world.sockets.remove(&index);
        self.sockets.remove(&index);
    }

    /// Runs the program and the twin on one frame and requires that they agree in everything.
    pub(crate) fn run(&mut self, frame: &[u8]) -> (Ran, Outcome) {
        let before = self.maps.counters.read().unwrap();
        let started = clock::monotonic();
        let ran = self.program.test_run(frame, self.arrival).unwrap();
        let counted = self.maps.counters.read().unwrap().since(&before);

        self.world.queue = self.arrival.queue;
        self.world.now = ran
            .tag()
            .map_or_else(|| self.time_of(frame, started), |tag| tag.kernel_time);
        let outcome = judge_frame(frame, &mut self.world);

        let reasons = Reason::ALL.map(|reason| u64::from(outcome.reasons.contains(reason)));
        assert_eq!(counted.0, reasons, "reasons {:?} for {frame:02x?}", names(&outcome));
        assert_eq!(counted.imbalance(), 0);
        let action = match outcome.steered {
            Steered::Socket(_) => Action::Redirect,
            Steered::Pass => Action::Pass,
            Steered::Drop => Action::Drop,
        };
        assert_eq!(ran.action, action, "{frame:02x?}");
        assert_eq!(ran.tag(), outcome.tag, "{frame:02x?}");
        assert_eq!(
            ran.frame,
            frame[..outcome.length as usize],
            "what is there is never touched"
        );
        let found = dissect(frame);
        if found.content == Content::Tcp {
            let stored = self.maps.flows.get(&found.tcp.key).unwrap();
            assert_eq!(stored, self.world.flow(&found.tcp.key), "{frame:02x?}");
        }
        (ran, outcome)
    }

    /// When the program saw a frame that has no tag, after `started`: its flow's entry tells where that began just now.
    fn time_of(&self, frame: &[u8], started: u64) -> u64 {
        let stored = self.maps.flows.get(&dissect(frame).tcp.key).unwrap();
        let since = stored.map_or(0, |state| state.since);
        if since >= started { since } else { clock::monotonic() }
    }

    /// The tag of a frame that must get one.
    pub(crate) fn tag(&mut self, frame: &[u8]) -> PacketTag {
        self.run(frame).1.tag.expect("a tag")
    }

    /// The strategy a frame is tagged with.
    pub(crate) fn strategy(&mut self, frame: &[u8]) -> Strategy {
        let tag = self.tag(frame);
        Strategy::from_index(tag.strategy).expect("a strategy")
    }
}

fn names(outcome: &Outcome) -> Vec<&'static str> {
    outcome.reasons.iter().map(Reason::name).collect()
}
