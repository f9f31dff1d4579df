//! The trimmers of a live worker, one per lane.

use std::sync::Arc;

use crossbeam_channel::Sender;

use super::faulty::Faulty;
use crate::config::Hold;
use crate::data::exemplar::{Collector, Exemplar, Quota};
use crate::data::worker::{HoldLimits, MakeTrimmer, Worker};
use crate::shared::{ExemplarBoard, Faults, Lane, LaneTotals, ThreadBoard};
use crate::trimmer::{Auto, Legacy, Policy, Sampled, Scanning, Settings, Shadow, Trimmer, sampled_settings};

/// What a live worker's lanes have besides their trimmers.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// Share of flows on `legacy` and on `scanning` that the other one judges too, 0 to 1.
    pub shadowed: f64,
    /// Where `scanning` is told to fail, in a rehearsal.
    pub faults: Option<Arc<Faults>>,
    /// Where exemplars of differences go.
    pub exemplars: Option<ExemplarOutlet>,
}

/// What a collector of exemplars needs.
#[derive(Clone, Debug)]
pub struct ExemplarOutlet {
    /// How many may still be taken.
    pub quota: Arc<Quota>,
    /// To the thread that saves them.
    pub out: Sender<Exemplar>,
    /// Where they are counted.
    pub board: Arc<ExemplarBoard>,
}

/// A worker with a trimmer in every lane.
pub(super) fn worker(settings: &Settings, extras: &Extras, policy: Policy, hold: Hold) -> Worker {
    let limits = HoldLimits {
        bytes: hold.bytes,
        time_ns: Some(hold.time.as_nanos() as u64),
        overloaded_ns: hold.time_overloaded.as_nanos() as u64,
    };
    let makers = Lane::ALL.map(|lane| live_maker(lane, settings, extras)).into();
    let worker = Worker::new(makers, policy, limits);
    let Some(ExemplarOutlet { quota, out, board }) = extras.exemplars.clone() else {
        return worker;
    };
    worker.with_collector(Lane::Comparison.index(), Collector::new(policy, quota, out, board))
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
    let Extras { shadowed, faults, .. } = extras.clone();
    match (lane, faults) {
        (Lane::Comparison, None) => Box::new(move || Box::new(comparison(&settings, |inner| inner))),
        (Lane::Comparison, Some(faults)) => {
            Box::new(move || Box::new(comparison(&settings, |inner| Faulty::new(inner, Arc::clone(&faults)))))
        }
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

/// Both, with a few of their differences kept for whoever collects exemplars. `wrap` may put something around `scanning`.
fn comparison<T: Trimmer>(settings: &Settings, wrap: impl Fn(Scanning) -> T) -> Shadow<Legacy, T> {
    Shadow::new(Legacy::new(settings), wrap(Scanning::new(settings))).with_findings()
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
