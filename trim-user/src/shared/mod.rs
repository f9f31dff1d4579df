//! What the data path and the control wing share: counters, latency histograms, the policy cell, requests.
//!
//! Each number has one writer, a data-path thread, and any number of readers; nothing here locks or waits.

mod counts;
mod exemplars;
mod faults;
mod latency;
mod thread;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

pub use counts::{LaneCounts, LaneTotals};
pub use exemplars::{ExemplarBoard, Tally};
pub use faults::{FaultPlan, Faults};
pub use latency::{Latency, Stage};
pub use thread::{Gauge, LatencyDesk, ThreadBoard, ThreadTotals};

/// One way through a worker: which trimmer judges a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Lane {
    /// The exact trimmer.
    Legacy = 0,
    /// The fast trimmer.
    Scanning = 1,
    /// The fast trimmer where it is exact, the exact one elsewhere.
    Auto = 2,
    /// Both on the same bytes; the exact one's result is used.
    Comparison = 3,
}

impl Lane {
    /// How many there are.
    pub const COUNT: usize = 4;
    /// Every lane, in the order of its index.
    pub const ALL: [Self; Self::COUNT] = [Self::Legacy, Self::Scanning, Self::Auto, Self::Comparison];

    /// Position in per-lane arrays.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Scanning => "scanning",
            Self::Auto => "auto",
            Self::Comparison => "comparison",
        }
    }
}

/// What output files say of an interface; written by the control wing, which can read the kernel's counters.
#[derive(Debug, Default)]
pub struct InterfaceBoard {
    /// Packets seen by the XDP program.
    pub seen: Gauge,
    /// Packets lost on the way into user space.
    pub lost: Gauge,
}

/// Everything the two wings share while a capture runs.
#[derive(Debug)]
pub struct Shared {
    /// One board per data-path thread.
    pub threads: Vec<ThreadBoard>,
    /// One board per interface, in the order of their numbers in the sink.
    pub interfaces: Vec<InterfaceBoard>,
    /// Generation of the policy in force; packets tagged with an earlier one were assigned before the last switch.
    pub generation: AtomicU32,
    /// Set once: receive what is there, finish the files, end.
    pub stop: AtomicBool,
    /// Grows with each request to begin a new output file.
    pub rotations: AtomicU64,
    /// Faults put in on purpose; nobody looks at them unless rehearsals are allowed.
    pub faults: std::sync::Arc<Faults>,
    /// What became of exemplars of differences.
    pub exemplars: std::sync::Arc<ExemplarBoard>,
}

impl Shared {
    /// A board for each thread and each of so many interfaces; nothing has happened yet.
    pub fn new(threads: Vec<ThreadBoard>, interfaces: usize) -> Self {
        Self {
            threads,
            interfaces: (0..interfaces).map(|_| InterfaceBoard::default()).collect(),
            generation: AtomicU32::new(0),
            stop: AtomicBool::new(false),
            rotations: AtomicU64::new(0),
            faults: std::sync::Arc::default(),
            exemplars: std::sync::Arc::default(),
        }
    }

    /// Asks the data path to end.
    pub fn request_stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Whether the data path was asked to end.
    #[inline]
    pub fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Asks for a new output file.
    pub fn request_rotation(&self) {
        self.rotations.fetch_add(1, Ordering::AcqRel);
    }

    /// The sum over all threads.
    pub fn totals(&self) -> ThreadTotals {
        let mut all = ThreadTotals::default();
        for thread in &self.threads {
            all += thread.totals();
        }
        all
    }

    /// The latencies of all threads. A thread that does not answer within `patience` is left out of this reading and
    /// counted in the second value.
    pub fn latency(&self, patience: std::time::Duration) -> (Latency, usize) {
        let mut all = Latency::new();
        let mut silent = 0;
        for thread in &self.threads {
            match thread.latency.ask(patience) {
                Some(latency) => all.add(&latency),
                None => silent += 1,
            }
        }
        (all, silent)
    }
}
