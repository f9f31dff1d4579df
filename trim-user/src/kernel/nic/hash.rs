//! How a device spreads packets over its RX queues (`ETHTOOL_GRXFH`, `ETHTOOL_GRSSH`).

use super::error::NicError;
use super::ethtool::{Command, Ethtool};

const GET_HASHED_FIELDS: u32 = 0x29;
const GET_HASH: u32 = 0x46;
const TCP_V4_FLOW: u32 = 0x01;
/// `RXH_IP_SRC`, `RXH_IP_DST`, `RXH_L4_B_0_1` (source port), `RXH_L4_B_2_3` (destination port).
const ADDRESSES: u64 = 1 << 4 | 1 << 5;
const SOURCE_PORT: u64 = 1 << 6;
const DESTINATION_PORT: u64 = 1 << 7;
/// `RXH_XFRM_SYM_XOR` and `RXH_XFRM_SYM_OR_XOR`.
const SYMMETRIC_INPUT: u8 = 1 | 2;
/// `RXH_DISCARD`
const DISCARDED: u64 = 1 << 31;
/// More than any device has, bytes.
const LONGEST_KEY: usize = 256;
const MOST_INDIRECTIONS: usize = 4096;

/// `struct ethtool_rxnfc` up to `data`; the kernel may copy the whole structure of 192 bytes, so there is room for it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Fields {
    command: u32,
    flow_type: u32,
    data: u64,
    _rest: [u64; 30],
}

/// `struct ethtool_rxfh` and what follows it: the indirection table, then the key.
#[repr(C)]
#[derive(Clone, Copy)]
struct Hash {
    command: u32,
    context: u32,
    indirections: u32,
    key_bytes: u32,
    function: u8,
    input: u8,
    _reserved: [u8; 2],
    _reserved_too: u32,
    content: [u8; 4 * MOST_INDIRECTIONS + LONGEST_KEY],
}

// SAFETY: `repr(C)`, integers and arrays of them, and with 256 bytes larger than `struct ethtool_rxnfc` (192).
unsafe impl Command for Fields {}
// SAFETY: `repr(C)`, integers and arrays of them. The kernel writes 24 bytes, the indirection table and the key, of
// which it never writes more than the counts in the request ask for; `FlowHash::key` asks for what `content` holds.
unsafe impl Command for Hash {}

/// What is known about the key of a device's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashKey {
    /// The device makes both directions equal before it hashes.
    SymmetricInput,
    /// The key, for a Toeplitz hash.
    Bytes(Vec<u8>),
    /// The driver does not tell.
    Unknown,
}

/// How a device hashes TCP over IPv4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowHash {
    /// Bits of `RXH_*`: the fields that go into the hash; `None` when the driver does not tell.
    pub fields: Option<u64>,
    /// The key.
    pub key: HashKey,
}

impl FlowHash {
    /// Asks the driver.
    ///
    /// # Errors
    /// The interface is gone, for one.
    pub fn query(ethtool: &Ethtool) -> Result<Self, NicError> {
        let fields = Fields {
            command: GET_HASHED_FIELDS,
            flow_type: TCP_V4_FLOW,
            data: 0,
            _rest: [0; 30],
        };
        Ok(Self {
            fields: told(ethtool.ask(fields))?.map(|answer| answer.data),
            key: Self::key(ethtool)?,
        })
    }

    fn key(ethtool: &Ethtool) -> Result<HashKey, NicError> {
        let ask = |indirections, key_bytes| {
            ethtool.ask(Hash {
                command: GET_HASH,
                context: 0,
                indirections,
                key_bytes,
                function: 0,
                input: 0,
                _reserved: [0; 2],
                _reserved_too: 0,
                content: [0; 4 * MOST_INDIRECTIONS + LONGEST_KEY],
            })
        };
        let Some(sizes) = told(ask(0, 0))? else {
            return Ok(HashKey::Unknown);
        };
        if sizes.input & SYMMETRIC_INPUT != 0 {
            return Ok(HashKey::SymmetricInput);
        }
        let (table, key) = (sizes.indirections as usize, sizes.key_bytes as usize);
        if key == 0 || key > LONGEST_KEY || table > MOST_INDIRECTIONS {
            return Ok(HashKey::Unknown);
        }
        let answer = told(ask(sizes.indirections, sizes.key_bytes))?;
        Ok(answer.map_or(HashKey::Unknown, |answer| {
            HashKey::Bytes(answer.content[4 * table..4 * table + key].to_vec())
        }))
    }

    /// Whether both directions of a connection meet on one queue; `None` when the driver does not tell enough.
    ///
    /// They do when source and destination go into the hash alike and the input is made symmetric or the Toeplitz key
    /// repeats every 16 bits.
    pub fn is_symmetric(&self) -> Option<bool> {
        let fields = self.fields?;
        if fields & DISCARDED != 0 {
            return None;
        }
        let takes = |bits| fields & bits == bits;
        let has_both_addresses = takes(ADDRESSES) || fields & ADDRESSES == 0;
        let has_both_ports = takes(SOURCE_PORT | DESTINATION_PORT) || fields & (SOURCE_PORT | DESTINATION_PORT) == 0;
        let mixes_alike = match &self.key {
            HashKey::SymmetricInput => true,
            HashKey::Bytes(key) => key.iter().zip(key.iter().skip(2)).all(|(one, other)| one == other),
            HashKey::Unknown => return None,
        };
        Some(has_both_addresses && has_both_ports && mixes_alike)
    }
}

/// A driver that does not know the question says so in more than one way.
fn told<T>(answer: Result<Option<T>, NicError>) -> Result<Option<T>, NicError> {
    match answer {
        Err(NicError::Request { source, .. }) if source.raw_os_error() == Some(libc::EINVAL) => Ok(None),
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: u64 = ADDRESSES | SOURCE_PORT | DESTINATION_PORT;

    fn symmetric(fields: Option<u64>, key: HashKey) -> Option<bool> {
        FlowHash { fields, key }.is_symmetric()
    }

    #[test]
    fn a_key_that_repeats_every_two_bytes_treats_both_directions_alike() {
        let repeated = HashKey::Bytes([0x6d, 0x5a].repeat(20));
        let usual = HashKey::Bytes((0..40).collect());
        assert_eq!(symmetric(Some(BOTH), repeated.clone()), Some(true));
        assert_eq!(symmetric(Some(ADDRESSES), repeated.clone()), Some(true));
        assert_eq!(symmetric(Some(ADDRESSES | SOURCE_PORT), repeated.clone()), Some(false));
        assert_eq!(symmetric(Some(BOTH), usual), Some(false));
        assert_eq!(symmetric(Some(BOTH), HashKey::SymmetricInput), Some(true));
        assert_eq!(symmetric(Some(BOTH), HashKey::Unknown), None);
        assert_eq!(symmetric(None, repeated), None);
    }
}
