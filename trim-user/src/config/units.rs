//! Sizes and durations as people write them: `64MiB`, `250ms`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// A number of bytes: a plain number, or one with `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024) or `kB`, `MB`, `GB`,
/// `TB` (powers of 1000).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// A span of time: a number with `ns`, `us`, `ms`, `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

const SIZE_UNITS: [(&str, u64); 10] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

const SPAN_UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

impl Size {
    /// Reads a size; the error says what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (number, unit) = split(text);
        let unit = if unit.is_empty() { "B" } else { unit };
        scaled(number, unit, &SIZE_UNITS)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a size: write a whole number of bytes, or one with KiB, MiB, GiB, kB, MB or GB, such as 64MiB"))
    }
}

impl Span {
    /// Reads a span of time; the error says what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (number, unit) = split(text);
        scaled(number, unit, &SPAN_UNITS)
            .map(|ns| Self(Duration::from_nanos(ns)))
            .ok_or_else(|| {
                format!("`{text}` is not a duration: write a whole number with ns, us, ms, s, m, h or d, such as 250ms")
            })
    }
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (&text[..digits], text[digits..].trim_start())
}

fn scaled(number: &str, unit: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

struct Text<T> {
    expects: &'static str,
    parse: fn(&str) -> Result<T, String>,
}

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expects)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<T, E> {
        (self.parse)(&value.to_string()).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<T, E> {
        (self.parse)(&value.to_string()).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<T, E> {
        (self.parse)(value).map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text {
            expects: "a size such as 64MiB",
            parse: Self::parse,
        })
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text {
            expects: "a duration such as 250ms",
            parse: Self::parse,
        })
    }
}

/// The largest unit of which it is a whole number.
fn whole_units(value: u64, units: &[(&str, u64)]) -> String {
    let fitting = units
        .iter()
        .rev()
        .find(|(_, factor)| value >= *factor && value.is_multiple_of(*factor));
    match fitting {
        Some((unit, factor)) => format!("{}{unit}", value / factor),
        None => value.to_string(),
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 < 1024 {
            true => self.0.fmt(f),
            false => f.write_str(&whole_units(self.0, &SIZE_UNITS[..5])),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u64::try_from(self.0.as_nanos()) {
            Ok(0) => f.write_str("0s"),
            Ok(ns) => f.write_str(&whole_units(ns, &SPAN_UNITS)),
            Err(_) => write!(f, "{}s", self.0.as_secs()),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 < 1024 {
            true => serializer.serialize_u64(self.0),
            false => serializer.collect_str(self),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["integer", "string"],
            "minimum": 0,
            "pattern": "^[0-9]+ ?(B|KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB)?$",
            "x-type": "size",
        })
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]+ ?(ns|us|ms|s|m|h|d)$",
            "x-type": "duration",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_read_with_their_units() {
        assert_eq!(Size::parse("4096"), Ok(Size(4096)));
        assert_eq!(Size::parse("64MiB"), Ok(Size(64 << 20)));
        assert_eq!(Size::parse("2 GB"), Ok(Size(2_000_000_000)));
        assert_eq!(Span::parse("250ms"), Ok(Span(Duration::from_millis(250))));
        assert_eq!(Span::parse("2h"), Ok(Span(Duration::from_secs(7200))));
    }

    #[test]
    fn what_is_shown_is_read_as_the_same() {
        for bytes in [0, 1, 1000, 1024, 1536, 256 << 10, 500 << 30, (1 << 30) + 1] {
            assert_eq!(Size::parse(&Size(bytes).to_string()), Ok(Size(bytes)));
        }
        for ns in [0, 1, 1500, 250_000_000, 3_600_000_000_000, 86_400_000_000_000 * 30] {
            let span = Span(Duration::from_nanos(ns));
            assert_eq!(Span::parse(&span.to_string()), Ok(span));
        }
        assert_eq!(Size(256 << 10).to_string(), "256KiB");
        assert_eq!(Span(Duration::from_secs(90)).to_string(), "90s");
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in ["", "-1", "1.5GiB", "64 mb", "99999999999TiB"] {
            assert!(Size::parse(text).unwrap_err().contains("such as 64MiB"), "{text}");
        }
        for text in ["", "10", "5 fortnights"] {
            assert!(Span::parse(text).unwrap_err().contains("such as 250ms"), "{text}");
        }
    }
}
