//! Writes to the database on a thread of its own, whatever state the disk is in.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use serde::{Deserialize, Serialize};

use super::backlog::{Backlog, Job, Receipt};
use super::configurations::ConfigurationVersion;
use super::decisions::{Entry, Standing};
use super::error::{Remedy, StoreError};
use super::events::Event;
use super::writer::Writer;
use crate::control::health::{Evidence, Health};

/// How the database is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file.
    pub path: PathBuf,
    /// A decision that changes something waits at most so long for the disk before it is acted upon.
    pub wait: Duration,
    /// Time between two tries to write while that fails.
    pub retry: Duration,
    /// So much may wait to be written: some 10 kB each, two in five seconds. Beyond it samples are given up first, then
    /// decisions that changed nothing, then the oldest.
    pub most_waiting: usize,
}

impl Settings {
    /// The usual settings: a try each second, and three quarters of an hour that may wait.
    pub const fn new(path: PathBuf, wait: Duration) -> Self {
        Self {
            path,
            wait,
            retry: Duration::from_secs(1),
            most_waiting: 1024,
        }
    }
}

/// What was found at the start.
#[derive(Debug)]
pub struct Loaded {
    /// Where the rollout stood; `None` when nothing is stored, or when there is a problem.
    pub standing: Option<Standing>,
    /// Why it cannot be told. The database is tried again and again, and written when it can be.
    pub problem: Option<StoreError>,
}

/// How the database does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Condition {
    /// What is wrong at present.
    pub failing: Option<String>,
    /// Tries that failed since the start.
    pub errors: u64,
    /// Entries written since the start.
    pub written: u64,
    /// Entries that wait to be written.
    pub waiting: usize,
    /// Entries given up: there was no room for them, or they could not be stored at all.
    pub lost: u64,
    /// Damaged files that were moved aside since the start.
    #[schema(value_type = Vec<String>)]
    pub moved_aside: Vec<PathBuf>,
}

/// A decision on its way to the database.
#[derive(Clone, Debug)]
pub struct Ticket(Arc<Receipt>);

impl Ticket {
    /// The decision's number; `None` while it is not stored.
    pub fn sequence(&self) -> Option<u64> {
        self.0.fate().place.map(|(_, sequence)| sequence)
    }
}

/// Appends to the event log, from any thread. What comes after the keeper has ended is not written.
#[derive(Clone)]
pub struct EventLog(Arc<Shared>);

impl EventLog {
    /// Appends an event, some time. Waits for nothing.
    pub fn append(&self, event: Event) {
        self.0.push(Job::Event(Box::new(event)));
    }

    /// Keeps a configuration that became active, some time. Its number can be waited for; none comes when it was given up.
    pub fn configured(&self, version: ConfigurationVersion) -> Receiver<u64> {
        let (sender, number) = bounded(1);
        self.0.push(Job::Configured(Box::new(version), sender));
        number
    }
}

/// The control loop's end of the database. No method waits for the disk, except [`Keeper::decided`] and [`Keeper::finish`],
/// which wait a bounded time.
///
/// When it is dropped, what waits is still written unless that fails; [`Keeper::finish`] says whether it was.
pub struct Keeper {
    shared: Arc<Shared>,
    wait: Duration,
}

impl Keeper {
    /// Opens the database, reads where the rollout stands, and starts the thread that writes.
    ///
    /// A damaged file is moved aside and a new one begun. Where the disk does not let the file be opened, that is told in
    /// [`Loaded::problem`], and the thread goes on trying.
    ///
    /// # Errors
    /// Where trying again is no use: the database is of a newer schema or of another program, or no thread can be started.
    pub fn start(settings: Settings) -> Result<(Self, Loaded), StoreError> {
        let mut writer = Writer::new(settings.path.clone());
        let loaded = match writer.load() {
            Err(error @ (StoreError::Newer { .. } | StoreError::Foreign { .. })) => return Err(error),
            Err(error) => Loaded {
                standing: None,
                problem: Some(error),
            },
            Ok(standing) => Loaded {
                standing,
                problem: None,
            },
        };
        let shared = Arc::new(Shared::new(settings.most_waiting, writer.file()));
        if let Some(problem) = &loaded.problem {
            shared.failed(problem);
        }
        let (other, retry) = (Arc::clone(&shared), settings.retry);
        let started = thread::Builder::new().name("store".to_owned()).spawn(move || {
            work(&other, writer, retry);
            other.change(|inner| inner.has_ended = true);
        });
        started.map_err(|error: io::Error| StoreError::Create {
            path: settings.path,
            error,
        })?;
        let wait = settings.wait;
        Ok((Self { shared, wait }, loaded))
    }

    /// Stores a sample, some time.
    pub fn sample(&self, evidence: &Evidence, health: &Health) {
        self.shared
            .push(Job::Sample(Box::new((evidence.clone(), health.clone()))));
    }

    /// The event log, for others.
    pub fn log(&self) -> EventLog {
        EventLog(Arc::clone(&self.shared))
    }

    /// Appends to the event log, some time.
    pub fn event(&self, event: Event) {
        self.shared.push(Job::Event(Box::new(event)));
    }

