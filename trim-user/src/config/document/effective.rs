//! What holds, as a configuration file.

use std::fmt::Write as _;

use super::super::effective::Effective;
use super::scalar::flow;

/// A configuration file that says what holds, every key; with `origins`, behind each value where it came from.
pub fn yaml(effective: &[Effective], origins: bool) -> String {
    let mut text = String::new();
    let mut before: Vec<Part<'_>> = Vec::new();
    for one in effective {
        let parts = parts(&one.key);
        let line = line(&mut text, &before, &parts, &flow(&one.value));
        if origins {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{:1$}  # {2}", "", 44_usize.saturating_sub(line), one.origin);
        }
        text.push('\n');
        before = parts;
    }
    text
}

/// One level of a key: a name, and which item of it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Part<'a> {
    name: &'a str,
    item: Option<&'a str>,
}

fn parts(key: &str) -> Vec<Part<'_>> {
    let part = |text| match str::split_once(text, '[') {
        Some((name, item)) => Part { name, item: Some(item) },
        None => Part { name: text, item: None },
    };
    key.split('.').map(part).collect()
}

/// Writes what a key needs above it, and the key; gives the width of the last line.
fn line(text: &mut String, before: &[Part<'_>], parts: &[Part<'_>], value: &str) -> usize {
    let mut indent = 0;
    let mut begins_item = false;
    let mut is_new = false;
    for (depth, part) in parts.iter().enumerate() {
        let is_last = depth + 1 == parts.len();
        let above = before.get(depth);
        is_new |= above.is_none_or(|above| above.name != part.name);
        if is_last {
            break;
        }
        if is_new {
            let _ = writeln!(text, "{:indent$}{}:", "", part.name);
        }
        begins_item = part.item.is_some() && (is_new || above.is_some_and(|above| above.item != part.item));
        indent += if part.item.is_some() { 4 } else { 2 };
    }
    let name = parts.last().map_or("", |part| part.name);
    let line = match begins_item {
        true => format!("{:1$}- {name}: {value}", "", indent - 2),
        false => format!("{:indent$}{name}: {value}", ""),
    };
    text.push_str(&line);
    line.chars().count()
}
