use std::time::Duration;

use super::super::matcher::Matchers;
use super::super::message::Delivery;
use super::super::notice::{Level, Notice};
use super::super::time::Time;
use super::*;

const START: u64 = 1_700_000_000_000;

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// An engine, its clock, and a channel on which everything arrives unless a test says otherwise.
pub(super) struct Bench {
    pub(super) engine: Engine,
    now: Time,
    pub(super) is_reachable: bool,
}

fn audience(name: &str) -> Audience {
    Audience {
        name: name.to_owned(),
        level: Level::Info,
        resolved: true,
        limit: RateLimit {
            messages: 1000,
            per: seconds(3600),
        },
    }
}

fn settings() -> EngineSettings {
    EngineSettings {
        group_wait: Duration::ZERO,
        group_interval: Duration::ZERO,
        resolve_after: Duration::ZERO,
        audiences: vec![audience("ops")],
        ..EngineSettings::default()
    }
}

impl Bench {
    pub(super) fn new(settings: EngineSettings) -> Self {
        Self {
            engine: Engine::new(settings, Memory::default()),
            now: Time(START),
            is_reachable: true,
        }
    }

    /// What is told when these conditions hold so many seconds later.
    pub(super) fn after(&mut self, span: u64, notices: &[Notice]) -> Vec<Delivery> {
        self.now = self.now.plus(seconds(span));
        let output = self.engine.observe(self.now, notices);
        self.deliver(output.deliveries)
    }

    pub(super) fn event(&mut self, notice: Notice) -> Vec<Delivery> {
        let output = self.engine.event(self.now, notice);
        self.deliver(output.deliveries)
    }

    fn deliver(&mut self, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        let fate = if self.is_reachable {
            Fate::Delivered
        } else {
            Fate::Refused("dead".into())
        };
        for delivery in &deliveries {
            self.engine.settle(self.now, delivery, &fate);
        }
        deliveries
    }

    fn suppressed(&self, reason: Reason) -> u64 {
        let channel = self.engine.statistics().channels.get("ops");
        channel
            .and_then(|channel| channel.suppressed.get(&reason))
            .copied()
            .unwrap_or(0)
    }
}

fn news(deliveries: &[Delivery]) -> Vec<News> {
    deliveries
        .iter()
        .flat_map(|delivery| &delivery.message.items)
        .map(|item| item.news)
        .collect()
}

fn link(name: &str) -> Notice {
    Notice::new(Level::Critical, "link_lost", format!("{name} lost its link")).label("interface", name)
}

fn memory(level: Level) -> Notice {
    Notice::new(level, "memory", "memory is short")
}

fn mild(name: &str) -> Notice {
    Notice::new(Level::Warning, "split_mismatch", name).label("name", name)
}

#[test]
fn a_condition_is_told_once_it_has_held_for_as_long_as_its_rule_asks() {
    let mut bench = Bench::new(settings());
    let holds = [memory(Level::Warning)];
    assert_eq!(news(&bench.after(0, &holds)), []);
    assert_eq!(news(&bench.after(29, &holds)), []);
    assert_eq!(bench.engine.alarms().next().unwrap().state, State::Pending);
    assert_eq!(news(&bench.after(1, &holds)), [News::Fired]);
    assert_eq!(news(&bench.after(1, &holds)), []);
}

#[test]
fn a_condition_that_goes_before_its_time_was_nothing() {
    let mut bench = Bench::new(settings());
    let holds = [memory(Level::Warning)];
    bench.after(0, &holds);
    assert_eq!(news(&bench.after(20, &[])), []);
    assert_eq!(bench.engine.alarms().count(), 0);
    assert_eq!(news(&bench.after(5, &holds)), []);
    assert_eq!(
        news(&bench.after(20, &holds)),
        [],
        "the time before the gap does not count"
    );
}

#[test]
fn a_condition_that_lasts_is_repeated_and_its_end_is_told() {
    let mut bench = Bench::new(settings());
    assert_eq!(news(&bench.after(0, &[link("a")])), [News::Fired]);
    assert_eq!(news(&bench.after(4 * 3600 - 1, &[link("a")])), []);
    assert_eq!(news(&bench.after(1, &[link("a")])), [News::Repeated]);
    assert_eq!(news(&bench.after(1, &[])), [News::Resolved]);
    assert_eq!(news(&bench.after(9 * 3600, &[])), []);
    assert_eq!(news(&bench.after(1, &[link("a")])), [News::Fired], "it may begin anew");
}

