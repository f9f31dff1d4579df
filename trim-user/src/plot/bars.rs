//! Amounts side by side.

use super::scale::{Scale, ticks};
use super::svg::{Anchor, Svg};
use super::unit::Unit;

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it stands for.
    pub name: String,
    /// How long it is; negative and not finite values are drawn as nothing.
    pub value: f64,
    /// Its colour, an index of a series.
    pub colour: usize,
}

/// Horizontal bars with their values.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars<'a> {
    /// What they show.
    pub title: &'a str,
    /// The unit of the values.
    pub unit: Unit,
    /// The bars, from above.
    pub bars: &'a [Bar],
}

const WIDTH: f64 = super::axis::WIDTH;
const TOP: f64 = 28.0;
const ROW: f64 = 24.0;
const LEFT: f64 = 136.0;
/// Right of it only values stand.
const RIGHT: f64 = 370.0;
/// Characters of a name before it is shortened.
const LONGEST_NAME: usize = 18;

impl Bars<'_> {
    /// The plot.
    pub fn svg(&self) -> String {
        let shown = self.bars.iter().map(|bar| self.unit.show(bar.value));
        let words: Vec<String> = self
            .bars
            .iter()
            .zip(shown)
            .map(|(bar, shown)| format!("{}: {shown}.", bar.name))
            .collect();
        let bottom = TOP + ROW * self.bars.len().max(1) as f64;
        let mut svg = Svg::new(WIDTH, bottom + 42.0, self.title, &words.join(" "));
        svg.text("title", (4.0, 16.0), Anchor::Start, self.title);
        let scale = self.axis(&mut svg, bottom);
        for (row, bar) in self.bars.iter().enumerate() {
            let y = TOP + ROW * row as f64;
            let x = if bar.value > 0.0 { scale.at(bar.value) } else { LEFT };
            svg.text("legend", (LEFT - 8.0, y + 16.0), Anchor::End, &shortened(&bar.name));
            let fill = format!("f{}", bar.colour % super::COLOURS);
            svg.rectangle(&fill, (LEFT, y + 4.0), x - LEFT, ROW - 8.0);
            svg.text("tick", (x + 5.0, y + 16.0), Anchor::Start, &self.unit.show(bar.value));
        }
        if self.bars.is_empty() {
            svg.text(
                "legend",
                (LEFT + 8.0, TOP + 16.0),
                Anchor::Start,
                "nothing was measured",
            );
        }
        svg.finish()
    }

    fn axis(&self, svg: &mut Svg, bottom: f64) -> Scale {
        let values = self.bars.iter().map(|bar| bar.value).filter(|value| value.is_finite());
        let most = values.fold(self.unit.smallest_top(), f64::max);
        let scaled = self.unit.scaled(most);
        let (ticks, decimals) = ticks(most / scaled.divisor, 4);
        let top = ticks[ticks.len() - 1] * scaled.divisor;
        let scale = Scale::new((0.0, top), (LEFT, RIGHT));
        for tick in ticks {
            let x = scale.at(tick * scaled.divisor);
            svg.line("grid", (x, TOP), (x, bottom));
            svg.text(
                "tick",
                (x, bottom + 15.0),
                Anchor::Middle,
                &format!("{tick:.decimals$}"),
            );
        }
        svg.line("axis", (LEFT, TOP), (LEFT, bottom));
        let middle = f64::midpoint(LEFT, RIGHT);
        svg.text("unit", (middle, bottom + 32.0), Anchor::Middle, &scaled.label);
        scale
    }
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    let start: String = name.chars().take(LONGEST_NAME - 1).collect();
    format!("{start}\u{2026}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bar_has_its_name_and_value() {
        let bar = |name: &str, value| Bar {
            name: name.to_owned(),
            value,
            colour: 0,
        };
        let bars = [bar("queue_full", 1500.0), bar("a<b", 0.0), bar("odd", f64::NAN)];
        let plot = Bars {
            title: "Loss",
            unit: Unit::Count("packets"),
            bars: &bars,
        };
        let svg = plot.svg();
        for part in [
            ">queue_full<",
            ">1.5 k packets<",
            ">a&lt;b<",
            ">0 packets<",
            ">k packets<",
        ] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        assert!(!svg.contains("width=\"NaN"), "{svg}");
    }
}
