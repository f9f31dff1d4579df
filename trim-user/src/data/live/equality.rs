//! Generated packets on the live path, without a kernel, and on the offline path: both have to write the same.
//!
//! Everything between the RX rings and the sink is the real thing: batches, workers, chunks, the merge, the writer.

#[path = "../../../tests/support/capture.rs"]
#[allow(unreachable_pub, reason = "the integration tests share it")]
mod capture;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use self::capture::{Frame as Captured, frames, write_pcap};
use super::arrival::Arrival;
use super::batch::{self, ToWorker};
use super::chunks;
use super::lanes::{self, Extras};
use super::meter::Meter;
use super::times::TimeBase;
use super::trim::{Input, TrimLoop};
use super::write::{Source, WriteLoop};
use super::writer::Writer;
use crate::config::Hold;
use crate::data::chunk::Chunk;
use crate::data::merge::Merge;
use crate::data::offline::trim_files;
use crate::data::sink::{Counters, Sink, SinkError, Summary};
use crate::data::{Interface, InterfaceStatistics, Record};
use crate::kernel::xsk::Umem;
use crate::ops::selftest::generated::{dialogue, recipe, rng, wire};
use crate::packet::{Dissection, LinkType, dissect};
use crate::shared::{Lane, Latency, Shared, ThreadBoard};
use crate::trimmer::{Action, NonHttp, Policy, Retention, Settings};
use recipe::Recipe;
use rng::Rng;
use wire::Case;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stored {
    time_ns: u64,
    interface: u32,
    original_length: u32,
    data: Vec<u8>,
}

/// Remembers what is stored.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Stored>>>);

impl Collector {
    fn take(&self) -> Vec<Stored> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Sink for Collector {
    fn interface(&mut self, _: &Interface) -> Result<u32, SinkError> {
        Ok(0)
    }

    fn record(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        self.0.lock().unwrap().push(Stored {
            time_ns: record.time_ns,
            interface: record.interface,
            original_length: record.original_length,
            data: record.data.to_vec(),
        });
        Ok(())
    }

    fn statistics(&mut self, _: u32, _: &InterfaceStatistics) {}

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<Summary, SinkError> {
        Ok(Summary::default())
    }

    fn counters(&self) -> Counters {
        Counters::default()
    }
}

/// One capture and how it is trimmed.
struct Trial {
    frames: Vec<Captured>,
    settings: Settings,
    policy: Policy,
    lane: Lane,
    base: TimeBase,
    rng: Rng,
}

/// Longer than any test: what is released by the clock would depend on how busy the machine is.
const HOLD: Hold = Hold {
    bytes: 1 << 30,
    time: Duration::from_secs(1 << 30),
    time_overloaded: Duration::from_secs(1 << 30),
};

impl Trial {
    fn new(seed: u64, lane: Lane) -> Self {
        let mut rng = Rng::new(seed);
        let cases: Vec<_> = (0..rng.between(1, 12) as u64)
            .map(|index| Case::of(Recipe::of_seed(seed << 16 | index)))
            .collect();
        let settings = Settings {
            body_keep_bytes: rng.pick(&[0, 0, 0, 40]),
            redact_headers: match rng.chance(50) {
                true => vec!["cookie".into(), "set-cookie".into()],
                false => Vec::new(),
            },
            ..Settings::default()
        };
        let policy = Policy {
            action: rng.pick(&[Action::Cut, Action::Mask]),
            framing: rng.pick(&[Retention::Keep, Retention::Cut]),
            opaque: rng.pick(&[Retention::Keep, Retention::Cut]),
            non_http: rng.pick(&[NonHttp::Keep, NonHttp::Headers, NonHttp::Drop]),
        };
        Self {
            frames: frames(&cases, &mut rng),
            settings,
            policy,
            lane,
            base: TimeBase::sample(),
            rng,
        }
    }

    /// What `trim file` makes of it.
    fn offline(&self, folder: &Path) -> Vec<Stored> {
        let path: PathBuf = folder.join("input.pcap");
        write_pcap(&path, &self.frames);
        let mut worker = lanes::worker(&self.settings, &Extras::default(), self.policy, HOLD);
        let mut sink = Collector::default();
        let go_on = |_: &_, _| ControlFlow::Continue(());
        trim_files(&[path], &mut worker, self.lane.index(), &mut sink, go_on).unwrap();
        sink.take()
    }

    /// The packets of a capture on one thread, in turns of any size.
    fn inline(&mut self) -> Vec<Stored> {
        let mut worker = lanes::worker(&self.settings, &Extras::default(), self.policy, HOLD);
        let sink = Collector::default();
        let mut writer = Writer::new(Box::new(sink.clone()));
        let (mut chunk, mut latency) = (Chunk::default(), Latency::new());
        let mut left = &self.frames[..];
        while !left.is_empty() {
            let (turn, rest) = left.split_at(self.rng.between(1, 100).min(left.len()));
            left = rest;
            for frame in turn {
                let record = record(frame);
                worker.packet(self.lane.index(), LinkType::ETHERNET, &record, &mut chunk);
            }
            writer.write(&chunk, 0, self.base, &mut latency);
            chunk.clear();
            worker.enforce(turn.last().map_or(0, |frame| frame.time), &mut chunk);
        }
        worker.finish(&mut chunk);
        writer.write(&chunk, 0, self.base, &mut latency);
        sink.take()
    }