    /// Stores a decision. One that changes something is waited for, up to [`Settings::wait`]; not at all while the database is
    /// known to fail. Whatever comes of it, the caller acts afterwards, above all when it takes traffic back: what could not
    /// be written in time is written later, unless the process is killed before.
    pub fn decided(&self, entry: Entry) -> Ticket {
        let receipt = Arc::<Receipt>::default();
        let is_waited_for = !entry.is_routine();
        self.shared.push(Job::Decision(Arc::new(entry), Arc::clone(&receipt)));
        if is_waited_for {
            self.shared.wait(self.wait, |inner| {
                receipt.fate().place.is_some() || inner.condition.failing.is_some() || inner.has_ended
            });
        }
        Ticket(receipt)
    }

    /// Notes, some time, that the actions of a decision are done.
    pub fn acted(&self, ticket: &Ticket) {
        self.shared.push(Job::Acted(Arc::clone(&ticket.0)));
    }

    /// Notes, some time, that the actions of a decision of an earlier process are done; its number is in
    /// [`Standing::pending`].
    pub fn acted_on_pending(&self, sequence: u64) {
        let receipt = Receipt::at(self.shared.first_file, sequence);
        self.shared.push(Job::Acted(Arc::new(receipt)));
    }

    /// How the database does.
    pub fn condition(&self) -> Condition {
        let inner = self.shared.lock();
        let mut condition = inner.condition.clone();
        condition.waiting = inner.waiting();
        condition
    }

    /// Waits until all is written, at most so long; says whether it is.
    pub fn flush(&self, at_most: Duration) -> bool {
        self.shared.wait(at_most, |inner| inner.waiting() == 0)
    }

    /// Ends the thread when all is written or cannot be written, and waits for that, at most so long. Says whether all is
    /// written.
    pub fn finish(self, at_most: Duration) -> bool {
        self.shared.change(|inner| inner.is_stopping = true);
        let has_ended = self.shared.wait(at_most, |inner| inner.has_ended);
        has_ended && self.shared.lock().waiting() == 0
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.change(|inner| inner.is_stopping = true);
    }
}

/// The thread: one job after the other, each until it is written or can never be.
fn work(shared: &Shared, mut writer: Writer, retry: Duration) {
    while let Some(job) = shared.next() {
        // The last try comes when the end is near, so that a disk that works again by then gets everything.
        let mut is_last = false;
        let is_written = loop {
            let Err(error) = writer.write(&job) else { break true };
            match error.remedy() {
                Remedy::GiveUp => {
                    shared.gave_up(&error);
                    break false;
                }
                Remedy::Retry => shared.failed(&error),
                Remedy::MoveAside => {
                    shared.failed(&error);
                    match writer.move_aside(&error) {
                        Ok(path) => shared.change(|inner| inner.condition.moved_aside.push(path)),
                        Err(error) => shared.failed(&error),
                    }
                }
            }
            if is_last {
                return;
            }
            is_last = !shared.pause(retry);
        };
        shared.is_done(is_written);
    }
}

/// What both threads see. Locked for moments only, never while the disk is waited for.
struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
    /// The number of the file that was opened at the start.
    first_file: u32,
}

struct Inner {
    backlog: Backlog,
    /// Whether a job is out of the backlog and not yet written.
    is_busy: bool,
    condition: Condition,
    is_stopping: bool,
    has_ended: bool,
}

impl Inner {
    fn waiting(&self) -> usize {
        self.backlog.len() + usize::from(self.is_busy)
    }
}

impl Shared {
    fn new(most_waiting: usize, first_file: u32) -> Self {
        Self {
            inner: Mutex::new(Inner {
                backlog: Backlog::new(most_waiting),
                is_busy: false,
                condition: Condition::default(),
                is_stopping: false,
                has_ended: false,
            }),
            changed: Condvar::new(),
            first_file,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until something holds, at most so long; says whether it does.
    fn wait(&self, at_most: Duration, holds: impl Fn(&Inner) -> bool) -> bool {
        let end = Instant::now() + at_most;
        let mut inner = self.lock();
        while !holds(&inner) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn push(&self, job: Job) {
        self.change(|inner| {
            if inner.backlog.push(job).is_some() {
                if inner.condition.lost == 0 {
                    tracing::error!("too much waits for the database: what matters least is given up");
                }
                inner.condition.lost += 1;
            }
        });
    }

    /// The next job; `None` when the keeper is gone and nothing waits any more.
    fn next(&self) -> Option<Job> {
        let mut inner = self.lock();
        loop {
            if let Some(job) = inner.backlog.pop() {
                inner.is_busy = true;
                return Some(job);
            }
            if inner.is_stopping {
                return None;
            }
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn is_done(&self, is_written: bool) {
        self.change(|inner| {
            inner.is_busy = false;
            inner.condition.written += u64::from(is_written);
            if inner.condition.failing.take().is_some() {
                tracing::info!(waiting = inner.backlog.len(), "the database can be written again");
            }
        });
    }

    /// Said once for each time that it begins to fail; counted always.
    fn failed(&self, error: &StoreError) {
        self.change(|inner| {
            inner.condition.errors += 1;
            if inner.condition.failing.is_none() {
                tracing::error!(%error, "the database cannot be written: decisions are acted upon, and written later");
            }
            inner.condition.failing = Some(error.to_string());
        });
    }

    fn gave_up(&self, error: &StoreError) {
        tracing::error!(%error, "an entry of the database is given up");
        self.change(|inner| {
            inner.condition.errors += 1;
            inner.condition.lost += 1;
        });
    }

    /// Waits before the next try; says whether there is to be one.
    fn pause(&self, retry: Duration) -> bool {
        !self.wait(retry, |inner| inner.is_stopping)
    }
}
