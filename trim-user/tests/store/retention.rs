//! Forty days, and what is left of them.

use std::time::Duration;

use trim_user::control::health::Moment;
use trim_user::control::rollout::State;
use trim_user::control::store::{Resolution, Which};

use super::{Place, count, evidence, health, observed, started};

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;
const BEGIN: u64 = 20_000 * DAY;
/// Time between samples: enough of them for every rule, few enough for a test.
const STEP: u64 = 30 * MINUTE;

#[test]
fn after_forty_days_each_resolution_has_what_it_is_to_have_and_no_more() {
    let place = Place::new();
    let mut store = place.open();
    let start = started();
    store.record_decision(&start).unwrap();
    let end = BEGIN + 40 * DAY;
    let mut most = 0;
    for at in (BEGIN..=end).step_by(STEP as usize) {
        let sample = evidence(Moment(at), 10);
        store.record_sample(&sample, &health(&sample)).unwrap();
        if at % (6 * 60 * MINUTE) == 0 {
            store.record_decision(&observed(&State::default(), Moment(at))).unwrap();
            most = most.max(count(&place.path(), "samples"));
        }
    }
    assert_eq!(most, DAY / STEP + 1, "old samples leave as new ones come");
    let length = |resolution| store.samples(Moment(0), Moment(u64::MAX), resolution).unwrap();
    let samples = length(Resolution::Samples);
    assert_eq!(samples.first().unwrap().at, Moment(end - DAY));
    let minutes = length(Resolution::Minutes);
    assert_eq!(minutes.first().unwrap().at, Moment(end - 7 * DAY));
    assert_eq!(minutes.len() as u64, 7 * DAY / STEP + 1);
    let hours = length(Resolution::Hours);
    assert_eq!(hours.len() as u64, 30 * 24 + 1);
    assert_eq!(
        hours[1..hours.len() - 1]
            .iter()
            .map(|it| it.evidence.scanning.packets)
            .min(),
        Some(20),
        "two samples in each"
    );
    let decisions = store.decisions(Which::All).unwrap();
    assert_eq!(
        decisions[0].decision, start.decision,
        "what changed something stays for good"
    );
    let (week_ago, interval) = (Moment(end - 7 * DAY), Duration::from_secs(6 * 3600));
    let oldest = decisions[1].at;
    // The week is counted from the decision before the last, which came after the last sample.
    assert!(
        oldest.after(interval) >= week_ago && oldest <= week_ago,
        "{oldest:?} and {week_ago:?}"
    );
    let interval = interval.as_millis() as u64;
    assert_eq!(
        decisions.len() as u64,
        2 + (end - oldest.0) / interval,
        "none is missing between"
    );
    let automatic = Resolution::choose(Moment(end - 30 * DAY), Moment(end), Moment(end), 1_000);
    assert_eq!(automatic, Resolution::Hours);
}

#[test]
fn what_has_piled_up_leaves_in_small_steps() {
    let place = Place::new();
    let mut store = place.open();
    for index in 0..500 {
        let sample = evidence(Moment(BEGIN + index), 1);
        store.record_sample(&sample, &health(&sample)).unwrap();
    }
    let mut last = 500_u64;
    for index in 0..12 {
        let sample = evidence(Moment(BEGIN + 2 * DAY + index), 1);
        store.record_sample(&sample, &health(&sample)).unwrap();
        let now = count(&place.path(), "samples");
        assert!(last.saturating_sub(now) <= 64, "{last} to {now} at once");
        last = now;
    }
    assert_eq!(last, 12);
}
