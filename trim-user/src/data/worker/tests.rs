//! How long packets wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// Holds every segment until it is told to release it.
struct Hesitant(Statistics);

impl Trimmer for Hesitant {
    fn strategy(&self) -> trim_common::strategy::Strategy {
        trim_common::strategy::Strategy::Legacy
    }

    fn judge(&mut self, _: Ticket, _: &Segment<'_>, _: &mut Labels, _: &mut dyn Late) -> Judgement {
        Judgement::Held
    }

    fn release(&mut self, ticket: Ticket, late: &mut dyn Late) {
        let mut labels = Labels::new();
        labels.push(1, Label::Unsure);
        late.decide(ticket, &labels);
    }

    fn finish(&mut self, _: &mut dyn Late) {}

    fn statistics(&self) -> &Statistics {
        &self.0
    }
}

#[derive(Default)]
struct Times(Vec<u64>);

impl Output for Times {
    fn store(&mut self, _: usize, frame: Record<'_>) {
        self.0.push(frame.time_ns);
    }
}

/// Counts the connections that begin.
struct Begins(Arc<AtomicU64>);

impl BodyCutter for Begins {
    fn asks(&mut self, _: &Segment<'_>) -> bool {
        false
    }

    fn body_ahead(&mut self, _: u32, _: &Segment<'_>, _: BodyAhead) {}

    fn begins(&mut self, segment: &Segment<'_>) {
        assert!(segment.flags.syn());
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A TCP segment with one byte of payload.
fn segment() -> Vec<u8> {
    let mut ip = vec![0x45, 0, 0, 41, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    ip.extend([0, 80, 0, 81, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x10, 0, 0, 0, 0, 0, 0, b'x']);
    ip
}

/// The capture times of the frames that have left at `now`, of three that came at 0, 10 and 20.
fn left_at(now: u64, is_overloaded: bool) -> Vec<u64> {
    let limits = HoldLimits {
        bytes: 1 << 20,
        time_ns: Some(1000),
        overloaded_ns: 50,
    };
    let make: MakeTrimmer = Box::new(|| Box::new(Hesitant(Statistics::default())));
    let (mut worker, mut times) = (Worker::new(vec![make], Policy::default(), limits), Times::default());
    let data = segment();
    for time_ns in [0, 10, 20] {
        let frame = Record {
            interface: 0,
            time_ns,
            original_length: data.len() as u32,
            data: &data,
        };
        worker.packet(0, LinkType::RAW, &frame, &mut times);
    }
    worker.hurry(is_overloaded);
    worker.enforce(now, &mut times);
    times.0
}

#[test]
fn a_packet_waits_as_long_as_it_may() {
    assert!(left_at(1000, false).is_empty());
    assert_eq!(left_at(1015, false), [0, 10]);
}

#[test]
fn in_an_overload_packets_hardly_wait() {
    assert!(left_at(50, true).is_empty());
    assert_eq!(left_at(65, true), [0, 10]);
}

#[test]
fn what_is_longer_in_an_overload_than_otherwise_does_not_count() {
    let limits = HoldLimits {
        bytes: 0,
        time_ns: Some(3),
        overloaded_ns: 5,
    };
    assert_eq!((limits.longest_wait(true), limits.longest_wait(false)), (3, 3));
    assert_eq!(HoldLimits::OFFLINE.longest_wait(true), u64::MAX);
}

#[test]
fn a_syn_is_said_to_begin_another_connection() {
    let begun = Arc::new(AtomicU64::new(0));
    let make: MakeTrimmer = Box::new(|| Box::new(Hesitant(Statistics::default())));
    let worker = Worker::new(vec![make], Policy::default(), HoldLimits::OFFLINE);
    let (mut worker, mut times) = (
        worker.with_cutter(Box::new(Begins(Arc::clone(&begun)))),
        Times::default(),
    );
    const FLAGS: usize = 20 + 13;
    for (flags, expected) in [(0x10, 0), (0x02, 1), (0x18, 1), (0x12, 2)] {
        let mut data = segment();
        data[FLAGS] = flags;
        let frame = Record {
            interface: 0,
            time_ns: 0,
            original_length: data.len() as u32,
            data: &data,
        };
        worker.packet(0, LinkType::RAW, &frame, &mut times);
        assert_eq!(begun.load(Ordering::Relaxed), expected);
    }
}
