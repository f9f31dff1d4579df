//! The one door to alerts: what holds goes in, and what is to be told gets out by itself.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::channel::ChannelSettings;
use super::courier::{Courier, Orders, recall};
use super::engine::{Engine, EngineError, EngineSettings, Fate, Memory, OWN_RULE, Output, Silence, State};
use super::matcher::Matchers;
use super::message::Delivery;
use super::notice::{Fingerprint, Level, Notice};
use super::rules::RuleBook;
use super::spool::{QueueBounds, Spool};
use super::time::Time;
use super::view::{AlertList, AlertStatistics};

const MEMORY_FILE: &str = "state.json";
const LOCK_FILE: &str = "lock";
const SPOOL: &str = "spool";
/// A channel that has failed for this long is an alert of its own.
const FAILING: Duration = Duration::from_secs(60);
/// What changes with each look is kept this often.
const KEEPING: Duration = Duration::from_secs(60);

/// Everything the configuration says of alerts.
#[derive(Clone, Debug)]
pub struct AlertSettings {
    /// Where messages wait and the state is kept; `None` keeps them in memory.
    pub directory: Option<PathBuf>,
    /// Bounds of the queue.
    pub queue: QueueBounds,
    /// What is decided, and how.
    pub engine: EngineSettings,
    /// The channels.
    pub channels: Vec<ChannelSettings>,
}

impl AlertSettings {
    /// What the engine needs to know.
    fn engine_settings(&self) -> EngineSettings {
        let audiences = self.channels.iter().map(|channel| channel.audience.clone());
        EngineSettings {
            audiences: audiences.collect(),
            ..self.engine.clone()
        }
    }
}

/// Alerts of a running daemon.
pub struct AlertCenter {
    engine: Engine,
    rules: RuleBook,
    courier: Courier,
    kept: Option<Time>,
    is_changed: bool,
    /// Held as long as the folder is ours.
    _lock: Option<File>,
}

/// What is found on disk.
struct Found {
    memory: Memory,
    spool: Spool,
    memory_file: Option<PathBuf>,
    lock: Option<File>,
}