#[test]
fn a_condition_that_comes_and_goes_within_the_patience_is_one_alert() {
    let mut bench = Bench::new(EngineSettings {
        resolve_after: seconds(15),
        ..settings()
    });
    assert_eq!(news(&bench.after(0, &[link("a")])), [News::Fired]);
    for _ in 0..20 {
        assert_eq!(news(&bench.after(10, &[])), []);
        assert_eq!(news(&bench.after(1, &[link("a")])), []);
    }
    assert_eq!(news(&bench.after(15, &[])), [News::Resolved]);
}

#[test]
fn a_rise_to_critical_is_told_when_it_has_lasted_and_a_fall_is_not() {
    let mut bench = Bench::new(settings());
    let (warning, critical) = ([memory(Level::Warning)], [memory(Level::Critical)]);
    bench.after(0, &warning);
    assert_eq!(news(&bench.after(30, &warning)), [News::Fired]);
    assert_eq!(news(&bench.after(1, &critical)), []);
    assert_eq!(news(&bench.after(1, &warning)), [], "a peak of one second");
    assert_eq!(news(&bench.after(1, &critical)), []);
    assert_eq!(news(&bench.after(29, &critical)), []);
    let told = bench.after(1, &critical);
    assert_eq!(news(&told), [News::Escalated]);
    assert_eq!(told[0].message.level, Level::Critical);
    assert_eq!(news(&bench.after(1, &warning)), []);
    assert_eq!(news(&bench.after(60, &critical)), []);
    assert_eq!(news(&bench.after(60, &critical)), []);
}

#[test]
fn an_event_is_told_at_once_each_time_and_never_resolves_aloud() {
    let mut bench = Bench::new(settings());
    let rolled_back = || Notice::new(Level::Critical, "rollback", "rolled back");
    assert_eq!(news(&bench.event(rolled_back())), [News::Fired]);
    assert_eq!(news(&bench.after(1, &[])), []);
    assert_eq!(news(&bench.event(rolled_back())), [News::Fired]);
    assert_eq!(bench.engine.alarms().next().unwrap().count, 2);
    assert_eq!(news(&bench.after(3600, &[])), []);
    assert_eq!(bench.engine.alarms().next().unwrap().state, State::Resolved);
}

#[test]
fn what_is_unavailable_is_not_also_called_slow() {
    let mut bench = Bench::new(settings());
    let slow = |level| Notice::new(level, "slow_down", "slow").label("strategy", "scanning");
    let dead = |level| Notice::new(level, "unavailable", "dead").label("strategy", "scanning");
    let other = Notice::new(Level::Critical, "slow_down", "slow").label("strategy", "legacy");
    bench.after(0, &[slow(Level::Critical), other.clone()]);
    let told = bench.after(30, &[slow(Level::Critical), dead(Level::Critical), other.clone()]);
    let rules: Vec<&str> = told
        .iter()
        .flat_map(|d| &d.message.items)
        .map(|item| item.notice.rule.as_str())
        .collect();
    assert_eq!(
        rules,
        ["slow_down", "unavailable"],
        "the other strategy's slowness is told"
    );
    assert_eq!(bench.suppressed(Reason::Inhibited), 1);
    bench.after(1, &[slow(Level::Critical), dead(Level::Critical), other.clone()]);
    assert_eq!(
        bench.suppressed(Reason::Inhibited),
        1,
        "counted once, however often it is looked at"
    );
    let told = bench.after(1, &[slow(Level::Critical), other]);
    assert_eq!(
        news(&told),
        [News::Fired, News::Resolved],
        "with the cause gone it is told"
    );
}

#[test]
fn a_less_serious_alert_mutes_no_more_serious_one() {
    let mut bench = Bench::new(settings());
    let slow = Notice::new(Level::Critical, "slow_down", "slow");
    let dead = Notice::new(Level::Warning, "unavailable", "dead");
    bench.after(0, &[slow.clone(), dead.clone()]);
    assert_eq!(news(&bench.after(30, &[slow, dead])), [News::Fired]);
    assert_eq!(bench.suppressed(Reason::Inhibited), 0);
}

