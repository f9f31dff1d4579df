//! Plots as inline SVG text: time series, bars, percentile curves, one value by another, and sparklines. Pure.
//!
//! Colours are CSS variables of [`STYLE`], so that a page is light or dark as its reader is; a page puts `STYLE` into its
//! style sheet once. Every axis has a unit, what was not measured is a gap, and without any data the plot says so. No
//! plotting crate makes SVG that a style sheet can colour, which is why this is here.

mod axis;
mod bars;
mod lines;
mod percentiles;
mod relation;
mod scale;
mod sparkline;
mod svg;
mod unit;

pub use bars::{Bar, Bars};
pub use lines::{Lines, Mark, Series};
pub use percentiles::{Curve, Percentiles};
pub use relation::{Line, Relation};
pub use sparkline::sparkline;
pub use svg::escape;
pub use unit::Unit;

/// The style sheet of all plots: series have the classes `s0` to `s5`, and turn round.
pub const STYLE: &str = include_str!("plot.css");

/// A plot as a file of its own, which an image viewer shows in the same colours.
pub fn standalone(svg: &str) -> String {
    svg.replacen("><title>", &format!("><style>{STYLE}</style><title>"), 1)
}

/// Colours before they turn round.
const COLOURS: usize = 6;

/// The class of the series with this index.
fn class(index: usize) -> String {
    format!("s{}", index % COLOURS)
}
