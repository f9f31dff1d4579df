//! Reads capture files as a stream: pcap and pcapng of any byte order and time unit, plain, gzip or zstd.
//!
//! The bytes pass through a reused [`window`]; a packet is a slice of it, never a copy. Plain files are read ahead by several
//! threads ([`blocks`]), everything else as it is needed. The formats are pure functions of the bytes at hand
//! ([`step::Step`]).
//!
//! A damaged or cut-off file is read up to the damage; then one error says where it is.

mod blocks;
mod bytes;
mod decompress;
mod error;
mod gzip;
mod pcap;
mod pcapng;
mod reader;
mod source;
mod step;
mod window;
mod zstd;

pub use error::{Fault, Place, ReadError};
pub use reader::{CaptureReader, Event, Notices, Position};

/// Most captured bytes of one packet; a larger length is damage. libpcap has the same bound (`MAXIMUM_SNAPLEN`).
pub const MAX_PACKET: u32 = 262_144;

/// Most bytes of one pcapng block; a larger length is damage. Wireshark has the same bound.
pub const MAX_BLOCK: u32 = 16 << 20;

/// Most interfaces in one file, over all its sections; more is damage.
pub const MAX_INTERFACES: usize = 65_536;

/// Most bytes of text and options that all interfaces of one file have together; more is damage.
pub const MAX_INTERFACE_TEXT: usize = 8 << 20;
