//! What a scalar means, by the core schema of YAML 1.2.

use serde_json::Value;

use super::{Scalar, Style};

/// A scalar whose type the reader does not know.
pub(in super::super) enum Meaning<'a> {
    Null,
    Bool(bool),
    Whole(u64),
    Negative(i64),
    Float(f64),
    Text(&'a str),
}

impl Scalar {
    pub(in super::super) fn is_null(&self) -> bool {
        self.style != Style::Quoted && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// Its meaning when nothing else is expected.
    pub(in super::super) fn meaning(&self) -> Meaning<'_> {
        if self.style == Style::Quoted {
            return Meaning::Text(&self.text);
        }
        if self.is_null() {
            return Meaning::Null;
        }
        if let Some(value) = self.bool() {
            return Meaning::Bool(value);
        }
        if let Some(value) = self.whole() {
            return Meaning::Whole(value);
        }
        if let Ok(value) = self.text.parse() {
            return Meaning::Negative(value);
        }
        match self.float() {
            Some(value) => Meaning::Float(value),
            None => Meaning::Text(&self.text),
        }
    }

    /// As JSON.
    pub(in super::super) fn json(&self) -> Value {
        match self.meaning() {
            Meaning::Null => Value::Null,
            Meaning::Bool(value) => value.into(),
            Meaning::Whole(value) => value.into(),
            Meaning::Negative(value) => value.into(),
            Meaning::Float(value) => value.into(),
            Meaning::Text(text) => text.into(),
        }
    }

    pub(super) fn bool(&self) -> Option<bool> {
        match self.text.as_str() {
            _ if self.style == Style::Quoted => None,
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        }
    }

    pub(super) fn whole(&self) -> Option<u64> {
        let plain = (self.style != Style::Quoted).then_some(self.text.as_str())?;
        match plain.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => plain.bytes().all(|b| b.is_ascii_digit()).then(|| plain.parse().ok())?,
        }
    }

    /// A finite number.
    pub(super) fn float(&self) -> Option<f64> {
        let plain = (self.style != Style::Quoted).then_some(self.text.as_str())?;
        let is_number = plain.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        let value: f64 = is_number.then(|| plain.parse().ok())??;
        value.is_finite().then_some(value)
    }
}
