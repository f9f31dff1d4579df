//! A file to begin with: every key at its default, as a comment.

use std::fmt::Write as _;

use super::super::catalog::{Catalog, KeyInfo, KeyKind};
use super::scalar::flow;

/// Widest line of a comment.
const WIDTH: usize = 120;

const HEAD: &str = "\
# Configuration of trim. Every key is here, as a comment, at its default: take the `#` in front of a key away to change it.
# Sizes: a whole number of bytes, or one with KiB, MiB, GiB (1024) or kB, MB, GB (1000).
# Durations: a whole number with ns, us, ms, s, m, h or d.
# Passwords and tokens do not belong here: write file:PATH or env:NAME in their place.
# `trim config validate FILE` checks a file, `trim config explain KEY` tells more of a key.
";

/// The text of the file. Lines that begin with `#` and no space behind it are keys.
pub fn template(catalog: &Catalog) -> String {
    let mut text = HEAD.to_owned();
    section(catalog, "", 0, &mut text);
    text
}

fn section(catalog: &Catalog, name: &str, indent: usize, text: &mut String) {
    for info in catalog.inside(name) {
        if indent == 0 {
            text.push('\n');
        }
        comment(&info.meaning, indent, text);
        // Writing to a `String` cannot fail.
        match info.kind {
            KeyKind::Section => {
                let _ = writeln!(text, "{:indent$}{}:", "", info.name());
                section(catalog, &info.key, indent + 2, text);
            }
            KeyKind::SectionList => {
                items(catalog, info, indent, text);
                let default = if info.default.is_null() {
                    "[]".to_owned()
                } else {
                    flow(&info.default)
                };
                let _ = writeln!(text, "{:indent$}#{}: {default}", "", info.name());
            }
            _ => key(info, indent, text),
        }
    }
}

fn key(info: &KeyInfo, indent: usize, text: &mut String) {
    let allowed = [info.range(), info.unit().to_owned()];
    let allowed: Vec<String> = allowed.into_iter().filter(|words| !words.is_empty()).collect();
    if !allowed.is_empty() {
        comment(&format!("Allowed: {}.", allowed.join(", ")), indent, text);
    }
    let value = match info.default.is_null() {
        true => String::new(),
        false => format!(" {}", flow(&info.default)),
    };
    let _ = writeln!(text, "{:indent$}#{}:{value}", "", info.name());
}

/// What each item of a list of sections may hold.
fn items(catalog: &Catalog, list: &KeyInfo, indent: usize, text: &mut String) {
    comment("A list; each item has:", indent, text);
    for info in catalog.inside(&list.key) {
        let range = info.range();
        let allowed = if range.is_empty() {
            info.kind.words().to_owned()
        } else {
            range
        };
        comment(
            &format!("  {} ({allowed}): {}", info.name(), info.meaning),
            indent,
            text,
        );
    }
}

fn comment(words: &str, indent: usize, text: &mut String) {
    let start = format!("{:indent$}#", "");
    let inner = words.len() - words.trim_start().len();
    let mut line = format!("{start}{:inner$}", "");
    for word in words.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = format!("{start}{:1$}", "", inner + if inner > 0 { 2 } else { 0 });
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}
