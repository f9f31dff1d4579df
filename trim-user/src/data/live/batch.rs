//! Batches of packet descriptors between threads.
//!
//! A fixed number of batches goes round between a receiving thread and its workers: filled with packets on the way
//! out, with the frames to be recycled on the way back. So nothing is allocated, and a worker that falls behind is
//! noticed by the batches that do not come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::arrival::Arrival;

/// Packets on their way to a worker, or done with on their way back.
pub(super) type Batch = Vec<Arrival>;

/// The receiving thread's end of the way to one worker.
pub(super) struct ToWorker {
    out: Sender<Batch>,
    back: Receiver<Batch>,
    spare: Vec<Batch>,
    filling: Batch,
    size: usize,
    horizon: Arc<AtomicU64>,
}

/// The worker's end.
pub(super) struct FromReceiver {
    pub(super) packets: Receiver<Batch>,
    pub(super) done: Sender<Batch>,
    pub(super) returning: Batch,
    /// Up to this kernel time everything for this worker has been sent.
    pub(super) horizon: Arc<AtomicU64>,
}

/// A way with room for `queued` batches of `size` packets in front of the worker.
pub(super) fn way(queued: usize, size: usize) -> (ToWorker, FromReceiver) {
    // One batch is being filled, one emptied; all of them may be on their way back at once.
    let total = queued + 2;
    let (out, packets) = bounded(queued);
    let (done, back) = bounded(total);
    let batch = || Vec::with_capacity(size);
    let horizon = Arc::new(AtomicU64::new(0));
    let to = ToWorker {
        out,
        back,
        spare: (1..total).map(|_| batch()).collect(),
        filling: batch(),
        size,
        horizon: Arc::clone(&horizon),
    };
    (
        to,
        FromReceiver {
            packets,
            done,
            returning: batch(),
            horizon,
        },
    )
}

impl ToWorker {
    /// Puts a packet into the batch, and sends the batch off when it is full. A packet for which there is no room
    /// comes back.
    #[inline]
    pub(super) fn push(&mut self, arrival: Arrival) -> Result<(), Arrival> {
        if self.filling.len() == self.size && !self.send() {
            return Err(arrival);
        }
        self.filling.push(arrival);
        Ok(())
    }

    /// Sends off what has been filled in, if the worker has nothing else to do. While it has, batches are filled up
    /// first: the queue is bounded in batches, and small ones would waste its room.
    #[inline]
    pub(super) fn send_to_idle(&mut self) {
        if !self.filling.is_empty() && self.out.is_empty() {
            self.send();
        }
    }

    /// Sends off what has been filled in; false when the worker's queue is full, and it stays.
    pub(super) fn send(&mut self) -> bool {
        if self.filling.is_empty() {
            return true;
        }
        let Some(empty) = self.spare.pop() else { return false };
        match self.out.try_send(std::mem::replace(&mut self.filling, empty)) {
            Ok(()) => true,
            Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) => {
                self.spare.push(std::mem::replace(&mut self.filling, batch));
                false
            }
        }
    }

    /// Tells the worker that all packets up to the kernel time `handed_out` have been handed out: those that are its own have
    /// been sent, but for what is being filled in.
    #[inline]
    pub(super) fn promise(&self, handed_out: u64) {
        let sent = self
            .filling
            .first()
            .map_or(handed_out, |unsent| unsent.time.min(handed_out));
        self.horizon.store(sent, Ordering::Release);
    }

    /// Takes back packets that are done with.
    #[inline]
    pub(super) fn reclaim(&mut self, mut recycle: impl FnMut(Arrival)) {
        while let Ok(mut batch) = self.back.try_recv() {
            batch.drain(..).for_each(&mut recycle);
            self.spare.push(batch);
        }
    }

    /// Tells the worker that nothing more comes, and takes back everything it still has. Packets that could not be
    /// sent any more go to `unsent`.
    pub(super) fn close(mut self, mut recycle: impl FnMut(Arrival), mut unsent: impl FnMut(Arrival)) {
        self.filling.drain(..).for_each(&mut unsent);
        self.promise(u64::MAX);
        drop(self.out);
        while let Ok(mut batch) = self.back.recv() {
            batch.drain(..).for_each(&mut recycle);
        }
    }
}

impl FromReceiver {
    /// Notes that a packet is done with; sends the frames back when there are enough of them.
    #[inline]
    pub(super) fn finish(&mut self, arrival: Arrival, empties: &mut Vec<Batch>) {
        self.returning.push(arrival);
        if self.returning.len() == self.returning.capacity() {
            self.give_back(empties);
        }
    }

    /// Sends back the frames of all packets that are done with.
    pub(super) fn give_back(&mut self, empties: &mut Vec<Batch>) {
        if self.returning.is_empty() {
            return;
        }
        let Some(empty) = empties.pop() else { return };
        // The channel has room for every batch there is, and the other end outlives this one.
        let _ = self.done.send(std::mem::replace(&mut self.returning, empty));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::xsk::Umem;
    use crate::shared::Lane;

    #[test]
    fn nothing_is_promised_of_packets_that_are_not_sent() {
        let pool = Umem::for_test(4);
        let arrival = |number, time| Arrival {
            time,
            received: 0,
            frame: pool.put_for_test(number, b"packet"),
            flow_hash: 0,
            original_length: 6,
            queue: 0,
            lane: Lane::Legacy,
        };
        let (mut to, from) = way(2, 8);
        let promised = || from.horizon.load(Ordering::Acquire);
        assert!(to.push(arrival(0, 10)).is_ok());
        to.send_to_idle();
        to.promise(15);
        assert_eq!(promised(), 15);
        // The worker has something to do, so the next ones wait until the batch is full.
        assert!(to.push(arrival(1, 20)).is_ok() && to.push(arrival(2, 30)).is_ok());
        to.send_to_idle();
        to.promise(100);
        assert_eq!(promised(), 20);
        assert_eq!(from.packets.recv().map(|batch| batch.len()), Ok(1));
        to.send_to_idle();
        to.promise(100);
        assert_eq!(promised(), 100);
    }
}
