//! Making messages, and learning what became of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::message::{Delivery, Item, Message};
use super::super::notice::{Fingerprint, Labels, Level};
use super::super::time::Time;
use super::alarm::{Alarm, News, State, Telling};
use super::limit::Bucket;
use super::settings::Audience;
use super::statistics::{Fate, Reason};
use super::{Engine, Memory};

/// Most alerts of one message; the others follow in the next.
const MOST_ITEMS: usize = 50;

/// A group of alerts on one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Group {
    /// Since when there has been something to tell.
    waiting_since: Option<Time>,
    /// When something was told last.
    last: Option<Time>,
    /// Whether what is waiting was counted as limited.
    is_limited: bool,
}

/// What there is to tell in one group.
type Due = Vec<(Fingerprint, News)>;

impl Telling {
    pub(super) fn awaits(&self, id: u64) -> bool {
        self.under_way.iter().any(|(number, _)| *number == id)
    }
}

impl Alarm {
    fn item(&self, news: News) -> Item {
        Item {
            id: self.id,
            news,
            state: self.state,
            notice: self.notice.clone(),
            since: self.since,
            ended: self.ended,
            count: self.count,
            is_event: self.is_event,
        }
    }
}

impl Engine {
    /// The messages that are due at `now`.
    pub(super) fn tell(&mut self, now: Time) -> Vec<Delivery> {
        let audiences = self.settings.audiences.clone();
        let mut deliveries = Vec::new();
        for audience in &audiences {
            let due = self.due(audience, now);
            self.forget_groups(audience, &due, now);
            for (key, due) in due {
                deliveries.extend(self.message(audience, key, due, now));
            }
        }
        deliveries
    }

    /// What there is to tell a channel, by group.
    fn due(&mut self, audience: &Audience, now: Time) -> BTreeMap<Vec<String>, Due> {
        let news: Vec<(Fingerprint, News, Option<Reason>)> = {
            let muted = self.muted(now);
            let candidates = self
                .alarms()
                .filter(|alarm| alarm.notice.rule != OWN_RULE || !is_own(alarm, audience));
            candidates
                .filter_map(|alarm| {
                    let rule = self.settings.rule(&alarm.notice.rule);
                    let news = alarm.news(audience, now, rule.repeat.unwrap_or(self.settings.repeat))?;
                    Some((alarm.id, news, kept_back(alarm, news, muted.get(&alarm.id).copied())))
                })
                .collect()
        };
        let mut due: BTreeMap<Vec<String>, Due> = BTreeMap::new();
        for (id, news, reason) in news {
            match reason {
                Some(reason) => self.memory.keep_back(audience, id, news, reason, now),
                None => {
                    let key = self.group_key(id);
                    due.entry(key).or_default().push((id, news));
                }
            }
        }
        due
    }

    fn group_key(&self, id: Fingerprint) -> Vec<String> {
        let Some(alarm) = self.memory.alarms.get(&id) else {
            return Vec::new();
        };
        let value = |label: &String| match label.as_str() {
            "rule" => alarm.notice.rule.clone(),
            "level" => alarm.notice.level.name().to_owned(),
            other => alarm.notice.labels.get(other).cloned().unwrap_or_default(),
        };
        self.settings.group_by.iter().map(value).collect()
    }

    /// A group with nothing to tell waits for nothing, and is forgotten when its interval is over.
    fn forget_groups(&mut self, audience: &Audience, due: &BTreeMap<Vec<String>, Due>, now: Time) {
        let interval = self.settings.group_interval;
        self.memory.groups.retain(|(channel, key), group| {
            if *channel != audience.name || due.contains_key(key) {
                return true;
            }
            group.waiting_since = None;
            group.is_limited = false;
            group.last.is_some_and(|last| now.since(last) < interval)
        });
    }

    /// The group's message, if it may leave now.
    fn message(&mut self, audience: &Audience, key: Vec<String>, mut due: Due, now: Time) -> Option<Delivery> {
        let Self { settings, memory } = self;
        let level_of = |(id, news): &(Fingerprint, News)| {
            let alarm = memory.alarms.get(id);
            alarm.map_or(Level::Info, |alarm| alarm.level_of(*news))
        };
        due.sort_by_key(|item| (std::cmp::Reverse(level_of(item)), item.0));
        due.truncate(MOST_ITEMS);
        let level = due.first().map(level_of)?;
        let group = memory.groups.entry((audience.name.clone(), key.clone())).or_default();
        let since = *group.waiting_since.get_or_insert(now);
        let is_patient = now.since(since) >= settings.group_wait
            && group.last.is_none_or(|last| now.since(last) >= settings.group_interval);
        if level < Level::Critical {
            if !is_patient {
                return None;
            }
            let bucket = memory.buckets.entry(audience.name.clone());
            let bucket = bucket.or_insert_with(|| Bucket::full(audience.limit, now));
            if !bucket.has_one(audience.limit, now) {
                if !group.is_limited {
                    group.is_limited = true;
                    memory.statistics.suppressed(&audience.name, Reason::RateLimited);
                }
                return None;
            }
            bucket.take();
        }
        *group = Group {
            last: Some(now),
            ..Group::default()
        };
        let group = settings.group_by.iter().cloned().zip(key).collect();
        Some(memory.deliver(audience, level, group, &due, now))
    }

