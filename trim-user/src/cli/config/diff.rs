//! `trim config diff`.

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use similar::TextDiff;

use super::database::DatabaseArgs;
use crate::cli::{Exit, output};
use crate::config::{ConfigError, Keys, keys_of};
use crate::control::configuration::{Change, changes};
use crate::control::store::{Store, StoredConfiguration};

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The number of a version (`trim config history`)
    a: u64,
    /// And of another one; the latest when it is left out
    b: Option<u64>,
}

#[derive(Serialize)]
struct Difference {
    a: u64,
    b: u64,
    changes: Vec<Change>,
}

pub(super) fn run(args: &DiffArgs) -> anyhow::Result<Exit> {
    let store = Store::read(&args.database.database)?;
    let a = version(&store, args.a)?;
    let b = match args.b {
        Some(number) => version(&store, number)?,
        None => store.configurations()?.pop().context("there is no version")?,
    };
    let (before, after) = (keys(&a)?, keys(&b)?);
    let changes = changes(&before, &after);
    let exit = if changes.is_empty() { Exit::Good } else { Exit::No };
    if args.database.json {
        output::json(&Difference {
            a: a.number,
            b: b.number,
            changes,
        })?;
    } else {
        let (before, after) = (lines(&before), lines(&after));
        let diff = TextDiff::from_lines(&before, &after);
        let names = (format!("version {}", a.number), format!("version {}", b.number));
        output::text(
            &diff
                .unified_diff()
                .context_radius(0)
                .header(&names.0, &names.1)
                .to_string(),
        )?;
    }
    Ok(exit)
}

/// The version of this number.
pub(super) fn version(store: &Store, number: u64) -> anyhow::Result<StoredConfiguration> {
    match store.configuration(number)? {
        Some(version) => Ok(version),
        None => bail!("there is no version {number}: `trim config history` lists those there are"),
    }
}

fn keys(stored: &StoredConfiguration) -> anyhow::Result<Keys> {
    keys_of(&stored.version.text)
        .map_err(|problems| ConfigError::Invalid { problems })
        .with_context(|| format!("version {} is not understood", stored.number))
}

fn lines(keys: &Keys) -> String {
    keys.iter().map(|(key, it)| format!("{key}: {}\n", it.value)).collect()
}
