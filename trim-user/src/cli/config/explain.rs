//! `trim config explain`.

use std::fmt::Write as _;

use anyhow::bail;
use clap::Args;
use serde::Serialize;

use super::{Exit, LayerArgs, output};
use crate::config::{Catalog, ConfigError, Effective, KeyInfo, flow};

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The key, such as capture.ring_size, or a section, such as capture
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    layers: LayerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A key with what it is now. Without a configuration that can be read, `now` is empty.
#[derive(Serialize)]
struct Explained<'a> {
    #[serde(flatten)]
    info: &'a KeyInfo,
    now: Vec<Effective>,
    inside: Vec<&'a str>,
}

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let catalog = Catalog::get();
    let Some(info) = catalog.find(&args.key) else {
        bail!(ConfigError::unknown_key(&args.key, &catalog.suggestion(&args.key)));
    };
    let inside = catalog.inside(&info.key);
    let now = match args.layers.layers().load() {
        Ok(loaded) => values(info, &args.key, loaded.effective()),
        Err(error) => {
            eprintln!("trim: warning: what it is now is not known: {error}");
            Vec::new()
        }
    };
    let explained = Explained {
        info,
        now,
        inside: inside.iter().map(|info| info.key.as_str()).collect(),
    };
    if args.json {
        output::json(&explained)?;
    } else {
        output::text(&render(&explained, &inside))?;
    }
    Ok(Exit::Good)
}

/// The values of a key: one, or one for each item of the list it is in.
fn values(info: &KeyInfo, asked: &str, effective: Vec<Effective>) -> Vec<Effective> {
    let is_meant = |key: &str| match asked.contains('[') && !asked.contains("[]") {
        true => key == asked,
        false => Catalog::get().find(key) == Some(info),
    };
    effective
        .into_iter()
        .filter(|one| !info.is_section() && is_meant(&one.key))
        .collect()
}

fn render(explained: &Explained<'_>, inside: &[&KeyInfo]) -> String {
    let info = explained.info;
    let mut text = format!("{}\n  {}\n\n", info.key, info.meaning);
    if info.is_section() {
        for key in inside {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "  {:<40} {}", key.key, key.meaning);
        }
        return text;
    }
    let unit = match info.unit() {
        "" => String::new(),
        unit => format!(", {unit}"),
    };
    let _ = writeln!(text, "  type     {}{unit}", info.kind.words());
    let mut label = "allowed";
    for choice in &info.choices {
        let line = format!("  {label:<8} {:<12} {}", choice.word, choice.meaning);
        let _ = writeln!(text, "{}", line.trim_end());
        label = "";
    }
    if info.choices.is_empty() && !info.range().is_empty() {
        let _ = writeln!(text, "  allowed  {}", info.range());
    }
    let _ = writeln!(text, "  default  {}", flow(&info.default));
    for one in &explained.now {
        let which = if one.key == info.key {
            String::new()
        } else {
            format!("{}: ", one.key)
        };
        let _ = writeln!(text, "  now      {which}{} ({})", flow(&one.value), one.origin);
    }
    let _ = writeln!(
        text,
        "  a change {}",
        match info.restart {
            true => "needs a restart of the capture",
            false => "is taken over by a running capture",
        }
    );
    text
}
