//! Those who receive: `trim`, and what it is compared with.

mod bare;
mod tcpdump;
mod trim;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use trim_common::strategy::Mode;

use crate::cpus::Cpus;
use crate::source::Sent;
use crate::wire::Wire;

/// A receiver under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// The appliance, in this mode.
    Trim(Mode),
    /// `tcpdump -s 0`, writing.
    Tcpdump,
    /// A loop that takes packets out of an AF_XDP socket and does nothing with them: the ceiling.
    Bare,
}

/// What all peers are given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The `trim` binary.
    pub(crate) trim: &'a Path,
    /// An empty folder in memory.
    pub(crate) output: &'a Path,
    pub(crate) cpus: Cpus,
}

/// A peer that receives.
pub(crate) trait Receiving {
    /// Everything was sent, and the last frame has arrived: says what became of it.
    fn stop(self: Box<Self>, sent: &Sent) -> Result<Received>;
}

/// What became of the frames that reached the receiver's interface.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    /// Frames that its XDP program has seen.
    pub(crate) seen: u64,
    /// Packets kept: written, or for the bare loop taken.
    pub(crate) kept: u64,
    /// Packets lost, by place.
    pub(crate) lost: BTreeMap<String, u64>,
    /// Bytes written; `None` for one that writes nothing.
    pub(crate) output_bytes: Option<u64>,
}

impl Peer {
    /// All of them, in the order in which they are measured.
    pub(crate) const ALL: [Self; 4] = [
        Self::Trim(Mode::Legacy),
        Self::Tcpdump,
        Self::Trim(Mode::Scanning),
        Self::Bare,
    ];

    /// Its name in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Trim(Mode::Scanning) => "trim scanning",
            Self::Trim(_) => "trim legacy",
            Self::Tcpdump => "tcpdump -s 0",
            Self::Bare => "bare AF_XDP",
        }
    }

    /// Whether its accounts are ours and have to be exact.
    pub(crate) const fn is_ours(self) -> bool {
        !matches!(self, Self::Tcpdump)
    }

    /// How it is set up, in words.
    pub(crate) const fn setting(self) -> &'static str {
        match self {
            Self::Trim(_) => trim::SETTING,
            Self::Tcpdump => tcpdump::SETTING,
            Self::Bare => bare::SETTING,
        }
    }

    /// Starts it on the near end of the wire and waits until it receives.
    pub(crate) fn start(self, wire: &Wire<'_>, place: Place<'_>) -> Result<Box<dyn Receiving>> {
        Ok(match self {
            Self::Trim(mode) => Box::new(trim::Appliance::start(mode, wire, place)?),
            Self::Tcpdump => Box::new(tcpdump::Tcpdump::start(wire, place)?),
            Self::Bare => Box::new(bare::Bare::start(wire, place)?),
        })
    }
}
