//! Small line plots as SVG paths. Pure.

use std::fmt::Write as _;

/// Size of the drawing, in its own units; the page stretches it.
pub(super) const WIDTH: f64 = 300.0;
/// See [`WIDTH`].
pub(super) const HEIGHT: f64 = 60.0;

/// One value over time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plot {
    /// What is drawn.
    pub(super) title: &'static str,
    /// The latest value with its unit.
    pub(super) now: String,
    /// Value at the upper end of the axis, with its unit.
    pub(super) top: String,
    /// Time at the left end of the axis, such as `5 min ago`.
    pub(super) from: String,
    /// The line, as the data of an SVG path; empty when there is nothing to draw.
    pub(super) line: String,
    /// The area below it.
    pub(super) area: String,
    /// All of it in words, for those who do not see it.
    pub(super) words: String,
}

impl Plot {
    /// Draws values that lie `interval_s` seconds apart, the oldest first; `None` breaks the line.
    pub(super) fn new(
        title: &'static str,
        values: &[Option<f64>],
        interval_s: f64,
        unit: impl Fn(f64) -> String,
    ) -> Self {
        let known = || values.iter().flatten().copied();
        let highest = known().fold(0.0, f64::max);
        let top = round_up(highest);
        let now = values.last().copied().flatten();
        let now = now.map_or_else(|| "unknown".to_owned(), &unit);
        let from = super::super::super::figures::span(std::time::Duration::from_secs_f64(
            values.len().saturating_sub(1) as f64 * interval_s,
        ));
        let has_line = known().nth(1).is_some();
        let (line, area) = if has_line {
            draw(values, top)
        } else {
            Default::default()
        };
        let words = format!("{title} over the last {from}: now {now}, at most {}", unit(highest));
        Self {
            title,
            now,
            top: unit(top),
            from: format!("{from} ago"),
            line,
            area,
            words,
        }
    }
}

/// The next of 1, 2, 5, 10, 20, ...; 1 for nothing.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let found = steps.into_iter().find(|step| step * power >= value * (1.0 - 1e-9));
    found.unwrap_or(10.0) * power
}

fn draw(values: &[Option<f64>], top: f64) -> (String, String) {
    let step = WIDTH / (values.len().max(2) - 1) as f64;
    let (mut line, mut area) = (String::new(), String::new());
    let mut last: Option<f64> = None;
    for (index, value) in values.iter().enumerate() {
        let x = index as f64 * step;
        // Writing to a `String` cannot fail.
        match (value, last) {
            (Some(value), _) => {
                let y = HEIGHT - (value / top).clamp(0.0, 1.0) * (HEIGHT - 2.0) - 1.0;
                let command = if last.is_some() { 'L' } else { 'M' };
                let _ = write!(line, "{command}{x:.1} {y:.1}");
                if last.is_none() {
                    let _ = write!(area, "M{x:.1} {HEIGHT}");
                }
                let _ = write!(area, "L{x:.1} {y:.1}");
                last = Some(x);
            }
            (None, Some(end)) => {
                let _ = write!(area, "L{end:.1} {HEIGHT}Z");
                last = None;
            }
            (None, None) => {}
        }
    }
    if let Some(end) = last {
        let _ = write!(area, "L{end:.1} {HEIGHT}Z");
    }
    (line, area)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(values: &[Option<f64>]) -> Plot {
        Plot::new("packets", values, 1.0, |value| format!("{value:.0}/s"))
    }

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, end) in [
            (0.0, 1.0),
            (0.7, 1.0),
            (1.0, 1.0),
            (1.1, 2.0),
            (34.0, 50.0),
            (999.0, 1000.0),
        ] {
            assert!((round_up(value) - end).abs() < 1e-9, "{value} -> {}", round_up(value));
        }
    }

    #[test]
    fn a_gap_breaks_the_line() {
        let plot = plot(&[Some(1.0), Some(2.0), None, Some(1.0), Some(2.0)]);
        assert_eq!(plot.line.matches('M').count(), 2, "{}", plot.line);
        assert_eq!(plot.area.matches('Z').count(), 2, "{}", plot.area);
        assert_eq!(
            (plot.top.as_str(), plot.now.as_str(), plot.from.as_str()),
            ("2/s", "2/s", "4 s ago")
        );
    }

    #[test]
    fn nothing_known_is_no_line_and_no_zero() {
        assert_eq!(plot(&[]).line, "");
        assert_eq!(plot(&[None, None]).now, "unknown");
        assert_eq!(plot(&[Some(3.0)]).line, "", "a point is no line");
    }
}
