//! What is remembered of a flow, and which strategy it gets.
//!
//! A flow keeps its strategy for life: until an immediate switch bumps the generation, or a SYN begins a new
//! connection on the same addresses and ports.

use crate::classify::{Lead, Look, Sender};
use crate::flow::Direction;
use crate::headers::Tcp;
use crate::maps::PolicyWord;
use crate::strategy::{Mode, Strategy};

/// Payloads of a flow that are looked at before the program gives up deciding whether it is HTTP.
const LOOKS_MAX: u8 = 32;

/// Whether a flow is HTTP.
pub mod http {
    /// Not known (yet): treated as HTTP.
    pub const UNKNOWN: u8 = 0;
    /// By its port or by its bytes.
    pub const YES: u8 = 1;
    /// Known not to be: another port with detection off, or the first bytes of a direction cannot be HTTP.
    pub const NO: u8 = 2;
}

/// What the kernel remembers of a flow; value type of [`FLOWS`](crate::maps::FLOWS). No padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(C)]
pub struct FlowState {
    /// Kernel time at which the connection began or was assigned last, nanoseconds: what was learned of it before does
    /// not count any more.
    pub since: u64,
    /// Generation under which the flow was assigned.
    pub generation: u32,
    /// [`Strategy::index`].
    pub strategy: u8,
    /// [`Mode`] number under which the flow was assigned.
    pub mode: u8,
    /// One of [`http`].
    pub http: u8,
    /// Payloads looked at in vain.
    pub looks: u8,
    /// By direction: sequence number of the first byte an endpoint sends; meaningful where `starts` says so.
    pub start: [u32; 2],
    /// Bit `Direction::index()`: `start` is known, from a SYN of that direction.
    pub starts: u8,
    /// 1 + [`Direction::index`] of the end that opened the connection; 0 when that was not seen.
    pub client: u8,
    /// Always 0.
    pub reserved: [u8; 2],
    /// The flow's hash, so that it is computed once. It decides the strategy and names the flow in its packets' tags.
    pub hash: u32,
}

const _: () = assert!(core::mem::size_of::<FlowState>() == 32);

/// What a packet meant for its flow's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// First packet of a flow that was not in the table.
    New,
    /// First packet of a new connection on known addresses and ports.
    Reopened,
    /// The flow was assigned again, after an immediate switch.
    Reassigned,
    /// Nothing special.
    Known,
}

impl Event {
    /// Whether a connection begins (as far as the program saw).
    #[inline(always)]
    pub const fn begins(self) -> bool {
        matches!(self, Self::New | Self::Reopened)
    }
}

/// A flow's entry after a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// What stands in the table now.
    pub state: FlowState,
    /// What the packet meant for it.
    pub event: Event,
}

/// What decides about a flow besides the packet and the entry.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The policy in force.
    pub policy: PolicyWord,
    /// The flow's hash: that of its entry, under the seed in force for a flow without one.
    pub hash: u32,
    /// Whether flows on other than the configured ports may be HTTP by their first bytes.
    pub detect: bool,
    /// Kernel time, nanoseconds.
    pub now: u64,
}

impl Rules {
    /// The strategy of a flow that is assigned now.
    #[inline(always)]
    pub const fn strategy(&self) -> Strategy {
        match self.policy.mode() {
            Mode::Legacy | Mode::Comparison => Strategy::Legacy,
            Mode::Scanning | Mode::Auto => Strategy::Scanning,
            Mode::AbTest => {
                if self.policy.split().takes(self.hash) {
                    Strategy::Scanning
                } else {
                    Strategy::Legacy
                }
            }
        }
    }
}

/// Brings a flow's entry up to date with a packet; `None` is a flow that is not in the table.
///
/// `by_port` says whether one of the flow's ports is configured, and is asked only when a connection begins. `lead` reads
/// the first payload bytes, only when they are needed.
#[inline(always)]
pub fn visit(
    known: Option<FlowState>,
    tcp: &Tcp,
    rules: &Rules,
    by_port: impl FnOnce() -> bool,
    lead: impl FnOnce() -> Lead,
) -> Visit {
    let (mut state, event) = match known {
        Some(state) if !begins_anew(&state, tcp) => {
            if state.generation == rules.policy.generation() {
                (state, Event::Known)
            } else {
                (assigned(state, rules), Event::Reassigned)
            }
        }
        Some(_) => (begun(rules, by_port()), Event::Reopened),
        None => (begun(rules, by_port()), Event::New),
    };
    note_start(&mut state, tcp);
    if state.http == http::UNKNOWN && tcp.payload_length > 0 && state.looks < LOOKS_MAX {
        judge_lead(&mut state, tcp, lead());
    }
    Visit { state, event }
}

/// A SYN without ACK begins a new connection, unless it repeats the one that began this flow.
#[inline(always)]
fn begins_anew(state: &FlowState, tcp: &Tcp) -> bool {
    tcp.opens() && !stands_at_start(state, tcp)
}

/// Whether the segment's first byte is known to be the first one its sender sends.
#[inline(always)]
fn stands_at_start(state: &FlowState, tcp: &Tcp) -> bool {
    let start = match tcp.direction {
        Direction::Up => state.start[0],
        Direction::Down => state.start[1],
    };
    state.starts & direction_bit(tcp.direction) != 0 && start == tcp.payload_sequence()
}

#[inline(always)]
const fn direction_bit(direction: Direction) -> u8 {
    1 << direction.index()
}

#[inline(always)]
fn begun(rules: &Rules, by_port: bool) -> FlowState {
    let http = match (by_port, rules.detect) {
        (true, _) => http::YES,
        (false, true) => http::UNKNOWN,
        (false, false) => http::NO,
    };
    assigned(
        FlowState {
            http,
            ..FlowState::default()
        },
        rules,
    )
}

#[inline(always)]
fn assigned(state: FlowState, rules: &Rules) -> FlowState {
    FlowState {
        since: rules.now,
        generation: rules.policy.generation(),
        strategy: rules.strategy() as u8,
        mode: rules.policy.mode() as u8,
        hash: rules.hash,
        ..state
    }
}

/// Learns from a SYN where its sender's bytes start and who opened the connection.
#[inline(always)]
fn note_start(state: &mut FlowState, tcp: &Tcp) {
    if !tcp.syn() {
        return;
    }
    match tcp.direction {
        Direction::Up => state.start[0] = tcp.payload_sequence(),
        Direction::Down => state.start[1] = tcp.payload_sequence(),
    }
    state.starts |= direction_bit(tcp.direction);
    let client = if tcp.opens() {
        tcp.direction
    } else {
        tcp.direction.reverse()
    };
    state.client = 1 + client.index() as u8;
}

/// Learns from first payload bytes. HTTP is believed wherever it shows; the contrary only of the very first bytes of
/// a direction, because anything may stand at the beginning of a later segment.
#[inline(always)]
fn judge_lead(state: &mut FlowState, tcp: &Tcp, lead: Lead) {
    let from_server = state.client == 1 + tcp.direction.reverse().index() as u8;
    let sender = if from_server {
        Sender::Server
    } else {
        Sender::ClientOrUnknown
    };
    match lead.look(sender) {
        Look::Http => state.http = http::YES,
        Look::Foreign if stands_at_start(state, tcp) => state.http = http::NO,
        Look::Foreign | Look::Undecided => state.looks += 1,
    }
}
