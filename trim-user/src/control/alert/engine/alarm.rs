//! One alert through its life, and what each channel knows of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::notice::{Fingerprint, Level, Notice};
use super::super::time::Time;
use super::settings::Audience;

/// Where an alert is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AlertState)]
pub enum State {
    /// It holds, but not yet for as long as its rule asks.
    Pending,
    /// It holds.
    Firing,
    /// It held.
    Resolved,
}

/// Why an alert is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum News {
    /// It began, or an event happened.
    Fired,
    /// It became more serious.
    Escalated,
    /// It still lasts.
    Repeated,
    /// It ended.
    Resolved,
}

/// Who has seen an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// When.
    pub at: Time,
    /// The level they have seen.
    pub level: Level,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Who it is.
    pub id: Fingerprint,
    /// What it says now; when it has resolved, what it said last.
    pub notice: Notice,
    /// The most serious it was since it fired.
    pub peak: Level,
    /// Where it is in its life.
    pub state: State,
    /// Whether it happened once, rather than lasts.
    pub is_event: bool,
    /// When it began.
    pub since: Time,
    /// When it was last seen.
    pub seen: Time,
    /// When it resolved.
    pub ended: Option<Time>,
    /// How often it happened, for an event; how often it fired, for a condition.
    pub count: u64,
    /// Who has seen it: it is not repeated any more, until it is more serious.
    pub acknowledged: Option<Acknowledgement>,
    /// Since when it has been more serious than is told, and how serious.
    rising: Option<(Level, Time)>,
    /// What each channel knows of it.
    pub(super) told: BTreeMap<String, Telling>,
}

/// What a message said of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) at: Time,
    pub(super) state: State,
    pub(super) level: Level,
    pub(super) count: u64,
}

/// What a channel knows of an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Telling {
    /// The last thing that arrived.
    pub(super) arrived: Option<Told>,
    /// What is on its way, by the number of the delivery.
    pub(super) under_way: Vec<(u64, Told)>,
    /// Something was refused or lost since the last thing that arrived.
    pub(super) has_failed: bool,
    /// Not before this time again.
    pub(super) not_before: Time,
    /// What was kept from it last, and why; so that each is counted once.
    pub(super) kept_back: Option<(News, super::Reason)>,
}

impl Telling {
    fn latest(&self) -> Option<&Told> {
        self.under_way.last().map(|(_, told)| told).or(self.arrived.as_ref())
    }
}

impl Alarm {
    /// A condition that is seen for the first time.
    pub(super) fn condition(notice: Notice, now: Time, hold: Duration) -> Self {
        let mut alarm = Self::begin(notice, now);
        if hold.is_zero() {
            alarm.fire();
        }
        alarm
    }

    /// Something that happened.
    pub(super) fn event(notice: Notice, now: Time) -> Self {
        let mut alarm = Self::begin(notice, now);
        alarm.is_event = true;
        alarm.fire();
        alarm
    }

    fn begin(notice: Notice, now: Time) -> Self {
        Self {
            id: notice.fingerprint(),
            peak: notice.level,
            notice,
            state: State::Pending,
            is_event: false,
            since: now,
            seen: now,
            ended: None,
            count: 0,
            acknowledged: None,
            rising: None,
            told: BTreeMap::new(),
        }
    }

    fn fire(&mut self) {
        self.state = State::Firing;
        self.ended = None;
        self.count += 1;
        // What a channel has not heard of yet is not forgotten because it begins anew less seriously.
        let owes = |telling: &Telling| telling.has_failed || !telling.under_way.is_empty();
        let is_owed = self.told.values().any(owes);
        self.peak = if is_owed {
            self.peak.max(self.notice.level)
        } else {
            self.notice.level
        };
    }

