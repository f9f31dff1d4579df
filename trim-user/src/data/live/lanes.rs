//! The trimmers of a live worker, one per lane.

use crate::config::Hold;
use crate::data::worker::{HoldLimits, MakeTrimmer, Worker};
use crate::shared::{Lane, LaneTotals, ThreadBoard};
use crate::trimmer::{Auto, Legacy, Policy, Scanning, Settings, Shadow};

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

fn maker(lane: Lane, settings: &Settings) -> MakeTrimmer {
    let settings = settings.clone();
    Box::new(move || match lane {
        Lane::Legacy => Box::new(Legacy::new(&settings)),
        Lane::Scanning => Box::new(Scanning::new(&settings)),
        Lane::Auto => Box::new(Auto::new(
            Legacy::new(&settings),
            Scanning::new(&settings),
            settings.max_flows,
        )),
        Lane::Comparison => Box::new(Shadow::new(Legacy::new(&settings), Scanning::new(&settings))),
    })
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
