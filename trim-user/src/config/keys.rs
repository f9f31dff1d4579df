//! Configurations to compare and to keep: key by key, as one text, and parts of one laid over another.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::check::Fact;
use super::error::Problem;
use super::loaded::Loaded;
use super::place::Source;
use super::stack;
use super::tree::{Kind, Node, Scalar, Style};

/// Keys of channels have the channel's name in them instead of a section: their defaults cannot be laid under them.
const NAMED: &str = "alerts.channels.";

/// One key as it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyValue {
    /// Its value as it would be written; null when it has none.
    pub value: Value,
    /// Where it was written, such as `/etc/trim/trim.yaml:3:5` or `--interface`; `None` when it is the default.
    pub origin: Option<String>,
}

/// Every key that has a value or a default, by its name with its sections. An item of a list of sections is named by its
/// `name`, as in `alerts.channels.log_file[log].path`.
pub type Keys = BTreeMap<String, KeyValue>;

impl Loaded {
    /// What holds.
    pub fn keys(&self) -> Keys {
        keys(&self.tree, &stack::facts_of(""), &self.sources)
    }

    /// What was written in all layers, as one text in YAML. Secrets are in it as references, because nothing else is allowed.
    pub fn text(&self) -> String {
        let facts = stack::facts_of("");
        let mut text = String::new();
        yaml(&mut text, &value(&self.tree, "", &by_key(&facts)), 0);
        text
    }

    /// SHA-256 of [`text`](Self::text), in hexadecimal.
    pub fn sha256(&self) -> String {
        Sha256::digest(self.text())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// This configuration, with some keys or whole sections as they are in `other`; validated anew.
    ///
    /// # Errors
    /// What is wrong with the two of them together.
    pub fn taking(&self, other: &Self, keys: &[&str]) -> Result<Self, Vec<Problem>> {
        let mut sources = self.sources.clone();
        let shift = u32::try_from(sources.len()).unwrap_or(u32::MAX);
        sources.extend(other.sources.iter().cloned());
        let mut theirs = other.tree.clone();
        theirs.shift_layers(shift);
        let mut tree = self.tree.clone();
        for key in keys {
            tree.put(key, theirs.get(key).cloned());
        }
        stack::of_tree(tree, sources)
    }
}

/// What a text comes to that was valid once: with the defaults of this program, and not checked for ranges.
///
/// # Errors
/// When it is no YAML.
pub fn keys_of(text: &str) -> Result<Keys, Vec<Problem>> {
    let tree = super::tree::parse(text, 0)?;
    Ok(keys(&tree, &stack::facts_of(""), &[Source::Text]))
}

fn by_key(facts: &[Fact]) -> BTreeMap<&str, &Value> {
    facts.iter().map(|fact| (fact.key.as_str(), &fact.default)).collect()
}

fn keys(tree: &Node, facts: &[Fact], sources: &[Source]) -> Keys {
    let defaults = by_key(facts);
    let unwritten = facts.iter().filter(|fact| !fact.key.starts_with(NAMED));
    let default = |fact: &Fact| KeyValue {
        value: fact.default.clone(),
        origin: None,
    };
    let mut keys: Keys = unwritten.map(|fact| (fact.key.clone(), default(fact))).collect();
    flatten(tree, "", &defaults, sources, &mut keys);
    keys
}

fn flatten(node: &Node, path: &str, defaults: &BTreeMap<&str, &Value>, sources: &[Source], keys: &mut Keys) {
    match &node.kind {
        Kind::Map(entries) => {
            for entry in entries {
                let path = joined(path, &entry.key);
                flatten(&entry.value, &path, defaults, sources, keys);
            }
        }
        Kind::List(items) if items.iter().any(|item| matches!(item.kind, Kind::Map(_))) => {
            for (at, item) in items.iter().enumerate() {
                let name = item.get("name").and_then(text_of).unwrap_or_else(|| at.to_string());
                flatten(item, &format!("{path}[{name}]"), defaults, sources, keys);
            }
        }
        // Nothing is given: the default holds.
        Kind::Scalar(scalar) if scalar.is_null() && defaults.contains_key(path) => {}
        Kind::List(_) | Kind::Scalar(_) => {
            let written = KeyValue {
                value: value(node, path, defaults),
                origin: origin(node, sources),
            };
            keys.insert(path.to_owned(), written);
        }
    }
}

fn joined(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        _ => format!("{path}.{key}"),
    }
}

fn text_of(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Scalar(scalar) => Some(scalar.text.clone()),
        Kind::List(_) | Kind::Map(_) => None,
    }
}

fn origin(node: &Node, sources: &[Source]) -> Option<String> {
    let source = sources.get(usize::try_from(node.place.layer).ok()?)?;
    Some(match node.place.line {
        0 => source.to_string(),
        line => format!("{source}:{line}:{}", node.place.column),
    })
}

