//! A line as high as its text.

use std::fmt::Write as _;

use super::scale::Scale;
use super::svg::{escape, path};

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 24.0;

/// A small line through values at equal distances, `None` where nothing was measured. `title` says in words what it shows.
pub fn sparkline(title: &str, values: &[Option<f64>]) -> String {
    let mut svg = format!(
        "<svg class=\"plot spark\" role=\"img\" viewBox=\"0 0 {WIDTH} {HEIGHT}\"><title>{}</title>",
        escape(title)
    );
    let finite = |value: &Option<f64>| value.filter(|value| value.is_finite());
    let most = values.iter().filter_map(finite).fold(0.0, f64::max);
    let across = Scale::new((0.0, values.len().saturating_sub(1) as f64), (2.0, WIDTH - 2.0));
    let up = Scale::new((0.0, most), (HEIGHT - 2.0, 2.0));
    let places: Vec<Option<(f64, f64)>> = values
        .iter()
        .enumerate()
        .map(|(index, value)| finite(value).map(|value| (across.at(index as f64), up.at(value))))
        .collect();
    for run in places.split(Option::is_none).filter(|run| !run.is_empty()) {
        let points: Vec<_> = run.iter().flatten().copied().collect();
        let _ = write!(svg, "<path class=\"line s0\" d=\"{}\"/>", path(&points));
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_stay_gaps() {
        let svg = sparkline("packets/s", &[Some(1.0), Some(2.0), None, Some(f64::NAN), Some(3.0)]);
        assert_eq!(svg.matches("<path").count(), 2);
        assert!(!svg.contains("NaN"));
        assert!(!sparkline("nothing", &[]).contains("<path"));
    }
}
