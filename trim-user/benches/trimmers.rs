//! What a packet costs in each trimmer, in memory: `cargo bench -p trim-user --bench trimmers`.
//!
//! Time is CPU time of the thread, so that other programs disturb it only by the caches that they share. After
//! criterion's own report comes a table with the median of the samples: nanoseconds per packet (packets without payload
//! count), wire bytes per second, and how much of the bodies was kept.
#![allow(clippy::unwrap_used, reason = "a benchmark that fails shall stop")]

mod traffic;

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use rustix::time::{ClockId, clock_gettime};
use traffic::Trace;
use trim_user::trimmer::{Auto, Judgement, Label, Labels, Late, Legacy, Scanning, Settings, Ticket, Trimmer};

/// Payload that the caller of a trimmer lets it hold, bytes: what a worker allows by default.
const MOST_HELD: usize = 64 << 20;

/// Holds what a trimmer holds, as a worker does, and counts body bytes that are removed.
#[derive(Default)]
struct Caller {
    held: VecDeque<(Ticket, usize)>,
    held_bytes: usize,
    removed: usize,
}

impl Late for Caller {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        self.count(labels);
        if let Ok(place) = self.held.binary_search_by_key(&ticket, |held| held.0) {
            self.held_bytes -= std::mem::take(&mut self.held[place].1);
        }
        while self.held.pop_front_if(|held| held.1 == 0).is_some() {}
    }
}

impl Caller {
    #[inline]
    fn count(&mut self, labels: &Labels) {
        let body = labels.iter().filter(|&(.., label)| label == Label::Body);
        self.removed += body.map(|(from, to, _)| (to - from) as usize).sum::<usize>();
    }

    /// One round of a trace through a trimmer.
    fn replay(&mut self, trace: &Trace, trimmer: &mut dyn Trimmer, labels: &mut Labels, shift: u32) {
        for (index, segment) in trace.segments(shift).enumerate() {
            let ticket = Ticket(index as u64);
            match trimmer.judge(ticket, &segment, labels, self) {
                Judgement::Decided => self.count(labels),
                Judgement::Held => {
                    self.held.push_back((ticket, segment.payload.len()));
                    self.held_bytes += segment.payload.len();
                }
            }
            while self.held_bytes > MOST_HELD {
                let (oldest, _) = *self.held.front().unwrap();
                trimmer.release(oldest, self);
            }
        }
        trimmer.finish(self);
        black_box(self.removed);
    }
}

/// A line of the table.
struct Row {
    traffic: &'static str,
    trimmer: &'static str,
    ns_per_packet: f64,
    wire_bytes_per_packet: f64,
    body_kept: f64,
}

/// What this thread has used of a CPU.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn body_kept(trace: &Trace, trimmer: &mut dyn Trimmer) -> f64 {
    let mut caller = Caller::default();
    caller.replay(trace, trimmer, &mut Labels::new(), 0);
    let all = trace.body_bytes() as f64;
    (all - caller.removed as f64) / all
}

fn measure(criterion: &mut Criterion, traffic: &'static str, trace: &Trace, rows: &mut Vec<Row>) {
    let settings = Settings::default();
    let trimmers: [(&str, Box<dyn Trimmer>); 3] = [
        ("legacy", Box::new(Legacy::new(&settings))),
        ("scanning", Box::new(Scanning::new(&settings))),
        (
            "auto",
            Box::new(Auto::new(
                Legacy::new(&settings),
                Scanning::new(&settings),
                settings.max_flows,
            )),
        ),
    ];
    let packets = trace.packets() as f64;
    let mut group = criterion.benchmark_group(traffic);
    group.throughput(Throughput::Elements(trace.packets() as u64));
    for (name, mut trimmer) in trimmers {
        let body_kept = body_kept(trace, trimmer.as_mut());
        let (mut labels, mut caller, mut shift) = (Labels::new(), Caller::default(), 0_u32);
        let mut samples = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let start = cpu_time();
                for _ in 0..rounds {
                    shift = shift.wrapping_add(0x3c6e_f372);
                    caller.replay(trace, trimmer.as_mut(), &mut labels, shift);
                }
                let elapsed = cpu_time() - start;
                samples.push(elapsed.as_nanos() as f64 / rounds as f64 / packets);
                elapsed
            });
        });
        samples.sort_by(f64::total_cmp);
        if let Some(&ns_per_packet) = samples.get(samples.len() / 2) {
            rows.push(Row {
                traffic,
                trimmer: name,
                ns_per_packet,
                wire_bytes_per_packet: trace.wire_bytes() as f64 / packets,
                body_kept,
            });
        }
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let mut rows = Vec::new();
    measure(&mut criterion, "body-heavy", &traffic::body_heavy(), &mut rows);
    measure(&mut criterion, "header-heavy", &traffic::header_heavy(), &mut rows);
    measure(&mut criterion, "web", &traffic::web(), &mut rows);
    measure(&mut criterion, "lossy", &traffic::web().with_loss(100), &mut rows);
    criterion.final_summary();
    println!("| traffic | trimmer | ns/packet | bytes/packet | GB/s | body kept |");
    println!("|---|---|---|---|---|---|");
    for row in rows {
        println!(
            "| {} | {} | {:.1} | {:.0} | {:.1} | {:.3}% |",
            row.traffic,
            row.trimmer,
            row.ns_per_packet,
            row.wire_bytes_per_packet,
            row.wire_bytes_per_packet / row.ns_per_packet,
            row.body_kept * 100.0
        );
    }
}
