//! Which alerts are meant: `rule=slow_down,strategy!=legacy`, with `*` for any text.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::notice::Notice;

/// One condition on a label; `rule` and `level` count as labels. A label that is not there has the empty value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matcher {
    /// Name of the label.
    pub label: String,
    /// Whether the value has to differ.
    #[serde(default)]
    pub differs: bool,
    /// The value; `*` stands for any text.
    pub value: String,
}

impl Matcher {
    fn matches(&self, notice: &Notice) -> bool {
        let value = match self.label.as_str() {
            "rule" => &notice.rule,
            "level" => notice.level.name(),
            other => notice.labels.get(other).map_or("", String::as_str),
        };
        is_like(&self.value, value) != self.differs
    }
}

/// Conditions that all have to hold; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Matchers(Vec<Matcher>);

impl Matchers {
    /// Reads `label=value` and `label!=value`, separated by commas.
    ///
    /// # Errors
    /// What is wrong and what is allowed. Nothing at all is not allowed: it would mean every alert.
    pub fn parse(text: &str) -> Result<Self, String> {
        let one = |part: &str| {
            let (label, value) = part.split_once('=')?;
            let (label, differs) = label.strip_suffix('!').map_or((label, false), |label| (label, true));
            let label = label.trim();
            let is_word = !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            is_word.then(|| Matcher {
                label: label.to_owned(),
                differs,
                value: value.trim().to_owned(),
            })
        };
        let matchers: Option<Vec<Matcher>> = text.split(',').map(one).collect();
        matchers.map(Self).ok_or_else(|| {
            format!("`{text}` matches nothing: write label=value or label!=value, separated by commas, such as rule=slow_down,strategy=scanning; `*` stands for any text")
        })
    }

    /// Whether all of them hold.
    pub fn matches(&self, notice: &Notice) -> bool {
        self.0.iter().all(|matcher| matcher.matches(notice))
    }
}

impl fmt::Display for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, matcher) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let sign = if matcher.differs { "!=" } else { "=" };
            write!(f, "{comma}{}{sign}{}", matcher.label, matcher.value)?;
        }
        Ok(())
    }
}

/// Whether `text` is `pattern` with some text for each `*`. Linear in practice: after a `*` the first place that fits
/// is taken, which is right because a later `*` can take what is left.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::super::notice::Level;
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("eth0", "eth0", true),
            ("eth0", "eth01", false),
            ("eth*", "eth", true),
            ("*", "", true),
            ("*0", "eth0", true),
            ("e*h*0", "eth0", true),
            ("e*0*", "eth0", true),
            ("a*a", "a", false),
            ("e*x*0", "eth0", false),
        ] {
            assert_eq!(is_like(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn all_conditions_have_to_hold() {
        let notice = Notice::new(Level::Warning, "slow_down", "").label("strategy", "scanning");
        for (text, expected) in [
            ("rule=slow_down", true),
            ("rule=slow_down, strategy=scanning", true),
            ("rule=slow_down,strategy!=scanning", false),
            ("level=warning", true),
            ("level!=critical,strategy=s*", true),
            ("host=", true),
            ("host=a", false),
        ] {
            assert_eq!(Matchers::parse(text).unwrap().matches(&notice), expected, "{text}");
        }
    }

    #[test]
    fn nothing_and_half_a_condition_are_refused() {
        for text in ["", "rule", "=x", "rule=a,", "a b=c"] {
            assert!(Matchers::parse(text).unwrap_err().contains("label=value"), "{text}");
        }
        let text = "rule=slow*,strategy!=legacy";
        assert_eq!(Matchers::parse(text).unwrap().to_string(), text);
    }
}
