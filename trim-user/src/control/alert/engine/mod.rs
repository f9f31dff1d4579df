//! Decides who is told what, and when. Pure: no I/O, no clock; it is given what holds and gives back messages.
//!
//! A condition is *pending* until it has held for as long as its rule asks, *firing* while it holds, *resolved* when it
//! has been gone for `resolve_after`. An event fires at once. What is told, and when, is decided per channel, from what
//! has arrived there: a message that is lost or refused was not told, and its alerts are due again.

mod alarm;
mod limit;
#[cfg(test)]
mod properties;
mod settings;
mod silence;
mod statistics;
mod telling;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use alarm::{Acknowledgement, Alarm, News, State};
pub use settings::{Audience, EngineSettings, Inhibition, RateLimit};
pub use silence::Silence;
pub use statistics::{ChannelStatistics, Counts, Fate, Reason, Statistics};

pub(super) use self::telling::OWN_RULE;

use self::limit::Bucket;
use self::telling::Group;
use super::matcher::Matchers;
use super::message::Delivery;
use super::notice::{Fingerprint, Level, Notice};
use super::time::Time;

/// Most alerts that are kept. Over it, only critical ones are taken.
const MOST_ALARMS: usize = 10_000;
/// How long an alert that has resolved is listed.
const HISTORY: Duration = Duration::from_secs(24 * 3600);
/// And how long when a channel could not be told of it.
const LONGEST_HISTORY: Duration = Duration::from_secs(7 * 24 * 3600);

/// An alert that began or ended, for the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where it is now: firing or resolved.
    pub state: State,
    /// What it says.
    pub notice: Notice,
}

/// What comes of looking at the alerts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// Messages to deliver.
    pub deliveries: Vec<Delivery>,
    /// What began or ended.
    pub changes: Vec<Change>,
}

/// Why an operator's request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// There is no such alert.
    #[error("there is no alert {0}: `trim alert list` shows those there are")]
    NoAlarm(Fingerprint),
    /// It has ended.
    #[error("the alert {0} has resolved: there is nothing to acknowledge")]
    HasResolved(Fingerprint),
    /// There is no such silence.
    #[error("there is no silence {0}: `trim alert list` shows those there are")]
    NoSilence(u64),
}

/// What the engine remembers; it is kept on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    alarms: BTreeMap<Fingerprint, Alarm>,
    silences: Vec<Silence>,
    buckets: BTreeMap<String, Bucket>,
    #[serde(skip)]
    groups: BTreeMap<(String, Vec<String>), Group>,
    next_delivery: u64,
    next_silence: u64,
    statistics: Statistics,
}

/// The engine.
#[derive(Clone, Debug)]
pub struct Engine {
    settings: EngineSettings,
    memory: Memory,
}

impl Engine {
    /// An engine that goes on from what is remembered.
    pub fn new(settings: EngineSettings, memory: Memory) -> Self {
        Self { settings, memory }
    }

    /// Goes by other settings from now on, and forgets nothing.
    pub fn reconfigure(&mut self, settings: EngineSettings) {
        self.settings = settings;
    }

