//! Names, sizes and value types of the BPF maps.

use crate::strategy::{Mode, Split, Strategy};

/// Name of the program that captures.
pub const PROGRAM: &str = "trim";
/// Name of the program that makes traffic for the benchmark.
pub const SOURCE_PROGRAM: &str = "source";

/// Array of one `u64`: the [`PolicyWord`]. Switching is one write here.
pub const POLICY: &str = "POLICY";
/// Array of one [`Setup`].
pub const SETUP: &str = "SETUP";
/// Array of [`PORT_WORDS`] `u64`: a bit for each TCP port that carries HTTP.
pub const PORTS: &str = "PORTS";
/// Array of one `u64`: when user space last renewed its lease, `bpf_ktime_get_ns()`; 0 while none is needed.
pub const LEASE: &str = "LEASE";
/// Array of one `u64`: the renewal whose end was logged last.
pub const LEASE_LOGGED: &str = "LEASE_LOGGED";
/// LRU hash map from [`FlowKey`](crate::flow::FlowKey) to [`FlowState`](crate::assign::FlowState).
pub const FLOWS: &str = "FLOWS";
/// LRU hash map from [`CutKey`](crate::cut::CutKey) to [`CutRange`](crate::cut::CutRange).
pub const CUTS: &str = "CUTS";
/// Array of one `u64`: the kernel time from which on no range of [`CUTS`] holds any more; 0 while none was published. Most
/// traffic has no body that is worth a range, and is then spared a look-up in a table that is in no cache.
pub const CUTS_UNTIL: &str = "CUTS_UNTIL";
/// Per-CPU array of one [`Counters`].
pub const COUNTERS: &str = "COUNTERS";
/// XSKMAP, indexed by [`socket_index`].
pub const SOCKETS: &str = "SOCKETS";
/// Array of [`source::Step`](crate::source::Step): the script of the benchmark's source.
pub const SOURCE_STEPS: &str = "SOURCE_STEPS";
/// Array of [`source::Flow`](crate::source::Flow): the connections of the benchmark's source.
pub const SOURCE_FLOWS: &str = "SOURCE_FLOWS";
/// Array of one [`source::Setup`](crate::source::Setup).
pub const SOURCE_SETUP: &str = "SOURCE_SETUP";

/// Most RX queues of an interface.
pub const QUEUES_MAX: u32 = 256;
/// Entries of [`SOCKETS`].
pub const SOCKETS_MAX: u32 = QUEUES_MAX * Strategy::COUNT as u32;
/// Entries of [`FLOWS`] unless the loader says otherwise.
pub const FLOWS_DEFAULT: u32 = 1 << 17;
/// Entries of [`CUTS`].
pub const CUTS_MAX: u32 = 1 << 16;
/// Entries of [`PORTS`].
pub const PORT_WORDS: u32 = 65536 / 64;

/// The program's counters on one CPU, by [`Reason::index`](crate::reason::Reason::index), packets.
pub type Counters = [u64; crate::reason::Reason::COUNT];

/// Where in [`SOCKETS`] the socket of a strategy on a queue stands.
#[inline(always)]
pub const fn socket_index(queue: u32, strategy: Strategy) -> u32 {
    queue * Strategy::COUNT as u32 + strategy.index() as u32
}

/// Where in [`PORTS`] the bit of a port stands: the word and the bit.
#[inline(always)]
pub const fn port_bit(port: u16) -> (u32, u64) {
    ((port >> 6) as u32, 1 << (port & 63))
}

/// Mode, split and generation in one word.
///
/// The kernel updates an aligned 8-byte array element with one store (`bpf_long_memcpy`, kernel/bpf/arraymap.c), so the
/// program never sees half a switch.
///
/// Bits 0..=32 hold the split's threshold, 33..=35 the mode, 36..=63 the generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct PolicyWord(u64);

impl PolicyWord {
    const MODE_SHIFT: u32 = 33;
    const GENERATION_SHIFT: u32 = 36;
    /// Generations count modulo `GENERATION_MAX + 1`.
    pub const GENERATION_MAX: u32 = (1 << 28) - 1;

    /// The word for these three; of `generation` the low 28 bits count.
    pub const fn new(mode: Mode, split: Split, generation: u32) -> Self {
        let generation = (generation & Self::GENERATION_MAX) as u64;
        Self(split.threshold() | (mode as u64) << Self::MODE_SHIFT | generation << Self::GENERATION_SHIFT)
    }

    /// The word with these bits.
    #[inline(always)]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// What stands in the map.
    #[inline(always)]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The mode; a number that is none means the exact strategy.
    #[inline(always)]
    pub const fn mode(self) -> Mode {
        match Mode::from_number((self.0 >> Self::MODE_SHIFT) as u8 & 7) {
            Some(mode) => mode,
            None => Mode::Legacy,
        }
    }

    /// The split.
    #[inline(always)]
    pub const fn split(self) -> Split {
        Split::from_threshold(self.0 & ((1 << Self::MODE_SHIFT) - 1))
    }

    /// The generation.
    #[inline(always)]
    pub const fn generation(self) -> u32 {
        (self.0 >> Self::GENERATION_SHIFT) as u32
    }

    /// The word after an immediate switch: every flow is assigned again.
    pub const fn immediate(self, mode: Mode, split: Split) -> Self {
        Self::new(mode, split, self.generation().wrapping_add(1))
    }

    /// The word after a draining switch: only flows that begin from now on follow it.
    pub const fn drain(self, mode: Mode, split: Split) -> Self {
        Self::new(mode, split, self.generation())
    }
}

/// What changes seldom or never while a capture runs. No padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(C)]
pub struct Setup {
    /// Seed of the flow hash.
    pub seed: u64,
    /// How long a renewal of the lease is good, nanoseconds; 0 for ever.
    pub lease_ns: u64,
    /// RX queues in use, at most [`QUEUES_MAX`].
    pub queues: u32,
    /// 1: leave out packets known not to be HTTP. 0: keep them.
    pub omit_not_http: u8,
    /// 1: drop packets for which there is no socket. 0: give them to the network stack.
    pub drop_without_socket: u8,
    /// 1: flows on other ports than those of [`PORTS`] may be HTTP by their first bytes. 0: they are not HTTP.
    pub detect: u8,
    /// 1: shorten segments that lie in a range of [`CUTS`]. 0: leave every packet whole.
    pub cut: u8,
}

const _: () = assert!(core::mem::size_of::<Setup>() == 24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_word_gives_back_what_was_put_in() {
        for mode in Mode::ALL {
            for split in [Split::NONE, Split::from_basis_points(3333), Split::ALL] {
                for generation in [0, 1, PolicyWord::GENERATION_MAX] {
                    let word = PolicyWord::from_bits(PolicyWord::new(mode, split, generation).bits());
                    assert_eq!(
                        (word.mode(), word.split(), word.generation()),
                        (mode, split, generation)
                    );
                }
            }
        }
    }

    #[test]
    fn the_generation_wraps_and_disturbs_nothing() {
        let last = PolicyWord::new(Mode::AbTest, Split::ALL, PolicyWord::GENERATION_MAX);
        let next = last.immediate(Mode::Comparison, Split::NONE);
        assert_eq!(next, PolicyWord::new(Mode::Comparison, Split::NONE, 0));
    }

    #[test]
    fn a_mode_number_that_is_none_means_legacy() {
        assert_eq!(PolicyWord::from_bits(7 << 33).mode(), Mode::Legacy);
    }
}
