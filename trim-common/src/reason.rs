//! One counter per reason.
//!
//! Every packet is counted once as [`Reason::Seen`] and once under exactly one terminal reason; all other reasons are
//! information beside that. What happens behind the program, in the sockets' rings, the program cannot see: that is
//! counted by `XDP_STATISTICS`.

/// Why the XDP program did what it did with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// The program ran.
    Seen = 0,
    /// Redirected to the legacy socket of its queue.
    RedirectedLegacy,
    /// Redirected to the scanning socket of its queue.
    RedirectedScanning,
    /// Given to the network stack: no socket on the queue and `on_user_space_loss: pass`.
    PassedNoSocket,
    /// Dropped: no socket on the queue and `on_user_space_loss: drop`.
    DroppedNoSocket,
    /// Left out by policy: a TCP flow that is known not to be HTTP.
    OmittedNotHttp,
    /// Left out by policy: not TCP.
    OmittedNotTcp,
    /// A TCP segment with a whole header.
    Tcp,
    /// A segment of a flow known to be HTTP.
    Http,
    /// IP without TCP.
    NotTcp,
    /// Not IP.
    NotIp,
    /// A tunnel whose inside is not looked at.
    Encapsulated,
    /// A fragment of an IP datagram that may carry TCP.
    Fragment,
    /// The frame ends within a header.
    Truncated,
    /// A header contradicts itself.
    Malformed,
    /// Too many VLAN tags or extension headers.
    TooDeep,
    /// First packet of a flow; the flow went to legacy.
    FlowToLegacy,
    /// First packet of a flow; the flow went to scanning.
    FlowToScanning,
    /// A new connection on the addresses and ports of an old one (also counted as a new flow).
    FlowReopened,
    /// A known flow assigned again, after an immediate switch.
    FlowReassigned,
    /// The flow table took no entry: the flow's strategy was computed, not remembered.
    FlowNotStored,
    /// The strategy's own socket is missing; the other strategy's socket got the packet.
    OtherSocket,
    /// The packet came on a queue beyond the configured number.
    QueueOutOfRange,
    /// The lease was stale: the packet went to legacy.
    LeaseStale,
    /// The driver has no room for metadata: redirected without a tag.
    Untagged,
    /// All of its payload is known to be body: redirected without it.
    BodyCut,
}

/// What a reason means for the accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The total that the terminal classes add up to.
    Total,
    /// Terminal: handed to a socket.
    Delivered,
    /// Terminal: handed to the network stack, not captured.
    Passed,
    /// Terminal: left out on purpose.
    Policy,
    /// Terminal: lost.
    Loss,
    /// Beside the accounts.
    Information,
}

impl Class {
    /// Whether a packet ends under a reason of this class.
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Total | Self::Information)
    }
}

impl Reason {
    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();
    /// Every reason, in the order of its index.
    pub const ALL: [Self; 26] = [
        Self::Seen,
        Self::RedirectedLegacy,
        Self::RedirectedScanning,
        Self::PassedNoSocket,
        Self::DroppedNoSocket,
        Self::OmittedNotHttp,
        Self::OmittedNotTcp,
        Self::Tcp,
        Self::Http,
        Self::NotTcp,
        Self::NotIp,
        Self::Encapsulated,
        Self::Fragment,
        Self::Truncated,
        Self::Malformed,
        Self::TooDeep,
        Self::FlowToLegacy,
        Self::FlowToScanning,
        Self::FlowReopened,
        Self::FlowReassigned,
        Self::FlowNotStored,
        Self::OtherSocket,
        Self::QueueOutOfRange,
        Self::LeaseStale,
        Self::Untagged,
        Self::BodyCut,
    ];

    /// Position in arrays of counters.
    #[inline(always)]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word used in metrics and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::RedirectedLegacy => "redirected_legacy",
            Self::RedirectedScanning => "redirected_scanning",
            Self::PassedNoSocket => "passed_no_socket",
            Self::DroppedNoSocket => "dropped_no_socket",
            Self::OmittedNotHttp => "omitted_not_http",
            Self::OmittedNotTcp => "omitted_not_tcp",
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::NotTcp => "not_tcp",
            Self::NotIp => "not_ip",
            Self::Encapsulated => "encapsulated",
            Self::Fragment => "fragment",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::TooDeep => "too_deep",
            Self::FlowToLegacy => "flow_to_legacy",
            Self::FlowToScanning => "flow_to_scanning",
            Self::FlowReopened => "flow_reopened",
            Self::FlowReassigned => "flow_reassigned",
            Self::FlowNotStored => "flow_not_stored",
            Self::OtherSocket => "other_socket",
            Self::QueueOutOfRange => "queue_out_of_range",
            Self::LeaseStale => "lease_stale",
            Self::Untagged => "untagged",
            Self::BodyCut => "body_cut",
        }
    }

    /// What the reason means for the accounts.
    pub const fn class(self) -> Class {
        match self {
            Self::Seen => Class::Total,
            Self::RedirectedLegacy | Self::RedirectedScanning => Class::Delivered,
            Self::PassedNoSocket => Class::Passed,
            Self::DroppedNoSocket => Class::Loss,
            Self::OmittedNotHttp | Self::OmittedNotTcp => Class::Policy,
            _ => Class::Information,
        }
    }
}

/// Counts reasons: the program's per-CPU counters, or a [`ReasonSet`].
pub trait Count {
    /// Counts one packet under `reason`.
    fn count(&mut self, reason: Reason);
}

/// The reasons under which one packet was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReasonSet(u64);

const _: () = assert!(Reason::COUNT <= 64);

impl ReasonSet {
    /// Whether the packet was counted under `reason`.
    pub const fn contains(self, reason: Reason) -> bool {
        self.0 & (1 << reason.index()) != 0
    }

    /// The reasons, in the order of their index.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::ALL.into_iter().filter(move |reason| self.contains(*reason))
    }
}

impl Count for ReasonSet {
    #[inline]
    fn count(&mut self, reason: Reason) {
        self.0 |= 1 << reason.index();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_stands_at_its_index_under_a_name_of_its_own() {
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), index);
            let namesakes = Reason::ALL.into_iter().filter(|other| other.name() == reason.name());
            assert_eq!(namesakes.count(), 1, "{reason:?}");
        }
    }
}
