//! A log line, and how it looks as text and as JSON.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// Bytes of a message or value that are kept; the rest of a longer one is left out.
const LONGEST: usize = 16 << 10;

/// How serious a line is, the most serious first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A failure.
    Error,
    /// What may become one.
    Warn,
    /// What an operator wants to know.
    Info,
    /// What a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// As it stands in a line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
            Self::Trace => "TRACE",
        }
    }

    /// The level of this name, in any case.
    ///
    /// # Errors
    /// For any other word: what is allowed.
    pub fn parse(name: &str) -> Result<Self, String> {
        let found = Self::ALL
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| format!("`{name}` is no level: error, warn, info, debug or trace"))
    }

    /// What syslog and the journal call it (RFC 5424 section 6.2.1).
    pub const fn priority(self) -> u8 {
        match self {
            Self::Error => 3,
            Self::Warn => 4,
            Self::Info => 6,
            Self::Debug | Self::Trace => 7,
        }
    }
}

/// One line, its secrets already taken out.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// When.
    pub at: jiff::Timestamp,
    /// How serious.
    pub level: Level,
    /// The module it comes from.
    pub target: String,
    /// What it says.
    pub message: String,
    /// Names and values besides.
    pub fields: Vec<(String, String)>,
}

impl Line {
    /// A line of the log about itself.
    pub fn of_log(level: Level, message: String) -> Self {
        Self {
            at: jiff::Timestamp::now(),
            level,
            target: module_path!().to_owned(),
            message,
            fields: Vec::new(),
        }
    }

    /// `2026-01-01T00:00:00.000000Z  INFO target: message name=value`. Line ends and other control characters are escaped, so
    /// that nobody can forge a line.
    pub fn text(&self, is_coloured: bool) -> String {
        let colour = match self.level {
            Level::Error => "31",
            Level::Warn => "33",
            Level::Info => "32",
            Level::Debug | Level::Trace => "34",
        };
        let level = if is_coloured {
            format!("\x1b[{colour}m{:>5}\x1b[0m", self.level.name())
        } else {
            format!("{:>5}", self.level.name())
        };
        let mut text = format!("{:.6} {level} {}: {}", self.at, self.target, plain(&self.message));
        for (name, value) in &self.fields {
            let value = plain(value);
            let is_word = !value.is_empty() && !value.contains([' ', '"', '=']);
            let _ = if is_word {
                write!(text, " {name}={value}")
            } else {
                write!(text, " {name}={value:?}")
            };
        }
        text
    }

    /// One JSON object.
    pub fn json(&self) -> String {
        let mut fields = Map::new();
        fields.insert("message".to_owned(), Value::from(self.message.as_str()));
        for (name, value) in &self.fields {
            fields.insert(name.clone(), scalar(value));
        }
        json!({
            "timestamp": format!("{:.6}", self.at),
            "level": self.level.name(),
            "target": self.target,
            "fields": fields,
        })
        .to_string()
    }
}

/// Numbers and truth values stay what they are.
fn scalar(text: &str) -> Value {
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => Value::from(text),
    }
}

/// Text on one line.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Text that is not too long for a line.
pub(super) fn bounded(mut text: String) -> String {
    if text.len() > LONGEST {
        let left_out = text.len() - LONGEST;
        text.truncate(text.floor_char_boundary(LONGEST));
        let _ = write!(text, "... ({left_out} bytes more)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_forge_a_line() {
        let mut line = Line::of_log(Level::Warn, "a\nb\u{1b}[31m".to_owned());
        line.fields.push(("name".to_owned(), "x y\r\n".to_owned()));
        let text = line.text(false);
        assert!(!text.contains(['\n', '\r', '\u{1b}']), "{text}");
        assert_eq!(line.json().lines().count(), 1);
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let text = bounded("\u{e9}".repeat(LONGEST));
        assert!(text.len() < LONGEST + 40, "{}", text.len());
        assert!(text.ends_with("bytes more)"));
    }
}
