//! `trim config schema`.

use clap::Args;

use super::{Exit, output};
use crate::config::Catalog;

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {}

pub(super) fn run(_: &SchemaArgs) -> anyhow::Result<Exit> {
    let text = serde_json::to_string_pretty(&Catalog::get().schema)? + "\n";
    output::text(&text)?;
    Ok(Exit::Good)
}
