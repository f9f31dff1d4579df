//! The program's verdict on a packet, and the whole decision as one pure function.
//!
//! The XDP program makes the same steps in the same order, with its maps in place of [`World`]; tests run both on the
//! same frames and compare.

use crate::assign::{FlowState, Rules, Visit, http, visit};
use crate::classify::Lead;
use crate::cut::{self, Cut, CutKey, CutRange};
use crate::flow::FlowKey;
use crate::frame::Frame as _;
use crate::headers::{Content, Dissected, Tcp, dissect};
use crate::maps::{PolicyWord, QUEUES_MAX, Setup, socket_index};
use crate::reason::{Count, Reason, ReasonSet};
use crate::strategy::{Mode, Strategy};
use crate::tag::{PacketTag, TAG_VERSION, flags};

/// Whether a lease renewed at `renewed` and good for `lease_ns` has run out at `now`; all nanoseconds of one clock.
/// A lease never taken (`renewed` 0) or without an end (`lease_ns` 0) does not run out.
#[inline(always)]
pub const fn lease_is_stale(renewed: u64, lease_ns: u64, now: u64) -> bool {
    renewed != 0 && lease_ns != 0 && now.saturating_sub(renewed) > lease_ns
}

/// What is to be done with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send it to a socket of this strategy, with this tag.
    Steer(Strategy, PacketTag),
    /// Leave it out, for this reason.
    Omit(Reason),
}

/// What all packets are tagged with.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// `bpf_ktime_get_ns()`.
    pub now: u64,
    /// Length of the frame, bytes.
    pub length: u32,
    /// Whether the lease is stale.
    pub stale: bool,
    /// The flags that [`dissect`] found.
    pub flags: u16,
}

impl Stamp {
    #[inline(always)]
    fn tag(&self) -> PacketTag {
        PacketTag {
            kernel_time: self.now,
            original_length: self.length,
            flags: if self.stale {
                self.flags | flags::LEASE_STALE
            } else {
                self.flags
            },
            version: TAG_VERSION,
            strategy: Strategy::Legacy as u8,
            mode: Mode::Legacy as u8,
            ..PacketTag::default()
        }
    }
}

/// The verdict on a TCP segment.
#[inline(always)]
pub fn judge_tcp(
    tcp: &Tcp,
    rules: &Rules,
    visit: &Visit,
    setup: &Setup,
    stamp: &Stamp,
    counters: &mut impl Count,
) -> Verdict {
    let state = &visit.state;
    counters.count(Reason::Tcp);
    if state.http == http::YES {
        counters.count(Reason::Http);
    }
    if state.http == http::NO && setup.omit_not_http != 0 {
        return Verdict::Omit(Reason::OmittedNotHttp);
    }
    let mut tag = stamp.tag();
    tag.flow_hash = rules.hash;
    tag.generation = state.generation;
    tag.flags |= flags::TCP;
    if state.http == http::YES {
        tag.flags |= flags::HTTP;
    }
    if visit.event.begins() {
        tag.flags |= flags::FIRST;
    }
    tag.l3_offset = tcp.l3_offset;
    tag.l4_offset = tcp.l4_offset;
    tag.payload_offset = tcp.payload_offset;
    tag.direction = tcp.direction.index() as u8;
    if stamp.stale {
        return Verdict::Steer(Strategy::Legacy, tag);
    }
    tag.strategy = state.strategy;
    tag.mode = state.mode;
    let strategy = if state.strategy == Strategy::Scanning as u8 {
        Strategy::Scanning
    } else {
        Strategy::Legacy
    };
    Verdict::Steer(strategy, tag)
}

/// Marks a segment that is to be shortened, all of whose payload is known to be body. `range` looks up what was
/// published of its direction; `forget` takes that away.
///
/// Never while the lease is stale: the packet then goes to a trimmer that has not published anything.
#[inline(always)]
pub fn mark_cut(
    verdict: &mut Verdict,
    tcp: &Tcp,
    rules: &Rules,
    state: &FlowState,
    stamp: &Stamp,
    range: impl FnOnce(&CutKey) -> Option<CutRange>,
    forget: impl FnOnce(&CutKey),
) {
    let Verdict::Steer(_, tag) = verdict else { return };
    if stamp.stale || state.http == http::NO || !cut::is_candidate(tcp, stamp.length) {
        return;
    }
    let key = CutKey::new(tcp.key, tcp.direction);
    let Some(range) = range(&key) else { return };
    match range.judge(rules.hash, state.since, stamp.now, tcp) {
        Cut::Keep => {}
        Cut::Shorten => tag.flags |= flags::SHORTENED,
        Cut::Over => forget(&key),
    }
}

