//! What one data-path thread tells the others.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{Lane, LaneTotals, Latency};
use crate::trimmer::{Class, Differences, Label, Statistics};

/// A number with one writer.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Writes it; only its owner does.
    #[inline]
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Adds to it; only its owner does.
    #[inline]
    pub fn add(&self, value: u64) {
        self.set(self.get() + value);
    }

    /// Reads it.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The numbers of one data-path thread. Alone on its cache lines, because its owner writes it often.
#[derive(Debug)]
#[repr(align(128))]
pub struct ThreadBoard {
    /// What the thread does, such as `receive-0`.
    pub name: String,
    /// Grows with each turn of the thread's loop: a thread whose beat stands still is stuck.
    pub beat: Gauge,
    /// Packets taken out of RX rings.
    pub received: Gauge,
    /// RX queues that the kernel has closed because their interface is gone.
    pub queues_closed: Gauge,
    /// Batches that wait in front of this thread.
    pub waiting: Gauge,
    /// Packets dropped because a worker's queue was full.
    pub queue_full: Gauge,
    /// Packets written to a sink.
    pub written: Gauge,
    /// Packets lost to a sink that could not write.
    pub write_failed: Gauge,
    /// Bytes written to output files.
    pub bytes_written: Gauge,
    /// Packets that left behind a later one.
    pub out_of_order: Gauge,
    /// Bytes of packets that wait for their labels, and of those behind them.
    pub held_bytes: Gauge,
    /// Kernel time of the last packet that carried a tag of an earlier generation, CLOCK_MONOTONIC nanoseconds.
    pub last_old_tag: Gauge,
    /// Time spent on trimming in a sample of runs, nanoseconds, by [`Lane::index`].
    pub busy_ns: [Gauge; Lane::COUNT],
    /// Packets of those runs.
    pub busy_packets: [Gauge; Lane::COUNT],
    /// Where latencies are asked for.
    pub latency: LatencyDesk,
    lanes: [LaneBoard; Lane::COUNT],
}

/// Numbers of a lane, in the order of [`publish_order`].
#[derive(Debug)]
struct LaneBoard([Gauge; LANE_NUMBERS]);

impl Default for LaneBoard {
    fn default() -> Self {
        Self([(); LANE_NUMBERS].map(|()| Gauge::default()))
    }
}

const LANE_NUMBERS: usize = 8 + Label::COUNT + 15 + Class::COUNT;

impl ThreadBoard {
    /// The board of a thread that has not started.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            beat: Gauge::default(),
            received: Gauge::default(),
            queues_closed: Gauge::default(),
            waiting: Gauge::default(),
            queue_full: Gauge::default(),
            written: Gauge::default(),
            write_failed: Gauge::default(),
            bytes_written: Gauge::default(),
            out_of_order: Gauge::default(),
            held_bytes: Gauge::default(),
            last_old_tag: Gauge::default(),
            busy_ns: Default::default(),
            busy_packets: Default::default(),
            latency: LatencyDesk::default(),
            lanes: Default::default(),
        }
    }

    /// Publishes a lane's numbers; only the owner does.
    #[inline]
    pub fn publish(&self, lane: usize, totals: &LaneTotals) {
        for (gauge, value) in self.lanes[lane].0.iter().zip(publish_order(totals)) {
            gauge.set(value);
        }
    }

    /// A lane's numbers. They are not read at one instant: while packets flow they may differ by a batch.
    pub fn lane(&self, lane: Lane) -> LaneTotals {
        let mut values = self.lanes[lane.index()].0.iter().map(Gauge::get);
        read_back(|| values.next().unwrap_or(0))
    }

    /// All numbers of this thread.
    pub fn totals(&self) -> ThreadTotals {
        ThreadTotals {
            received: self.received.get(),
            queue_full: self.queue_full.get(),
            written: self.written.get(),
            write_failed: self.write_failed.get(),
            bytes_written: self.bytes_written.get(),
            out_of_order: self.out_of_order.get(),
            held_bytes: self.held_bytes.get(),
            last_old_tag: self.last_old_tag.get(),
            lanes: Lane::ALL.map(|lane| self.lane(lane)),
        }
    }
}

fn publish_order(totals: &LaneTotals) -> [u64; LANE_NUMBERS] {
    let (c, s) = (&totals.counts, &totals.statistics);
    let mut values = [0; LANE_NUMBERS];
    values[..8].copy_from_slice(&[
        c.packets,
        c.omitted,
        c.segments,
        c.bytes_in,
        c.bytes_out,
        c.panics,
        c.kept_by_panic,
        c.released,
    ]);
    values[8..8 + Label::COUNT].copy_from_slice(&c.labelled);
    values[8 + Label::COUNT..LANE_NUMBERS - Class::COUNT].copy_from_slice(&[
        s.messages,
        s.flows,
        s.flows_seen,
        s.flows_evicted,
        s.lost_to_gap,
        s.lost_to_framing,
        s.lost_to_limit,
        s.resynchronised,
        s.held,
        s.conflicting_bytes,
        s.examined,
        s.differences.compared,
        s.differences.segments,
        s.differences.wrong,
        s.differences.not_compared,
    ]);
    values[LANE_NUMBERS - Class::COUNT..].copy_from_slice(&s.differences.bytes);
    values
}

