//! For the tests of traffic: what a trimmer makes of it.

use trim_user::data::record::Record;
use trim_user::data::worker::{HoldLimits, MakeTrimmer, Output, Worker};
use trim_user::packet::LinkType;
use trim_user::trimmer::{Legacy, Policy, Settings};

use super::frame::HEADERS;
use super::{Play, Traffic};

/// Lengths of the packets that leave a worker, bytes.
#[derive(Debug, Default)]
struct Lengths(Vec<usize>);

impl Output for Lengths {
    fn store(&mut self, _lane: usize, record: Record<'_>) {
        self.0.push(record.data.len());
    }
}

/// Trims frames by `legacy`; gives the lengths of what is kept.
pub(crate) fn by_legacy(frames: &[Vec<u8>]) -> Vec<usize> {
    let make: MakeTrimmer = Box::new(|| Box::new(Legacy::new(&Settings::default())));
    let limits = HoldLimits {
        bytes: 1 << 20,
        ..HoldLimits::OFFLINE
    };
    let mut worker = Worker::new(vec![make], Policy::default(), limits);
    let mut kept = Lengths::default();
    for (time_ns, data) in (0..).zip(frames) {
        let record = Record {
            interface: 0,
            time_ns,
            original_length: data.len() as u32,
            data,
        };
        worker.packet(0, LinkType::ETHERNET, &record, &mut kept);
    }
    worker.finish(&mut kept);
    kept.0
}

/// The exact trimmer cuts from the first `frames` frames what the script says is body, and nothing else.
pub(super) fn assert_trimmed(traffic: &Traffic, frames: usize) {
    let mut play = Play::new(&traffic.script);
    let (mut all, mut expected) = (Vec::new(), Vec::new());
    for _ in 0..frames {
        let step = play.clone().next_frame().step;
        let bytes = play.next_bytes();
        expected.push(bytes.len() - traffic.truth.body_bytes(step) as usize);
        all.push(bytes);
    }
    assert!(expected.iter().all(|&length| length >= HEADERS));
    assert_eq!(by_legacy(&all), expected);
}
