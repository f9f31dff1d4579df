//! Ranges and defaults, with every problem collected, and noted as facts for schema and explanation.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::error::Problem;
use super::place::{Key, Place};
use super::units::{Size, Span};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// What the program knows of a key besides its type.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    /// The key with its sections.
    pub(super) key: String,
    /// What holds when it is not given; null when that is nothing.
    pub(super) default: Value,
    /// The least value that is allowed, as it is written in a file.
    pub(super) least: Option<Value>,
    /// The greatest value that is allowed, as it is written in a file.
    pub(super) most: Option<Value>,
}

/// Collects problems, so that all of them are reported at once, and facts, so that nobody has to write them twice.
#[derive(Default)]
pub(super) struct Check {
    pub(super) problems: Vec<Problem>,
    pub(super) facts: Vec<Fact>,
}

pub(super) fn value<T: Copy>(key: &Key<T>) -> Option<T> {
    key.as_ref().map(|given| given.value)
}

impl Check {
    pub(super) fn at(&mut self, place: Place, key: &str, message: impl Display) {
        self.problems.push(Problem::at(place, key, message));
    }

    pub(super) fn nowhere(&mut self, key: &str, message: impl Display) {
        self.problems.push(Problem::nowhere(key, message));
    }

    /// Notes the default of a key that has no range of its own; `()` when there is none.
    pub(super) fn note(&mut self, key: &str, default: impl Serialize) {
        self.fact(key, default, None, None);
    }

    /// Notes default and range of a key.
    pub(super) fn fact(&mut self, key: &str, default: impl Serialize, least: Option<Value>, most: Option<Value>) {
        self.facts.push(Fact {
            key: key.to_owned(),
            default: written(default),
            least,
            most,
        });
    }

    /// What is given, or the default.
    pub(super) fn choice<T: Copy + Serialize>(&mut self, key: &str, given: &Key<T>, default: T) -> T {
        self.note(key, default);
        value(given).unwrap_or(default)
    }

    /// The text that is given, or the default.
    pub(super) fn text(&mut self, key: &str, given: &Key<String>, default: &str) -> String {
        self.note(key, default);
        given
            .as_ref()
            .map_or_else(|| default.to_owned(), |given| given.value.clone())
    }

    /// The text that is given, if any.
    pub(super) fn optional_text(&mut self, key: &str, given: &Key<String>) -> Option<String> {
        self.note(key, ());
        given.as_ref().map(|given| given.value.clone())
    }

    /// The path that is given, or the default.
    pub(super) fn path(&mut self, key: &str, given: &Key<PathBuf>, default: &str) -> PathBuf {
        self.note(key, default);
        given
            .as_ref()
            .map_or_else(|| PathBuf::from(default), |given| given.value.clone())
    }

    /// A number within `least..=most`, or the default.
    pub(super) fn number<T: Copy + PartialOrd + Display + Serialize>(
        &mut self,
        key: &str,
        given: &Key<T>,
        default: T,
        least: T,
        most: T,
    ) -> T {
        self.fact(key, default, Some(written(least)), Some(written(most)));
        self.in_number(key, given, default, least, most)
    }

    fn in_number<T: Copy + PartialOrd + Display>(
        &mut self,
        key: &str,
        given: &Key<T>,
        default: T,
        least: T,
        most: T,
    ) -> T {
        let Some(given) = given else { return default };
        if given.value >= least && given.value <= most {
            return given.value;
        }
        let message = format!("{} is not allowed: a number from {least} to {most}", given.value);
        self.at(given.referenced, key, message);
        default
    }

    pub(super) fn power_of_two(&mut self, key: &str, given: &Key<u32>) {
        if let Some(given) = given
            && !given.value.is_power_of_two()
        {
            let message = format!("{} is not allowed: a power of two", given.value);
            self.at(given.referenced, key, message);
        }
    }

    /// A size within `least..=most` bytes, or the default.
    pub(super) fn size(&mut self, key: &str, given: &Key<Size>, default: u64, least: u64, most: u64) -> u64 {
        self.fact(
            key,
            Size(default),
            Some(written(Size(least))),
            Some(written(Size(most))),
        );
        self.in_size(key, given, default, least, most)
    }

    fn in_size(&mut self, key: &str, given: &Key<Size>, default: u64, least: u64, most: u64) -> u64 {
        let Some(given) = given else { return default };
        if given.value.0 >= least && given.value.0 <= most {
            return given.value.0;
        }
        let range = match most {
            u64::MAX => format!("{} or more", Size(least)),
            _ => format!("a size from {} to {}", Size(least), Size(most)),
        };
        self.at(
            given.referenced,
            key,
            format!("{} is not allowed: {range}", given.value),
        );
        default
    }

    /// A duration within `least..=most`, or the default.
    pub(super) fn span(
        &mut self,
        key: &str,
        given: &Key<Span>,
        default: Duration,
        least: Duration,
        most: Duration,
    ) -> Duration {
        self.fact(
            key,
            Span(default),
            Some(written(Span(least))),
            Some(written(Span(most))),
        );
        self.in_span(key, given, default, least, most)
    }

    fn in_span(
        &mut self,
        key: &str,
        given: &Key<Span>,
        default: Duration,
        least: Duration,
        most: Duration,
    ) -> Duration {
        let Some(given) = given else { return default };
        if given.value.0 >= least && given.value.0 <= most {
            return given.value.0;
        }
        let message = format!("{} is not allowed: from {} to {}", given.value, Span(least), Span(most));
        self.at(given.referenced, key, message);
        default
    }

    /// A number that may be left out.
    pub(super) fn optional_number<T: Copy + PartialOrd + Display + Serialize>(
        &mut self,
        key: &str,
        given: &Key<T>,
        least: T,
        most: T,
    ) -> Option<T> {
        self.fact(key, (), Some(written(least)), Some(written(most)));
        given.as_ref()?;
        Some(self.in_number(key, given, least, least, most))
    }

    /// A size that may be left out.
    pub(super) fn optional_size(&mut self, key: &str, given: &Key<Size>, least: u64) -> Option<u64> {
        self.fact(key, (), Some(written(Size(least))), None);
        given.as_ref()?;
        Some(self.in_size(key, given, least, least, u64::MAX))
    }

    /// A duration that may be left out.
    pub(super) fn optional_span(&mut self, key: &str, given: &Key<Span>, least: Duration) -> Option<Duration> {
        self.fact(key, (), Some(written(Span(least))), Some(written(Span(YEAR))));
        given.as_ref()?;
        Some(self.in_span(key, given, least, least, YEAR))
    }
}

/// A value as it would be written in a file. Shares are kept as fractions and written in percent, so that their last
/// digits are rounded.
pub(super) fn written(value: impl Serialize) -> Value {
    let value = serde_json::to_value(value).unwrap_or(Value::Null);
    match value.as_f64() {
        Some(number) if value.is_f64() => {
            let rounded = (number * 1e9).round() / 1e9;
            match rounded.fract() == 0.0 && rounded.abs() < 1e15 {
                true => Value::from(rounded as i64),
                false => Value::from(rounded),
            }
        }
        _ => value,
    }
}
