//! Strategies, modes and the split between them.

/// One of the two HTTP trimmers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Strategy {
    /// Exact: reassembles each direction and frames it by RFC 9112.
    Legacy = 0,
    /// Fast: SIMD search and light state, no reassembly buffer.
    Scanning = 1,
}

impl Strategy {
    /// How many strategies there are: the number of AF_XDP sockets on each RX queue.
    pub const COUNT: usize = 2;
    /// Every strategy, in the order of its index.
    pub const ALL: [Self; Self::COUNT] = [Self::Legacy, Self::Scanning];

    /// Position in per-strategy arrays and in the steering map.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The strategy with this index; `None` outside `0..COUNT`.
    #[inline]
    pub const fn from_index(index: u8) -> Option<Self> {
        match index {
            0 => Some(Self::Legacy),
            1 => Some(Self::Scanning),
            _ => None,
        }
    }

    /// The word used in configuration, output and file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Scanning => "scanning",
        }
    }
}

/// How flows are given to the strategies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Mode {
    /// Every flow on `legacy`.
    Legacy = 0,
    /// Every flow on `scanning`.
    Scanning = 1,
    /// Scanning wherever its framing is exact, legacy elsewhere. Decided in user space; the kernel tags these flows
    /// for the scanning socket and the worker there holds both trimmers.
    Auto = 2,
    /// A configured share of the flows on `scanning`, the others on `legacy`.
    AbTest = 3,
    /// Both trimmers see the same bytes; the result of `legacy` is used and differences are counted.
    Comparison = 4,
}

impl Mode {
    /// Every mode, in the order of its number.
    pub const ALL: [Self; 5] = [Self::Legacy, Self::Scanning, Self::Auto, Self::AbTest, Self::Comparison];

    /// The mode with this number; `None` for any other number.
    #[inline]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Legacy),
            1 => Some(Self::Scanning),
            2 => Some(Self::Auto),
            3 => Some(Self::AbTest),
            4 => Some(Self::Comparison),
            _ => None,
        }
    }

    /// The word used in configuration and output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Scanning => "scanning",
            Self::Auto => "auto",
            Self::AbTest => "ab_test",
            Self::Comparison => "comparison",
        }
    }
}

/// The share of flows on `scanning`, as a threshold on the 32-bit flow hash: `0` is none, `2^32` is all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Split(u64);

impl Split {
    /// No flow on `scanning`.
    pub const NONE: Self = Self(0);
    /// Every flow on `scanning`.
    pub const ALL: Self = Self(1 << 32);

    /// The split with this threshold; larger values than `2^32` mean all.
    #[inline]
    pub const fn from_threshold(threshold: u64) -> Self {
        if threshold > Self::ALL.0 {
            Self::ALL
        } else {
            Self(threshold)
        }
    }

    /// The nearest split to a share in hundredths of a percent (0..=10000); larger values mean all.
    pub const fn from_basis_points(points: u32) -> Self {
        Self::from_threshold(((points as u64) << 32) / 10_000)
    }

    /// The threshold in `0..=2^32`.
    #[inline]
    pub const fn threshold(self) -> u64 {
        self.0
    }

    /// Whether a flow with this hash goes to `scanning`. Raising the split only ever adds flows.
    #[inline]
    pub const fn takes(self, flow_hash: u32) -> bool {
        (flow_hash as u64) < self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_split_takes_nothing_and_the_whole_split_everything() {
        for hash in [0, 1, u32::MAX / 2, u32::MAX] {
            assert!(!Split::NONE.takes(hash));
            assert!(Split::ALL.takes(hash));
            assert!(Split::from_basis_points(10_000).takes(hash));
            assert!(Split::from_threshold(u64::MAX).takes(hash));
        }
    }

    #[test]
    fn a_share_is_rounded_to_the_nearest_threshold_below() {
        assert_eq!(Split::from_basis_points(5_000).threshold(), 1 << 31);
        assert!(Split::from_basis_points(5_000).takes((1 << 31) - 1));
        assert!(!Split::from_basis_points(5_000).takes(1 << 31));
    }

    #[test]
    fn numbers_and_names_lead_back_to_their_values() {
        for strategy in Strategy::ALL {
            assert_eq!(Strategy::from_index(strategy.index() as u8), Some(strategy));
        }
        for mode in Mode::ALL {
            assert_eq!(Mode::from_number(mode as u8), Some(mode));
        }
        assert_eq!((Strategy::from_index(2), Mode::from_number(5)), (None, None));
    }
}
