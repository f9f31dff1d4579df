//! What a packet costs in each trimmer, in memory: `cargo bench -p trim-bench --bench trimmers`.
//!
//! Time is CPU time of the thread, so that other programs disturb it only by the caches that they share. After
//! criterion's own report comes a table with the median of the samples: nanoseconds per packet (packets without payload
//! count), wire bytes per second, and how much of the bodies was kept.

use std::time::Duration;

use criterion::{Criterion, Throughput};
use trim_bench::memory::traffic::{self, Trace};
use trim_bench::memory::{Caller, SHIFT, body_kept, cpu_time, trimmers};
use trim_user::trimmer::Labels;

/// A line of the table.
struct Row {
    traffic: &'static str,
    trimmer: &'static str,
    ns_per_packet: f64,
    wire_bytes_per_packet: f64,
    body_kept: f64,
}

fn measure(criterion: &mut Criterion, traffic: &'static str, trace: &Trace, rows: &mut Vec<Row>) {
    let packets = trace.packets() as f64;
    let mut group = criterion.benchmark_group(traffic);
    group.throughput(Throughput::Elements(trace.packets() as u64));
    for (name, mut trimmer) in trimmers() {
        let body_kept = body_kept(trace, trimmer.as_mut());
        let (mut labels, mut caller, mut shift) = (Labels::new(), Caller::default(), 0_u32);
        let mut samples = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let start = cpu_time();
                for _ in 0..rounds {
                    shift = shift.wrapping_add(SHIFT);
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
