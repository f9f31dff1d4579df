//! Units, and numbers as people read them.

/// What a value is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of things, which are named: `packets`, `packets/s`.
    Count(&'static str),
    /// Bytes; shown with powers of 1024.
    Bytes,
    /// Bytes per second; shown with powers of 1000, as networks are.
    BytesPerSecond,
    /// Nanoseconds.
    Nanoseconds,
    /// A share, 0 to 1; shown in percent.
    Share,
}

/// A unit of a convenient size: values are divided by `divisor` and followed by `label`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scaled {
    pub(super) divisor: f64,
    pub(super) label: String,
}

const THOUSANDS: [(f64, &str); 5] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")];
const BINARY: [(f64, &str); 5] = [
    (1_099_511_627_776.0, "TiB"),
    (1_073_741_824.0, "GiB"),
    (1_048_576.0, "MiB"),
    (1024.0, "KiB"),
    (1.0, "bytes"),
];
const TIMES: [(f64, &str); 4] = [(1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")];

impl Unit {
    /// The unit that suits values up to `most`.
    pub(super) fn scaled(self, most: f64) -> Scaled {
        let pick = |steps: &[(f64, &'static str)]| {
            let last = steps[steps.len() - 1];
            steps
                .iter()
                .copied()
                .find(|(size, _)| most.abs() >= *size)
                .unwrap_or(last)
        };
        let (divisor, label) = match self {
            Self::Share => (0.01, "%".to_owned()),
            Self::Bytes => owned(pick(&BINARY)),
            Self::Nanoseconds => owned(pick(&TIMES)),
            Self::BytesPerSecond => prefixed(pick(&THOUSANDS), "B/s"),
            Self::Count(things) => prefixed(pick(&THOUSANDS), things),
        };
        Scaled { divisor, label }
    }

    /// The smallest top of an axis: a plot of zeros needs one.
    pub(super) const fn smallest_top(self) -> f64 {
        match self {
            Self::Share => 0.01,
            Self::Bytes | Self::BytesPerSecond | Self::Nanoseconds | Self::Count(_) => 1.0,
        }
    }

    /// A value with its unit, in three or four digits.
    ///
    /// ```
    /// use trim_user::plot::Unit;
    /// assert_eq!(Unit::Bytes.show(3_145_728.0), "3 MiB");
    /// assert_eq!(Unit::Nanoseconds.show(1534.0), "1.53 us");
    /// assert_eq!(Unit::Share.show(0.125), "12.5 %");
    /// ```
    pub fn show(self, value: f64) -> String {
        let Scaled { divisor, label } = self.scaled(value);
        format!("{} {label}", digits(value / divisor)).trim_end().to_owned()
    }
}

fn owned((size, label): (f64, &str)) -> (f64, String) {
    (size, label.to_owned())
}

fn prefixed((size, prefix): (f64, &str), things: &str) -> (f64, String) {
    let space = if prefix.is_empty() || things == "B/s" { "" } else { " " };
    (size, format!("{prefix}{space}{things}"))
}

/// A number with about three digits, without zeros at its end.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.001 => 4,
        _ => 7,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_people_read_them() {
        for (unit, value, shown) in [
            (Unit::Count("packets/s"), 1_234_567.0, "1.23 M packets/s"),
            (Unit::Count("packets"), 0.0, "0 packets"),
            (Unit::Count(""), 12.0, "12"),
            (Unit::Bytes, 1536.0, "1.5 KiB"),
            (Unit::BytesPerSecond, 125_000_000.0, "125 MB/s"),
            (Unit::Nanoseconds, 2.5e9, "2.5 s"),
            (Unit::Nanoseconds, 0.0, "0 ns"),
            (Unit::Share, 0.000_01, "0.001 %"),
            (Unit::Share, 1.0, "100 %"),
        ] {
            assert_eq!(unit.show(value), shown);
        }
    }
}
