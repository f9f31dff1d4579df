//! `trim config history`.

use clap::Args;

use super::database::DatabaseArgs;
use crate::cli::{Exit, output};
use crate::control::store::{Store, StoredConfiguration};

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print the text of this version instead of the list
    #[arg(long, value_name = "N")]
    show: Option<u64>,
}

pub(super) fn run(args: &HistoryArgs) -> anyhow::Result<Exit> {
    let store = Store::read(&args.database.database)?;
    if let Some(number) = args.show {
        let version = super::diff::version(&store, number)?;
        match args.database.json {
            true => output::json(&version)?,
            false => output::text(&version.version.text)?,
        }
        return Ok(Exit::Good);
    }
    let versions = store.configurations()?;
    if args.database.json {
        output::json(&versions)?;
    } else {
        output::text(&versions.iter().map(line).collect::<String>())?;
    }
    Ok(Exit::Good)
}

fn line(stored: &StoredConfiguration) -> String {
    let version = &stored.version;
    let at = jiff::Timestamp::from_nanosecond(version.at_ns.into()).unwrap_or_default();
    format!(
        "{:>5}  {}  {}  {:<20} {}\n",
        stored.number,
        at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        version.sha256.get(..12).unwrap_or_default(),
        version.who,
        version.why
    )
}
