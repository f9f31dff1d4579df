//! Numbers as people read them: each with its unit.

use std::time::Duration;

/// A number with its thousands told apart.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of bytes in the unit that suits it.
pub fn bytes(value: u64) -> String {
    indicatif::BinaryBytes(value).to_string()
}

/// A duration of so many nanoseconds in the unit that suits it.
pub fn nanoseconds(value: u64) -> String {
    match value {
        0..1_000 => format!("{value} ns"),
        1_000..1_000_000 => format!("{:.1} us", value as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", value as f64 / 1e6),
        _ => format!("{:.2} s", value as f64 / 1e9),
    }
}

/// A part of a whole in percent.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        "-".to_owned()
    } else {
        percent(part as f64 / whole as f64)
    }
}

/// A share, 0 to 1, in percent.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// A share that a person has chosen, 0 to 1, in percent without needless digits.
pub fn chosen_percent(share: f64) -> String {
    let percent = (share * 10_000.0).round() / 100.0;
    format!("{percent} %")
}

/// A value in units of a thousand times each other, such as `12.3 kbit/s` for `unit` "bit/s".
pub fn metric(value: f64, unit: &str) -> String {
    const PREFIXES: [(f64, &str); 4] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let found = PREFIXES.iter().find(|(factor, _)| value >= *factor * 0.9995);
    match found {
        Some((factor, prefix)) => format!("{} {prefix}{unit}", three_digits(value / factor)),
        None => format!("{} {unit}", three_digits(value)),
    }
}

fn three_digits(value: f64) -> String {
    if value >= 99.95 || value == 0.0 {
        format!("{value:.0}")
    } else if value >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// A length of time in its two largest units.
pub fn span(duration: Duration) -> String {
    const UNITS: [(u64, &str, u64, &str); 3] = [(86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")];
    let seconds = duration.as_secs();
    for (unit, name, smaller, smaller_name) in UNITS {
        if seconds >= unit {
            let rest = seconds % unit / smaller;
            return if rest == 0 {
                format!("{} {name}", seconds / unit)
            } else {
                format!("{} {name} {rest} {smaller_name}", seconds / unit)
            };
        }
    }
    if seconds >= 10 || duration.subsec_millis() < 50 {
        format!("{seconds} s")
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

/// A count with its noun, in the plural where it has to be.
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_from_the_right() {
        assert_eq!(number(7), "7");
        assert_eq!(number(1234), "1 234");
        assert_eq!(number(1_234_567), "1 234 567");
    }

    #[test]
    fn values_have_three_digits_and_a_prefix() {
        let of = |value| metric(value, "bit/s");
        assert_eq!(of(0.0), "0 bit/s");
        assert_eq!(of(0.5), "0.50 bit/s");
        assert_eq!(of(123.4), "123 bit/s");
        assert_eq!(of(1234.0), "1.23 kbit/s");
        assert_eq!(of(999_900.0), "1.00 Mbit/s");
        assert_eq!(of(12_345_678_900.0), "12.3 Gbit/s");
    }

    #[test]
    fn spans_have_two_units_at_most() {
        let of = |seconds| span(Duration::from_secs_f64(seconds));
        assert_eq!(of(0.0), "0 s");
        assert_eq!(of(4.25), "4.2 s");
        assert_eq!(of(75.0), "1 min 15 s");
        assert_eq!(of(7200.0), "2 h");
        assert_eq!(of(172_800.0 + 3600.0), "2 d 1 h");
    }

    #[test]
    fn shares_that_were_chosen_have_no_needless_digits() {
        assert_eq!(chosen_percent(0.1), "10 %");
        assert_eq!(chosen_percent(0.125), "12.5 %");
        assert_eq!(share(1, 0), "-");
        assert_eq!(share(1, 8), "12.50 %");
    }
}
