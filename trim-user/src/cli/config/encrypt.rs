//! `trim config encrypt`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

use super::passphrase;
use super::target::Target;
use crate::cli::{Exit, recipients};
use crate::sealed::{self, Lock};

#[derive(Debug, Args)]
pub(super) struct EncryptArgs {
    /// A configuration or secret file
    file: PathBuf,
    /// Who can open it: `age1...`, as `age-keygen -y` prints of an identity; may be given more than once
    #[arg(long, value_name = "age1...", group = "lock")]
    recipient: Vec<String>,
    /// A file with recipients, one a line
    #[arg(long, value_name = "FILE", group = "lock")]
    recipients_file: Vec<PathBuf>,
    /// A file with a passphrase in its first line, instead of recipients; without either, it is asked for on the terminal
    #[arg(long, value_name = "FILE", conflicts_with_all = ["recipient", "recipients_file"])]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(args: &EncryptArgs) -> anyhow::Result<Exit> {
    let content = std::fs::read(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    if sealed::is_sealed(&content) {
        bail!("{} is encrypted already", args.file.display());
    }
    let sealed = sealed::seal(&content, &lock(args)?)?;
    args.target.write(&args.file, &sealed)?;
    Ok(Exit::Good)
}

fn lock(args: &EncryptArgs) -> anyhow::Result<Lock> {
    let recipients = recipients::gathered(&args.recipient, &args.recipients_file)?;
    match (recipients.is_empty(), &args.passphrase_file) {
        (false, _) => Ok(Lock::Recipients(recipients)),
        (true, Some(file)) => Ok(Lock::Passphrase(passphrase::of_file(file)?)),
        (true, None) => Ok(Lock::Passphrase(passphrase::new()?)),
    }
}