#[test]
fn a_silence_keeps_quiet_until_it_expires() {
    let mut bench = Bench::new(settings());
    let matchers = Matchers::parse("rule=link_lost,interface=a*").unwrap();
    bench
        .engine
        .silence(bench.now, matchers, seconds(60), "root", "cables are being changed");
    assert_eq!(
        news(&bench.after(0, &[link("a1"), link("b1")])),
        [News::Fired],
        "b1 only"
    );
    assert_eq!(news(&bench.after(59, &[link("a1"), link("b1")])), []);
    assert_eq!(bench.suppressed(Reason::Silenced), 1);
    assert_eq!(news(&bench.after(1, &[link("a1"), link("b1")])), [News::Fired]);
    assert!(bench.engine.silences().is_empty());
}

#[test]
fn what_was_told_before_a_silence_is_told_to_have_ended() {
    let mut bench = Bench::new(settings());
    bench.after(0, &[link("a")]);
    let silence = bench
        .engine
        .silence(bench.now, Matchers::parse("rule=*").unwrap(), seconds(60), "root", "");
    assert_eq!(news(&bench.after(1, &[])), [News::Resolved]);
    assert_eq!(bench.engine.unsilence(silence.id), Ok(()));
    assert_eq!(
        bench.engine.unsilence(silence.id),
        Err(EngineError::NoSilence(silence.id))
    );
}

#[test]
fn an_event_in_a_silence_is_not_told_when_the_silence_is_over() {
    let mut bench = Bench::new(settings());
    bench.engine.silence(
        bench.now,
        Matchers::parse("rule=rollback").unwrap(),
        seconds(60),
        "root",
        "",
    );
    assert_eq!(
        news(&bench.event(Notice::new(Level::Critical, "rollback", "rolled back"))),
        []
    );
    assert_eq!(news(&bench.after(61, &[])), []);
    assert_eq!(bench.suppressed(Reason::Silenced), 1);
}

#[test]
fn an_acknowledged_alert_is_not_repeated_but_rises_and_resolves() {
    let mut bench = Bench::new(settings());
    let (warning, critical) = ([memory(Level::Warning)], [memory(Level::Critical)]);
    bench.after(0, &warning);
    bench.after(30, &warning);
    let id = warning[0].fingerprint();
    bench.engine.acknowledge(bench.now, id, "root").unwrap();
    assert_eq!(news(&bench.after(5 * 3600, &warning)), []);
    assert_eq!(bench.suppressed(Reason::Acknowledged), 1);
    bench.after(1, &critical);
    assert_eq!(news(&bench.after(30, &critical)), [News::Escalated]);
    assert_eq!(
        news(&bench.after(4 * 3600, &critical)),
        [News::Repeated],
        "this level nobody has seen"
    );
    assert_eq!(news(&bench.after(1, &[])), [News::Resolved]);
    assert_eq!(
        bench.engine.acknowledge(bench.now, id, "root"),
        Err(EngineError::HasResolved(id))
    );
    let unknown = link("a").fingerprint();
    assert_eq!(
        bench.engine.acknowledge(bench.now, unknown, "root"),
        Err(EngineError::NoAlarm(unknown))
    );
}

#[test]
fn alerts_of_a_group_wait_for_each_other_and_share_a_message() {
    let mut bench = Bench::new(EngineSettings {
        group_wait: seconds(5),
        group_interval: seconds(60),
        ..settings()
    });
    assert_eq!(news(&bench.after(0, &[mild("a")])), []);
    assert_eq!(news(&bench.after(4, &[mild("a"), mild("b")])), []);
    let told = bench.after(1, &[mild("a"), mild("b")]);
    assert_eq!((told.len(), told[0].message.items.len()), (1, 2));
    assert_eq!(told[0].message.group["rule"], "split_mismatch");
    let all = [mild("a"), mild("b"), mild("c")];
    assert_eq!(news(&bench.after(10, &all)), []);
    assert_eq!(news(&bench.after(49, &all)), []);
    assert_eq!(
        news(&bench.after(1, &all)),
        [News::Fired],
        "a minute after the last message"
    );
}

