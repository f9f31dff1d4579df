//! After a switch in the middle of anything, what one trimmer has promised to be body goes although the other one cannot know
//! it, and nothing else changes: generated captures that change lanes at any packet.

mod support;

use std::sync::Arc;

use support::capture::{Frame, frames};
use support::recipe::Recipe;
use support::rng::Rng;
use support::wire::Case;
use trim_common::flow::Direction;
use trim_user::data::Record;
use trim_user::data::live::makers;
use trim_user::data::worker::{BodyCutter, HoldLimits, Output, Worker};
use trim_user::packet::LinkType;
use trim_user::shared::{Lane, Promises};
use trim_user::trimmer::{BodyAhead, Policy, Segment, Settings};

const SEED: u64 = 0x5eed;

/// Makes promises of everything it is told: generated bodies are short.
struct Remembers(Arc<Promises>);

fn name(segment: &Segment<'_>) -> u64 {
    Promises::name(&segment.flow, SEED, segment.direction)
}

impl BodyCutter for Remembers {
    fn asks(&mut self, _: &Segment<'_>) -> bool {
        true
    }

    fn body_ahead(&mut self, _: u32, segment: &Segment<'_>, length: BodyAhead) {
        if length > 0 {
            let from = segment.sequence.wrapping_add(segment.wire_payload);
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            self.0.make(name(segment), from, length, segment.time);
        }
    }

    fn begins(&mut self, segment: &Segment<'_>) {
        for direction in [Direction::Up, Direction::Down] {
            self.0
                .forget(Promises::name(&segment.flow, SEED, direction), segment.time);
        }
    }

    fn is_body(&self, segment: &Segment<'_>) -> bool {
        let flags = segment.flags;
        !(flags.fin() || flags.syn() || flags.rst())
            && self
                .0
                .cover(name(segment), segment.sequence, segment.wire_payload, segment.time)
    }
}

#[derive(Default)]
struct Stored(Vec<Vec<u8>>);

impl Output for Stored {
    fn store(&mut self, _: usize, record: Record<'_>) {
        self.0.push(record.data.to_vec());
    }
}

struct Trial {
    frames: Vec<Frame>,
    settings: Settings,
    /// From this packet on everything goes to the other lane.
    switch: usize,
}

impl Trial {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let cases: Vec<_> = (0..rng.between(1, 8) as u64)
            .map(|index| Case::of(Recipe::of_seed(seed << 16 | index)))
            .collect();
        let settings = Settings {
            body_keep_bytes: rng.pick(&[0, 0, 40]),
            ..Settings::default()
        };
        let frames = frames(&cases, &mut rng);
        let switch = rng.below(frames.len() + 1);
        Self {
            frames,
            settings,
            switch,
        }
    }

    /// What is stored of each packet. `withdraws`: at the switch the promises made before are withdrawn.
    fn run(&self, lanes: [Lane; 2], promises: Option<Arc<Promises>>, withdraws: bool) -> Vec<Vec<u8>> {
        let mut worker = Worker::new(makers(&self.settings), Policy::default(), HoldLimits::OFFLINE);
        if let Some(promises) = &promises {
            worker = worker.with_cutter(Box::new(Remembers(Arc::clone(promises))));
        }
        let mut stored = Stored::default();
        for (index, frame) in self.frames.iter().enumerate() {
            if let Some(promises) = &promises
                && withdraws
                && index == self.switch
            {
                promises.withdraw(frame.time);
            }
            let record = Record {
                interface: 0,
                time_ns: frame.time,
                original_length: frame.wire_length as u32,
                data: &frame.bytes,
            };
            let lane = lanes[usize::from(index >= self.switch)];
            worker.packet(lane.index(), LinkType::ETHERNET, &record, &mut stored);
        }
        worker.finish(&mut stored);
        stored.0
    }
}

fn only_promised_bodies_go(from: Lane, to: Lane, captures: u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first: u64 = number("TRIM_SEED").unwrap_or(0);
    let mut believed = 0;
    for seed in first..first + number("TRIM_CASES").unwrap_or(captures) {
        let trial = Trial::new(seed);
        let stayed = trial.run([from, from], None, false);
        let exact = trial.run([Lane::Legacy; 2], None, false);
        let moved = trial.run([from, to], None, false);
        let promised = trial.run([from, to], Some(Arc::default()), false);
        assert_eq!(promised.len(), trial.frames.len(), "capture {seed}");
        for (index, packet) in promised.iter().enumerate() {
            let (stayed, exact, moved) = (&stayed[index], &exact[index], &moved[index]);
            // Later the trimmer that made the promise may have lost something, and become less sure.
            let is_cut = packet.len() < moved.len() && (packet == stayed || packet == exact);
            assert!(
                packet == moved || is_cut,
                "capture {seed}, packet {index}, switched at {}: neither what `{from:?}` would have stored nor what `{to:?}` \
                 stores by itself",
                trial.switch
            );
            believed += u64::from(packet != moved);
        }
        let withdrawn = trial.run([from, to], Some(Arc::default()), true);
        assert_eq!(
            withdrawn, moved,
            "capture {seed}: a promise that was withdrawn was believed"
        );
    }
    assert!(believed > captures / 10, "only {believed} packets: this shows nothing");
}

#[test]
fn from_scanning_to_legacy() {
    only_promised_bodies_go(Lane::Scanning, Lane::Legacy, 300);
}

#[test]
fn from_legacy_to_scanning() {
    only_promised_bodies_go(Lane::Legacy, Lane::Scanning, 300);
}

#[test]
fn from_auto_to_legacy() {
    only_promised_bodies_go(Lane::Auto, Lane::Legacy, 300);
}

#[test]
fn from_legacy_to_auto() {
    only_promised_bodies_go(Lane::Legacy, Lane::Auto, 300);
}
