//! Whatever happens, in whatever order.

use proptest::prelude::*;

use super::super::message::Delivery;
use super::super::notice::{Level, Notice};
use super::State;
use super::tests::{Bench, limited};

#[derive(Clone, Debug)]
struct Turn {
    span: u64,
    holds: Vec<(u8, Level)>,
    event: Option<Level>,
    is_reachable: bool,
}

fn level() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::Info), Just(Level::Warning), Just(Level::Critical)]
}

fn turn() -> impl Strategy<Value = Turn> {
    (
        1..200_u64,
        prop::collection::vec((0..6_u8, level()), 0..6),
        prop::option::of(level()),
        any::<bool>(),
    )
        .prop_map(|(span, holds, event, is_reachable)| Turn {
            span,
            holds,
            event,
            is_reachable,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever happens, and however small the limit: once the channel answers and things are quiet, every critical
    /// condition that fired has been told, every end of what was told has been told, and others kept to the limit.
    #[test]
    fn nothing_critical_is_ever_lost_and_the_limit_holds(turns in prop::collection::vec(turn(), 1..40), limit in 1..4_u32) {
        let mut bench = Bench::new(limited(limit));
        let mut mild_messages = 0;
        let mut arrived: Vec<Delivery> = Vec::new();
        for turn in &turns {
            bench.is_reachable = turn.is_reachable;
            let notices: Vec<Notice> = turn.holds.iter().map(|(n, level)| {
                Notice::new(*level, "split_mismatch", "x").label("name", n.to_string())
            }).collect();
            let mut told = bench.after(turn.span, &notices);
            if let Some(level) = turn.event {
                told.extend(bench.event(Notice::new(level, "rollback", "x").label("name", "event")));
            }
            let mild = told.iter().filter(|d| d.message.level < Level::Critical).count();
            if turn.is_reachable {
                mild_messages += mild;
                arrived.extend(told);
            }
        }
        let span: u64 = turns.iter().map(|turn| turn.span).sum();
        let allowed = f64::from(limit) * (1.0 + span as f64 / 3600.0);
        prop_assert!(mild_messages as f64 <= allowed + 1e-6, "{mild_messages} of {allowed}");
        bench.is_reachable = true;
        for _ in 0..80 {
            arrived.extend(bench.after(3600, &[]));
        }
        let fired: u64 = bench.engine.statistics().levels.get(&Level::Critical).map_or(0, |c| c.fired);
        let told_critical = arrived.iter().filter(|d| d.message.level == Level::Critical).count();
        prop_assert!(fired == 0 || told_critical > 0, "{fired} critical conditions fired and none was told");
        prop_assert_eq!(bench.engine.alarms().filter(|alarm| !alarm.is_settled()).count(), 0);
        for alarm in bench.engine.alarms().filter(|alarm| !alarm.is_event) {
            let knows = alarm.told.get("ops").and_then(|telling| telling.arrived);
            prop_assert!(knows.is_none_or(|told| told.state == State::Resolved), "{:?}", alarm);
        }
    }
}
