//! Time per strategy, measured so that it can be compared.

use std::time::{Duration, Instant};

use super::{Options, Watch};
use crate::ops::capture::Capture;
use crate::ops::tape;
use crate::shared::Lane;

/// Rounds that are made however long they take.
const FEWEST_ROUNDS: u32 = 3;
/// Rounds that are enough however short they are.
const MOST_ROUNDS: u32 = 25;
/// No round is begun after this long.
const ENOUGH: Duration = Duration::from_secs(2);

/// What was measured.
pub(super) struct Times {
    /// How often each strategy ran.
    pub(super) rounds: u32,
    /// The shortest run of each strategy, in the order in which they were given.
    pub(super) fastest: Vec<Duration>,
}

/// Runs every strategy once in each round, each time with a new worker, and in every other round in the opposite order.
/// The shortest run counts: what the machine does besides can only make a run longer.
pub(super) fn measure(capture: &Capture, options: &Options, watch: Watch<'_>) -> Times {
    let began = Instant::now();
    let mut fastest = vec![Duration::MAX; options.strategies.len()];
    let mut rounds = 0;
    while rounds < FEWEST_ROUNDS || (rounds < MOST_ROUNDS && began.elapsed() < ENOUGH) {
        let mut order: Vec<usize> = (0..options.strategies.len()).collect();
        if rounds % 2 == 1 {
            order.reverse();
        }
        for index in order {
            fastest[index] = fastest[index].min(run(capture, options, options.strategies[index]));
        }
        rounds += 1;
        watch(u64::from(rounds), u64::from(FEWEST_ROUNDS.max(rounds)));
    }
    Times { rounds, fastest }
}

fn run(capture: &Capture, options: &Options, lane: Lane) -> Duration {
    let mut worker = tape::worker(lane, &options.settings, options.policy);
    let began = Instant::now();
    tape::run(&mut worker, capture);
    began.elapsed()
}
