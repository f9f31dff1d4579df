//! The traffic of each scenario: real TCP segments with correct checksums, made by the kernel.

mod downloads;
mod flood;
mod frame;
#[cfg(test)]
mod trimmed;

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

pub(crate) use downloads::Downloads;
pub(crate) use flood::Flood;

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const SERVER_PORT: u16 = 80;
const FIRST_CLIENT_PORT: u16 = 30_000;
/// Initial sequence numbers of both ends of every flow.
const CLIENT_START: u32 = 1_000_000;
const SERVER_START: u32 = 2_000_000;
/// Largest TCP payload in an Ethernet frame of 1514 bytes.
const SEGMENT: usize = 1460;

/// What is sent in one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// Large downloads side by side.
    Downloads(Downloads),
    /// The same segment on many connections.
    Flood(Flood),
}

/// How much that is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Shape {
    /// Connections.
    pub(crate) flows: u16,
    /// Mean length of a frame, bytes from the Ethernet header on.
    pub(crate) frame_bytes: f64,
    /// Frames while time is taken.
    pub(crate) frames: u64,
    /// Bytes of message bodies in them.
    pub(crate) body_bytes: u64,
}

/// What was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    /// Frames given to the sending interface.
    pub(crate) frames: u64,
    /// Of those, frames before time was taken: they open flows.
    pub(crate) openings: u64,
    /// Bytes of message bodies in all frames.
    pub(crate) body_bytes: u64,
    /// How long the frames after the openings took.
    pub(crate) duration: Duration,
}

impl Workload {
    /// Sends everything out of the interface with this index (of the calling thread's namespace).
    ///
    /// # Errors
    /// When the kernel refuses, or has made another number of frames than it was asked for.
    pub(crate) fn send(self, interface: u32) -> Result<Sent> {
        match self {
            Self::Downloads(downloads) => downloads.send(interface),
            Self::Flood(flood) => flood.send(interface),
        }
    }

    /// How much that is.
    pub(crate) fn shape(self) -> Shape {
        match self {
            Self::Downloads(downloads) => downloads.shape(),
            Self::Flood(flood) => flood.shape(),
        }
    }
}
