//! What the listener shows: everything, read at most twice a second however many ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::control::alert::view::{AlertList, AlertStatistics};
use crate::control::api::Service;
use crate::control::operator::View;
use crate::control::status::Status;
use crate::kernel::{KernelError, clock};
use crate::shared::{Latency, ThreadTotals};
use crate::telemetry::elasticsearch::Counts;

/// A picture so old is taken again.
const FRESH: Duration = Duration::from_millis(500);
/// How long all threads together may take to hand over their latencies.
const LATENCY_PATIENCE: Duration = Duration::from_millis(200);

/// The whole state of a capture at one moment.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What `trim status` shows.
    pub status: Status,
    /// The counters of all threads together.
    pub totals: ThreadTotals,
    /// Each thread of the data path.
    pub threads: Vec<ThreadPicture>,
    /// Latencies since the capture began.
    pub latency: Latency,
    /// Threads that did not hand over their latencies in time: theirs are missing.
    pub silent: usize,
    /// Time since the kernel's lease was renewed.
    pub lease_age: Duration,
    /// Processor time of the process.
    pub processor_time: Duration,
    /// Health and rollout.
    pub view: View,
    /// The alerts.
    pub alerts: AlertList,
    /// What became of their messages.
    pub messages: AlertStatistics,
    /// What became of documents for Elasticsearch, where they are sent.
    pub elasticsearch: Option<Counts>,
}

/// A thread of the data path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadPicture {
    /// What it does, such as `receive-0`.
    pub name: String,
    /// Turns of its loop.
    pub beat: u64,
    /// Batches that wait in front of it.
    pub waiting: u64,
    /// Bytes of packets that wait for their labels.
    pub held_bytes: u64,
    /// Time spent on trimming in a sample of runs, nanoseconds, by [`crate::shared::Lane::index`].
    pub busy_ns: [u64; crate::shared::Lane::COUNT],
    /// Packets of those runs.
    pub busy_packets: [u64; crate::shared::Lane::COUNT],
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The kernel's counters cannot be read.
    #[error("the kernel's counters cannot be read: {0}")]
    Kernel(#[from] KernelError),
    /// The capture ends.
    #[error("the capture is ending")]
    Ending,
}

/// Takes pictures, and hands out the last one while it is fresh.
pub struct Pictures {
    service: Service,
    last: Mutex<Option<(Instant, Arc<Picture>)>>,
}

impl Pictures {
    /// None taken yet.
    pub fn new(service: Service) -> Self {
        Self {
            service,
            last: Mutex::new(None),
        }
    }

    /// The state, at most half a second old. Whoever asks while a picture is being taken waits for that one.
    ///
    /// # Errors
    /// When the kernel's counters cannot be read, or the capture ends.
    pub async fn get(&self) -> Result<Arc<Picture>, PictureError> {
        let mut last = self.last.lock().await;
        if let Some((taken, picture)) = &*last
            && taken.elapsed() < FRESH
        {
            return Ok(Arc::clone(picture));
        }
        let service = self.service.clone();
        let taken = tokio::task::spawn_blocking(move || Picture::take(&service)).await;
        let picture = Arc::new(taken.map_err(|_| PictureError::Ending)??);
        *last = Some((Instant::now(), Arc::clone(&picture)));
        Ok(picture)
    }
}

impl Picture {
    /// Reads everything. The capture is locked for the kernel's counters only: not while threads are asked for latencies.
    ///
    /// # Errors
    /// When the kernel's counters cannot be read.
    pub fn take(service: &Service) -> Result<Self, KernelError> {
        let shared = Arc::clone(service.lock().shared());
        let (latency, silent) = shared.latency(LATENCY_PATIENCE);
        let threads = shared.threads.iter().map(|board| ThreadPicture {
            name: board.name.clone(),
            beat: board.beat.get(),
            waiting: board.waiting.get(),
            held_bytes: board.held_bytes.get(),
            busy_ns: std::array::from_fn(|lane| board.busy_ns[lane].get()),
            busy_packets: std::array::from_fn(|lane| board.busy_packets[lane].get()),
        });
        let threads = threads.collect();
        let status = service.lock().status_with(&latency)?;
        let now = service.alerts.now();
        let (alerts, messages) = {
            let mut center = service.alerts.lock();
            (center.list(now), center.statistics(now))
        };
        Ok(Self {
            status,
            totals: shared.totals(),
            threads,
            latency,
            silent,
            lease_age: Duration::from_nanos(clock::monotonic().saturating_sub(shared.lease_renewed.get())),
            processor_time: processor_time(),
            view: service.operator.view(),
            alerts,
            messages,
            elasticsearch: service.elasticsearch.as_ref().map(|tally| tally.counts()),
        })
    }
}

/// Of all threads of the process.
fn processor_time() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), used.tv_nsec.unsigned_abs() as u32)
}
