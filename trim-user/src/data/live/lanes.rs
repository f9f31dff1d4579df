//! The trimmers of a live worker, one per lane.

use crate::config::Hold;
use crate::data::worker::{HoldLimits, MakeTrimmer, Worker};
use crate::shared::{Lane, LaneTotals, ThreadBoard};
use crate::trimmer::{Legacy, Policy, Settings};

/// A worker with a trimmer in every lane.
pub(super) fn worker(settings: &Settings, policy: Policy, hold: Hold) -> Worker {
    let limits = HoldLimits {
        bytes: hold.bytes,
        time_ns: Some(hold.time.as_nanos() as u64),
    };
    Worker::new(makers(settings), policy, limits)
}

/// Makes the trimmer of every lane, in the order of their indexes.
pub fn makers(settings: &Settings) -> Vec<MakeTrimmer> {
    Lane::ALL.map(|lane| maker(lane, settings)).into()
}

fn maker(_lane: Lane, settings: &Settings) -> MakeTrimmer {
    let settings = settings.clone();
    // Until the fast trimmer stands, the exact one judges every lane.
    Box::new(move || Box::new(Legacy::new(&settings)))
}

/// Publishes what the lanes have done.
pub(super) fn publish(worker: &Worker, board: &ThreadBoard) {
    for lane in 0..Lane::COUNT {
        let counts = *worker.counts(lane);
        if counts.packets > 0 {
            board.publish(
                lane,
                &LaneTotals {
                    counts,
                    statistics: worker.statistics(lane),
                },
            );
        }
    }
    board.held_bytes.set(worker.held_bytes() as u64);
}
