//! Values over time.

use super::axis::Frame;
use super::class;
use super::scale::Scale;
use super::svg::Anchor;
use super::unit::Unit;

/// One line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Moments (milliseconds since 1970) and values, in the order of time.
    pub points: Vec<(u64, f64)>,
    /// Lowest and highest value around each point, for a band; empty for none.
    pub band: Vec<(f64, f64)>,
}

/// A moment that is marked by a line across.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When, milliseconds since 1970.
    pub at: u64,
    /// What happened, in a word.
    pub label: String,
}

/// A time series plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines<'a> {
    /// What it shows.
    pub title: &'a str,
    /// The unit of its values.
    pub unit: Unit,
    /// The first moment, milliseconds since 1970.
    pub from: u64,
    /// The last one.
    pub to: u64,
    /// Points that are further apart than this many milliseconds are not joined: nothing was measured between them.
    pub gap: u64,
    /// The lines.
    pub series: &'a [Series],
    /// What happened in between.
    pub marks: &'a [Mark],
}

impl Lines<'_> {
    /// The plot.
    pub fn svg(&self) -> String {
        let names: Vec<&str> = self.series.iter().map(|series| series.name.as_str()).collect();
        let mut frame = Frame::new(self.title, &self.description(), &names);
        let most = self.series.iter().flat_map(highest).fold(0.0, f64::max);
        let values = frame.values(self.unit, most);
        let times = frame.time(self.from, self.to);
        self.draw_marks(&mut frame, &times);
        let mut is_empty = true;
        for (index, series) in self.series.iter().enumerate() {
            for run in self.runs(series) {
                is_empty = false;
                draw(&mut frame, index, &run, (&times, &values));
            }
        }
        if is_empty {
            frame.empty();
        }
        frame.svg.finish()
    }

    /// Marks that would cover each other's words are lines without words.
    fn draw_marks(&self, frame: &mut Frame, times: &Scale) {
        let mut free_from = 0.0;
        for mark in self
            .marks
            .iter()
            .filter(|mark| (self.from..=self.to).contains(&mark.at))
        {
            let x = times.at(mark.at as f64);
            frame.svg.line("mark", (x, frame.top - 4.0), (x, frame.bottom));
            let half = mark.label.chars().count() as f64 * 3.4;
            let middle = x.clamp(super::axis::LEFT + half, super::axis::RIGHT - half);
            if middle - half >= free_from {
                frame
                    .svg
                    .text("tick", (middle, frame.top - 7.0), Anchor::Middle, &mark.label);
                free_from = middle + half + 4.0;
            }
        }
    }

    /// The parts of a line without a gap.
    fn runs(&self, series: &Series) -> Vec<Vec<Point>> {
        let mut runs: Vec<Vec<Point>> = Vec::new();
        let mut last = None;
        for (index, &(at, value)) in series.points.iter().enumerate() {
            if !value.is_finite() || !(self.from..=self.to).contains(&at) {
                continue;
            }
            let band = series.band.get(index).copied().unwrap_or((value, value));
            let point = Point { at, value, band };
            match runs.last_mut() {
                Some(run) if last.is_some_and(|last| at.saturating_sub(last) <= self.gap) => run.push(point),
                _ => runs.push(vec![point]),
            }
            last = Some(at);
        }
        runs
    }

    fn description(&self) -> String {
        let of = |series: &Series| {
            let highest = highest(series).reduce(f64::max);
            let name = if series.name.is_empty() {
                self.title
            } else {
                &series.name
            };
            match (highest, series.points.last()) {
                (Some(highest), Some((_, last))) => format!(
                    "{name}: at most {}, last {}.",
                    self.unit.show(highest),
                    self.unit.show(*last)
                ),
                _ => format!("{name}: nothing measured."),
            }
        };
        self.series.iter().map(of).collect::<Vec<_>>().join(" ")
    }
}

/// A point with the band around it.
#[derive(Clone, Copy)]
struct Point {
    at: u64,
    value: f64,
    band: (f64, f64),
}

fn draw(frame: &mut Frame, index: usize, run: &[Point], (times, values): (&Scale, &Scale)) {
    let place = |at: u64, value: f64| (times.at(at as f64), values.at(value));
    if run.iter().any(|point| point.band.0 < point.band.1) {
        let upper: Vec<_> = run.iter().map(|point| place(point.at, point.band.1)).collect();
        let lower: Vec<_> = run.iter().map(|point| place(point.at, point.band.0)).collect();
        let colour = index % super::COLOURS;
        frame.svg.surface(&format!("band f{colour}"), &upper, &lower);
    }
    let line: Vec<_> = run.iter().map(|point| place(point.at, point.value)).collect();
    // One alone would not be seen as a line.
    let dot = if line.len() == 1 { "dot " } else { "" };
    frame.svg.path(&format!("line {dot}{}", class(index)), &line);
}

fn highest(series: &Series) -> impl Iterator<Item = f64> + '_ {
    let values = series.points.iter().map(|(_, value)| *value);
    let tops = series.band.iter().map(|(_, high)| *high);
    values.chain(tops).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: Vec<(u64, f64)>) -> String {
        let series = [Series {
            name: "<legacy>".to_owned(),
            points,
            band: Vec::new(),
        }];
        let lines = Lines {
            title: "Throughput",
            unit: Unit::Count("packets/s"),
            from: 1_700_000_000_000,
            to: 1_700_000_600_000,
            gap: 15_000,
            series: &series,
            marks: &[Mark {
                at: 1_700_000_300_000,
                label: "rollback".to_owned(),
            }],
        };
        lines.svg()
    }

    #[test]
    fn what_was_not_measured_is_a_gap() {
        let at = |seconds: u64| 1_700_000_000_000 + seconds * 1000;
        let with_gap = plot(vec![(at(0), 1.0), (at(10), 2.0), (at(100), 3.0), (at(110), 3.0)]);
        assert_eq!(with_gap.matches("<path").count(), 2);
        let not_a_number = plot(vec![(at(0), 1.0), (at(10), f64::NAN), (at(12), 3.0)]);
        assert_eq!(not_a_number.matches("<path").count(), 1);
        assert!(!not_a_number.contains("NaN"));
    }

    #[test]
    fn a_point_alone_is_a_dot_that_can_be_seen() {
        let at = |seconds: u64| 1_700_000_000_000 + seconds * 1000;
        assert_eq!(plot(vec![(at(0), 1.0)]).matches("line dot s0").count(), 1);
        assert!(!plot(vec![(at(0), 1.0), (at(10), 2.0)]).contains("dot"));
    }

    #[test]
    fn without_data_it_says_so() {
        assert!(plot(Vec::new()).contains("nothing was measured"));
    }

    #[test]
    fn axes_have_units_and_names_are_escaped() {
        let plot = plot(vec![(1_700_000_000_000, 5000.0)]);
        for part in [
            ">k packets/s<",
            "time, UTC, 2023-11-14",
            ">rollback<",
            "&lt;legacy&gt;: at most 5 k packets/s",
        ] {
            assert!(plot.contains(part), "{part} in {plot}");
        }
    }
}
