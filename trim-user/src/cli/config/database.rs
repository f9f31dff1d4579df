//! Which database earlier configurations are read from.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(super) struct DatabaseArgs {
    /// The capture's database (`control.database` in its configuration)
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/var/lib/trim/trim.db",
        env = "TRIM_DATABASE"
    )]
    pub(super) database: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}