fn read_back(mut next: impl FnMut() -> u64) -> LaneTotals {
    let mut totals = LaneTotals::default();
    let c = &mut totals.counts;
    for field in [
        &mut c.packets,
        &mut c.omitted,
        &mut c.segments,
        &mut c.bytes_in,
        &mut c.bytes_out,
        &mut c.panics,
        &mut c.kept_by_panic,
        &mut c.released,
    ] {
        *field = next();
    }
    c.labelled = [(); Label::COUNT].map(|()| next());
    totals.statistics = Statistics {
        messages: next(),
        flows: next(),
        flows_seen: next(),
        flows_evicted: next(),
        lost_to_gap: next(),
        lost_to_framing: next(),
        lost_to_limit: next(),
        resynchronised: next(),
        held: next(),
        conflicting_bytes: next(),
        examined: next(),
        differences: Differences {
            compared: next(),
            segments: next(),
            wrong: next(),
            not_compared: next(),
            bytes: [(); Class::COUNT].map(|()| next()),
        },
    };
    totals
}

/// The numbers of one thread, or the sum over several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadTotals {
    /// Packets taken out of RX rings.
    pub received: u64,
    /// Packets dropped because a worker's queue was full.
    pub queue_full: u64,
    /// Packets written to a sink.
    pub written: u64,
    /// Packets lost to a sink that could not write.
    pub write_failed: u64,
    /// Bytes written to output files.
    pub bytes_written: u64,
    /// Packets that left behind a later one.
    pub out_of_order: u64,
    /// Bytes of packets that wait for their labels, and of those behind them.
    pub held_bytes: u64,
    /// Kernel time of the last packet that carried a tag of an earlier generation; 0 when there was none.
    pub last_old_tag: u64,
    /// By [`Lane::index`].
    pub lanes: [LaneTotals; Lane::COUNT],
}

impl AddAssign for ThreadTotals {
    fn add_assign(&mut self, other: Self) {
        self.received += other.received;
        self.queue_full += other.queue_full;
        self.written += other.written;
        self.write_failed += other.write_failed;
        self.bytes_written += other.bytes_written;
        self.out_of_order += other.out_of_order;
        self.held_bytes += other.held_bytes;
        self.last_old_tag = self.last_old_tag.max(other.last_old_tag);
        for (mine, theirs) in self.lanes.iter_mut().zip(other.lanes) {
            *mine += theirs;
        }
    }
}

/// Where a reader asks a thread for its latencies, and the thread answers when it next comes by.
///
/// The thread looks at one flag per turn of its loop; only when somebody asked does it copy its histograms.
#[derive(Debug)]
pub struct LatencyDesk {
    asked: AtomicBool,
    /// Nothing from a thread that records no latencies.
    answers: (Sender<Option<Latency>>, Receiver<Option<Latency>>),
}

impl Default for LatencyDesk {
    fn default() -> Self {
        Self {
            asked: AtomicBool::new(false),
            answers: bounded(1),
        }
    }
}

impl LatencyDesk {
    /// Asks. One reader at a time gets an answer.
    pub fn ask(&self) {
        // An answer to a question whose asker gave up is older than one we ask for now.
        while self.answers.1.try_recv().is_ok() {}
        self.asked.store(true, Ordering::Release);
    }

    /// Waits for the answer until `end` and adds it to `all`. Whether there was one.
    pub fn add_to(&self, all: &mut Latency, end: Instant) -> bool {
        let answer = self.answers.1.recv_deadline(end);
        if let Ok(Some(latency)) = &answer {
            all.add(latency);
        }
        answer.is_ok()
    }

    /// Answers if somebody asked. Only the thread does.
    #[inline]
    pub fn answer(&self, latency: &Latency) {
        self.answer_with(|| Some(latency.clone()));
    }

    /// Answers, if somebody asked, for a thread that records no latencies: a reader need not wait for it.
    #[inline]
    pub fn answer_nothing(&self) {
        self.answer_with(|| None);
    }

    #[inline]
    fn answer_with(&self, latency: impl FnOnce() -> Option<Latency>) {
        if self.asked.load(Ordering::Relaxed) && self.asked.swap(false, Ordering::AcqRel) {
            // A full channel means that an answer already waits; then this one is not missed.
            let _ = self.answers.0.try_send(latency());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_number_of_a_lane_comes_back_as_published() {
        let board = ThreadBoard::new("test");
        let mut number = 0;
        let written = read_back(|| {
            number += 1;
            number
        });
        board.publish(Lane::Auto.index(), &written);
        assert_eq!(board.lane(Lane::Auto), written);
        assert_eq!(number as usize, LANE_NUMBERS);
        assert_eq!(written.counts.packets, 1);
        assert_eq!(written.statistics.differences.of(Class::NameOnly), number);
    }

    #[test]
    fn a_thread_answers_only_who_asked() {
        let desk = LatencyDesk::default();
        let mut latency = Latency::new();
        latency.record(Lane::Legacy.index(), super::super::Stage::KernelToWritten, 1000, 3);
        desk.answer(&latency);
        desk.ask();
        let mut all = Latency::new();
        assert!(!desk.add_to(&mut all, Instant::now()), "an answer without a question");
        desk.answer(&latency);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..1000 {
                    desk.answer(&latency);
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            desk.ask();
            assert!(desk.add_to(&mut all, Instant::now() + Duration::from_secs(10)));
            assert_eq!(all.of(Lane::Legacy, super::super::Stage::KernelToWritten).len(), 3);
        });
        desk.ask();
        desk.answer_nothing();
        assert!(desk.add_to(&mut all, Instant::now()), "nothing is an answer, too");
        assert_eq!(all.of(Lane::Legacy, super::super::Stage::KernelToWritten).len(), 3);
    }
}
