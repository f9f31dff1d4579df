//! Why packets cannot be stored.

use std::io;
use std::path::PathBuf;

use crate::data::capture::file::MAX_PACKET;
use crate::packet::LinkType;

/// Why a sink cannot be made or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The file or folder cannot be made.
    #[error("cannot create {path}: {source}")]
    Create {
        /// What was to be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The output is the input.
    #[error("{path} is also an input; name another output, the input is never overwritten")]
    OutputIsInput {
        /// The output as it was given.
        path: PathBuf,
    },
    /// Writing failed.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The output as it was given.
        path: PathBuf,
        /// What the system or the compressor said.
        source: io::Error,
    },
    /// The finished file cannot get its name.
    #[error("cannot give {from} its final name {path}: {source}")]
    Rename {
        /// The complete file.
        from: PathBuf,
        /// The name it should have had.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The compressor cannot be set up.
    #[error("cannot start {compression} compression: {source}")]
    Compressor {
        /// Name of the compression.
        compression: &'static str,
        /// What the library said.
        source: io::Error,
    },
    /// pcap holds one link type only.
    #[error(
        "pcap holds packets of one link type, {first:?}, and an interface has {other:?}; write pcapng (--format pcapng)"
    )]
    SecondLinkType {
        /// Link type of the first interface.
        first: LinkType,
        /// The one that came later.
        other: LinkType,
    },
    /// A pcap file was begun in microseconds, which cannot hold the times of a later interface.
    #[error(
        "an interface with finer times than microseconds came after the first packet; write pcapng (--format pcapng)"
    )]
    FinerTime,
    /// pcap counts seconds in 32 bits.
    #[error("the time {time_ns} ns is after 2106, which pcap cannot hold; write pcapng (--format pcapng)")]
    TimeBeyondPcap {
        /// Nanoseconds since 1970.
        time_ns: u64,
    },
    /// A packet larger than any reader accepts.
    #[error("a packet of {length} bytes is longer than the limit of {MAX_PACKET}")]
    PacketTooLong {
        /// Its captured length, bytes.
        length: usize,
    },
    /// A record of an interface that was not announced.
    #[error("a packet of interface {interface}, but only {known} interfaces were announced")]
    UnknownInterface {
        /// The interface the record names.
        interface: u32,
        /// How many there are.
        known: usize,
    },
    /// The sink was finished, or failed before.
    #[error("the output was closed before; nothing can be added to it")]
    Closed,
}
