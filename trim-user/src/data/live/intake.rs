//! Takes packets out of the RX rings of a thread's queues and hands them on in the order of their kernel times.

use std::sync::atomic::Ordering;
use std::time::Duration;

use trim_common::strategy::Strategy;
use trim_common::tag::{PacketTag, flags};

use super::arrival::Arrival;
use super::outcome::LiveError;
use crate::data::merge::{Merge, Run};
use crate::kernel::clock;
use crate::kernel::xsk::{Audit, Frame, Queue, WaitMode, Waiter, Wake, XskError};
use crate::shared::{Shared, ThreadBoard};

/// How long after its time stamp a packet may still be on its way into its ring: the kernel publishes packets at the
/// end of a driver's receive loop, which handles 64 of them at most (NAPI_POLL_WEIGHT). Nanoseconds.
const IN_FLIGHT: u64 = 100_000;

/// The queues of one thread.
pub(super) struct Intake {
    queues: Vec<Queue>,
    waiter: Waiter,
    /// One stream per ring: queue number times [`Strategy::COUNT`] plus strategy.
    merge: Merge<Arrival>,
    buffer: Vec<Frame>,
    batch: usize,
    /// What the kernel said when it closed a queue.
    closed: Vec<LiveError>,
    /// Which queues the kernel has closed.
    lost: Vec<bool>,
}

impl Intake {
    pub(super) fn new(queues: Vec<Queue>, wait: WaitMode, batch: usize) -> Self {
        Self {
            waiter: Waiter::new(wait, queues.len()),
            merge: Merge::new(queues.len() * Strategy::COUNT, 4 * batch),
            buffer: Vec::with_capacity(batch),
            lost: vec![false; queues.len()],
            queues,
            batch,
            closed: Vec::new(),
        }
    }

    /// Takes up to a batch out of each ring; returns how many packets there were. `now` is CLOCK_MONOTONIC.
    pub(super) fn receive(&mut self, now: u64, shared: &Shared, board: &ThreadBoard) -> usize {
        self.notice_overload(now, shared);
        let generation = shared.generation.load(Ordering::Acquire);
        let mut received = 0;
        for index in 0..self.queues.len() {
            for strategy in Strategy::ALL {
                received += self.receive_ring(index, strategy, now, generation, board);
            }
        }
        board.received.add(received as u64);
        received
    }

    fn notice_overload(&self, now: u64, shared: &Shared) {
        if self.queues.iter().any(Queue::is_short) && shared.overload.note(now) {
            tracing::warn!(
                "packets come faster than they are trimmed; for a second, missing ones are hardly waited for"
            );
        }
    }

    fn receive_ring(
        &mut self,
        index: usize,
        strategy: Strategy,
        now: u64,
        generation: u32,
        board: &ThreadBoard,
    ) -> usize {
        let queue = &mut self.queues[index];
        let stream = index * Strategy::COUNT + strategy.index();
        let count = queue.receive(strategy, self.batch, &mut self.buffer);
        let umem = queue.umem();
        for frame in self.buffer.drain(..) {
            let tag = umem.tag(&frame);
            if let Some(tag) = tag
                && tag.kernel_time > board.last_old_tag.get()
                && is_of_older_generation(&tag, generation)
            {
                board.last_old_tag.set(tag.kernel_time);
            }
            self.merge
                .push(stream, Arrival::new(frame, tag.as_ref(), strategy, index as u16, now));
        }
        if count < self.batch {
            self.merge.promise(stream, now.saturating_sub(IN_FLIGHT));
        }
        count
    }

    /// The next packets that no ring can precede any more.
    pub(super) fn next_run(&self) -> Option<Run> {
        self.merge.next_run()
    }

    /// The next packet of a run.
    #[inline]
    pub(super) fn next_of(&mut self, run: Run) -> Option<Arrival> {
        self.merge.next_of(run)
    }

    /// A time before which everything has been handed on.
    pub(super) fn horizon(&self, now: u64) -> u64 {
        let floor = now.saturating_sub(IN_FLIGHT);
        self.merge.oldest().map_or(floor, |oldest| oldest.min(floor))
    }

