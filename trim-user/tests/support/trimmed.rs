//! Trims frames in memory, with the worker that files and live captures go through.

use trim_user::data::Record;
use trim_user::data::live::makers;
use trim_user::data::worker::{HoldLimits, Output, Worker};
use trim_user::packet::LinkType;
use trim_user::shared::Lane;
use trim_user::trimmer::{Policy, Settings};

use super::capture::Frame;

struct Kept(Vec<Frame>);

impl Output for Kept {
    fn store(&mut self, _: usize, record: Record<'_>) {
        self.0.push(Frame {
            time: record.time_ns,
            bytes: record.data.to_vec(),
            wire_length: record.original_length as usize,
        });
    }
}

/// What a lane leaves of the frames.
pub fn trim(frames: &[Frame], lane: Lane, settings: &Settings, policy: Policy) -> Vec<Frame> {
    let limits = HoldLimits {
        bytes: 1 << 30,
        ..HoldLimits::OFFLINE
    };
    let mut worker = Worker::new(makers(settings), policy, limits);
    let mut kept = Kept(Vec::new());
    for frame in frames {
        let record = Record {
            interface: 0,
            time_ns: frame.time,
            original_length: frame.wire_length as u32,
            data: &frame.bytes,
        };
        worker.packet(lane.index(), LinkType::ETHERNET, &record, &mut kept);
    }
    worker.finish(&mut kept);
    kept.0
}
