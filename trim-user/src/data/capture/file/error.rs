//! What can be wrong with a capture file.

use std::fmt;
use std::io;

use super::{MAX_BLOCK, MAX_INTERFACE_TEXT, MAX_INTERFACES, MAX_PACKET};

/// Where in a capture something is: names the file, the packet and the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path as it was given, or `standard input`.
    pub name: String,
    /// Number of the packet that would have come next, from 1.
    pub packet: u64,
    /// Offset of the record, bytes from the start of the (decompressed) file.
    pub offset: u64,
    /// Whether the file is compressed and the offset counts decompressed bytes.
    pub decompressed: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            packet,
            offset,
            decompressed,
        } = self;
        let unit = if *decompressed { " of the decompressed data" } else { "" };
        write!(formatter, "{name}: at byte {offset}{unit}, packet {packet}")
    }
}

/// Why a capture cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened.
    #[error("cannot open {name}: {source}")]
    Open {
        /// The path as it was given.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("{name} is empty; a capture has at least a file header")]
    Empty {
        /// The path as it was given.
        name: String,
    },
    /// It starts like nothing that is known.
    #[error(
        "{name} is not a capture: it starts with {start:02x?}, and pcap, pcapng and either in gzip or zstd are read"
    )]
    NotACapture {
        /// The path as it was given.
        name: String,
        /// Its first bytes.
        start: Vec<u8>,
    },
    /// The system or the decompressor failed while reading.
    #[error("{place}: cannot read further: {source}")]
    Input {
        /// How far reading came.
        place: Place,
        /// What the system or the decompressor said.
        source: io::Error,
    },
    /// The file is damaged or cut off.
    #[error("{place}: {fault}; everything before it has been read")]
    Damaged {
        /// Where the damaged record starts.
        place: Place,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What is wrong with one record of a capture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file ends inside the record.
    #[error("the file is cut off: {have} bytes are left of a record of at least {need}")]
    CutOff {
        /// Bytes present.
        have: usize,
        /// Bytes needed to go on.
        need: usize,
    },
    /// A version of the pcap format that nobody writes.
    #[error("pcap version {major}.{minor}, only version 2 is known")]
    PcapVersion {
        /// Major version.
        major: u16,
        /// Minor version.
        minor: u16,
    },
    /// A version of the pcapng format that is not known.
    #[error("pcapng version {major}.{minor}, only version 1 is known")]
    PcapngVersion {
        /// Major version.
        major: u16,
        /// Minor version.
        minor: u16,
    },
    /// A link type outside the range of the format.
    #[error("link type {0}, the highest possible one is 65535")]
    LinkType(u32),
    /// More captured bytes than any capture program stores.
    #[error("a packet of {0} bytes, more than the limit of {MAX_PACKET}")]
    PacketTooLong(u32),
    /// A packet that does not fit into the block that holds it.
    #[error("a packet of {captured} bytes in a block with room for {room}")]
    PacketBeyondBlock {
        /// Captured length by the block's own header.
        captured: u32,
        /// Bytes that the block has for it.
        room: usize,
    },
    /// A block length that cannot be.
    #[error(
        "a block of type {kind:#010x} that states {length} bytes; {least} to {MAX_BLOCK} in steps of 4 are possible"
    )]
    BlockLength {
        /// Block type.
        kind: u32,
        /// Its stated length.
        length: u32,
        /// The least such a block can have.
        least: usize,
    },
    /// A block that says one length in front and another one behind.
    #[error("a block of type {kind:#010x} that states {leading} bytes at its start and {trailing} at its end")]
    BlockEnds {
        /// Block type.
        kind: u32,
        /// Length at the start.
        leading: u32,
        /// Length at the end.
        trailing: u32,
    },
    /// A section whose byte order cannot be told.
    #[error("a section header whose byte-order magic is {0:#010x} in either order wrong")]
    ByteOrder(u32),
    /// An option that does not fit into its block or has a wrong length.
    #[error("option {code} of an interface block has a length of {length} bytes, which cannot be")]
    Option {
        /// Option code.
        code: u16,
        /// Its stated length.
        length: usize,
    },
    /// A packet that refers to an interface nobody described.
    #[error("a packet or count of interface {interface}, but the section describes {known} so far")]
    UnknownInterface {
        /// The interface's number in its section.
        interface: u32,
        /// How many interfaces the section has described.
        known: usize,
    },
    /// More interfaces than any file has.
    #[error("more than {MAX_INTERFACES} interfaces or {MAX_INTERFACE_TEXT} bytes of interface descriptions")]
    TooManyInterfaces,
}
