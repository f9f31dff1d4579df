//! The plots of the page.

use crate::ops::timeline::timeline;
use crate::plot::{Bar, Bars, Curve, Mark, Percentiles, Unit};

use super::collected::Collected;

/// All of them, as SVG: from the first sample to when the archive was made; without samples, the hours that were asked for.
pub(super) fn plots(collected: &Collected) -> Vec<String> {
    let to = collected.manifest.made_at_ms;
    let asked = to.saturating_sub(collected.manifest.hours * 3_600_000);
    let from = collected.samples.first().map_or(asked, |sample| sample.at.0.min(to));
    let mut plots = timeline(&collected.samples, from, to, &marks(collected));
    plots.push(loss_by_place(collected));
    plots.push(percentiles(collected));
    plots
}

/// Rollbacks, as the state remembers them.
fn marks(collected: &Collected) -> Vec<Mark> {
    let last = collected.decisions.last().map(|decision| &decision.decision.state);
    let state = collected.view.as_ref().map(|view| &view.state).or(last);
    let rollbacks = state.into_iter().flat_map(|state| &state.rollbacks);
    rollbacks
        .map(|rollback| Mark {
            at: rollback.at.0,
            label: "rolled back".to_owned(),
        })
        .collect()
}

fn loss_by_place(collected: &Collected) -> String {
    let lost = collected.status.as_ref().map(|status| status.accounts.lost);
    let bars: Vec<Bar> = lost
        .into_iter()
        .flat_map(|lost| {
            [
                ("no_socket", lost.no_socket),
                ("rx_ring_full", lost.rx_ring_full),
                ("fill_ring_empty", lost.fill_ring_empty),
                ("rx_dropped", lost.rx_dropped),
                ("queue_full", lost.queue_full),
                ("write_failed", lost.write_failed),
            ]
        })
        .map(|(name, count)| Bar {
            name: name.to_owned(),
            value: count as f64,
            colour: 1,
        })
        .collect();
    let bars = Bars {
        title: "Loss by place, since the start",
        unit: Unit::Count("packets"),
        bars: &bars,
    };
    bars.svg()
}

fn percentiles(collected: &Collected) -> String {
    let curves: Vec<Curve> = collected
        .histograms
        .iter()
        .flat_map(|histograms| &histograms.curves)
        .filter(|curve| curve.stage == "kernel_to_written")
        .map(|curve| Curve {
            name: curve.lane.clone(),
            points: curve
                .points
                .iter()
                .map(|(share, value)| (*share, *value as f64))
                .collect(),
        })
        .collect();
    let plot = Percentiles {
        title: "Latency by percentile, kernel to file, since the start",
        unit: Unit::Nanoseconds,
        curves: &curves,
    };
    plot.svg()
}
