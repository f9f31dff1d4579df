//! Latency by percentile, both axes logarithmic, as HdrHistogram shows it.

use super::axis::{Frame, LEFT, RIGHT, WIDTH};
use super::class;
use super::scale::{Scale, decades};
use super::svg::Anchor;
use super::unit::Unit;

/// One curve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Its name in the legend.
    pub name: String,
    /// Shares below 1 and the values below which that share lies, ascending.
    pub points: Vec<(f64, f64)>,
}

/// A percentile plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Percentiles<'a> {
    /// What it shows.
    pub title: &'a str,
    /// The unit of its values.
    pub unit: Unit,
    /// The curves.
    pub curves: &'a [Curve],
}

/// Shares with a tick, and their labels.
const TICKS: [(f64, &str); 7] = [
    (0.0, "0"),
    (0.5, "50"),
    (0.9, "90"),
    (0.99, "99"),
    (0.999, "99.9"),
    (0.9999, "99.99"),
    (0.99999, "99.999"),
];

impl Percentiles<'_> {
    /// The plot.
    pub fn svg(&self) -> String {
        let names: Vec<&str> = self.curves.iter().map(|curve| curve.name.as_str()).collect();
        let mut frame = Frame::new(self.title, &self.description(), &names);
        let values = || {
            self.curves
                .iter()
                .flat_map(|curve| &curve.points)
                .map(|(_, value)| *value)
        };
        let (least, most) = (
            values().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min),
            values().fold(0.0, f64::max),
        );
        let across = across(&mut frame);
        if !(least.is_finite() && most.is_finite()) {
            frame.empty();
            return frame.svg.finish();
        }
        let decades = decades(least, most);
        let logs = (decades[0].log10(), decades[decades.len() - 1].log10());
        let up = Scale::new(logs, (frame.bottom, frame.top));
        for tick in &decades {
            frame.tick(up.at(tick.log10()), &self.unit.show(*tick));
        }
        for (index, curve) in self.curves.iter().enumerate() {
            let place = |(share, value): &(f64, f64)| (across.at(nines(*share)), up.at(value.max(decades[0]).log10()));
            let line: Vec<_> = curve.points.iter().map(place).collect();
            if !line.is_empty() {
                frame.svg.path(&format!("line {}", class(index)), &line);
            }
        }
        frame.svg.finish()
    }

    fn description(&self) -> String {
        let of = |curve: &Curve| match curve.points.last() {
            Some((share, value)) => {
                format!(
                    "{}: {:.3} % at most {}.",
                    curve.name,
                    share * 100.0,
                    self.unit.show(*value)
                )
            }
            None => format!("{}: nothing measured.", curve.name),
        };
        self.curves.iter().map(of).collect::<Vec<_>>().join(" ")
    }
}

fn across(frame: &mut Frame) -> Scale {
    let last = TICKS[TICKS.len() - 1].0;
    let scale = Scale::new((0.0, nines(last)), (LEFT, RIGHT));
    frame.svg.line("axis", (LEFT, frame.bottom), (RIGHT, frame.bottom));
    for (share, label) in TICKS {
        let (x, anchor) = match share < last {
            true => (scale.at(nines(share)), Anchor::Middle),
            // Centred, it would leave the picture.
            false => (WIDTH - 2.0, Anchor::End),
        };
        frame.svg.text("tick", (x, frame.bottom + 17.0), anchor, label);
    }
    frame.below("percentile, %");
    scale
}

/// How many nines a share has: 1 for 0.9, 2 for 0.99.
fn nines(share: f64) -> f64 {
    -(1.0 - share.clamp(0.0, 0.999_999_9)).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_rise_on_labelled_axes_and_none_says_so() {
        let curves = [Curve {
            name: "scanning".to_owned(),
            points: vec![(0.5, 1500.0), (0.99, 80_000.0), (1.0, 2e6)],
        }];
        let mut plot = Percentiles {
            title: "Latency",
            unit: Unit::Nanoseconds,
            curves: &curves,
        };
        let svg = plot.svg();
        for part in [">1 us<", ">10 ms<", ">99.9<", ">percentile, %<"] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        plot.curves = &[];
        assert!(plot.svg().contains("nothing was measured"));
    }
}
