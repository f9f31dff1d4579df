//! Carries messages out, on a thread of its own: nothing here may hold up the thread that renews the lease.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel as reports};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use std::{fs, io};

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle as JoinTask;

use super::backoff;
use super::channel::{ChannelSettings, SendError};
use super::engine::Fate;
use super::message::Delivery;
use super::spool::{Spool, store, write_whole};
use super::time::Time;

/// Jobs that may wait while the disk is slow; the engine makes again what does not fit.
const MOST_JOBS: usize = 1024;
/// How long messages may still leave when the daemon ends. The others are on disk.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the thread is asked to do.
enum Job {
    Deliver(Delivery),
    Remember(String),
    End,
}

/// What became of a message.
pub(super) type Report = (Delivery, Fate);

/// What the courier needs to know.
pub(super) struct Orders {
    pub(super) channels: Vec<ChannelSettings>,
    pub(super) spool: Spool,
    pub(super) age: Duration,
    /// Where the engine's memory is kept.
    pub(super) memory_file: Option<PathBuf>,
    pub(super) host: String,
}

/// The thread that carries messages out.
pub(super) struct Courier {
    jobs: mpsc::Sender<Job>,
    reports: Receiver<Report>,
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// What the channels' tasks share.
struct Desk {
    spool: Mutex<Spool>,
    spool_directory: Option<PathBuf>,
    reports: Mutex<Sender<Report>>,
    /// One for each channel there is.
    bells: Mutex<BTreeMap<String, Arc<Notify>>>,
    /// The channels that there are to be.
    next_channels: Mutex<Option<Vec<ChannelSettings>>>,
    reconfigured: Notify,
    age: Duration,
    memory_file: Option<PathBuf>,
    host: String,
}

impl Courier {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(orders: Orders) -> io::Result<Self> {
        let (jobs, inbox) = mpsc::channel(MOST_JOBS);
        let (sender, reports) = reports();
        let desk = Arc::new(Desk {
            spool_directory: orders.spool.directory().map(Path::to_owned),
            spool: Mutex::new(orders.spool),
            reports: Mutex::new(sender),
            bells: Mutex::default(),
            next_channels: Mutex::new(Some(orders.channels)),
            reconfigured: Notify::new(),
            age: orders.age,
            memory_file: orders.memory_file,
            host: orders.host,
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let own = Arc::clone(&desk);
        let thread = Builder::new().name("alert".to_owned()).spawn(move || {
            runtime.block_on(work(&own, inbox));
            // A name that is being looked up must not hold up the end.
            runtime.shutdown_background();
        })?;
        Ok(Self {
            jobs,
            reports,
            desk,
            thread: Some(thread),
        })
    }

    /// Takes a message; false when too much is waiting already.
    pub(super) fn deliver(&self, delivery: Delivery) -> bool {
        self.jobs.try_send(Job::Deliver(delivery)).is_ok()
    }

    /// Goes by other channels, soon. A channel that stays as it is notices nothing.
    pub(super) fn reconfigure(&self, channels: Vec<ChannelSettings>) {
        let next = &self.desk.next_channels;
        *next.lock().unwrap_or_else(PoisonError::into_inner) = Some(channels);
        self.desk.reconfigured.notify_one();
    }

    /// Whether there is a place for the engine's memory.
    pub(super) fn keeps_memory(&self) -> bool {
        self.desk.memory_file.is_some()
    }

    /// Keeps the engine's memory; false when too much is waiting already.
    pub(super) fn remember(&self, memory: String) -> bool {
        self.jobs.try_send(Job::Remember(memory)).is_ok()
    }

    /// What became of messages since it was asked last.
    pub(super) fn reports(&self) -> Vec<Report> {
        self.reports.try_iter().collect()
    }

    /// What is waiting, by channel.
    pub(super) fn waiting(&self) -> (BTreeMap<String, u64>, u64) {
        let spool = self.desk.spool();
        let mut waiting: BTreeMap<String, u64> = BTreeMap::new();
        for delivery in spool.deliveries() {
            *waiting.entry(delivery.channel.clone()).or_default() += 1;
        }
        (waiting, spool.bytes())
    }

    /// Lets messages leave for a moment and ends the thread. What is left stays on disk.
    pub(super) fn end(&mut self) -> Vec<Report> {
        let Some(thread) = self.thread.take() else {
            return Vec::new();
        };
        let mut job = Job::End;
        while let Err(mpsc::error::TrySendError::Full(back)) = self.jobs.try_send(job) {
            job = back;
            std::thread::sleep(Duration::from_millis(10));
        }
        if thread.join().is_err() {
            tracing::error!("the thread that delivers alerts has panicked");
        }
        self.reports()
    }

    /// Writes the engine's memory, after the thread has ended.
    pub(super) fn keep(&self, memory: &str) {
        self.desk.keep(memory);
    }
}

async fn work(desk: &Arc<Desk>, mut inbox: mpsc::Receiver<Job>) {
    let mut serving = Serving::new();
    desk.serve_channels(&mut serving);
    loop {
        let job = tokio::select! {
            job = inbox.recv() => job,
            () = desk.reconfigured.notified() => {
                desk.serve_channels(&mut serving);
                desk.give_up_strays();
                continue;
            }
        };
        match job {
            Some(Job::Deliver(delivery)) => desk.take(delivery),
            Some(Job::Remember(memory)) => desk.keep(&memory),
            Some(Job::End) | None => break,
        }
    }
    let all_gone = async {
        while desk.spool().deliveries().next().is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // What has not left by then is on disk.
    let _ = tokio::time::timeout(FAREWELL, all_gone).await;
}

/// Each channel there is, by its name, and the task that serves it.
type Serving = BTreeMap<String, (ChannelSettings, JoinTask<()>)>;

/// Delivers a channel's messages in their order.
async fn serve(desk: Arc<Desk>, channel: ChannelSettings, bell: Arc<Notify>) {
    let name = &channel.audience.name;
    let mut failures = 0;
    loop {
        let Some(delivery) = desk.first(name) else {
            bell.notified().await;
            continue;
        };
        let age = Time::now().since(delivery.message.at);
        if age > desk.age {
            desk.settle(&delivery, Fate::Refused(format!("not delivered within {:?}", desk.age)));
            continue;
        }
        match channel.send(&delivery.message, &desk.host).await {
            Ok(()) => {
                failures = 0;
                desk.settle(&delivery, Fate::Delivered);
            }
            Err(error) if error.is_final => {
                tracing::warn!(channel = %name, %error, "an alert was refused");
                desk.settle(&delivery, Fate::Refused(error.reason));
            }
            Err(error) => {
                failures += 1;
                desk.rest(delivery, &error, failures).await;
            }
        }
    }
}

impl Desk {
    fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, delivery: Delivery, fate: Fate) {
        // Nobody listens any more only when the daemon has ended.
        let _ = self
            .reports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .send((delivery, fate));
    }

    fn take(&self, delivery: Delivery) {
        let name = delivery.channel.clone();
        let stored = store(self.spool_directory.as_deref(), delivery);
        let pushed = self.spool().push(stored);
        if let Some(error) = pushed.error {
            tracing::warn!(channel = %name, %error, "an alert cannot be kept on disk; it waits in memory");
        }
        for dropped in pushed.dropped {
            tracing::warn!(channel = %dropped.channel, title = %dropped.message.title(), "no room for an alert");
            self.report(dropped, Fate::Dropped);
        }
        if let Some(bell) = self.bells().get(&name) {
            bell.notify_one();
        }
    }

    fn bells(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Notify>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the tasks of channels that are gone or have changed, and begins those of new ones. A message that one was sending
    /// is sent again by its successor.
    fn serve_channels(self: &Arc<Self>, serving: &mut Serving) {
        let mut next = self.next_channels.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(channels) = next.take() else { return };
        serving.retain(|name, (channel, task)| {
            let stays = channels.contains(channel);
            if !stays {
                task.abort();
                self.bells().remove(name);
            }
            stays
        });
        for channel in channels {
            let name = channel.audience.name.clone();
            if serving.contains_key(&name) {
                continue;
            }
            let bell = Arc::<Notify>::default();
            self.bells().insert(name.clone(), Arc::clone(&bell));
            let task = tokio::spawn(serve(Arc::clone(self), channel.clone(), bell));
            serving.insert(name, (channel, task));
        }
    }

    /// Gives up what waits for channels that are gone.
    fn give_up_strays(&self) {
        let bells = self.bells();
        let strays: Vec<Delivery> = {
            let spool = self.spool();
            let strays = spool.deliveries().filter(|it| !bells.contains_key(&it.channel));
            strays.cloned().collect()
        };
        drop(bells);
        for stray in strays {
            self.settle(
                &stray,
                Fate::Refused("the channel was removed from the configuration".to_owned()),
            );
        }
    }

    fn first(&self, channel: &str) -> Option<Delivery> {
        self.spool().first(channel).cloned()
    }

    fn settle(&self, delivery: &Delivery, fate: Fate) {
        // Gone already when it was dropped while it was being sent.
        if let Some(delivery) = self.spool().remove(delivery.id) {
            self.report(delivery, fate);
        }
    }

    async fn rest(&self, delivery: Delivery, error: &SendError, failures: u32) {
        let pause = backoff::pause(failures, RandomState::new().hash_one(delivery.id));
        let pause = pause.max(error.retry_after.unwrap_or_default());
        tracing::warn!(channel = %delivery.channel, %error, failures, ?pause, "an alert was not delivered; trying again");
        self.report(delivery, Fate::Attempt(error.reason.clone()));
        tokio::time::sleep(pause).await;
    }

    fn keep(&self, memory: &str) {
        let Some(path) = &self.memory_file else { return };
        if let Err(error) = write_whole(path, memory.as_bytes()) {
            tracing::warn!(file = %path.display(), %error, "cannot keep the state of alerts on disk");
        }
    }
}

/// Reads what was kept, if anything was.
pub(super) fn recall(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