#[test]
fn a_critical_alert_waits_for_no_group_and_no_interval() {
    let mut bench = Bench::new(EngineSettings {
        group_wait: seconds(5),
        group_interval: seconds(60),
        ..settings()
    });
    assert_eq!(news(&bench.after(0, &[link("a")])), [News::Fired]);
    assert_eq!(news(&bench.after(1, &[link("a"), link("b")])), [News::Fired]);
}

#[test]
fn a_large_group_comes_in_several_messages() {
    let mut bench = Bench::new(settings());
    let many: Vec<Notice> = (0..120).map(|n| link(&format!("eth{n}"))).collect();
    let sizes: Vec<usize> = (0..4)
        .flat_map(|_| bench.after(1, &many))
        .map(|d| d.message.items.len())
        .collect();
    assert_eq!(sizes, [50, 50, 20]);
}

pub(super) fn limited(messages: u32) -> EngineSettings {
    let mut settings = settings();
    settings.group_by = vec!["name".to_owned()];
    settings.audiences[0].limit = RateLimit {
        messages,
        per: seconds(3600),
    };
    settings
}

#[test]
fn a_limited_channel_is_told_later_and_critical_alerts_at_once() {
    let mut bench = Bench::new(limited(2));
    let three = [mild("a"), mild("b"), mild("c")];
    assert_eq!(bench.after(0, &three).len(), 2);
    assert_eq!(bench.after(1, &three).len(), 0);
    assert_eq!(bench.suppressed(Reason::RateLimited), 1);
    let with_critical = [mild("a"), mild("b"), mild("c"), link("x")];
    assert_eq!(bench.after(1, &with_critical).len(), 1, "the critical one");
    assert_eq!(
        bench.after(1800, &with_critical).len(),
        1,
        "half the time fills half the bucket"
    );
}

#[test]
fn a_message_that_did_not_arrive_does_not_count_against_the_limit() {
    let mut bench = Bench::new(limited(1));
    bench.is_reachable = false;
    assert_eq!(bench.after(0, &[mild("a")]).len(), 1);
    bench.is_reachable = true;
    assert_eq!(bench.after(60, &[mild("a")]).len(), 1);
}

#[test]
fn a_failed_message_was_not_told_and_is_due_again_after_a_pause() {
    let mut bench = Bench::new(settings());
    bench.is_reachable = false;
    assert_eq!(news(&bench.after(0, &[link("a")])), [News::Fired]);
    assert_eq!(news(&bench.after(59, &[link("a")])), []);
    assert_eq!(news(&bench.after(1, &[link("a")])), [News::Fired]);
    assert_eq!(
        news(&bench.after(60, &[])),
        [News::Resolved],
        "that it was, nobody knows yet"
    );
    bench.is_reachable = true;
    assert_eq!(news(&bench.after(60, &[])), [News::Resolved]);
    assert_eq!(news(&bench.after(60, &[])), []);
    let channel = &bench.engine.statistics().channels["ops"];
    assert_eq!((channel.messages, channel.refused, channel.delivered), (4, 3, 1));
}

#[test]
fn a_critical_end_that_nobody_heard_of_is_told_after_a_milder_recurrence() {
    let mut bench = Bench::new(settings());
    let alarm = |level| Notice::new(level, "split_mismatch", "x");
    bench.is_reachable = false;
    bench.after(1, &[alarm(Level::Critical)]);
    bench.after(1, &[]);
    bench.after(1, &[alarm(Level::Info)]);
    bench.is_reachable = true;
    bench.after(3600, &[alarm(Level::Info)]);
    let told = bench.after(1, &[]);
    assert_eq!(
        (news(&told), told[0].message.level),
        (vec![News::Resolved], Level::Critical)
    );
}

#[test]
fn what_is_on_its_way_is_not_told_twice_but_its_rise_and_end_are() {
    let mut bench = Bench::new(settings());
    let look = |bench: &mut Bench, notices: &[Notice]| {
        bench.now = bench.now.plus(seconds(5 * 3600));
        bench.engine.observe(bench.now, notices).deliveries
    };
    assert_eq!(news(&look(&mut bench, &[link("a")])), [News::Fired]);
    assert_eq!(
        news(&look(&mut bench, &[link("a")])),
        [],
        "a dead server gets no repetitions"
    );
    assert_eq!(news(&look(&mut bench, &[])), [News::Resolved]);
}