/// The verdict on a packet that is no TCP segment: to legacy, untouched, unless it is known that it cannot carry HTTP
/// and the policy leaves such packets out.
#[inline(always)]
pub fn judge_other(content: Content, setup: &Setup, stamp: &Stamp, counters: &mut impl Count) -> Verdict {
    let (reason, omissible) = match content {
        Content::Tcp => (Reason::Tcp, false),
        Content::Fragment => (Reason::Fragment, false),
        Content::NotTcp => (Reason::NotTcp, true),
        Content::NotIp => (Reason::NotIp, true),
        Content::Encapsulated => (Reason::Encapsulated, false),
        Content::Truncated => (Reason::Truncated, false),
        Content::Malformed => (Reason::Malformed, false),
        Content::TooDeep => (Reason::TooDeep, false),
    };
    counters.count(reason);
    if omissible && setup.omit_not_http != 0 {
        return Verdict::Omit(Reason::OmittedNotTcp);
    }
    Verdict::Steer(Strategy::Legacy, stamp.tag())
}

/// Counts what a packet meant for its flow.
#[inline(always)]
pub fn count_visit(visit: &Visit, counters: &mut impl Count) {
    use crate::assign::Event;
    match visit.event {
        Event::Known => return,
        Event::Reassigned => {
            counters.count(Reason::FlowReassigned);
            return;
        }
        Event::Reopened => counters.count(Reason::FlowReopened),
        Event::New => {}
    }
    if visit.state.strategy == Strategy::Scanning as u8 {
        counters.count(Reason::FlowToScanning);
    } else {
        counters.count(Reason::FlowToLegacy);
    }
}

/// Where a packet ended up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steered {
    /// At the socket of this strategy.
    Socket(Strategy),
    /// There is no socket: to the network stack.
    Pass,
    /// There is no socket, or the policy leaves the packet out: dropped.
    Drop,
}

/// Sends a packet to the socket of `strategy` on `queue`, or else to the other strategy's, or else where
/// `on_user_space_loss` says. `redirect` tries an index of the socket map and says whether a socket stands there.
#[inline(always)]
pub fn steer(
    queue: u32,
    strategy: Strategy,
    setup: &Setup,
    counters: &mut impl Count,
    mut redirect: impl FnMut(u32) -> bool,
) -> Steered {
    if queue >= setup.queues || queue >= QUEUES_MAX {
        counters.count(Reason::QueueOutOfRange);
        return without_socket(setup, counters);
    }
    if redirect(socket_index(queue, strategy)) {
        return at_socket(strategy, counters);
    }
    let other = match strategy {
        Strategy::Legacy => Strategy::Scanning,
        Strategy::Scanning => Strategy::Legacy,
    };
    if redirect(socket_index(queue, other)) {
        counters.count(Reason::OtherSocket);
        return at_socket(other, counters);
    }
    without_socket(setup, counters)
}

#[inline(always)]
fn at_socket(strategy: Strategy, counters: &mut impl Count) -> Steered {
    counters.count(match strategy {
        Strategy::Legacy => Reason::RedirectedLegacy,
        Strategy::Scanning => Reason::RedirectedScanning,
    });
    Steered::Socket(strategy)
}

#[inline(always)]
fn without_socket(setup: &Setup, counters: &mut impl Count) -> Steered {
    if setup.drop_without_socket != 0 {
        counters.count(Reason::DroppedNoSocket);
        Steered::Drop
    } else {
        counters.count(Reason::PassedNoSocket);
        Steered::Pass
    }
}

