//! Those who receive: `trim`, and what it is compared with.

mod bare;
mod dropper;
mod sniffer;
mod trim;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;
use trim_common::strategy::Mode;

pub(crate) use sniffer::Program;

use crate::cpus::Cpus;
use crate::traffic::Sent;
use crate::usage::Usage;
use crate::wire::Wire;

/// A receiver under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// The appliance.
    Trim {
        /// In this mode.
        mode: Mode,
        /// With bodies cut in the kernel.
        body_cut: bool,
    },
    /// A program that others capture with.
    Sniffer(Program),
    /// A loop that takes packets out of an AF_XDP socket and does nothing with them: the ceiling.
    Bare,
    /// A program that drops every packet in the driver: the ceiling of the wire itself.
    Drop,
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
    /// What it has taken of the machine so far; `None` for one that is no process of its own.
    fn usage(&self) -> Option<Usage>;
    /// Lets `trim` change its strategy while it receives; microseconds from the command to the last packet with the old
    /// tag. `None` for one that has no strategies.
    ///
    /// # Errors
    /// When it refuses.
    fn switch(&self, _to: Mode) -> Result<Option<f64>> {
        Ok(None)
    }
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
    /// The files written.
    pub(crate) files: Vec<PathBuf>,
    /// From the XDP program to the output's buffer, where that was measured.
    pub(crate) latency: Option<Latency>,
}

/// Latency, nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    /// 999 of 1000 packets took at most this.
    pub(crate) p999: u64,
}

impl Peer {
    /// `trim` as it comes.
    pub(crate) const APPLIANCE: Self = Self::trim(Mode::Legacy, true);

    /// All of them, in the order in which they are measured.
    pub(crate) const ALL: [Self; 10] = [
        Self::trim(Mode::Legacy, true),
        Self::Sniffer(Program::Tcpdump),
        Self::trim(Mode::Legacy, false),
        Self::Sniffer(Program::Tcpdump128),
        Self::trim(Mode::Scanning, true),
        Self::Sniffer(Program::Dumpcap),
        Self::trim(Mode::Scanning, false),
        Self::Sniffer(Program::NetsniffNg),
        Self::Bare,
        Self::Drop,
    ];

    /// Those that keep whole packets, trim in both modes, and the ceilings.
    pub(crate) const WHOLE: [Self; 7] = [
        Self::trim(Mode::Legacy, true),
        Self::Sniffer(Program::Tcpdump),
        Self::trim(Mode::Scanning, true),
        Self::Sniffer(Program::Dumpcap),
        Self::Sniffer(Program::NetsniffNg),
        Self::Bare,
        Self::Drop,
    ];

    /// One of each kind.
    pub(crate) const FEW: [Self; 4] = [Self::APPLIANCE, Self::Sniffer(Program::Tcpdump), Self::Bare, Self::Drop];

    const fn trim(mode: Mode, body_cut: bool) -> Self {
        Self::Trim { mode, body_cut }
    }

    /// Its name in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Trim {
                mode: Mode::Scanning,
                body_cut: true,
            } => "trim scanning",
            Self::Trim {
                mode: Mode::Scanning,
                body_cut: false,
            } => "trim scanning, no body cut",
            Self::Trim { body_cut: true, .. } => "trim legacy",
            Self::Trim { body_cut: false, .. } => "trim legacy, no body cut",
            Self::Sniffer(program) => program.name(),
            Self::Bare => "bare AF_XDP",
            Self::Drop => "XDP_DROP",
        }
    }

    /// Whether its accounts are ours and have to be exact.
    pub(crate) const fn is_ours(self) -> bool {
        !matches!(self, Self::Sniffer(_))
    }

    /// How it is set up, in words.
    pub(crate) const fn setting(self) -> &'static str {
        match self {
            Self::Trim { body_cut: true, .. } => trim::SETTING,
            Self::Trim { body_cut: false, .. } => "likewise, with `capture.body_cut: false`",
            Self::Sniffer(program) => program.setting(),
            Self::Bare => bare::SETTING,
            Self::Drop => dropper::SETTING,
        }
    }

    /// Starts it on the near end of the wire and waits until it receives.
    pub(crate) fn start(self, wire: &Wire<'_>, place: Place<'_>) -> Result<Box<dyn Receiving>> {
        Ok(match self {
            Self::Trim { mode, body_cut } => Box::new(trim::Appliance::start(mode, body_cut, wire, place)?),
            Self::Sniffer(program) => Box::new(sniffer::Sniffer::start(program, wire, place)?),
            Self::Bare => Box::new(bare::Bare::start(wire, place)?),
            Self::Drop => Box::new(dropper::Dropper::start(wire)?),
        })
    }
}
