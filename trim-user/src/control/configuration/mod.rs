//! The configuration of the running daemon: what is active, and how it becomes another one without a restart.
//!
//! A configuration is read and validated as a whole before anything is done with it. Either every key that differs can be
//! changed in the running process, and all are, or nothing is and the keys that need a restart are named; who asks
//! may have the others applied nevertheless. What was active stays active in every other case.

mod change;
mod in_force;
mod levers;
mod view;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

pub use change::{Change, changes};
pub use in_force::InForce;
pub use levers::Levers;
pub use view::{ActiveConfiguration, Applied, KeyView};

use in_force::Active;

use super::alert::{AlertDesk, Level, Notice};
use super::health::Moment;
use super::store::{ConfigurationVersion, Event, EventLog, Store, StoreError};
use crate::config::{ConfigError, Layers, Loaded, RELOADABLE};
use crate::kernel::clock;

/// How long the answer to a request waits for the number of the version that it made.
const STORED: Duration = Duration::from_secs(1);

/// The rule of alerts about changes that were refused.
const RULE: &str = "configuration";

/// Who asks for a change, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Who, such as `uid 0, pid 4711` or `SIGHUP`.
    pub who: String,
    /// Why, in words.
    pub why: String,
    /// Whether keys that can be changed are, when others need a restart.
    pub apply_what_can: bool,
}

/// Why the active configuration stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The new one is not allowed, or cannot be read.
    #[error("refused, the active configuration stays: {0}")]
    Invalid(#[from] ConfigError),
    /// Some of what differs cannot be changed in a running process.
    #[error("refused, the active configuration stays: {} changed and need a restart (`systemctl restart trim`); `trim config reload --apply-what-can` applies the others", named(.0))]
    NeedsRestart(Vec<Change>),
    /// There is no such version.
    #[error("there is no version {0} of the configuration: `trim config history` lists those there are")]
    NoVersion(u64),
    /// Earlier versions cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn named(changes: &[Change]) -> String {
    let keys: Vec<&str> = changes.iter().map(|change| change.key.as_str()).collect();
    keys.join(", ")
}

/// What the daemon's configuration is made of.
pub struct Parts {
    /// Where it was read from, and is read from again.
    pub layers: Layers,
    /// What is active; it changes with what is done here.
    pub in_force: InForce,
    /// What is moved when it changes.
    pub levers: Levers,
    /// Where changes are noted.
    pub log: EventLog,
    /// Who is told of refused ones.
    pub alerts: Arc<AlertDesk>,
}

/// The configuration of the running daemon.
pub struct Configuration {
    layers: Layers,
    levers: Levers,
    log: EventLog,
    alerts: Arc<AlertDesk>,
    database: PathBuf,
    in_force: InForce,
    /// Held while a change is made: one after the other.
    turn: Mutex<()>,
}

impl Configuration {
    /// Takes what the daemon was started with as the active one, and has it kept.
    pub fn new(parts: Parts) -> Self {
        let loaded = parts.in_force.loaded();
        parts.log.configured(version(&loaded, "start", ""));
        Self {
            layers: parts.layers,
            levers: parts.levers,
            log: parts.log,
            alerts: parts.alerts,
            database: loaded.config.database,
            in_force: parts.in_force,
            turn: Mutex::new(()),
        }
    }

    /// Where it is read from.
    pub const fn layers(&self) -> &Layers {
        &self.layers
    }

    /// What is active.
    pub fn active(&self) -> ActiveConfiguration {
        let active = self.in_force.lock().clone();
        ActiveConfiguration::of(&active.loaded, active.since, active.who)
    }

    /// Reads all layers anew and tells where they differ from what is active. Changes nothing.
    ///
    /// # Errors
    /// When they cannot be read or are not valid.
    pub fn check(&self) -> Result<Vec<Change>, ChangeError> {
        let files = self.layers.load_for_capture()?;
        Ok(changes(&self.in_force.lock().loaded.keys(), &files.keys()))
    }

