//! Who may read a file with a plain secret: its owner, who is root or the user of this process, and at most its group.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::SealedError;

/// What others may do: nothing. What the group may do: read.
const FORBIDDEN: u32 = 0o037;

pub(super) fn check(path: &Path, metadata: &Metadata) -> Result<(), SealedError> {
    let own = rustix::process::geteuid().as_raw();
    let shown = path.display();
    let refused = |problem: String, cure: String| {
        Err(SealedError::Open {
            path: path.into(),
            problem,
            cure,
        })
    };
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & FORBIDDEN != 0 {
        let cure = format!("type `chmod 600 {shown}`, or `chmod 640 {shown}` when its group is to read it");
        return refused(
            format!("has mode {mode:04o}, so that others may read or change it"),
            cure,
        );
    }
    if metadata.uid() != 0 && metadata.uid() != own {
        let problem = format!(
            "belongs to uid {}, neither root nor the user of this process",
            metadata.uid()
        );
        return refused(problem, format!("type `chown {own} {shown}`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn others_may_not_read_and_the_group_may_not_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "x").unwrap();
        let judged = |mode: u32| {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            check(&path, &fs::metadata(&path).unwrap())
        };
        for good in [0o600, 0o400, 0o640, 0o440] {
            judged(good).unwrap();
        }
        for bad in [0o644, 0o604, 0o660, 0o666, 0o601, 0o620] {
            let error = judged(bad).unwrap_err().to_string();
            assert!(error.contains(&format!("chmod 600 {}", path.display())), "{error}");
        }
    }
}
