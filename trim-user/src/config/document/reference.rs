//! docs/configuration.md.

use std::fmt::Write as _;

use super::super::catalog::{Catalog, KeyInfo, KeyKind, shown};

const HEAD: &str = "\
# Configuration

This page is made from the program (`TRIM_REGENERATE=1 cargo nextest run -p trim-user --test config`);
`trim config explain KEY` says the same of one key.

## Where values come from

Each layer is laid over the ones before it, key by key; lists are replaced as a whole.

1. What the program does by itself: the defaults below.
2. `/etc/trim/trim.yaml`, or the files given by `--config`, in their order.
3. `conf.d/*.yaml` in the folder of each of these files, sorted by name. Names with a leading dot are left out.
4. The environment: `TRIM_` and the key in capitals, with two underscores between section and key, such as
   `TRIM_CAPTURE__RING_SIZE=4096` or `TRIM_ALERTS__RULES__MEMORY__WARNING=70`. Items of lists are separated by commas.
5. Flags: `--set KEY=VALUE`, such as `--set capture.ring_size=4096`, and those with names of their own (`--interface`,
   `--mode`, `--split`).

`trim config show --origin` shows what holds, and the layer, file and line of each value. `trim config init --output FILE`
writes a file with every key as a comment, `trim config validate FILE` checks one, and `--test-mode` checks the machine, too.
`trim config schema` prints the JSON Schema from which editors complete keys.

## How values are written

- *size*: a whole number of bytes, or one with KiB, MiB, GiB, TiB (powers of 1024) or kB, MB, GB, TB (powers of 1000).
- *duration*: a whole number with ns, us, ms, s, m, h or d.
- Passwords and tokens are never written in a configuration: `file:PATH` or `env:NAME` says where they are.
- A key without a value, such as `capture:` or `lease:`, means the default.
";

/// The page: a table for each section.
pub fn reference(catalog: &Catalog) -> String {
    let mut text = HEAD.to_owned();
    for info in &catalog.keys {
        let is_inside_rules = info.key.starts_with(RULES) && info.key != RULES;
        if info.is_section() && !is_inside_rules {
            section(catalog, info, &mut text);
        }
    }
    text
}

/// Its sections share one table: they hardly differ.
const RULES: &str = "alerts.rules";

fn section(catalog: &Catalog, section: &KeyInfo, text: &mut String) {
    let depth = 2 + section.key.matches('.').count().min(2);
    let mark = if section.kind == KeyKind::SectionList { "[]" } else { "" };
    // Writing to a `String` cannot fail.
    let _ = write!(
        text,
        "\n{} `{}{mark}`\n\n{}\n",
        "#".repeat(depth),
        section.key,
        cell(&section.meaning)
    );
    let rows: Vec<&KeyInfo> = match section.key.as_str() {
        RULES => catalog
            .keys
            .iter()
            .filter(|info| !info.is_section() && info.key.starts_with("alerts.rules."))
            .collect(),
        key => catalog
            .inside(key)
            .into_iter()
            .filter(|info| !info.is_section())
            .collect(),
    };
    if rows.is_empty() {
        return;
    }
    text.push_str("\n| key | meaning | type | allowed | default | restart |\n|---|---|---|---|---|---|\n");
    for info in rows {
        row(&section.key, info, text);
    }
}

fn row(section: &str, info: &KeyInfo, text: &mut String) {
    let name = info.key.strip_prefix(section).unwrap_or(&info.key);
    let name = name.trim_start_matches("[]").trim_start_matches('.');
    let kind = match info.kind {
        KeyKind::Size => "size",
        KeyKind::Duration => "duration",
        other => other.words(),
    };
    let unit = match info.unit() {
        "" => String::new(),
        unit => format!(", {unit}"),
    };
    let default = match info.default.is_null() {
        true => "-".to_owned(),
        false => format!("`{}`", cell(&shown(&info.default))),
    };
    let _ = writeln!(
        text,
        "| `{name}` | {} | {kind}{unit} | {} | {default} | {} |",
        cell(&meaning(info)),
        cell(&info.range()),
        if info.restart { "yes" } else { "no" }
    );
}

/// The meaning, with those of its words.
fn meaning(info: &KeyInfo) -> String {
    let words: Vec<String> = info
        .choices
        .iter()
        .filter(|choice| !choice.meaning.is_empty())
        .map(|choice| format!("`{}`: {}", choice.word, choice.meaning))
        .collect();
    [vec![info.meaning.clone()], words].concat().join(" ")
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
