//! How many instructions trimmers need for the same traffic, as callgrind counts them: `cargo xtask instructions`.
//!
//! Unlike time this is the same on a busy machine, so that it can be asserted. The limits are those of the dev profile, in
//! which everything else is built for tests, as rustc 1.95 compiles it, and 3% above the highest of five runs: hash tables have
//! random seeds, and counts differ by up to 1%. A count that comes to stand well below its limit is a reason to lower the limit.
#![allow(
    missing_docs,
    reason = "the macros of gungraun make public items without documentation"
)]

use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use trim_bench::memory::traffic::{Trace, body_heavy_of, header_heavy_of, web_of};
use trim_bench::memory::{Caller, trimmers};
use trim_user::trimmer::{Labels, Trimmer};

/// Some thousand packets each: valgrind is slow, and counts do not get better by more.
const BODY_HEAVY: fn() -> Trace = || body_heavy_of(8, 128 << 10);
const HEADER_HEAVY: fn() -> Trace = || header_heavy_of(100);
const WEB: fn() -> Trace = || web_of(8);

/// What is made before instructions are counted.
struct Prepared {
    trace: Trace,
    trimmer: Box<dyn Trimmer>,
    caller: Caller,
    labels: Labels,
}

fn prepare(make: fn() -> Trace, name: &str) -> Prepared {
    let named = trimmers().into_iter().find(|(other, _)| *other == name);
    let (_, trimmer) = named.expect("a trimmer has this name");
    Prepared {
        trace: make(),
        trimmer,
        caller: Caller::default(),
        labels: Labels::new(),
    }
}

/// The benchmark fails above so many thousand instructions.
fn at_most(thousands: u64) -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    let mut callgrind = Callgrind::with_args(["--cache-sim=no"]);
    callgrind.hard_limits([(EventKind::Ir, thousands * 1000)]);
    config.tool(callgrind);
    config
}

// Gives back what it was given, so that tearing it down is not counted.
#[library_benchmark(setup = prepare)]
#[bench::legacy_body_heavy(args = (BODY_HEAVY, "legacy"), config = at_most(2_900))]
#[bench::scanning_body_heavy(args = (BODY_HEAVY, "scanning"), config = at_most(1_946))]
#[bench::auto_body_heavy(args = (BODY_HEAVY, "auto"), config = at_most(3_025))]
#[bench::legacy_header_heavy(args = (HEADER_HEAVY, "legacy"), config = at_most(29_240))]
#[bench::scanning_header_heavy(args = (HEADER_HEAVY, "scanning"), config = at_most(13_840))]
#[bench::auto_header_heavy(args = (HEADER_HEAVY, "auto"), config = at_most(14_960))]
#[bench::legacy_web(args = (WEB, "legacy"), config = at_most(5_125))]
#[bench::scanning_web(args = (WEB, "scanning"), config = at_most(2_972))]
#[bench::auto_web(args = (WEB, "auto"), config = at_most(3_767))]
fn judge(mut prepared: Prepared) -> Prepared {
    let Prepared {
        trace,
        trimmer,
        caller,
        labels,
    } = &mut prepared;
    caller.replay(trace, trimmer.as_mut(), labels, 0);
    prepared
}

library_benchmark_group!(name = trimmers_in_memory, benchmarks = judge);

main!(library_benchmark_groups = trimmers_in_memory);