#[test]
fn a_channel_hears_of_its_levels_only() {
    let mut settings = settings();
    settings.audiences[0].level = Level::Critical;
    settings.audiences[0].resolved = false;
    let mut bench = Bench::new(settings);
    bench.after(0, &[memory(Level::Warning), mild("a")]);
    assert_eq!(news(&bench.after(30, &[memory(Level::Warning), mild("a")])), []);
    bench.after(1, &[memory(Level::Critical)]);
    assert_eq!(news(&bench.after(30, &[memory(Level::Critical)])), [News::Fired]);
    assert_eq!(news(&bench.after(1, &[])), [], "this channel wants no ends");
}

#[test]
fn a_failing_channel_is_reported_on_the_others() {
    let mut settings = settings();
    settings.audiences.push(audience("pager"));
    let mut bench = Bench::new(settings);
    let failing = Notice::new(Level::Warning, "channel_failing", "no answer").label("channel", "pager");
    let told = bench.after(0, &[failing]);
    assert_eq!(told.iter().map(|d| d.channel.as_str()).collect::<Vec<_>>(), ["ops"]);
}

#[test]
fn the_most_serious_of_two_notices_of_one_condition_counts() {
    let mut bench = Bench::new(settings());
    let both = [memory(Level::Critical), memory(Level::Warning)];
    bench.after(0, &both);
    assert_eq!(bench.after(30, &both)[0].message.level, Level::Critical);
}

#[test]
fn a_disabled_rule_says_nothing() {
    let mut settings = settings();
    settings.rules.get_mut("link_lost").unwrap().enabled = false;
    let mut bench = Bench::new(settings);
    assert_eq!(news(&bench.after(0, &[link("a")])), []);
    assert_eq!(news(&bench.event(link("a"))), []);
    assert_eq!(bench.engine.alarms().count(), 0);
}

#[test]
fn memory_is_bounded_and_critical_alerts_are_always_taken() {
    let mut bench = Bench::new(settings());
    let many: Vec<Notice> = (0..MOST_ALARMS + 5).map(|n| mild(&n.to_string())).collect();
    bench.after(0, &many);
    assert_eq!(bench.engine.alarms().count(), MOST_ALARMS);
    assert_eq!(bench.suppressed(Reason::TooMany), 5);
    let mut with_critical = many;
    with_critical.push(link("a"));
    bench.after(1, &with_critical);
    assert_eq!(bench.engine.alarms().count(), MOST_ALARMS + 1);
}

fn restarted(engine: &Engine) -> Engine {
    let text = serde_json::to_string(engine.memory()).unwrap();
    Engine::new(engine.settings.clone(), serde_json::from_str(&text).unwrap())
}

#[test]
fn after_a_restart_nothing_is_told_twice_and_ends_are_told() {
    let mut bench = Bench::new(settings());
    bench.after(0, &[link("a"), link("b")]);
    bench
        .engine
        .acknowledge(bench.now, link("a").fingerprint(), "root")
        .unwrap();
    bench.engine = restarted(&bench.engine);
    assert_eq!(news(&bench.after(1, &[link("a"), link("b")])), []);
    assert_eq!(news(&bench.after(1, &[link("a")])), [News::Resolved]);
    assert_eq!(news(&bench.after(4 * 3600, &[link("a")])), [], "still acknowledged");
}

#[test]
fn a_message_on_disk_that_memory_knows_nothing_of_is_not_made_again() {
    let mut first = Bench::new(settings());
    let sent = first.engine.observe(first.now, &[link("a")]).deliveries;
    let mut second = Bench::new(settings());
    second.engine.adopt(&sent[0]);
    assert_eq!(news(&second.after(1, &[link("a")])), []);
    second.engine.settle(second.now, &sent[0], &Fate::Delivered);
    let told = second.after(1, &[]);
    assert_eq!(news(&told), [News::Resolved]);
    assert!(told[0].id > sent[0].id, "numbers are not used twice");
}

#[test]
fn a_message_that_memory_waits_for_and_no_disk_has_is_made_again() {
    let mut bench = Bench::new(settings());
    let sent = bench.engine.observe(bench.now, &[link("a")]).deliveries;
    bench.engine = restarted(&bench.engine);
    assert!(bench.engine.awaits(&sent[0]));
    bench.engine.give_up_all_but(&[]);
    assert_eq!(news(&bench.after(1, &[link("a")])), [News::Fired]);
}
