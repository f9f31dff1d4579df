//! A packet as it comes out of an RX ring, with what its tag says.

use trim_common::strategy::{Mode, Strategy};
use trim_common::tag::PacketTag;

use crate::data::merge::Timed;
use crate::kernel::xsk::Frame;
use crate::shared::Lane;

/// A received packet. Owns its frame, which has to go back to the queue it came from.
#[derive(Debug)]
pub(super) struct Arrival {
    /// Kernel time, CLOCK_MONOTONIC nanoseconds.
    pub(super) time: u64,
    /// When it was taken out of its ring, on the same clock.
    pub(super) received: u64,
    /// The packet.
    pub(super) frame: Frame,
    /// Hash of its flow; 0 for what is no TCP.
    pub(super) flow_hash: u32,
    /// Length on the wire, bytes.
    pub(super) original_length: u32,
    /// Which of the thread's queues it came from.
    pub(super) queue: u16,
    /// Which trimmer judges it.
    pub(super) lane: Lane,
}

impl Arrival {
    /// What the tag says; without one, the socket says the strategy and `now` stands for the kernel time.
    #[inline]
    pub(super) fn new(frame: Frame, tag: Option<&PacketTag>, strategy: Strategy, queue: u16, now: u64) -> Self {
        let length = frame.len() as u32;
        match tag {
            Some(tag) => Self {
                time: tag.kernel_time,
                received: now,
                flow_hash: tag.flow_hash,
                original_length: tag.original_length.max(length),
                lane: lane_of(strategy, Mode::from_number(tag.mode)),
                frame,
                queue,
            },
            None => Self {
                time: now,
                received: now,
                flow_hash: 0,
                original_length: length,
                lane: lane_of(strategy, None),
                frame,
                queue,
            },
        }
    }
}

/// The socket a packet came through says its strategy: the kernel may have taken the other one when one was missing.
/// `auto` and `comparison` hold only for the strategy that stands for them.
#[inline]
fn lane_of(strategy: Strategy, mode: Option<Mode>) -> Lane {
    match (strategy, mode) {
        (Strategy::Scanning, Some(Mode::Auto)) => Lane::Auto,
        (Strategy::Scanning, _) => Lane::Scanning,
        (Strategy::Legacy, Some(Mode::Comparison)) => Lane::Comparison,
        (Strategy::Legacy, _) => Lane::Legacy,
    }
}

impl Timed for Arrival {
    #[inline]
    fn time(&self) -> u64 {
        self.time
    }
}
