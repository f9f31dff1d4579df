//! The two trimmers behind one trait.
//!
//! A trimmer sees TCP segments and says of every payload byte what it is ([`Label`]); it never touches a frame. What
//! is then done with a byte of each kind is the [`policy`]'s business, and in which order packets leave is the
//! worker's. Pure: no I/O, and time comes in as an argument.

mod auto;
mod checksum;
mod difference;
mod finding;
mod flow_table;
mod handover;
mod labels;
mod legacy;
mod policy;
mod pool;
mod sampled;
mod scanning;
mod settings;
mod shadow;

pub use auto::Auto;
pub use difference::{Class, Differences, differences};
pub use finding::Finding;
pub use labels::{Label, Labels};
pub use legacy::Legacy;
pub use policy::{Action, Fate, NonHttp, Policy, Retention};
pub use sampled::{Sampled, settings as sampled_settings};
pub use scanning::{Scanning, Standing};
pub use settings::{Ports, Settings};
pub use shadow::Shadow;

use trim_common::flow::{Direction, FlowKey};
use trim_common::strategy::Strategy;

use crate::packet::TcpFlags;

/// One TCP segment as a trimmer sees it.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The flow it belongs to.
    pub flow: FlowKey,
    /// Which endpoint sent it.
    pub direction: Direction,
    /// Sequence number (of the SYN itself when SYN is set).
    pub sequence: u32,
    /// Acknowledgment number; meaningful only with ACK set.
    pub acknowledgment: u32,
    /// The TCP flags.
    pub flags: TcpFlags,
    /// The captured payload.
    pub payload: &'a [u8],
    /// Payload length on the wire, at least `payload.len()`; the rest was cut by a snaplen and stands like a gap.
    pub wire_payload: u32,
    /// Capture time, nanoseconds since any fixed point.
    pub time: u64,
}

/// How many bytes behind a segment are certain to be body that is removed.
///
/// The caller may have the kernel cut them off: segments of them then come without payload, and are labelled as they would
/// be with it.
pub type BodyAhead = u64;

/// The caller's name for a packet; grows from packet to packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What a trimmer answers at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Judgement {
    /// The labels cover the payload.
    Decided,
    /// Not known yet; the trimmer will call [`Late::decide`] for this ticket, exactly once.
    Held,
}

/// Receives the labels of packets that were held.
pub trait Late {
    /// The payload of the packet `ticket` is labelled by `labels`.
    fn decide(&mut self, ticket: Ticket, labels: &Labels);
}

/// A strategy for telling headers from bodies.
pub trait Trimmer: Send {
    /// Which strategy this is.
    fn strategy(&self) -> Strategy;

    /// Labels one segment.
    ///
    /// On [`Judgement::Decided`], `labels` (cleared first) tiles the payload. Segments that were held before may become
    /// decided by this one: they are handed to `late`, before this call returns.
    fn judge(&mut self, ticket: Ticket, segment: &Segment<'_>, labels: &mut Labels, late: &mut dyn Late) -> Judgement;

    /// The caller can hold `ticket` no longer (its budget or its patience is at an end): decide it now, through `late`,
    /// keeping what is uncertain. Nothing happens when the ticket is not held.
    fn release(&mut self, ticket: Ticket, late: &mut dyn Late);

    /// No more segments will come: decide everything still held.
    fn finish(&mut self, late: &mut dyn Late);

    /// What happened so far.
    fn statistics(&self) -> &Statistics;

    /// While `is_overloaded`, the capture itself loses packets: what is missing is hardly worth waiting for.
    fn hurry(&mut self, _is_overloaded: bool) {}

    /// What is certain of the bytes behind a segment that was decided just now and ends with body: 0 when nothing is. Bytes
    /// that somebody still wants to see, such as a second trimmer that is compared, are never promised.
    fn body_ahead(&mut self, _segment: &Segment<'_>) -> BodyAhead {
        0
    }

    /// A segment on which the two trimmers behind this one differ; each is given once, and not all of them are. `None`
    /// for a trimmer that compares nothing.
    fn take_finding(&mut self) -> Option<Finding> {
        None
    }
}

/// Events counted by a trimmer since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Requests and responses whose header block was complete.
    pub messages: u64,
    /// Flows now in the table.
    pub flows: u64,
    /// Flows ever seen.
    pub flows_seen: u64,
    /// Flows thrown out because the table was full.
    pub flows_evicted: u64,
    /// Directions that lost their framing to a gap.
    pub lost_to_gap: u64,
    /// Directions that lost their framing to malformed or conflicting framing (RFC 9112 section 6.3 "reject").
    pub lost_to_framing: u64,
    /// Directions that lost their framing to a limit (header block size, reassembly budget).
    pub lost_to_limit: u64,
    /// Directions that found a message start again after losing framing, or mid-connection.
    pub resynchronised: u64,
    /// Segments held until later bytes decided them.
    pub held: u64,
    /// Retransmitted bytes that differ from their first copy.
    pub conflicting_bytes: u64,
    /// Payload bytes that were read to find out what they are; one that is read twice counts twice, one in the middle
    /// of a body of known length not at all.
    pub examined: u64,
    /// What a comparison found; all zero elsewhere.
    pub differences: Differences,
}

impl Statistics {
    /// Adds the events of a trimmer that is no longer there; its flows are gone with it.
    pub fn absorb(&mut self, other: &Self) {
        self.messages += other.messages;
        self.flows = other.flows;
        self.flows_seen += other.flows_seen;
        self.flows_evicted += other.flows_evicted;
        self.lost_to_gap += other.lost_to_gap;
        self.lost_to_framing += other.lost_to_framing;
        self.lost_to_limit += other.lost_to_limit;
        self.resynchronised += other.resynchronised;
        self.held += other.held;
        self.conflicting_bytes += other.conflicting_bytes;
        self.examined += other.examined;
        self.differences.absorb(&other.differences);
    }
}