/// A node as JSON. Words of a variable or a flag become a list where the default is one.
fn value(node: &Node, path: &str, defaults: &BTreeMap<&str, &Value>) -> Value {
    match &node.kind {
        Kind::Map(entries) => {
            let member = |key: &str, node| (key.to_owned(), value(node, &joined(path, key), defaults));
            Value::Object(
                entries
                    .iter()
                    .map(|entry| member(&entry.key, &entry.value))
                    .collect::<Map<_, _>>(),
            )
        }
        Kind::List(items) => items.iter().map(|item| value(item, path, defaults)).collect(),
        Kind::Scalar(scalar) if is_list(scalar, path, defaults) => {
            let words = scalar.text.split(',').map(|word| Scalar {
                text: word.trim().to_owned(),
                style: Style::Words,
            });
            words.map(|word| word.json()).collect()
        }
        Kind::Scalar(scalar) => scalar.json(),
    }
}

fn is_list(scalar: &Scalar, path: &str, defaults: &BTreeMap<&str, &Value>) -> bool {
    scalar.style == Style::Words && !scalar.is_null() && defaults.get(path).is_some_and(|default| default.is_array())
}

/// Writes sections as blocks and everything else as JSON, which is YAML, too.
fn yaml(text: &mut String, value: &Value, depth: usize) {
    let Value::Object(members) = value else { return };
    for (key, member) in members {
        let key = Value::from(key.as_str()).to_string();
        let key = match key.trim_matches('"') {
            plain if plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => plain,
            _ => key.as_str(),
        };
        text.push_str(&"  ".repeat(depth));
        text.push_str(key);
        match member {
            Value::Object(inner) if !inner.is_empty() => {
                text.push_str(":\n");
                yaml(text, member, depth + 1);
            }
            _ => {
                text.push_str(": ");
                text.push_str(&member.to_string());
                text.push('\n');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(text: &str) -> Loaded {
        stack::of_text(text).unwrap()
    }

    const WRITTEN: &str = "capture:\n  interfaces: [eth0, eth1]\nalerts:\n  repeat: 2h\n  rules:\n    cpu: {warning: 60}\n  \
                           channels:\n    log_file:\n      - {name: log, path: /tmp/log}\noutput:\n  prefix: '123'\n";

    #[test]
    fn keys_hold_what_is_written_over_the_defaults_with_their_places() {
        let keys = loaded(WRITTEN).keys();
        assert_eq!(keys["capture.interfaces"].value, serde_json::json!(["eth0", "eth1"]));
        assert_eq!(keys["capture.interfaces"].origin.as_deref(), Some("configuration:2:15"));
        assert_eq!(keys["alerts.channels.log_file[log].path"].value, "/tmp/log");
        assert_eq!(keys["output.prefix"].value, "123");
        assert_eq!(keys["capture.pin"].value, true);
        assert_eq!(keys["capture.pin"].origin, None);
    }

    #[test]
    fn the_text_says_the_same_again() {
        let first = loaded(WRITTEN);
        let second = loaded(&first.text());
        let values = |loaded: &Loaded| -> BTreeMap<_, _> {
            loaded.keys().into_iter().map(|(key, it)| (key, it.value)).collect()
        };
        assert_eq!(values(&first), values(&second), "{}", first.text());
        assert_eq!(first.text(), second.text());
    }

    #[test]
    fn some_keys_are_taken_and_others_stay() {
        let old = loaded("alerts:\n  repeat: 2h\nlogging:\n  level: info\noutput:\n  prefix: old\n");
        let new = loaded("alerts:\n  repeat: 3h\n  rules:\n    cpu: {warning: 60}\noutput:\n  prefix: new\n");
        let mixed = old
            .taking(&new, &["alerts.repeat", "alerts.rules", "logging.level"])
            .unwrap();
        let keys = mixed.keys();
        assert_eq!(keys["alerts.repeat"].value, "3h");
        assert_eq!(keys["alerts.rules.cpu.warning"].value, 60);
        assert_eq!(keys["output.prefix"].value, "old");
        assert!(
            keys.get("logging.level").is_none_or(|level| level.origin.is_none()),
            "it is the default again"
        );
        assert_eq!(mixed.config.alerts.engine.repeat.as_secs(), 3 * 3600);
    }

    #[test]
    fn words_of_flags_are_lists_where_lists_belong() {
        let layers = crate::config::Layers::default()
            .with_flag("--interface", "capture.interfaces", "eth0,eth1")
            .with_flag("--set", "logging.redact", "a,b");
        let loaded = layers.load().unwrap();
        assert_eq!(
            loaded.keys()["capture.interfaces"].value,
            serde_json::json!(["eth0", "eth1"])
        );
        assert_eq!(
            loaded.keys()["capture.interfaces"].origin.as_deref(),
            Some("--interface")
        );
        let again = stack::of_text(&loaded.text()).unwrap();
        assert_eq!(again.config.logging.redact, ["a", "b"]);
        assert_eq!(again.config.capture.interfaces, ["eth0", "eth1"]);
    }
}
