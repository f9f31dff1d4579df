//! Keeps the finished files under a number of bytes.

use std::io;

use super::names::Names;

/// Deletes the oldest finished files until the rest is at most `quota` bytes; the newest one always stays. Files that
/// are being written and files of other names are never touched. Returns how many were deleted.
pub(super) fn enforce(names: &Names, quota: u64) -> io::Result<u64> {
    let mut finished = names.list()?;
    finished.retain(|(name, _)| !name.part);
    let mut total: u64 = finished.iter().map(|(_, size)| size).sum();
    let mut deleted = 0;
    let deletable = finished.len().saturating_sub(1);
    for (name, size) in &finished[..deletable] {
        if total <= quota {
            break;
        }
        let path = names.path(name);
        std::fs::remove_file(&path)?;
        tracing::info!(file = %path.display(), bytes = size, quota, "deleted the oldest capture to keep the quota");
        total -= size;
        deleted += 1;
    }
    Ok(deleted)
}
