//! `cargo xtask dist`: packages.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use xtask::{package, workspace};

use super::build;

/// Make a Debian package and a tarball (target/dist), equal for equal sources.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Pack this binary instead of building one.
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

pub(crate) fn run_task(options: &Options) -> Result<()> {
    let time = package::source_time()?;
    let binary = match &options.binary {
        Some(path) => std::path::absolute(path)?,
        None => build::release_binary()?,
    };
    ensure!(binary.is_file(), "{} is no file", binary.display());
    let made = package::make(&binary, &workspace::target_dir().join("dist"), time)?;
    println!("{}", made.tarball.display());
    if let Some(deb) = made.deb {
        println!("{}", deb.display());
    }
    Ok(())
}