/// What the program reads from its maps and its context.
pub trait World {
    /// The policy in force.
    fn policy(&self) -> PolicyWord;
    /// The settings.
    fn setup(&self) -> Setup;
    /// When the lease was last renewed.
    fn lease(&self) -> u64;
    /// The time of day of the kernel, nanoseconds.
    fn now(&self) -> u64;
    /// The RX queue the packet came on.
    fn queue(&self) -> u32;
    /// Whether the port is one of those configured.
    fn is_http_port(&self, port: u16) -> bool;
    /// Whether a socket stands at this index.
    fn has_socket(&self, index: u32) -> bool;
    /// The flow table's entry.
    fn flow(&self, key: &FlowKey) -> Option<FlowState>;
    /// Changes the flow table's entry.
    fn store(&mut self, key: &FlowKey, state: FlowState);
    /// What was published of a direction.
    fn cut(&self, key: &CutKey) -> Option<CutRange>;
    /// Takes away what was published of a direction.
    fn forget_cut(&mut self, key: &CutKey);
}

/// All that becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where it ended up.
    pub steered: Steered,
    /// What it was counted under.
    pub reasons: ReasonSet,
    /// The tag it got; packets that are left out get none.
    pub tag: Option<PacketTag>,
    /// How many of its bytes went there.
    pub length: u32,
}

/// Judges a frame from its first byte to its end, as the program does.
pub fn judge_frame(frame: &[u8], world: &mut impl World) -> Outcome {
    let mut reasons = ReasonSet::default();
    reasons.count(Reason::Seen);
    let setup = world.setup();
    let Dissected { flags, content, tcp } = dissect(frame);
    let now = world.now();
    let stamp = Stamp {
        now,
        length: frame.length(),
        stale: lease_is_stale(world.lease(), setup.lease_ns, now),
        flags,
    };
    if stamp.stale {
        reasons.count(Reason::LeaseStale);
    }
    let verdict = match content {
        Content::Tcp => judge_segment(frame, &tcp, &setup, &stamp, world, &mut reasons),
        other => judge_other(other, &setup, &stamp, &mut reasons),
    };
    let mut outcome = Outcome {
        steered: Steered::Drop,
        reasons,
        tag: None,
        length: frame.length(),
    };
    match verdict {
        Verdict::Omit(reason) => outcome.reasons.count(reason),
        Verdict::Steer(strategy, mut tag) => {
            let queue = world.queue();
            let reasons = &mut outcome.reasons;
            outcome.steered = steer(queue, strategy, &setup, reasons, |index| world.has_socket(index));
            if tag.flags & flags::SHORTENED != 0 {
                match outcome.steered {
                    Steered::Socket(_) => {
                        reasons.count(Reason::BodyCut);
                        outcome.length = u32::from(tag.payload_offset);
                    }
                    // The network stack gets whole packets.
                    Steered::Pass | Steered::Drop => tag.flags &= !flags::SHORTENED,
                }
            }
            outcome.tag = Some(tag);
        }
    }
    outcome
}

fn judge_segment(
    frame: &[u8],
    tcp: &Tcp,
    setup: &Setup,
    stamp: &Stamp,
    world: &mut impl World,
    reasons: &mut ReasonSet,
) -> Verdict {
    let known = world.flow(&tcp.key);
    let rules = Rules {
        policy: world.policy(),
        hash: known.map_or_else(|| tcp.key.hash(setup.seed), |state| state.hash),
        detect: setup.detect != 0,
        now: stamp.now,
    };
    let by_port = || world.is_http_port(tcp.key.low_port) || world.is_http_port(tcp.key.high_port);
    let lead = || Lead::read(frame, tcp.payload_offset as u32, tcp.payload_length);
    let visit = visit(known, tcp, &rules, by_port, lead);
    world.store(&tcp.key, visit.state);
    count_visit(&visit, reasons);
    let mut verdict = judge_tcp(tcp, &rules, &visit, setup, stamp, reasons);
    if setup.cut != 0 {
        let mut over = None;
        let range = |key: &CutKey| world.cut(key);
        mark_cut(&mut verdict, tcp, &rules, &visit.state, stamp, range, |key| {
            over = Some(*key)
        });
        if let Some(key) = over {
            world.forget_cut(&key);
        }
    }
    verdict
}
