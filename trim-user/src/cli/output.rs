//! Printing for people and for programs.

use std::io::Write as _;

use serde::Serialize;

/// Prints one JSON object on one line of standard output.
///
/// # Errors
/// When standard output is closed.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)?;
    out.flush()?;
    Ok(())
}

/// Prints text on standard output.
///
/// # Errors
/// When standard output is closed.
pub(super) fn text(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// A number with its thousands told apart.
pub(super) fn number(value: u64) -> String {
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
pub(super) fn bytes(value: u64) -> String {
    indicatif::BinaryBytes(value).to_string()
}

/// A duration in the unit that suits it.
pub(super) fn nanoseconds(value: u64) -> String {
    match value {
        0..1_000 => format!("{value} ns"),
        1_000..1_000_000 => format!("{:.1} us", value as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", value as f64 / 1e6),
        _ => format!("{:.2} s", value as f64 / 1e9),
    }
}

/// A part of a whole in percent.
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        "-".to_owned()
    } else {
        format!("{:.2} %", part as f64 * 100.0 / whole as f64)
    }
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
}
