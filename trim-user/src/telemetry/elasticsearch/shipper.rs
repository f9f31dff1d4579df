//! The thread that makes documents and sends them.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::MissedTickBehavior;

use super::bulk::{Fate, Record};
use super::client::{self, Failure};
use super::counts::{Tally, add};
use super::settings::ElasticsearchSettings;
use super::spool::Spool;
use crate::control::alert::Time;
use crate::control::alert::backoff;

/// How long documents may still leave when the daemon ends. The others are on disk.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long the thread may take beyond that, for a disk that hangs.
const GRACE: Duration = Duration::from_millis(500);
/// Longest pause of our own; a server may ask for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Makes the documents of an interval. It may take some hundred milliseconds.
pub type Source = Box<dyn FnMut() -> Vec<Record> + Send>;

/// The running thread. When this is dropped, documents may leave for two seconds more, and those that are left stay on disk.
#[derive(Debug)]
pub struct Shipper {
    stop: Option<oneshot::Sender<()>>,
    ended: Receiver<()>,
}

impl Shipper {
    /// Opens the queue and starts the thread, which sends what an earlier process left and asks `source` once an interval.
    ///
    /// # Errors
    /// When the queue's folder is no use, or the system gives no thread.
    pub fn start(settings: ElasticsearchSettings, tally: Arc<Tally>, mut source: Source) -> io::Result<Self> {
        let mut spool = Spool::open(&settings.spool_directory, settings.spool_bytes)?;
        add(&tally.dropped, spool.make_room());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (end, ended) = mpsc::channel();
        let random = RandomState::new().hash_one(std::process::id());
        let desk = Desk {
            settings,
            tally,
            spool: Mutex::new(spool),
            bell: Notify::new(),
            identity: format!("{random:016x}-{:x}", Time::now().0),
        };
        desk.publish();
        Builder::new().name("elasticsearch".to_owned()).spawn(move || {
            runtime.block_on(desk.work(&mut source, stopped));
            // A name that is being looked up must not hold up the end.
            runtime.shutdown_background();
            drop(end);
        })?;
        Ok(Self {
            stop: Some(stop),
            ended,
        })
    }
}

impl Drop for Shipper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.ended.recv_timeout(FAREWELL + GRACE) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!(
                "documents for Elasticsearch are still being written to disk; the daemon does not wait for that"
            );
        }
    }
}

/// What making and sending share.
struct Desk {
    settings: ElasticsearchSettings,
    tally: Arc<Tally>,
    spool: Mutex<Spool>,
    /// Rings when there is something to send.
    bell: Notify,
    /// What documents of this process are called, before their number.
    identity: String,
}

/// What is next for the one who sends.
enum Next {
    /// Nothing is waiting.
    Sleep,
    /// More may go at once.
    Go,
    /// Not before this is over.
    Rest(Duration),
}

impl Desk {
    async fn work(&self, source: &mut Source, stopped: oneshot::Receiver<()>) {
        let mut pace = Pace::new(self.settings.batch_documents);
        tokio::select! {
            _ = stopped => {}
            () = self.collect(source) => {}
            () = self.deliver(&mut pace) => {}
        }
        // A request that was broken off is made again: what has arrived with it is not taken twice.
        let flush = async { while matches!(self.turn(&mut pace).await, Next::Go) {} };
        // What has not left by then is on disk.
        let _ = tokio::time::timeout(FAREWELL, flush).await;
    }

