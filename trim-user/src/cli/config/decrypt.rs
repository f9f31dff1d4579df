//! `trim config decrypt`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

use super::passphrase;
use super::target::Target;
use crate::cli::Exit;
use crate::sealed::{self, Key, SealedError};

#[derive(Debug, Args)]
pub(super) struct DecryptArgs {
    /// An encrypted file
    file: PathBuf,
    /// A file with the passphrase in its first line; without it, and where a passphrase is needed, it is asked for on the terminal
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(args: &DecryptArgs) -> anyhow::Result<Exit> {
    let path = &args.file;
    let content = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !sealed::is_sealed(&content) {
        bail!("{} is not encrypted", path.display());
    }
    let key = match &args.passphrase_file {
        Some(file) => Key::Passphrase(passphrase::of_file(file)?),
        None => Key::Identity,
    };
    let plain = match sealed::unseal(&content, path, &key) {
        Err(SealedError::NeedsPassphrase(_)) => sealed::unseal(&content, path, &Key::Passphrase(passphrase::known()?)),
        result => result,
    }?;
    args.target.write(path, &plain)?;
    Ok(Exit::Good)
}
