//! The trimmers of a live worker, one per lane.

use std::sync::Arc;

use super::faulty::Faulty;
use crate::config::Hold;
use crate::data::worker::{HoldLimits, MakeTrimmer, Worker};
use crate::shared::{Faults, Lane, LaneTotals, ThreadBoard};
use crate::trimmer::{Auto, Legacy, Policy, Sampled, Scanning, Settings, Shadow, Trimmer, sampled_settings};

/// What a live worker's lanes have besides their trimmers.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// Share of flows on `legacy` and on `scanning` that the other one judges too, 0 to 1.
    pub shadowed: f64,
    /// Where `scanning` is told to fail, in a rehearsal.
    pub faults: Option<Arc<Faults>>,
}

/// A worker with a trimmer in every lane.
pub(super) fn worker(settings: &Settings, extras: &Extras, policy: Policy, hold: Hold) -> Worker {
    let limits = HoldLimits {
        bytes: hold.bytes,
        time_ns: Some(hold.time.as_nanos() as u64),
    };
    let makers = Lane::ALL.map(|lane| live_maker(lane, settings, extras)).into();
    Worker::new(makers, policy, limits)
}

/// Makes the plain trimmer of every lane, in the order of their indexes.
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

/// The trimmer of a lane with what it has besides.
fn live_maker(lane: Lane, settings: &Settings, extras: &Extras) -> MakeTrimmer {
    let settings = settings.clone();
    let Extras { shadowed, faults } = extras.clone();
    match (lane, faults) {
        (Lane::Legacy, _) if shadowed > 0.0 => Box::new(move || {
            let few = sampled_settings(&settings, shadowed);
            let pair = Shadow::new(Legacy::new(&few), Scanning::new(&few));
            Box::new(Sampled::new(Legacy::new(&settings), pair, shadowed))
        }),
        (Lane::Scanning, None) => scanning_maker(settings, shadowed, |inner| inner),
        (Lane::Scanning, Some(faults)) => {
            scanning_maker(settings, shadowed, move |inner| Faulty::new(inner, Arc::clone(&faults)))
        }
        _ => maker(lane, &settings),
    }
}

/// `scanning`, of which a share of flows is compared with `legacy`. `wrap` may put something around it.
fn scanning_maker<T: Trimmer + 'static>(
    settings: Settings,
    shadowed: f64,
    wrap: impl Fn(Scanning) -> T + Send + 'static,
) -> MakeTrimmer {
    if shadowed <= 0.0 {
        return Box::new(move || Box::new(wrap(Scanning::new(&settings))));
    }
    Box::new(move || {
        let few = sampled_settings(&settings, shadowed);
        let pair = Shadow::led_by_fast(wrap(Scanning::new(&few)), Legacy::new(&few));
        Box::new(Sampled::new(wrap(Scanning::new(&settings)), pair, shadowed))
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
