//! What all plots with axes share: the frame, its ticks, the legend.

use super::scale::{Scale, times};
use super::svg::{Anchor, Svg};
use super::{class, unit::Unit};

/// Size of a plot, units of its view box; near to the pixels it gets, so that text stays readable on a phone.
pub(super) const WIDTH: f64 = 480.0;
pub(super) const HEIGHT: f64 = 260.0;
pub(super) const LEFT: f64 = 58.0;
pub(super) const RIGHT: f64 = 466.0;
const TOP: f64 = 74.0;
const BOTTOM: f64 = 216.0;
/// Width of a letter, about: SVG cannot be asked.
const LETTER: f64 = 6.6;

/// Where things go: title, legend and axes are drawn.
pub(super) struct Frame {
    pub(super) svg: Svg,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Frame {
    /// A plot with a title, the names of its series, and a description.
    pub(super) fn new(title: &str, description: &str, series: &[&str]) -> Self {
        let mut svg = Svg::new(WIDTH, HEIGHT, title, description);
        svg.text("title", (4.0, 16.0), Anchor::Start, title);
        if series.len() > 1 {
            legend(&mut svg, series);
        }
        Self {
            svg,
            top: TOP,
            bottom: BOTTOM,
        }
    }

    /// The vertical axis of values from 0 to `most`: ticks, grid and unit.
    pub(super) fn values(&mut self, unit: Unit, most: f64) -> Scale {
        let most = if most.is_finite() { most } else { 0.0 }.max(unit.smallest_top());
        let scaled = unit.scaled(most);
        let (ticks, decimals) = super::scale::ticks(most / scaled.divisor, 4);
        let top = ticks[ticks.len() - 1] * scaled.divisor;
        let scale = Scale::new((0.0, top), (self.bottom, self.top));
        for tick in ticks {
            let y = scale.at(tick * scaled.divisor);
            self.tick(y, &format!("{tick:.decimals$}"));
        }
        self.unit(&scaled.label);
        scale
    }

    /// A tick of the vertical axis with its line across.
    pub(super) fn tick(&mut self, y: f64, label: &str) {
        self.svg.line("grid", (LEFT, y), (RIGHT, y));
        self.svg.text("tick", (LEFT - 6.0, y + 4.0), Anchor::End, label);
    }

    /// The unit of the vertical axis.
    pub(super) fn unit(&mut self, label: &str) {
        self.svg.text("unit", (4.0, TOP - 20.0), Anchor::Start, label);
    }

    /// The horizontal axis of time, in UTC, milliseconds since 1970.
    pub(super) fn time(&mut self, from: u64, to: u64) -> Scale {
        let scale = Scale::new((from as f64, to as f64), (LEFT, RIGHT));
        self.svg.line("axis", (LEFT, self.bottom), (RIGHT, self.bottom));
        for (at, label) in times(from, to, 6) {
            let x = scale.at(at as f64);
            self.svg.line("axis", (x, self.bottom), (x, self.bottom + 4.0));
            // The outermost labels stay within the picture.
            let half = label.len() as f64 * LETTER / 2.0;
            let x = x.clamp(half, WIDTH - half);
            self.svg.text("tick", (x, self.bottom + 17.0), Anchor::Middle, &label);
        }
        let day = |at: u64| {
            let time = i64::try_from(at)
                .ok()
                .and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
            time.map_or_else(String::new, |time| time.strftime("%F").to_string())
        };
        let (first, last) = (day(from), day(to));
        let days = if first == last {
            first
        } else {
            format!("{first} to {last}")
        };
        self.below(&format!("time, UTC, {days}"));
        scale
    }

    /// What the horizontal axis shows.
    pub(super) fn below(&mut self, label: &str) {
        let middle = f64::midpoint(LEFT, RIGHT);
        self.svg
            .text("unit", (middle, self.bottom + 36.0), Anchor::Middle, label);
    }

    /// Says that there is nothing to see.
    pub(super) fn empty(&mut self) {
        let middle = (f64::midpoint(LEFT, RIGHT), f64::midpoint(self.top, self.bottom));
        self.svg
            .text("legend", middle, Anchor::Middle, "nothing was measured in this time");
    }
}

/// One line of names, each with its colour.
fn legend(svg: &mut Svg, series: &[&str]) {
    let mut x = 6.0;
    for (index, name) in series.iter().enumerate() {
        svg.line(&format!("line {}", class(index)), (x, 30.0), (x + 16.0, 30.0));
        svg.text("legend", (x + 21.0, 34.0), Anchor::Start, name);
        x += 36.0 + name.chars().count() as f64 * LETTER;
    }
}