    /// The bytes of a packet.
    #[inline]
    pub(super) fn bytes<'a>(&'a self, arrival: &'a Arrival) -> &'a [u8] {
        self.queues[usize::from(arrival.queue)].umem().bytes(&arrival.frame)
    }

    /// Takes back the frame of a packet that is done with.
    #[inline]
    pub(super) fn recycle(&mut self, queue: u16, frame: Frame) {
        self.queues[usize::from(queue)].recycle([frame]);
    }

    /// Gives frames to the kernel.
    pub(super) fn refill(&mut self) {
        for queue in &mut self.queues {
            queue.refill();
        }
    }

    /// Waits for packets, unless some wait to be handed on.
    pub(super) fn wait(&mut self, timeout: Duration) -> Result<Wake, XskError> {
        // Packets that were stamped a moment ago leave as soon as `IN_FLIGHT` is over.
        let timeout = if self.merge.waiting() > 0 {
            timeout.min(Duration::from_nanos(IN_FLIGHT))
        } else {
            timeout
        };
        self.waiter.wait(&self.queues, timeout)
    }

    /// Promises that nothing more will come, so that everything can be handed on.
    pub(super) fn close(&mut self) {
        for stream in 0..self.queues.len() * Strategy::COUNT {
            self.merge.promise(stream, u64::MAX);
        }
    }

    /// Whether a ring or the merge holds packets.
    pub(super) fn has_packets(&self) -> bool {
        self.merge.waiting() > 0 || self.queues.iter().any(Queue::has_packets)
    }

    /// Packets that left behind a later one.
    pub(super) fn late(&self) -> u64 {
        self.merge.late()
    }

    /// Notices queues that the kernel has closed because their interface is gone. The others go on.
    pub(super) fn notice_closed(&mut self, board: &ThreadBoard) {
        for (queue, is_lost) in self.queues.iter().zip(&mut self.lost) {
            let Some(error) = queue.take_error() else { continue };
            // Each socket of a queue has an error of its own, and they do not come at one moment.
            if std::mem::replace(is_lost, true) {
                continue;
            }
            let error = LiveError::Queue {
                queue: queue.index(),
                error,
            };
            tracing::error!(%error, "a queue is lost");
            self.closed.push(error);
            board.queues_closed.add(1);
        }
    }

    /// What the kernel said about the queues it has closed.
    pub(super) fn take_errors(&mut self) -> Vec<LiveError> {
        std::mem::take(&mut self.closed)
    }

    /// Where every frame is.
    pub(super) fn audits(&self) -> Vec<Audit> {
        self.queues.iter().map(Queue::audit).collect()
    }

    /// Now, in the clock of kernel times.
    pub(super) fn now() -> u64 {
        clock::monotonic()
    }
}

/// Whether the packet's flow was assigned before `generation` came into force. Packets without a flow (ARP, for one)
/// have no generation; the zero in their tag says nothing.
#[inline]
fn is_of_older_generation(tag: &PacketTag, generation: u32) -> bool {
    tag.flags & flags::TCP != 0 && is_older(tag.generation, generation)
}

/// Whether generation `one` was in force before `other`; generations wrap at 28 bits.
#[inline]
fn is_older(one: u32, other: u32) -> bool {
    const HALF: u32 = 1 << 27;
    let distance = other.wrapping_sub(one) & ((1 << 28) - 1);
    distance != 0 && distance < HALF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packets_of_a_flow_tell_that_a_switch_is_not_over() {
        let old = |flags| PacketTag {
            generation: 1,
            flags,
            ..PacketTag::default()
        };
        assert!(is_of_older_generation(&old(flags::TCP), 2));
        assert!(!is_of_older_generation(&old(flags::TCP), 1));
        assert!(!is_of_older_generation(&old(0), 2), "an ARP packet has no generation");
    }

    #[test]
    fn generations_wrap() {
        let last = (1 << 28) - 1;
        assert!(is_older(last, 0));
        assert!(!is_older(0, last));
    }
}
