//! Who can open what is encrypted.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

/// The recipients that are named, and those of files with one a line.
pub(super) fn gathered(named: &[String], files: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let mut recipients = named.to_vec();
    for file in files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let lines = text.lines().map(str::trim);
        let before = recipients.len();
        recipients.extend(
            lines
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .map(str::to_owned),
        );
        if recipients.len() == before {
            bail!("{} names no recipient", file.display());
        }
    }
    Ok(recipients)
}
