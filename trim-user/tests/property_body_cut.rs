//! What is stored is the same whether the kernel cuts bodies off or not: generated captures through the program's pure
//! twin, a queue in which packets wait as they do in the rings, and a worker that publishes what its trimmer knows.

mod support;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use support::capture::{Frame, frames};
use support::recipe::Recipe;
use support::rng::Rng;
use support::wire::Case;
use trim_common::assign::FlowState;
use trim_common::cut::{CutKey, CutRange};
use trim_common::flow::FlowKey;
use trim_common::judge::{World, judge_frame};
use trim_common::maps::{PolicyWord, Setup};
use trim_common::reason::Reason;
use trim_user::data::Record;
use trim_user::data::live::makers;
use trim_user::data::worker::{BodyCutter, HoldLimits, Output, Worker};
use trim_user::packet::LinkType;
use trim_user::shared::{Lane, LaneCounts};
use trim_user::trimmer::{BodyAhead, Policy, Segment, Settings};

const SEED: u64 = 0x5eed;

/// What both sides of the kernel boundary see.
#[derive(Default)]
struct Tables {
    flows: HashMap<FlowKey, FlowState>,
    cuts: HashMap<CutKey, CutRange>,
}

#[derive(Clone, Default)]
struct Kernel {
    tables: Arc<Mutex<Tables>>,
    now: u64,
}

impl Kernel {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().expect("no other test panicked with it")
    }
}

impl World for Kernel {
    fn policy(&self) -> PolicyWord {
        PolicyWord::from_bits(0)
    }
    fn setup(&self) -> Setup {
        Setup {
            seed: SEED,
            queues: 1,
            detect: 1,
            cut: 1,
            ..Setup::default()
        }
    }
    fn lease(&self) -> u64 {
        0
    }
    fn now(&self) -> u64 {
        self.now
    }
    fn queue(&self) -> u32 {
        0
    }
    fn is_http_port(&self, _: u16) -> bool {
        false
    }
    fn has_socket(&self, _: u32) -> bool {
        true
    }
    fn flow(&self, key: &FlowKey) -> Option<FlowState> {
        self.tables().flows.get(key).copied()
    }
    fn store(&mut self, key: &FlowKey, state: FlowState) {
        self.tables().flows.insert(*key, state);
    }
    fn cut(&self, key: &CutKey) -> Option<CutRange> {
        self.tables().cuts.get(key).copied()
    }
    fn forget_cut(&mut self, key: &CutKey) {
        self.tables().cuts.remove(key);
    }
}

/// Publishes everything it is told: generated bodies are short.
struct Cutter(Kernel);

impl BodyCutter for Cutter {
    fn asks(&mut self, _: &Segment<'_>) -> bool {
        true
    }

    fn body_ahead(&mut self, _: u32, segment: &Segment<'_>, length: BodyAhead) {
        if length == 0 {
            return;
        }
        let from = segment.sequence.wrapping_add(segment.wire_payload);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let range = CutRange::new(segment.flow.hash(SEED), from, length, segment.time);
        let key = CutKey::new(segment.flow, segment.direction);
        self.0.tables().cuts.insert(key, range);
    }
}

#[derive(Default)]
struct Stored(Vec<(u64, u32, Vec<u8>)>);

impl Output for Stored {
    fn store(&mut self, _: usize, record: Record<'_>) {
        self.0
            .push((record.time_ns, record.original_length, record.data.to_vec()));
    }
}

struct Trial {
    frames: Vec<Frame>,
    settings: Settings,
    lane: Lane,
}

impl Trial {
    fn new(seed: u64, lane: Lane) -> (Self, Rng) {
        let mut rng = Rng::new(seed);
        let cases: Vec<_> = (0..rng.between(1, 8) as u64)
            .map(|index| Case::of(Recipe::of_seed(seed << 16 | index)))
            .collect();
        let settings = Settings {
            body_keep_bytes: rng.pick(&[0, 0, 40]),
            ..Settings::default()
        };
        let frames = frames(&cases, &mut rng);
        (Self { frames, settings, lane }, rng)
    }

