//! One key or section.

use serde::Serialize;
use serde_json::Value;

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// Keys.
    Section,
    /// Several sections, each after a `-`.
    SectionList,
    /// Several values.
    List,
    /// True or false.
    Switch,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// A number of bytes, such as 64MiB.
    Size,
    /// A span of time, such as 250ms.
    Duration,
    /// One of several words.
    Word,
    /// Text.
    Text,
}

impl KeyKind {
    /// The type and its unit, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Section => "section",
            Self::SectionList => "list of sections",
            Self::List => "list",
            Self::Switch => "true or false",
            Self::Whole => "whole number",
            Self::Number => "number",
            Self::Size => "size (bytes, KiB, MiB, GiB, kB, MB, GB)",
            Self::Duration => "duration (ns, us, ms, s, m, h, d)",
            Self::Word => "word",
            Self::Text => "text",
        }
    }
}

/// A word that a key may hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The word.
    pub word: String,
    /// What it means; empty when it says so itself.
    pub meaning: String,
}

/// One key or section.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyInfo {
    /// Its name with its sections, such as `capture.ring_size`; `[]` stands for each item of a list.
    pub key: String,
    /// What it means.
    pub meaning: String,
    /// What it holds.
    pub kind: KeyKind,
    /// The words that are allowed, where words are.
    pub choices: Vec<Choice>,
    /// The least value that is allowed, as it is written.
    pub least: Option<Value>,
    /// The greatest value that is allowed, as it is written.
    pub most: Option<Value>,
    /// What holds when it is not given; null when nothing does.
    pub default: Value,
    /// Whether a change needs a restart of the capture.
    pub restart: bool,
}

impl KeyInfo {
    /// Whether it holds keys.
    pub const fn is_section(&self) -> bool {
        matches!(self.kind, KeyKind::Section | KeyKind::SectionList)
    }

    /// The section it stands in; empty at the top level.
    pub fn parent(&self) -> &str {
        self.key
            .rsplit_once('.')
            .map_or("", |(parent, _)| parent.trim_end_matches("[]"))
    }

    /// Its last word.
    pub fn name(&self) -> &str {
        self.key.rsplit('.').next().unwrap_or(&self.key)
    }

    /// The unit, where the name says it.
    pub fn unit(&self) -> &'static str {
        let name = self.name();
        let is_percent = name.ends_with("percent") || name.ends_with("percents");
        let is_threshold = self.key.starts_with("alerts.rules.") && matches!(name, "warning" | "critical");
        match self.kind {
            _ if is_percent || is_threshold => "percent",
            KeyKind::Whole if name == "frame_size" => "bytes",
            _ => "",
        }
    }

    /// What is allowed, in words; empty when the type says it all.
    pub fn range(&self) -> String {
        if !self.choices.is_empty() {
            let words: Vec<&str> = self.choices.iter().map(|choice| choice.word.as_str()).collect();
            return words.join(", ");
        }
        // What only the type limits has no limit for people.
        let most = self.most.as_ref().filter(|most| {
            most.as_f64()
                .is_none_or(|most| most < 9e15 && most != f64::from(u32::MAX))
        });
        match (&self.least, most) {
            (Some(least), Some(most)) => format!("{} to {}", shown(least), shown(most)),
            (Some(least), None) => format!("{} or more", shown(least)),
            (None, Some(most)) => format!("at most {}", shown(most)),
            (None, None) => String::new(),
        }
    }
}

/// A value as it is written in a file, on one line.
pub(in super::super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{key}: {}", shown(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// Everything inside of a node of the schema.
pub(super) fn collect(node: &Value, path: &str, keys: &mut Vec<KeyInfo>) {
    let Some(properties) = node.get("properties").and_then(Value::as_object) else {
        return;
    };
    for (name, property) in properties {
        let key = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        keys.push(info(&key, property));
        collect(property, &key, keys);
        if let Some(items) = property.get("items") {
            collect(items, &format!("{key}[]"), keys);
        }
    }
}

fn info(key: &str, node: &Value) -> KeyInfo {
    let limit = |word: &str| node.get(format!("x-{word}")).or_else(|| node.get(word)).cloned();
    KeyInfo {
        key: key.to_owned(),
        meaning: node["description"].as_str().unwrap_or_default().to_owned(),
        kind: kind(node),
        choices: choices(node),
        least: limit("minimum"),
        most: limit("maximum"),
        default: node.get("default").cloned().unwrap_or_default(),
        restart: node["x-restart"].as_bool().unwrap_or(true),
    }
}

fn kind(node: &Value) -> KeyKind {
    let has = |word: &str| match &node["type"] {
        Value::Array(types) => types.iter().any(|one| one == word),
        one => one == word,
    };
    match node["x-type"].as_str() {
        Some("size") => return KeyKind::Size,
        Some("duration") => return KeyKind::Duration,
        _ => {}
    }
    if !choices(node).is_empty() {
        KeyKind::Word
    } else if node.get("properties").is_some() {
        KeyKind::Section
    } else if node["items"].get("properties").is_some() {
        KeyKind::SectionList
    } else if has("array") {
        KeyKind::List
    } else if has("boolean") {
        KeyKind::Switch
    } else if has("integer") {
        KeyKind::Whole
    } else if has("number") {
        KeyKind::Number
    } else {
        KeyKind::Text
    }
}

/// Words of an enumeration: with meanings they are alternatives, without they are listed.
fn choices(node: &Value) -> Vec<Choice> {
    let choice = |word: &Value, meaning: &Value| {
        Some(Choice {
            word: word.as_str()?.to_owned(),
            meaning: meaning.as_str().unwrap_or_default().to_owned(),
        })
    };
    let of_enum = |node: &Value| -> Vec<Choice> {
        let words = node["enum"].as_array().into_iter().flatten();
        words.filter_map(|word| choice(word, &Value::Null)).collect()
    };
    let alternatives = node["oneOf"].as_array().into_iter().flatten();
    let of_alternatives = alternatives.flat_map(|one| match one.get("const") {
        Some(word) => choice(word, &one["description"]).into_iter().collect(),
        None => of_enum(one),
    });
    of_enum(node).into_iter().chain(of_alternatives).collect()
}
