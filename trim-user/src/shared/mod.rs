//! What the data path and the control wing share: counters, latency histograms, the policy cell, requests.
//!
//! Each number has one writer, a data-path thread, and any number of readers; nothing here makes that thread lock or wait.
//! Readers of latencies take turns.

mod counts;
mod exemplars;
mod faults;
mod latency;
mod overload;
mod promises;
mod thread;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use counts::{LaneCounts, LaneTotals};
pub use exemplars::{ExemplarBoard, Tally};
pub use faults::{FaultPlan, Faults};
pub use latency::{Latency, Stage};
pub use overload::Overload;
pub use promises::Promises;
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
    /// Whether packets come faster than they are taken.
    pub overload: Overload,
    /// What trimmers know to be body.
    pub promises: Promises,
    /// When the kernel's lease was last renewed, CLOCK_MONOTONIC nanoseconds; 0 before the first time.
    pub lease_renewed: Gauge,
    /// Set once: receive what is there, finish the files, end.
    pub stop: AtomicBool,
    /// Grows with each request to begin a new output file.
    pub rotations: AtomicU64,
    /// Faults put in on purpose; nobody looks at them unless rehearsals are allowed.
    pub faults: std::sync::Arc<Faults>,
    /// What became of exemplars of differences.
    pub exemplars: std::sync::Arc<ExemplarBoard>,
    /// Held by the one who asks threads for latencies: two at a time would take each other's answers.
    asking: Mutex<()>,
}

impl Shared {
    /// A board for each thread and each of so many interfaces; nothing has happened yet.
    pub fn new(threads: Vec<ThreadBoard>, interfaces: usize) -> Self {
        Self {
            threads,
            interfaces: (0..interfaces).map(|_| InterfaceBoard::default()).collect(),
            generation: AtomicU32::new(0),
            overload: Overload::default(),
            promises: Promises::default(),
            lease_renewed: Gauge::default(),
            stop: AtomicBool::new(false),
            rotations: AtomicU64::new(0),
            faults: std::sync::Arc::default(),
            exemplars: std::sync::Arc::default(),
            asking: Mutex::new(()),
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

    /// The latencies of all threads, which answer at the same time. A thread that does not answer within `patience` is left
    /// out of this reading and counted in the second value. Readers take turns.
    pub fn latency(&self, patience: Duration) -> (Latency, usize) {
        let _turn = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        self.threads.iter().for_each(|thread| thread.latency.ask());
        let end = Instant::now() + patience;
        let mut all = Latency::new();
        let mut silent = 0;
        for thread in &self.threads {
            silent += usize::from(!thread.latency.add_to(&mut all, end));
        }
        (all, silent)
    }
}