    /// The packets of a capture on threads: one that receives, several that trim, one that writes.
    fn threads(&mut self) -> Vec<Stored> {
        let workers = self.rng.between(1, 3);
        let batch = self.rng.between(1, 70);
        let pool = Arc::new(Umem::for_test(self.frames.len() as u32));
        let boards = (0..=workers).map(|_| ThreadBoard::new("test")).collect();
        let shared = Arc::new(Shared::new(boards, 0));
        let sink = Collector::default();
        let (mut ways, mut sources, mut jobs) = (Vec::new(), Vec::new(), Vec::new());
        for board in 0..workers {
            let (to, from) = batch::way(4, batch);
            let (output, chunks) = chunks::way();
            let horizon = Arc::new(AtomicU64::new(0));
            sources.push(Source::new(chunks, Arc::clone(&horizon)));
            ways.push(to);
            let input = Input {
                from,
                queues: vec![(Arc::clone(&pool), 0)],
                empties: Vec::new(),
                is_closed: false,
            };
            let trim = TrimLoop {
                merge: Merge::new(1, 4 * batch),
                inputs: vec![input],
                worker: lanes::worker(&self.settings, &Extras::default(), self.policy, HOLD),
                output,
                horizon,
                base: self.base,
                shared: Arc::clone(&shared),
                board,
                latency: Latency::new(),
                meter: Meter::default(),
            };
            jobs.push(std::thread::spawn(move || trim.run()));
        }
        let write = WriteLoop {
            merge: Merge::new(workers, 16),
            sources,
            writer: Writer::new(Box::new(sink.clone())),
            base: self.base,
            shared: Arc::clone(&shared),
            board: workers,
            latency: Latency::new(),
            written: Vec::new(),
        };
        jobs.push(std::thread::spawn(move || write.run()));
        self.receive(&pool, ways);
        for job in jobs {
            job.join().unwrap().unwrap();
        }
        sink.take()
    }

    /// Deals the packets to the workers by flow, as a receiving thread does.
    fn receive(&mut self, pool: &Umem, mut ways: Vec<ToWorker>) {
        for (number, frame) in self.frames.iter().enumerate() {
            let time = self.base.to_monotonic(frame.time);
            let flow_hash = match dissect(LinkType::ETHERNET, &frame.bytes, frame.wire_length as u32) {
                Dissection::Tcp(layout) => layout.flow.hash(7),
                _ => 0,
            };
            let way = flow_hash as usize % ways.len();
            let mut arrival = Arrival {
                time,
                received: 0,
                frame: pool.put_for_test(number as u32, &frame.bytes),
                flow_hash,
                original_length: frame.wire_length as u32,
                queue: 0,
                lane: self.lane,
            };
            while let Err(refused) = ways[way].push(arrival) {
                ways[way].reclaim(drop);
                std::thread::yield_now();
                arrival = refused;
            }
            if self.rng.chance(5) {
                ways.iter_mut().for_each(ToWorker::send_to_idle);
            }
        }
        for mut way in ways {
            while !way.send() {
                way.reclaim(drop);
                std::thread::yield_now();
            }
            way.close(drop, |unsent| panic!("{unsent:?} was not sent"));
        }
    }
}

fn record(frame: &Captured) -> Record<'_> {
    Record {
        interface: 0,
        time_ns: frame.time,
        original_length: frame.wire_length as u32,
        data: &frame.bytes,
    }
}

/// So many captures, and their first seed: `TRIM_CASES` and `TRIM_SEED`, as in the property tests.
fn captures(usual: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first: u64 = number("TRIM_SEED").unwrap_or(0);
    first..first + number("TRIM_CASES").unwrap_or(usual)
}

#[test]
fn one_thread_writes_what_the_offline_path_writes() {
    let folder = tempfile::tempdir().unwrap();
    for seed in captures(12) {
        for lane in Lane::ALL {
            let mut trial = Trial::new(seed, lane);
            let offline = trial.offline(folder.path());
            assert!(!offline.is_empty());
            assert!(trial.inline() == offline, "capture {seed} in {lane:?}");
        }
    }
}

/// Between flows of different workers the order may give way when one of them is slow, so packets are compared in the
/// order of their times, which differ.
#[test]
fn threads_write_what_the_offline_path_writes() {
    let folder = tempfile::tempdir().unwrap();
    for seed in captures(12) {
        for lane in Lane::ALL {
            let mut trial = Trial::new(seed, lane);
            let offline = trial.offline(folder.path());
            let mut threads = trial.threads();
            threads.sort();
            assert!(threads == offline, "capture {seed} in {lane:?}");
        }
    }
}
