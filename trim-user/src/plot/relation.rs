//! One measured value by another: loss by rate, latency by load.

use super::axis::{Frame, LEFT, RIGHT};
use super::class;
use super::scale::{Scale, decades};
use super::unit::Unit;

/// One line; its points are marked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// What was set and what came of it, by the first.
    pub points: Vec<(f64, f64)>,
}

/// A plot of one value by another.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation<'a> {
    /// What it shows.
    pub title: &'a str,
    /// What the horizontal axis shows, and its unit.
    pub across: (&'a str, Unit),
    /// The unit of the vertical axis.
    pub up: Unit,
    /// Whether the vertical axis is logarithmic; values that are not above 0 are then left out.
    pub is_logarithmic: bool,
    /// The lines.
    pub lines: &'a [Line],
}

impl Relation<'_> {
    /// The plot.
    pub fn svg(&self) -> String {
        let names: Vec<&str> = self.lines.iter().map(|line| line.name.as_str()).collect();
        let mut frame = Frame::new(self.title, &self.description(), &names);
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let farthest = points().fold(0.0, |most, (across, _)| f64::max(most, *across));
        let across = frame.amount(self.across.0, self.across.1, farthest);
        let values: Vec<f64> = points().map(|(_, up)| *up).filter(|up| self.is_shown(*up)).collect();
        if values.is_empty() {
            frame.empty();
            return frame.svg.finish();
        }
        let up = self.vertical(&mut frame, &values);
        for (index, line) in self.lines.iter().enumerate() {
            let place = |(x, y): &(f64, f64)| (across.at(*x), up(*y));
            let shown = line.points.iter().filter(|(_, up)| self.is_shown(*up));
            let places: Vec<_> = shown.map(place).collect();
            if places.len() > 1 {
                frame.svg.path(&format!("line {}", class(index)), &places);
            }
            for place in places {
                frame.svg.path(&format!("line dot {}", class(index)), &[place]);
            }
        }
        frame.svg.finish()
    }

    fn is_shown(&self, up: f64) -> bool {
        up.is_finite() && (up > 0.0 || !self.is_logarithmic)
    }

    /// Draws the axis; where a value stands on it.
    fn vertical(&self, frame: &mut Frame, values: &[f64]) -> Box<dyn Fn(f64) -> f64> {
        let most = values.iter().copied().fold(0.0, f64::max);
        if !self.is_logarithmic {
            let scale = frame.values(self.up, most);
            return Box::new(move |value| scale.at(value));
        }
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let decades = decades(least, most);
        let logs = (decades[0].log10(), decades[decades.len() - 1].log10());
        let scale = Scale::new(logs, (frame.bottom, frame.top));
        for tick in &decades {
            frame.tick(scale.at(tick.log10()), &self.up.show(*tick));
        }
        Box::new(move |value| scale.at(value.log10()))
    }

    fn description(&self) -> String {
        let (_, unit) = self.across;
        let of = |line: &Line| match line.points.last() {
            Some((across, up)) => format!("{}: {} at {}.", line.name, self.up.show(*up), unit.show(*across)),
            None => format!("{}: nothing measured.", line.name),
        };
        self.lines.iter().map(of).collect::<Vec<_>>().join(" ")
    }
}

impl Frame {
    /// The horizontal axis of amounts from 0 to `most`.
    fn amount(&mut self, what: &str, unit: Unit, most: f64) -> Scale {
        let most = if most.is_finite() { most } else { 0.0 }.max(unit.smallest_top());
        let scaled = unit.scaled(most);
        let (ticks, decimals) = super::scale::ticks(most / scaled.divisor, 5);
        let top = ticks[ticks.len() - 1] * scaled.divisor;
        let scale = Scale::new((0.0, top), (LEFT, RIGHT));
        self.svg.line("axis", (LEFT, self.bottom), (RIGHT, self.bottom));
        for tick in ticks {
            let x = scale.at(tick * scaled.divisor);
            self.svg.line("axis", (x, self.bottom), (x, self.bottom + 4.0));
            let label = format!("{tick:.decimals$}");
            let half = label.len() as f64 * 3.3;
            let x = x.min(super::axis::WIDTH - half);
            self.svg
                .text("tick", (x, self.bottom + 17.0), super::svg::Anchor::Middle, &label);
        }
        self.below(&format!("{what}, {}", scaled.label));
        scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(lines: &[Line], is_logarithmic: bool) -> String {
        Relation {
            title: "Loss",
            across: ("offered", Unit::Count("packets/s")),
            up: Unit::Share,
            is_logarithmic,
            lines,
        }
        .svg()
    }

    fn line(points: &[(f64, f64)]) -> Line {
        Line {
            name: "trim".to_owned(),
            points: points.to_vec(),
        }
    }

    #[test]
    fn both_axes_have_units_and_every_point_is_marked() {
        let svg = plot(&[line(&[(0.0, 0.0), (1e6, 0.0), (2e6, 0.05)])], false);
        for part in [">offered, M packets/s<", ">%<", ">2.0<", "trim: 5 % at 2 M packets/s."] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        assert_eq!(svg.matches("line dot s0").count(), 3);
    }

    #[test]
    fn a_logarithm_leaves_out_what_has_none() {
        let svg = plot(&[line(&[(0.0, 0.0), (1e6, 0.001), (2e6, 0.05)])], true);
        assert_eq!(svg.matches("line dot s0").count(), 2);
        assert!(plot(&[line(&[(1e6, 0.0)])], true).contains("nothing was measured"));
    }

    #[test]
    fn nothing_says_so() {
        assert!(plot(&[], false).contains("nothing was measured"));
    }
}
