//! Samples and their sums.

use trim_user::control::health::{Evidence, Level, Moment, Name, Trend};
use trim_user::control::store::{Measured, Resolution, Store};

use super::{Place, evidence, health};

const HOUR: u64 = 3_600_000;
/// A full hour.
const BEGIN: u64 = 500_000 * HOUR;

fn record(store: &mut Store, evidence: &Evidence) {
    store.record_sample(evidence, &health(evidence)).unwrap();
}

#[test]
fn minutes_and_hours_are_the_sums_of_their_samples() {
    let place = Place::new();
    let mut store = place.open();
    let mut all = Vec::new();
    for index in 0..240_u64 {
        let mut sample = evidence(Moment(BEGIN + index * 5_000), 100 + index);
        sample.scanning.errors.panics = index % 7;
        sample.resources.resident_bytes = Some(1_000 + index);
        record(&mut store, &sample);
        all.push(sample);
    }
    let range = (Moment(BEGIN), Moment(BEGIN + HOUR));
    let stored = store.samples(range.0, range.1, Resolution::Samples).unwrap();
    assert!(stored.iter().map(|it| &it.evidence).eq(&all));
    assert!(
        stored
            .iter()
            .all(|it| it.samples == 1 && it.level == health(&it.evidence).level)
    );
    let minutes = store.samples(range.0, range.1, Resolution::Minutes).unwrap();
    assert_eq!(minutes.len(), 20);
    for (minute, samples) in minutes.iter().zip(all.chunks(12)) {
        let mut sum = samples[0].clone();
        samples[1..].iter().for_each(|sample| sum.absorb(sample));
        assert_eq!((&minute.evidence, minute.samples, minute.at), (&sum, 12, sum.at));
        let worst = samples.iter().map(|it| health(it).level).max().unwrap();
        assert_eq!(minute.level, worst);
        let memory = minute.point(Measured::ResidentBytes).unwrap();
        let values: Vec<_> = samples.iter().filter_map(|it| it.resources.resident_bytes).collect();
        assert_eq!((memory.low, memory.high), (values[0] as f64, values[11] as f64));
        assert_eq!(memory.value, values.iter().sum::<u64>() as f64 / 12.0);
        let errors = minute.point(Measured::ScanningErrorShare).unwrap();
        assert_eq!(Some(errors.value), sum.scanning.error_share());
        assert!(errors.low <= errors.value && errors.value <= errors.high);
    }
    let [hour] = &store.samples(range.0, range.1, Resolution::Hours).unwrap()[..] else {
        panic!("one hour")
    };
    assert_eq!((hour.samples, hour.evidence.scanning.packets), (240, (100..340).sum()));
}

#[test]
fn a_bad_sample_is_not_lost_in_its_hour() {
    let place = Place::new();
    let mut store = place.open();
    for index in 0..100_u64 {
        let mut sample = evidence(Moment(BEGIN + index * 5_000), 1_000);
        sample.packets.queue_full = if index == 50 { 500 } else { 0 };
        record(&mut store, &sample);
    }
    let hours = store
        .samples(Moment(BEGIN), Moment(BEGIN + HOUR), Resolution::Hours)
        .unwrap();
    assert_eq!(hours[0].level, Level::Critical);
    assert_eq!(hours[0].scores[&Name::Business], 0.0);
    assert_eq!(hours[0].point(Measured::LossShare).unwrap().high, 0.5);
    assert_eq!(hours[0].point(Measured::LossShare).unwrap().value, 0.005);
    assert_eq!(hours[0].point(Measured::Accuracy), None, "it was not measured");
}

#[test]
fn a_leak_is_seen_at_every_resolution() {
    let place = Place::new();
    let mut store = place.open();
    for index in 0..360 {
        let mut sample = evidence(Moment(BEGIN + index * 240_000), 100);
        // 1 MB in an hour.
        sample.resources.resident_bytes = Some(1_000_000_000 + index * 1_000_000 / 15);
        record(&mut store, &sample);
    }
    for resolution in Resolution::ALL {
        let series = store
            .series(
                Measured::ResidentBytes,
                Moment(BEGIN),
                Moment(BEGIN + 24 * HOUR),
                resolution,
            )
            .unwrap();
        let trend = Trend::of(&series).unwrap();
        assert!((trend.per_hour - 1e6).abs() < 1e4, "{resolution:?}: {trend:?}");
    }
}

#[test]
fn a_clock_that_was_set_back_costs_no_sample() {
    let place = Place::new();
    let mut store = place.open();
    for at in [BEGIN + 10_000, BEGIN + 15_000, BEGIN + 10_000, BEGIN + 15_000] {
        record(&mut store, &evidence(Moment(at), 10));
    }
    let range = (Moment(BEGIN), Moment(BEGIN + HOUR));
    assert_eq!(store.samples(range.0, range.1, Resolution::Samples).unwrap().len(), 4);
    let minutes = store.samples(range.0, range.1, Resolution::Minutes).unwrap();
    assert_eq!((minutes[0].samples, minutes[0].evidence.scanning.packets), (4, 40));
}
