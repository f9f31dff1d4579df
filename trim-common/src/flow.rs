//! A TCP connection's identity, the same for both directions.

/// Which end of a flow sent a packet, in terms of the ordered endpoints of its [`FlowKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    /// From the lower endpoint to the higher one.
    Up = 0,
    /// From the higher endpoint to the lower one.
    Down = 1,
}

impl Direction {
    /// Position in per-direction arrays.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The other direction.
    #[inline]
    pub const fn reverse(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// The five-tuple of a TCP flow with its endpoints in a fixed order, so that both directions have one key.
///
/// IPv4 addresses are stored IPv4-mapped (`::ffff:a.b.c.d`, RFC 4291 section 2.5.5.2). The lower endpoint is the one
/// whose address, then port, compares lower. Lives in BPF maps: no padding. The alignment lets it be read in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(C, align(4))]
pub struct FlowKey {
    /// Address of the lower endpoint, network byte order.
    pub low_address: [u8; 16],
    /// Address of the higher endpoint, network byte order.
    pub high_address: [u8; 16],
    /// Port of the lower endpoint, host byte order.
    pub low_port: u16,
    /// Port of the higher endpoint, host byte order.
    pub high_port: u16,
}

const _: () = assert!(core::mem::size_of::<FlowKey>() == 36);

/// An IP address as two big-endian words; the form to compute with, in two registers.
pub type AddressWords = (u64, u64);

/// `::ffff:a.b.c.d` in words.
#[inline(always)]
pub const fn map_ipv4_words(address: u32) -> AddressWords {
    (0, 0xffff_0000_0000 | address as u64)
}

/// `::ffff:a.b.c.d`.
#[inline]
pub const fn map_ipv4(address: [u8; 4]) -> [u8; 16] {
    let [a, b, c, d] = address;
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d]
}

impl FlowKey {
    /// The key of a packet's flow and the direction the packet travels in.
    #[inline]
    pub fn new(source: [u8; 16], source_port: u16, destination: [u8; 16], destination_port: u16) -> (Self, Direction) {
        Self::from_words(words(&source), source_port, words(&destination), destination_port)
    }

    /// [`new`](Self::new), for addresses in words.
    #[inline(always)]
    pub fn from_words(
        source: AddressWords,
        source_port: u16,
        destination: AddressWords,
        destination_port: u16,
    ) -> (Self, Direction) {
        let ordered = (source.0, source.1, source_port) <= (destination.0, destination.1, destination_port);
        let (low, low_port, high, high_port, direction) = if ordered {
            (source, source_port, destination, destination_port, Direction::Up)
        } else {
            (destination, destination_port, source, source_port, Direction::Down)
        };
        let key = Self {
            low_address: bytes(low),
            high_address: bytes(high),
            low_port,
            high_port,
        };
        (key, direction)
    }

    /// A hash of the key under `seed`, the same in the kernel, in user space and for both directions.
    ///
    /// Words are mixed by multiply-xorshift steps (the finaliser of MurmurHash3's 64-bit variant), which is enough to
    /// spread flows evenly and unpredictably for anyone who does not know the seed; it is not a cryptographic hash.
    #[inline(always)]
    pub fn hash(&self, seed: u64) -> u32 {
        let (low_a, low_b) = words(&self.low_address);
        let (high_a, high_b) = words(&self.high_address);
        let ports = ((self.low_port as u64) << 16) | self.high_port as u64;
        let mut h = mix(seed ^ low_b);
        h = mix(h ^ high_b);
        h = mix(h ^ ports);
        // IPv4 has nothing there, and each step has to wait for the one before.
        if low_a | high_a != 0 {
            h = mix(h ^ low_a);
            h = mix(h ^ high_a);
        }
        (h >> 32) as u32
    }
}

#[inline(always)]
const fn words(address: &[u8; 16]) -> AddressWords {
    let word = u128::from_be_bytes(*address);
    ((word >> 64) as u64, word as u64)
}

#[inline(always)]
const fn bytes(words: AddressWords) -> [u8; 16] {
    ((words.0 as u128) << 64 | words.1 as u128).to_be_bytes()
}

#[inline(always)]
const fn mix(mut word: u64) -> u64 {
    word ^= word >> 33;
    word = word.wrapping_mul(0xff51_afd7_ed55_8ccd);
    word ^= word >> 33;
    word = word.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ (word >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_ordered_by_address_and_then_by_port() {
        let (one, two) = (map_ipv4([10, 0, 0, 1]), map_ipv4([10, 0, 0, 2]));
        let (key, direction) = FlowKey::new(two, 1, one, 9);
        assert_eq!((key.low_address, key.low_port, direction), (one, 9, Direction::Down));
        let (key, direction) = FlowKey::new(one, 9, one, 10);
        assert_eq!((key.low_port, key.high_port, direction), (9, 10, Direction::Up));
    }

    #[test]
    fn words_and_bytes_make_the_same_key() {
        let (one, two) = (map_ipv4([192, 0, 2, 1]), map_ipv4([203, 0, 113, 255]));
        let words = |address| map_ipv4_words(u32::from_be_bytes(address));
        assert_eq!(
            FlowKey::new(one, 1, two, 2),
            FlowKey::from_words(words([192, 0, 2, 1]), 1, words([203, 0, 113, 255]), 2)
        );
    }

    #[test]
    fn the_hash_depends_on_every_part_and_on_the_seed() {
        let base = FlowKey::new([1; 16], 5, [2; 16], 6).0;
        let upper = |first| {
            let mut address = [2; 16];
            address[0] = first;
            address
        };
        let others = [
            FlowKey::new([1; 16], 5, upper(3), 6).0,
            FlowKey::new([1; 16], 4, [2; 16], 6).0,
            FlowKey::new([1; 16], 5, [2; 16], 7).0,
            FlowKey::new([0; 16], 5, [2; 16], 6).0,
            FlowKey::new([1; 16], 5, [3; 16], 6).0,
        ];
        for other in others {
            assert_ne!(base.hash(1), other.hash(1), "{other:?}");
        }
        assert_ne!(base.hash(1), base.hash(2));
    }
}