impl AlertCenter {
    /// Goes on from what is on disk, and starts delivering. A disk that cannot be used is logged, and does without.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn open(settings: AlertSettings, host: &str) -> io::Result<Self> {
        let found = match &settings.directory {
            None => Found::nothing(settings.queue),
            Some(directory) => Found::look(directory, settings.queue).unwrap_or_else(|error| {
                tracing::error!(directory = %directory.display(), %error,
                    "alerts cannot be kept on disk: those not delivered are lost when this process ends");
                Found::nothing(settings.queue)
            }),
        };
        let engine_settings = settings.engine_settings();
        let rules = engine_settings.rules.clone();
        let mut engine = Engine::new(engine_settings, found.memory);
        let waiting: Vec<u64> = found.spool.deliveries().map(|delivery| delivery.id).collect();
        found.spool.deliveries().for_each(|delivery| engine.adopt(delivery));
        engine.give_up_all_but(&waiting);
        let courier = Courier::start(Orders {
            channels: settings.channels,
            spool: found.spool,
            age: settings.queue.age,
            memory_file: found.memory_file,
            host: host.to_owned(),
        })?;
        Ok(Self {
            engine,
            rules,
            courier,
            kept: None,
            is_changed: false,
            _lock: found.lock,
        })
    }

    /// Goes by other settings from now on; directory and queue stay as they are. Alerts that fire, silences and messages on
    /// their way stay. A message for a channel that is gone is given up.
    pub fn reconfigure(&mut self, settings: AlertSettings) {
        let engine = settings.engine_settings();
        self.rules = engine.rules.clone();
        self.engine.reconfigure(engine);
        self.courier.reconfigure(settings.channels);
    }

    /// The rules, for whoever judges by them.
    pub const fn rules(&self) -> &RuleBook {
        &self.rules
    }

    /// The conditions that hold at `now`, all of them: one that is not among them any more resolves. To be called
    /// about once a second.
    pub fn observe(&mut self, now: Time, notices: &[Notice]) {
        self.learn(now);
        let mut all = notices.to_vec();
        all.extend(self.failing(now));
        let output = self.engine.observe(now, &all);
        self.carry_out(now, output);
    }

    /// Something happened at `now`.
    pub fn event(&mut self, now: Time, notice: Notice) {
        let output = self.engine.event(now, notice);
        self.carry_out(now, output);
    }

    /// Somebody has seen an alert.
    ///
    /// # Errors
    /// When it is not there or has ended.
    pub fn acknowledge(&mut self, now: Time, id: Fingerprint, by: &str) -> Result<(), EngineError> {
        self.engine.acknowledge(now, id, by)?;
        tracing::info!(alert = %id, by, "an alert was acknowledged");
        self.keep(now);
        Ok(())
    }

    /// Keeps alerts that match quiet for a while.
    pub fn silence(&mut self, now: Time, matchers: Matchers, span: Duration, by: &str, comment: &str) -> Silence {
        let silence = self.engine.silence(now, matchers, span, by, comment);
        tracing::info!(silence = silence.id, matchers = %silence.matchers, until = %silence.until, by, comment, "alerts are silenced");
        self.keep(now);
        silence
    }

    /// Ends a silence before its time.
    ///
    /// # Errors
    /// When there is none of this number.
    pub fn unsilence(&mut self, now: Time, id: u64, by: &str) -> Result<(), EngineError> {
        self.engine.unsilence(id)?;
        tracing::info!(silence = id, by, "a silence was ended");
        self.keep(now);
        Ok(())
    }

    /// The alerts and silences there are.
    pub fn list(&self, now: Time) -> AlertList {
        AlertList::of(&self.engine, now)
    }

    /// How many there were, and what became of their messages.
    pub fn statistics(&mut self, now: Time) -> AlertStatistics {
        self.learn(now);
        let (waiting, bytes) = self.courier.waiting();
        AlertStatistics::of(&self.engine, &waiting, bytes)
    }

    /// Lets what is waiting leave for a moment, and keeps the rest on disk.
    pub fn end(&mut self) {
        let now = Time::now();
        for (delivery, fate) in self.courier.end() {
            self.engine.settle(now, &delivery, &fate);
        }
        if let (true, Ok(memory)) = (self.courier.keeps_memory(), serde_json::to_string(self.engine.memory())) {
            self.courier.keep(&memory);
        }
    }

    /// What became of messages.
    fn learn(&mut self, now: Time) {
        for (delivery, fate) in self.courier.reports() {
            self.is_changed = true;
            self.engine.settle(now, &delivery, &fate);
        }
    }

    /// Channels that fail, as conditions.
    fn failing(&self, now: Time) -> Vec<Notice> {
        let channels = self.engine.statistics().channels.iter();
        let failing = channels.filter_map(|(name, channel)| {
            let since = channel.failing_since.filter(|since| now.since(*since) >= FAILING)?;
            let error = channel.last_error.as_deref().unwrap_or_default();
            let notice = self
                .rules
                .notice(OWN_RULE, format!("alerts do not get through on channel {name}"));
            Some(notice.label("channel", name).details(format!("since {since}: {error}")))
        });
        failing.collect()
    }

    fn carry_out(&mut self, now: Time, output: Output) {
        self.is_changed |= !output.changes.is_empty() || !output.deliveries.is_empty();
        for change in &output.changes {
            log(change.state, &change.notice);
        }
        for delivery in output.deliveries {
            self.send(now, delivery);
        }
        let is_due = self.kept.is_none_or(|kept| now.since(kept) >= KEEPING) && self.engine.alarms().next().is_some();
        if self.is_changed || is_due {
            self.keep(now);
        }
    }

    fn send(&mut self, now: Time, delivery: Delivery) {
        if !self.courier.deliver(delivery.clone()) {
            self.engine.settle(now, &delivery, &Fate::Dropped);
        }
    }

    fn keep(&mut self, now: Time) {
        if !self.courier.keeps_memory() {
            return;
        }
        match serde_json::to_string(self.engine.memory()) {
            Ok(memory) => self.is_changed = !self.courier.remember(memory),
            Err(error) => tracing::error!(%error, "the state of alerts cannot be written down"),
        }
        self.kept = Some(now);
    }
}

/// The daemon's log has every alert, whatever the channels do.
fn log(state: State, notice: &Notice) {
    let Notice {
        rule, summary, details, ..
    } = notice;
    let labels = &notice.labels;
    match (state, notice.level) {
        (State::Resolved, _) => tracing::info!(%rule, ?labels, "alert ended: {summary}"),
        (_, Level::Critical) => tracing::error!(%rule, ?labels, %details, "CRITICAL alert: {summary}"),
        (_, Level::Warning) => tracing::warn!(%rule, ?labels, %details, "alert: {summary}"),
        (_, Level::Info) => tracing::info!(%rule, ?labels, %details, "alert: {summary}"),
    }
}

impl Found {
    fn nothing(bounds: QueueBounds) -> Self {
        Self {
            memory: Memory::default(),
            spool: Spool::in_memory(bounds),
            memory_file: None,
            lock: None,
        }
    }

    fn look(directory: &Path, bounds: QueueBounds) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let lock = File::create(directory.join(LOCK_FILE))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| io::Error::other("another trim uses it; give this one an `alerts.directory` of its own"))?;
        let (spool, damaged) = Spool::open(&directory.join(SPOOL), bounds)?;
        for file in damaged {
            tracing::error!(file = %file.display(), "a message that waited is damaged and was put aside");
        }
        let memory_file = directory.join(MEMORY_FILE);
        let memory = recall(&memory_file)?.map(|text| serde_json::from_str(&text));
        let memory = memory.transpose().unwrap_or_else(|error| {
            tracing::error!(file = %memory_file.display(), %error, "the state of alerts is damaged: beginning anew");
            None
        });
        Ok(Self {
            memory: memory.unwrap_or_default(),
            spool,
            memory_file: Some(memory_file),
            lock: Some(lock),
        })
    }
}

/// Names by channel, for statistics.
pub(super) type Waiting = BTreeMap<String, u64>;
