//! Single values and lists as YAML writes them on one line.

use serde_json::Value;

/// A value on one line as YAML writes it, in quotes where YAML needs them or could take it for something else.
pub fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{key}: {}", flow(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Text without quotes where it is a word, a path or an amount; in JSON's quotes, which are YAML's, elsewhere.
fn quoted(text: &str) -> String {
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_./-".contains(&b))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && text.parse::<f64>().is_err()
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    // JSON strings are YAML double-quoted scalars. Making one of text cannot fail.
    match is_plain {
        true => text.to_owned(),
        false => Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_could_misread_is_quoted() {
        for plain in ["auto", "64MiB", "/run/trim/trim.sock", "127.0.0.1-x"] {
            assert_eq!(quoted(plain), plain);
        }
        for other in [
            "12", "1.5", "true", "No", "", "a: b", "#a", "[a]", "a\"b", "- a", "0x10 ", "inf",
        ] {
            let written = quoted(other);
            assert!(written.starts_with('"'), "{written}");
            assert_eq!(serde_saphyr::from_str::<String>(&written).unwrap(), other);
        }
    }
}
