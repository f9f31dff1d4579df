//! How far captures may still grow.

use std::fs;
use std::path::Path;

use crate::config::Config;
use crate::control::operator::Growth;

/// Tells how many bytes of the quota are left; nothing when there is none.
pub(super) fn growth(config: &Config) -> Growth {
    let output = config.output.clone();
    Box::new(move || {
        let quota = output.quota?;
        Some(quota.saturating_sub(size(&output.directory, &output.prefix)))
    })
}

/// Bytes of the files of a prefix. A file that goes while they are counted counts for nothing.
fn size(directory: &Path, prefix: &str) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .filter_map(|entry| entry.metadata().ok())
        .map(|metadata| metadata.len())
        .sum()
}