    fn worker(&self) -> Worker {
        Worker::new(makers(&self.settings), Policy::default(), HoldLimits::OFFLINE)
    }

    fn plain(&self) -> (Stored, LaneCounts) {
        let (mut worker, mut stored) = (self.worker(), Stored::default());
        for frame in &self.frames {
            self.give(&mut worker, frame, frame.bytes.len(), &mut stored);
        }
        worker.finish(&mut stored);
        (stored, *worker.counts(self.lane.index()))
    }

    /// Also how many packets came without their body.
    fn cut(&self, rng: &mut Rng) -> (Stored, LaneCounts, u64) {
        let mut kernel = Kernel::default();
        let mut worker = self.worker().with_cutter(Box::new(Cutter(kernel.clone())));
        let (mut stored, mut ring, mut cut) = (Stored::default(), VecDeque::new(), 0);
        for frame in &self.frames {
            kernel.now = frame.time;
            // What a snaplen cut off in the capture the program would have seen.
            let is_whole = frame.wire_length == frame.bytes.len();
            let mut length = frame.bytes.len();
            if is_whole {
                let outcome = judge_frame(&frame.bytes, &mut kernel);
                length = outcome.length as usize;
                cut += u64::from(outcome.reasons.contains(Reason::BodyCut));
            }
            ring.push_back((frame, length));
            while ring.len() > rng.below(12) {
                let Some((frame, length)) = ring.pop_front() else { break };
                self.give(&mut worker, frame, length, &mut stored);
            }
        }
        for (frame, length) in ring {
            self.give(&mut worker, frame, length, &mut stored);
        }
        worker.finish(&mut stored);
        (stored, *worker.counts(self.lane.index()), cut)
    }

    fn give(&self, worker: &mut Worker, frame: &Frame, length: usize, stored: &mut Stored) {
        let record = Record {
            interface: 0,
            time_ns: frame.time,
            original_length: frame.wire_length as u32,
            data: &frame.bytes[..length],
        };
        worker.packet(self.lane.index(), LinkType::ETHERNET, &record, stored);
    }
}

fn is_the_same_with_and_without(lane: Lane, captures: u64) {
    let mut all = 0;
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first: u64 = number("TRIM_SEED").unwrap_or(0);
    for seed in first..first + number("TRIM_CASES").unwrap_or(captures) {
        let (trial, mut rng) = Trial::new(seed, lane);
        let (whole, counted) = trial.plain();
        let (cut, counted_cut, packets) = trial.cut(&mut rng);
        for (one, other) in whole.0.iter().zip(&cut.0) {
            assert_eq!(one, other, "capture {seed} in {lane:?}");
        }
        assert_eq!(whole.0.len(), cut.0.len());
        // A live capture has no snaplen, so bytes that are missing there were cut in the kernel.
        let has_snaplen = trial.frames.iter().any(|frame| frame.wire_length != frame.bytes.len());
        if !has_snaplen {
            assert_eq!(counted.labelled, counted_cut.labelled, "capture {seed} in {lane:?}");
        }
        assert_eq!(counted.bytes_out, counted_cut.bytes_out);
        all += packets;
    }
    assert!(all > captures, "only {all} packets were cut: this shows nothing");
}

#[test]
fn legacy_stores_the_same_with_and_without_the_body_cut() {
    is_the_same_with_and_without(Lane::Legacy, 150);
}

#[test]
fn scanning_stores_the_same_with_and_without_the_body_cut() {
    is_the_same_with_and_without(Lane::Scanning, 150);
}

#[test]
fn auto_stores_the_same_with_and_without_the_body_cut() {
    is_the_same_with_and_without(Lane::Auto, 150);
}

#[test]
fn a_comparison_promises_nothing() {
    let (trial, mut rng) = Trial::new(1, Lane::Comparison);
    assert_eq!(trial.cut(&mut rng).2, 0);
}