    /// Reads all layers anew and makes them the active configuration. Reads files: not for the thread that renews the lease.
    ///
    /// # Errors
    /// When they are refused; what was active stays so, and an alert says it.
    pub fn reload(&self, order: &Order) -> Result<Applied, ChangeError> {
        self.in_turn(order, |it| it.change(it.layers.load_for_capture()?, order))
    }

    /// Makes an earlier version the active one. No file is changed: those that differ from it are told.
    ///
    /// # Errors
    /// When there is no such version, or it is refused; what was active stays so, and an alert says it.
    pub fn roll_back(&self, number: u64, order: &Order) -> Result<Applied, ChangeError> {
        self.in_turn(order, |it| {
            let stored = Store::read(&it.database)?.configuration(number)?;
            let stored = stored.ok_or(ChangeError::NoVersion(number))?;
            let wanted = Loaded::of_text(&stored.version.text)?;
            let mut applied = it.change(wanted, order)?;
            // Files that cannot be read are no reason to take back what has been done.
            applied.files_differ = it.check().unwrap_or_default();
            Ok(applied)
        })
    }

    fn in_turn(
        &self,
        order: &Order,
        change: impl FnOnce(&Self) -> Result<Applied, ChangeError>,
    ) -> Result<Applied, ChangeError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(self);
        match &result {
            Ok(applied) => self.note(
                order,
                json!({ "applied": applied.applied, "needs_restart": applied.needs_restart }),
            ),
            Err(error) => {
                tracing::error!(who = order.who, "configuration {error}");
                self.note(order, json!({ "refused": error.to_string() }));
                let notice = Notice::new(Level::Warning, RULE, "a change of the configuration was refused");
                let now = self.alerts.now();
                self.alerts.lock().event(now, notice.details(error.to_string()));
            }
        }
        result
    }

    fn change(&self, wanted: Loaded, order: &Order) -> Result<Applied, ChangeError> {
        let active = self.in_force.lock().loaded.clone();
        let (needs_restart, applied): (Vec<_>, Vec<_>) = changes(&active.keys(), &wanted.keys())
            .into_iter()
            .partition(|change| change.needs_restart);
        if !needs_restart.is_empty() && !order.apply_what_can {
            return Err(ChangeError::NeedsRestart(needs_restart));
        }
        let next = match needs_restart.is_empty() {
            true => wanted,
            false => active
                .taking(&wanted, &RELOADABLE)
                .map_err(|problems| ConfigError::Invalid { problems })?,
        };
        let mut done = Applied {
            applied,
            needs_restart,
            ..Applied::default()
        };
        if !done.applied.is_empty() {
            self.levers.apply(&next.config);
            done.version = self.keep(&next, order);
            tracing::info!(
                who = order.who,
                keys = named(&done.applied),
                "the configuration has changed"
            );
        }
        done.sha256 = next.sha256();
        // Places move with every edit, also when no value does.
        *self.in_force.lock() = match done.applied.is_empty() {
            true => Active {
                loaded: next,
                ..self.in_force.lock().clone()
            },
            false => Active {
                loaded: next,
                since: now(),
                who: order.who.clone(),
            },
        };
        done.done = done.words();
        Ok(done)
    }

    fn keep(&self, loaded: &Loaded, order: &Order) -> Option<u64> {
        let number = self.log.configured(version(loaded, &order.who, &order.why));
        // Without an answer it is written when the disk takes it.
        number.recv_timeout(STORED).ok()
    }

    fn note(&self, order: &Order, what: serde_json::Value) {
        self.log.append(Event {
            at: now(),
            kind: "configuration".to_owned(),
            who: order.who.clone(),
            why: order.why.clone(),
            what,
        });
    }
}

fn version(loaded: &Loaded, who: &str, why: &str) -> ConfigurationVersion {
    ConfigurationVersion {
        at_ns: clock::realtime(),
        who: who.to_owned(),
        why: why.to_owned(),
        sha256: loaded.sha256(),
        text: loaded.text(),
    }
}

fn now() -> Moment {
    Moment(clock::realtime() / 1_000_000)
}