    /// The condition holds at `now`. True when it fires from now on.
    pub(super) fn holds(&mut self, notice: &Notice, now: Time, hold: Duration) -> bool {
        self.seen = now;
        if self.state == State::Resolved {
            self.state = State::Pending;
            self.since = now;
            self.acknowledged = None;
            self.rising = None;
        }
        let level = self.settled_level(notice.level, now, hold);
        self.notice = Notice {
            level,
            ..notice.clone()
        };
        let fires = self.state == State::Pending && now.since(self.since) >= hold;
        if fires {
            self.fire();
        }
        self.peak = self.peak.max(level);
        fires
    }

    /// A level has to last as long as the rule asks before an alert that fires rises to it.
    fn settled_level(&mut self, level: Level, now: Time, hold: Duration) -> Level {
        if self.state != State::Firing || level <= self.notice.level {
            self.rising = None;
            return level;
        }
        let since = match self.rising {
            Some((to, since)) => {
                self.rising = Some((to.min(level), since));
                since
            }
            None => {
                self.rising = Some((level, now));
                now
            }
        };
        if now.since(since) >= hold {
            let (to, _) = self.rising.take().unwrap_or((level, now));
            to
        } else {
            self.notice.level
        }
    }

    /// It happened again.
    pub(super) fn again(&mut self, notice: Notice, now: Time) {
        self.notice = notice;
        self.since = now;
        self.seen = now;
        self.acknowledged = None;
        self.fire();
    }

    /// Whether it has never fired.
    pub(super) fn is_unborn(&self) -> bool {
        self.state == State::Pending && self.count == 0
    }

    /// The condition does not hold at `now`. True when it resolves now.
    pub(super) fn is_gone(&mut self, now: Time, resolve_after: Duration) -> bool {
        if self.state == State::Pending {
            self.state = State::Resolved;
            self.ended.get_or_insert(now);
        }
        let resolves = self.state == State::Firing && now.since(self.seen) >= resolve_after;
        if resolves {
            self.state = State::Resolved;
            self.ended = Some(now);
            self.rising = None;
        }
        resolves
    }

    /// What there is to tell a channel.
    pub(super) fn news(&self, audience: &Audience, now: Time, repeat: Duration) -> Option<News> {
        let nothing = Telling::default();
        let telling = self.told.get(&audience.name).unwrap_or(&nothing);
        if now < telling.not_before || self.state == State::Pending {
            return None;
        }
        let latest = telling.latest();
        if self.state == State::Resolved && !self.is_event {
            let knows = latest.is_some_and(|told| told.state == State::Firing);
            return ((knows && audience.resolved) || (telling.has_failed && latest.is_none()))
                .then_some(News::Resolved);
        }
        if self.notice.level < audience.level {
            return None;
        }
        match latest {
            Some(told) if told.count < self.count => Some(News::Fired),
            Some(told) if self.is_event || told.state == State::Resolved => None,
            Some(told) if told.level < self.notice.level => Some(News::Escalated),
            Some(told) => (telling.under_way.is_empty() && now.since(told.at) >= repeat).then_some(News::Repeated),
            None => Some(News::Fired),
        }
    }

    /// How serious this news of it is: an end is as serious as what has ended.
    pub(super) const fn level_of(&self, news: News) -> Level {
        match news {
            News::Resolved => self.peak,
            _ => self.notice.level,
        }
    }

    /// Whether somebody has seen it at this level.
    pub(super) fn is_acknowledged(&self) -> bool {
        self.acknowledged
            .as_ref()
            .is_some_and(|seen| seen.level >= self.notice.level)
    }

    /// What a message made now says of it.
    pub(super) const fn told_now(&self, now: Time) -> Told {
        Told {
            at: now,
            state: self.state,
            level: self.notice.level,
            count: self.count,
        }
    }

    /// Whether nothing of it is on its way or failed, so that it may be forgotten.
    pub(super) fn is_settled(&self) -> bool {
        let is_settled =
            |telling: &Telling| telling.under_way.is_empty() && (telling.arrived.is_some() || !telling.has_failed);
        self.told.values().all(is_settled)
    }
}
