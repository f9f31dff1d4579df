//! The JSON Schema of a configuration file, with the defaults and ranges that checking knows.

use std::collections::HashMap;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::super::check::Fact;
use super::super::units::Size;
use super::super::{raw, restart};
use crate::control::alert::rules::RULES;

type Facts<'a> = HashMap<&'a str, &'a Fact>;

/// The schema of the types, with the facts in it. Shared types are written out, as each place has defaults of its own.
pub(super) fn schema(facts: &[Fact]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<raw::File>().to_value();
    let facts: Facts<'_> = facts.iter().map(|fact| (fact.key.as_str(), fact)).collect();
    complete(&mut schema, "", &facts);
    if let Value::Object(root) = &mut schema {
        root.insert("title".to_owned(), json!("Configuration of trim"));
    }
    schema
}

/// Completes what stands under a key.
fn complete(node: &mut Value, path: &str, facts: &Facts<'_>) {
    without_null(node);
    let Value::Object(node) = node else { return };
    if let Some(Value::String(text)) = node.get_mut("description") {
        *text = one_line(text);
    }
    node.remove("default");
    node.remove("format");
    if path == "alerts.rules" {
        write_out_rules(node);
    }
    let inside = match path {
        "" => String::new(),
        path => format!("{path}."),
    };
    let has_keys = match node.get_mut("properties") {
        Some(Value::Object(properties)) => {
            for (name, property) in properties.iter_mut() {
                complete(property, &format!("{inside}{name}"), facts);
            }
            true
        }
        _ => false,
    };
    if let Some(items) = node.get_mut("items") {
        complete(items, &format!("{path}[]"), facts);
    }
    for choice in node
        .get_mut("oneOf")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(Value::String(text)) = choice.get_mut("description") {
            *text = one_line(text);
        }
    }
    if let Some(fact) = facts.get(path.replace("[]", "").as_str()) {
        tell(node, fact);
    }
    // Items of lists belong to their lists.
    if !has_keys && !path.ends_with("[]") && !path.is_empty() {
        node.insert("x-restart".to_owned(), restart::needs_restart(path).into());
    }
    if !path.is_empty() && !path.ends_with("[]") {
        with_null(node);
    }
}

fn tell(node: &mut Map<String, Value>, fact: &Fact) {
    if !fact.default.is_null() {
        node.insert("default".to_owned(), fact.default.clone());
    }
    for (word, limit) in [("minimum", &fact.least), ("maximum", &fact.most)] {
        let Some(limit) = limit else { continue };
        match limit.as_str() {
            None => drop(node.insert(word.to_owned(), limit.clone())),
            // JSON Schema has no ranges of sizes and durations; editors ignore what begins with `x-`. Of a size that is
            // written as a number it knows the range.
            Some(text) => {
                node.insert(format!("x-{word}"), limit.clone());
                if let (Ok(size), true) = (Size::parse(text), node.contains_key("minimum")) {
                    node.insert(word.to_owned(), size.0.into());
                }
            }
        }
    }
}

/// Rules have names that are known, so that editors can complete them.
fn write_out_rules(node: &mut Map<String, Value>) {
    let Some(rule) = node.remove("additionalProperties") else {
        return;
    };
    let named = RULES.iter().map(|kind| {
        let mut rule = rule.clone();
        if let Some(properties) = rule.get_mut("properties").and_then(Value::as_object_mut) {
            let absent: &[&str] = if kind.is_measured() {
                &["level"]
            } else {
                &["warning", "critical"]
            };
            for word in absent {
                properties.remove(*word);
            }
        }
        if let Value::Object(rule) = &mut rule {
            rule.insert("description".to_owned(), json!(format!("The rule `{}`.", kind.name)));
        }
        (kind.name.to_owned(), rule)
    });
    node.insert("properties".to_owned(), Value::Object(named.collect()));
    node.insert("additionalProperties".to_owned(), false.into());
}

/// schemars says of a key that may be left out that it may be null; here its type is wanted alone.
fn without_null(node: &mut Value) {
    if let Some(Value::Array(types)) = node.get_mut("type") {
        types.retain(|word| word != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            node["type"] = only;
        }
    }
    let Some(Value::Array(alternatives)) = node.get_mut("anyOf") else {
        return;
    };
    alternatives.retain(|one| one.get("type").is_none_or(|word| word != "null"));
    if alternatives.len() > 1 {
        return;
    }
    let Some(Value::Object(only)) = alternatives.pop() else {
        return;
    };
    if let Value::Object(node) = node {
        node.remove("anyOf");
        for (word, value) in only {
            // What is said of the key is better than what is said of its type.
            node.entry(word).or_insert(value);
        }
    }
}

/// A key without a value, as in a section whose keys are all comments, means its default.
fn with_null(node: &mut Map<String, Value>) {
    match node.get_mut("type") {
        Some(Value::Array(types)) => types.push("null".into()),
        Some(one @ Value::String(_)) => *one = json!([one.clone(), "null"]),
        _ => {}
    }
    for word in ["oneOf", "anyOf"] {
        if let Some(Value::Array(choices)) = node.get_mut(word) {
            choices.push(json!({ "type": "null" }));
        }
    }
    if let Some(Value::Array(words)) = node.get_mut("enum") {
        words.push(Value::Null);
    }
}

/// Doc comments are broken into lines; meanings are not.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