    /// What it remembers.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Every alert there is.
    pub fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.memory.alarms.values()
    }

    /// The silences in force or yet to come.
    pub fn silences(&self) -> &[Silence] {
        &self.memory.silences
    }

    /// Who is told.
    pub fn audiences(&self) -> &[Audience] {
        &self.settings.audiences
    }

    /// How many there were.
    pub const fn statistics(&self) -> &Statistics {
        &self.memory.statistics
    }

    /// Whether a message that is still to be delivered is one that it made and waits for.
    pub fn awaits(&self, delivery: &Delivery) -> bool {
        let waits = |alarm: &Alarm| {
            alarm
                .told
                .get(&delivery.channel)
                .is_some_and(|telling| telling.awaits(delivery.id))
        };
        let mut alarms = delivery
            .message
            .items
            .iter()
            .filter_map(|item| self.memory.alarms.get(&item.id));
        alarms.any(waits)
    }

    /// The conditions that hold at `now`, all of them: one that is not among them any more resolves.
    pub fn observe(&mut self, now: Time, notices: &[Notice]) -> Output {
        let mut output = Output::default();
        let held = self.worst(notices);
        for notice in held.values() {
            self.hold(now, notice, &mut output.changes);
        }
        self.let_go(now, |id| held.contains_key(&id), &mut output.changes);
        output.deliveries = self.tell(now);
        output
    }

    /// Something happened at `now`.
    pub fn event(&mut self, now: Time, notice: Notice) -> Output {
        let mut output = Output::default();
        if self.settings.rule(&notice.rule).enabled && self.has_room(&notice) {
            output.changes.push(Change {
                state: State::Firing,
                notice: notice.clone(),
            });
            self.memory.statistics.count(&notice, |counts| counts.events += 1);
            let id = notice.fingerprint();
            match self.memory.alarms.get_mut(&id).filter(|alarm| alarm.is_event) {
                Some(alarm) => alarm.again(notice, now),
                None => {
                    self.memory.alarms.insert(id, Alarm::event(notice, now));
                }
            }
        }
        output.deliveries = self.tell(now);
        output
    }

    /// Of each condition the most serious notice.
    fn worst<'a>(&self, notices: &'a [Notice]) -> BTreeMap<Fingerprint, &'a Notice> {
        let mut worst: BTreeMap<Fingerprint, &Notice> = BTreeMap::new();
        for notice in notices.iter().filter(|notice| self.settings.rule(&notice.rule).enabled) {
            let known = worst.entry(notice.fingerprint()).or_insert(notice);
            if notice.level > known.level {
                *known = notice;
            }
        }
        worst
    }

    fn hold(&mut self, now: Time, notice: &Notice, changes: &mut Vec<Change>) {
        let hold = self.settings.rule(&notice.rule).hold;
        let id = notice.fingerprint();
        let fires = if let Some(alarm) = self.memory.alarms.get_mut(&id).filter(|alarm| !alarm.is_event) {
            alarm.holds(notice, now, hold)
        } else if self.has_room(notice) {
            let alarm = Alarm::condition(notice.clone(), now, hold);
            let fires = alarm.state == State::Firing;
            self.memory.alarms.insert(id, alarm);
            fires
        } else {
            false
        };
        if fires {
            self.memory.statistics.count(notice, |counts| counts.fired += 1);
            changes.push(Change {
                state: State::Firing,
                notice: notice.clone(),
            });
        }
    }

    /// Memory is bounded: what is not critical is not taken when there are too many.
    fn has_room(&mut self, notice: &Notice) -> bool {
        let memory = &mut self.memory;
        if memory.alarms.len() < MOST_ALARMS
            || notice.level == Level::Critical
            || memory.alarms.contains_key(&notice.fingerprint())
        {
            return true;
        }
        for audience in &self.settings.audiences {
            memory.statistics.suppressed(&audience.name, Reason::TooMany);
        }
        false
    }

    /// Resolves what does not hold any more, and forgets what has ended long ago.
    fn let_go(&mut self, now: Time, holds: impl Fn(Fingerprint) -> bool, changes: &mut Vec<Change>) {
        let Self { settings, memory } = self;
        memory.alarms.retain(|id, alarm| !alarm.is_unborn() || holds(*id));
        for alarm in memory
            .alarms
            .values_mut()
            .filter(|alarm| alarm.is_event || !holds(alarm.id))
        {
            let patience = if alarm.is_event {
                settings.event_lasts
            } else {
                settings.resolve_after
            };
            if alarm.is_gone(now, patience) && !alarm.is_event {
                memory.statistics.count(&alarm.notice, |counts| counts.resolved += 1);
                changes.push(Change {
                    state: State::Resolved,
                    notice: alarm.notice.clone(),
                });
            }
        }
        memory.alarms.retain(|_, alarm| {
            let age = alarm.ended.map_or(Duration::ZERO, |ended| now.since(ended));
            let is_old = age >= HISTORY && (alarm.is_settled() || age >= LONGEST_HISTORY);
            alarm.state != State::Resolved || !is_old
        });
        memory.silences.retain(|silence| silence.until > now);
    }

    /// Somebody has seen an alert: it is not repeated until it is more serious, or fires anew.
    ///
    /// # Errors
    /// When it is not there or has ended.
    pub fn acknowledge(&mut self, now: Time, id: Fingerprint, by: &str) -> Result<(), EngineError> {
        let alarm = self.memory.alarms.get_mut(&id).ok_or(EngineError::NoAlarm(id))?;
        if alarm.state == State::Resolved {
            return Err(EngineError::HasResolved(id));
        }
        alarm.acknowledged = Some(Acknowledgement {
            by: by.to_owned(),
            at: now,
            level: alarm.notice.level,
        });
        Ok(())
    }

    /// Keeps alerts that match quiet for a while, and gives the silence's number.
    pub fn silence(&mut self, now: Time, matchers: Matchers, span: Duration, by: &str, comment: &str) -> Silence {
        self.memory.next_silence += 1;
        let silence = Silence {
            id: self.memory.next_silence,
            matchers,
            from: now,
            until: now.plus(span),
            by: by.to_owned(),
            comment: comment.to_owned(),
        };
        self.memory.silences.push(silence.clone());
        silence
    }

    /// Ends a silence before its time.
    ///
    /// # Errors
    /// When there is none of this number.
    pub fn unsilence(&mut self, id: u64) -> Result<(), EngineError> {
        let before = self.memory.silences.len();
        self.memory.silences.retain(|silence| silence.id != id);
        if self.memory.silences.len() < before {
            Ok(())
        } else {
            Err(EngineError::NoSilence(id))
        }
    }

    /// The alerts that are kept quiet on every channel at `now`, and why.
    pub fn muted(&self, now: Time) -> BTreeMap<Fingerprint, Reason> {
        let mut muted: BTreeMap<_, _> = self.inhibited().into_iter().map(|id| (id, Reason::Inhibited)).collect();
        for silence in self.memory.silences.iter().filter(|silence| silence.until > now) {
            let matching = self.alarms().filter(|alarm| silence.matchers.matches(&alarm.notice));
            muted.extend(matching.map(|alarm| (alarm.id, Reason::Silenced)));
        }
        muted
    }

    /// The alerts that others mute.
    fn inhibited(&self) -> BTreeSet<Fingerprint> {
        let mut muted = BTreeSet::new();
        let firing: Vec<&Alarm> = self.alarms().filter(|alarm| alarm.state == State::Firing).collect();
        for rule in &self.settings.inhibitions {
            // What is on both sides mutes nothing, so that two alerts cannot mute each other.
            let is_source = |alarm: &&&Alarm| rule.source.matches(&alarm.notice) && !rule.target.matches(&alarm.notice);
            let sources: Vec<&&Alarm> = firing.iter().filter(is_source).collect();
            let is_muted = |target: &Alarm| {
                sources.iter().any(|source| {
                    source.notice.level >= target.notice.level
                        && rule
                            .equal
                            .iter()
                            .all(|label| source.notice.labels.get(label) == target.notice.labels.get(label))
                })
            };
            let targets = firing.iter().filter(|alarm| rule.target.matches(&alarm.notice));
            muted.extend(targets.filter(|alarm| is_muted(alarm)).map(|alarm| alarm.id));
        }
        muted
    }
}
