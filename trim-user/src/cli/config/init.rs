//! `trim config init`.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;

use super::{Exit, output};
use crate::config::{self, Catalog};

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The file; without it, the text is printed
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &InitArgs) -> anyhow::Result<Exit> {
    let text = config::template(Catalog::get());
    match &args.output {
        None => output::text(&text)?,
        Some(path) => {
            write(path, &text, args.force)?;
            output::text(&format!("{}\n", path.display()))?;
        }
    }
    Ok(Exit::Good)
}

fn write(path: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    match force {
        true => options.write(true).create(true).truncate(true),
        false => options.write(true).create_new(true),
    };
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!(
                "{} is there already: name another file, or replace it with --force",
                path.display()
            )
        }
        written => written.with_context(|| format!("cannot write {}", path.display())),
    }
}
