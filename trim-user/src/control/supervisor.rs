//! What a service manager is told (sd_notify(3)): when the capture runs, that it moves, and when it ends.
//!
//! All of it is sent by a thread of its own: a service manager that does not read must not hold up the lease.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use sd_notify::NotifyState;

use crate::shared::{Gauge, Shared};

/// Looks in one watchdog time: one may come late, and a stall is still seen before the time is over.
const LOOKS_PER_WATCHDOG: u32 = 4;
/// Time between two looks without a watchdog, and the longest with one.
const LONGEST_LOOK: Duration = Duration::from_secs(5);
/// The shortest time between two looks: every thread beats several times within it.
const SHORTEST_LOOK: Duration = Duration::from_millis(250);
/// For so long the end waits until it is told.
const FAREWELL: Duration = Duration::from_secs(1);

/// Something to tell at once.
#[derive(Debug)]
enum News {
    Reloading,
    Ready,
    /// The last; answered when it has been sent.
    Stopping(Sender<()>),
}

/// The way to the service manager. Without one (no `NOTIFY_SOCKET` in the environment) everything here does nothing.
#[derive(Clone, Debug)]
pub struct Supervisor {
    news: Sender<News>,
    main: Arc<Gauge>,
}

impl Supervisor {
    /// Begins to watch the threads of the data path.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(shared: &Arc<Shared>) -> io::Result<Self> {
        let (news, heard) = unbounded();
        let main = Arc::new(Gauge::default());
        let supervisor = Self {
            news,
            main: Arc::clone(&main),
        };
        if std::env::var_os("NOTIFY_SOCKET").is_some() {
            let watchdog = sd_notify::watchdog_enabled();
            let messenger = Messenger {
                beats: Beats::new(Arc::clone(shared), main),
                feeds: watchdog.is_some(),
                is_ready: false,
                is_silent: false,
            };
            messenger.start(heard, pace(watchdog))?;
        }
        Ok(supervisor)
    }

    /// The main thread has come round once more.
    pub fn beat(&self) {
        self.main.add(1);
    }

    /// The capture runs and answers, or a reload is done.
    pub fn ready(&self) {
        self.tell(News::Ready);
    }

    /// A reload has begun; [`ready`](Self::ready) ends it.
    pub fn reloading(&self) {
        self.tell(News::Reloading);
    }

    /// The capture ends. Returns when that has been told, or after a second.
    pub fn stopping(self) {
        let (done, told) = bounded(1);
        self.tell(News::Stopping(done));
        // Nobody listens: there is no service manager, or it does not read.
        let _ = told.recv_timeout(FAREWELL);
    }

    fn tell(&self, news: News) {
        // The other end is closed where there is no service manager.
        let _ = self.news.send(news);
    }
}

/// Time between two looks at the data path.
fn pace(watchdog: Option<Duration>) -> Duration {
    watchdog.map_or(LONGEST_LOOK, |time| {
        (time / LOOKS_PER_WATCHDOG).clamp(SHORTEST_LOOK, LONGEST_LOOK)
    })
}

/// What each thread has done so far.
#[derive(Debug)]
struct Beats {
    shared: Arc<Shared>,
    main: Arc<Gauge>,
    last: Vec<u64>,
}

impl Beats {
    fn new(shared: Arc<Shared>, main: Arc<Gauge>) -> Self {
        let last = vec![0; shared.threads.len() + 1];
        Self { shared, main, last }
    }

    /// The threads that have not moved since the last call.
    fn stuck(&mut self) -> Vec<&str> {
        let threads = self.shared.threads.iter().map(|it| (it.name.as_str(), &it.beat));
        let all = threads.chain([("main", &*self.main)]);
        let mut stuck = Vec::new();
        for (last, (name, beat)) in self.last.iter_mut().zip(all) {
            let now = beat.get();
            if now == *last {
                stuck.push(name);
            }
            *last = now;
        }
        stuck
    }
}

/// Sends the messages.
struct Messenger {
    beats: Beats,
    feeds: bool,
    is_ready: bool,
    /// The service manager could not be told, and that has been logged.
    is_silent: bool,
}

impl Messenger {
    fn start(mut self, news: Receiver<News>, pace: Duration) -> io::Result<JoinHandle<()>> {
        let run = move || {
            let mut next = Instant::now() + pace;
            loop {
                match news.recv_deadline(next) {
                    Ok(News::Stopping(done)) => {
                        self.send(&[NotifyState::Stopping]);
                        // It has stopped waiting.
                        let _ = done.send(());
                        return;
                    }
                    Ok(news) => self.pass_on(&news),
                    Err(RecvTimeoutError::Timeout) => {
                        self.look();
                        next = Instant::now() + pace;
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        Builder::new().name("supervisor".to_owned()).spawn(run)
    }

    fn pass_on(&mut self, news: &News) {
        match news {
            News::Reloading => match NotifyState::monotonic_usec_now() {
                Ok(now) => self.send(&[NotifyState::Reloading, now]),
                Err(error) => tracing::warn!(%error, "cannot tell the service manager of a reload: no time"),
            },
            News::Ready | News::Stopping(_) => {
                self.is_ready = true;
                self.send(&[NotifyState::Ready]);
            }
        }
    }

    /// Feeds the watchdog when all have moved, and says in words how it goes.
    fn look(&mut self) {
        let stuck = self.beats.stuck().join(", ");
        if !self.is_ready {
            return;
        }
        if !stuck.is_empty() {
            tracing::warn!(threads = stuck, "no progress: the watchdog is not fed");
            self.send(&[NotifyState::Status(&format!("no progress of {stuck}"))]);
            return;
        }
        let totals = self.beats.shared.totals();
        let status = format!(
            "{} packets received, {} written, {} lost in user space",
            totals.received,
            totals.written,
            totals.queue_full + totals.write_failed
        );
        let mut messages = vec![NotifyState::Status(&status)];
        if self.feeds {
            messages.push(NotifyState::Watchdog);
        }
        self.send(&messages);
    }

    fn send(&mut self, messages: &[NotifyState<'_>]) {
        match sd_notify::notify(messages) {
            Ok(()) => self.is_silent = false,
            Err(error) if !self.is_silent => {
                self.is_silent = true;
                tracing::warn!(%error, "cannot tell the service manager (NOTIFY_SOCKET)");
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::ThreadBoard;

    #[test]
    fn who_has_not_moved_is_named_and_nobody_else() {
        let boards = ["receive-0", "legacy-0"].map(ThreadBoard::new);
        let shared = Arc::new(Shared::new(Vec::from(boards), 1));
        let main = Arc::new(Gauge::default());
        let mut beats = Beats::new(Arc::clone(&shared), Arc::clone(&main));
        assert_eq!(beats.stuck(), ["receive-0", "legacy-0", "main"]);
        shared.threads[0].beat.add(1);
        main.add(7);
        assert_eq!(beats.stuck(), ["legacy-0"]);
        shared.threads[1].beat.add(1);
        assert_eq!(beats.stuck(), ["receive-0", "main"]);
    }

    #[test]
    fn a_watchdog_is_fed_several_times_within_its_time() {
        assert_eq!(pace(Some(Duration::from_secs(8))), Duration::from_secs(2));
        assert_eq!(pace(Some(Duration::from_secs(300))), LONGEST_LOOK);
        assert_eq!(pace(Some(Duration::from_millis(10))), SHORTEST_LOOK);
        assert_eq!(pace(None), LONGEST_LOOK);
    }
}