    /// Makes documents, for ever.
    async fn collect(&self, source: &mut Source) {
        let mut tick = tokio::time::interval(self.settings.interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut number = 0_u64;
        loop {
            tick.tick().await;
            for record in source() {
                number += 1;
                self.keep(&record, number);
            }
            self.publish();
            self.bell.notify_one();
        }
    }

    fn keep(&self, record: &Record, number: u64) {
        let lines = record.lines(&format!("{}-{number}", self.identity));
        let pushed = self.spool().push(lines);
        if let Some(error) = pushed.error {
            tracing::warn!(%error, "a document for Elasticsearch cannot be kept on disk; it waits in memory");
        }
        add(&self.tally.dropped, pushed.dropped);
    }

    /// Sends documents, for ever.
    async fn deliver(&self, pace: &mut Pace) {
        loop {
            match self.turn(pace).await {
                Next::Sleep => self.bell.notified().await,
                Next::Go => {}
                Next::Rest(pause) => tokio::time::sleep(pause).await,
            }
        }
    }

    /// Sends one batch, if there is anything to send.
    async fn turn(&self, pace: &mut Pace) -> Next {
        let batch = self.spool().batch(pace.documents, self.settings.batch_bytes);
        if batch.lost > 0 {
            tracing::warn!(count = batch.lost, "documents for Elasticsearch are damaged on disk");
            add(&self.tally.dropped, batch.lost);
        }
        let count = batch.numbers.len();
        let next = match count {
            0 => Next::Sleep,
            _ => match client::send(&self.settings, batch.body, count).await {
                Ok(fates) => self.settle(&batch.numbers, fates, pace),
                Err(failure) => self.failed(&batch.numbers, failure, pace),
            },
        };
        self.publish();
        next
    }

    /// Gives each document its fate.
    fn settle(&self, numbers: &[u64], fates: Vec<Fate>, pace: &mut Pace) -> Next {
        let (mut settled, mut again) = (0, None);
        for (&number, fate) in numbers.iter().zip(fates) {
            match fate {
                Fate::Done => self.finish(number, &self.tally.delivered),
                Fate::Refused(reason) => {
                    self.finish(number, &self.tally.refused);
                    pace.refused(reason);
                }
                Fate::Again(reason) => {
                    again.get_or_insert(reason);
                    continue;
                }
            }
            settled += 1;
        }
        if settled > 0 {
            pace.progressed();
        }
        match again {
            None => {
                pace.succeeded(self.settings.batch_documents);
                Next::Go
            }
            Some(reason) => self.rest(reason, None, pace),
        }
    }

    /// A request after which no document has a fate.
    fn failed(&self, numbers: &[u64], failure: Failure, pace: &mut Pace) -> Next {
        match (failure, numbers) {
            (Failure::TooMuch(reason), &[only]) => {
                add(&self.tally.failed_requests, 1);
                self.finish(only, &self.tally.refused);
                pace.refused(reason);
                Next::Go
            }
            (Failure::TooMuch(_), _) => {
                add(&self.tally.failed_requests, 1);
                pace.documents = (numbers.len() / 2).max(1);
                Next::Go
            }
            (Failure::Again { reason, retry_after }, _) => self.rest(reason, retry_after, pace),
        }
    }

    fn rest(&self, reason: String, retry_after: Option<Duration>, pace: &mut Pace) -> Next {
        add(&self.tally.failed_requests, 1);
        pace.failed(reason);
        let random = RandomState::new().hash_one(pace.failures);
        let pause = backoff::pause(pace.failures, random).min(LONGEST_PAUSE);
        Next::Rest(pause.max(retry_after.unwrap_or_default()))
    }

    /// Takes a document out and counts it, unless it had to make room meanwhile and is counted already.
    fn finish(&self, number: u64, counter: &std::sync::atomic::AtomicU64) {
        if self.spool().remove(number) {
            add(counter, 1);
        }
    }

    fn publish(&self) {
        let spool = self.spool();
        self.tally.waiting.store(spool.len() as u64, Ordering::Relaxed);
        self.tally.spool_bytes.store(spool.bytes(), Ordering::Relaxed);
    }

    fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How fast it goes, and what was said about it already.
struct Pace {
    /// Most documents of the next request.
    documents: usize,
    /// Requests in a row that moved nothing.
    failures: u32,
    /// What was logged last about failures, and about refusals: the same thing is not said again and again.
    complaint: Option<String>,
    refusal: Option<String>,
}

impl Pace {
    const fn new(documents: usize) -> Self {
        Self {
            documents,
            failures: 0,
            complaint: None,
            refusal: None,
        }
    }

    const fn progressed(&mut self) {
        self.failures = 0;
    }

    fn succeeded(&mut self, most: usize) {
        self.failures = 0;
        self.documents = (self.documents * 2).min(most);
        if self.complaint.take().is_some() {
            tracing::info!("Elasticsearch takes documents again");
        }
    }

    fn failed(&mut self, reason: String) {
        self.failures = self.failures.saturating_add(1);
        if self.complaint.as_ref() != Some(&reason) {
            tracing::warn!(%reason, "Elasticsearch does not take documents; they wait on disk");
            self.complaint = Some(reason);
        }
    }

    fn refused(&mut self, reason: String) {
        if self.refusal.as_ref() != Some(&reason) {
            tracing::warn!(%reason, "Elasticsearch refused a document, which is given up; others like it are only counted");
            self.refusal = Some(reason);
        }
    }
}
