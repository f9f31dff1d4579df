//! Every dependency has a licence that lets the product be distributed under MIT OR Apache-2.0.
//!
//! `cargo metadata` knows the licences without a network; advisories need a database and are `cargo deny`'s business
//! (see `.ci/run`).

use anyhow::{Context, Result};
use serde_json::Value;
use xtask::command::{cargo, output};

use super::Finding;

/// Licences that ask for no more than their text to be kept.
const ALLOWED: [&str; 14] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "BSL-1.0",
    "Unicode-3.0",
    "Unlicense",
    "CC0-1.0",
];

pub(super) fn check() -> Result<Vec<Finding>> {
    let text = output(cargo().args(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&text).context("`cargo metadata` printed no JSON")?;
    let packages = metadata["packages"]
        .as_array()
        .context("`cargo metadata` names no packages")?;
    Ok(packages.iter().filter_map(finding).collect())
}

fn finding(package: &Value) -> Option<Finding> {
    let licence = package["license"].as_str().unwrap_or("no licence");
    if is_allowed(licence) {
        return None;
    }
    let name = package["name"].as_str().unwrap_or("?");
    let message = format!("the dependency {name} is under `{licence}`, which is not in the allowed list");
    Some(Finding {
        file: "Cargo.lock".to_owned(),
        line: 0,
        message,
    })
}

/// Whether an SPDX expression can be satisfied from the allowed licences. `/` is an old way to write `OR`, and since
/// version 3 of the specification it may be written small.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace(" or ", " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    alternatives(&words, &mut at) && at == words.len()
}

fn alternatives(words: &[&str], at: &mut usize) -> bool {
    let mut allowed = conjunction(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        // Not short-circuited: the words must be consumed.
        allowed |= conjunction(words, at);
    }
    allowed
}

fn conjunction(words: &[&str], at: &mut usize) -> bool {
    let mut allowed = term(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        allowed &= term(words, at);
    }
    allowed
}

fn term(words: &[&str], at: &mut usize) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let allowed = alternatives(words, at);
        *at += 1;
        return allowed;
    }
    if words.get(*at) == Some(&"WITH") {
        let exception = words.get(*at + 1).copied().unwrap_or_default();
        *at += 2;
        return ALLOWED.contains(&format!("{word} WITH {exception}").as_str());
    }
    ALLOWED.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_allowed_when_it_can_be_satisfied() {
        for expression in [
            "MIT",
            "MIT OR GPL-3.0",
            "MIT/Apache-2.0",
            "MIT or Apache-2.0",
            "(MIT OR GPL-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
            "GPL-2.0 OR (MIT AND ISC)",
        ] {
            assert!(is_allowed(expression), "{expression}");
        }
    }

    #[test]
    fn an_expression_that_cannot_be_satisfied_is_refused() {
        for expression in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "EUPL-1.2",
            "no licence",
            "",
            "(MIT OR ISC) AND MPL-2.0",
        ] {
            assert!(!is_allowed(expression), "{expression}");
        }
    }
}