    /// What became of a message. One that did not arrive was not told: its alerts are due again after a pause, and it
    /// does not count against the channel's limit.
    pub fn settle(&mut self, now: Time, delivery: &Delivery, fate: &Fate) {
        let latency: Option<Duration> = (*fate == Fate::Delivered).then(|| now.since(delivery.message.at));
        let Self { settings, memory } = self;
        memory.statistics.channel(&delivery.channel).settle(fate, now, latency);
        if matches!(fate, Fate::Attempt(_)) {
            return;
        }
        let has_arrived = *fate == Fate::Delivered;
        for item in &delivery.message.items {
            let alarm = memory.alarms.get_mut(&item.id);
            if let Some(telling) = alarm.and_then(|alarm| alarm.told.get_mut(&delivery.channel)) {
                telling.settle(delivery.id, has_arrived, now.plus(settings.retry_pause));
            }
        }
        let audience = settings
            .audiences
            .iter()
            .find(|audience| audience.name == delivery.channel);
        if let (false, Some(audience)) = (has_arrived || delivery.message.level == Level::Critical, audience)
            && let Some(bucket) = memory.buckets.get_mut(&delivery.channel)
        {
            bucket.give_back(audience.limit);
        }
    }

    /// A message found on disk after a restart: it is on its way, so what it says is not to be said again.
    pub fn adopt(&mut self, delivery: &Delivery) {
        self.memory.next_delivery = self.memory.next_delivery.max(delivery.id + 1);
        if self.awaits(delivery) {
            return;
        }
        for item in &delivery.message.items {
            let alarm = self
                .memory
                .alarms
                .entry(item.id)
                .or_insert_with(|| Alarm::from_item(item));
            let told = super::alarm::Told {
                at: delivery.message.at,
                state: item.state,
                level: item.notice.level,
                count: item.count,
            };
            let telling = alarm.told.entry(delivery.channel.clone()).or_default();
            telling.under_way.push((delivery.id, told));
        }
    }

    /// Messages that were on their way when the process ended, and are on no disk, were not told.
    pub fn give_up_all_but(&mut self, ids: &[u64]) {
        for telling in self
            .memory
            .alarms
            .values_mut()
            .flat_map(|alarm| alarm.told.values_mut())
        {
            let before = telling.under_way.len();
            telling.under_way.retain(|(id, _)| ids.contains(id));
            telling.has_failed |= telling.under_way.len() < before;
        }
    }
}

/// Why this news is not told; that something which was told has ended, always is.
fn kept_back(alarm: &Alarm, news: News, muted: Option<Reason>) -> Option<Reason> {
    let acknowledged = (news == News::Repeated && alarm.is_acknowledged()).then_some(Reason::Acknowledged);
    muted.or(acknowledged).filter(|_| news != News::Resolved)
}

/// The rule by which a channel that fails is reported; that channel itself need not be told.
pub(in super::super) const OWN_RULE: &str = "channel_failing";

fn is_own(alarm: &Alarm, audience: &Audience) -> bool {
    alarm.notice.labels.get("channel") == Some(&audience.name)
}

impl Memory {
    /// Counts it once for each piece of news. An event that is kept back is over.
    fn keep_back(&mut self, audience: &Audience, id: Fingerprint, news: News, reason: Reason, now: Time) {
        let Some(alarm) = self.alarms.get_mut(&id) else { return };
        let told = alarm.told_now(now);
        let is_event = alarm.is_event;
        let telling = alarm.told.entry(audience.name.clone()).or_default();
        let is_new = telling.kept_back.replace((news, reason)) != Some((news, reason));
        if is_event {
            telling.arrived = Some(told);
            telling.kept_back = None;
        }
        if is_new {
            self.statistics.suppressed(&audience.name, reason);
        }
    }

    fn deliver(&mut self, audience: &Audience, level: Level, group: Labels, due: &Due, now: Time) -> Delivery {
        let id = self.next_delivery;
        self.next_delivery += 1;
        self.statistics.channel(&audience.name).messages += 1;
        let mut items = Vec::with_capacity(due.len());
        for (fingerprint, news) in due {
            let Some(alarm) = self.alarms.get_mut(fingerprint) else {
                continue;
            };
            items.push(alarm.item(*news));
            let told = alarm.told_now(now);
            let telling = alarm.told.entry(audience.name.clone()).or_default();
            telling.under_way.push((id, told));
            telling.kept_back = None;
        }
        Delivery {
            id,
            channel: audience.name.clone(),
            message: Message {
                at: now,
                level,
                group,
                items,
            },
        }
    }
}

impl Telling {
    fn settle(&mut self, id: u64, has_arrived: bool, again: Time) {
        let Some(position) = self.under_way.iter().position(|(number, _)| *number == id) else {
            return;
        };
        let (_, told) = self.under_way.remove(position);
        if has_arrived {
            self.arrived = Some(told);
            self.has_failed = false;
        } else {
            self.has_failed = true;
            self.not_before = again;
        }
    }
}

impl Alarm {
    /// What a message on disk says of an alert that is not remembered.
    fn from_item(item: &Item) -> Self {
        let mut alarm = Self::event(item.notice.clone(), item.since);
        alarm.is_event = item.is_event;
        alarm.state = item.state;
        alarm.ended = item.ended.filter(|_| item.state == State::Resolved);
        alarm.count = item.count;
        alarm
    }
}
