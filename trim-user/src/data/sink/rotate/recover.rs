//! What a writer that died has left behind.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::PathBuf;

use super::names::Names;
use super::volume::rename_new;

/// Gives the unfinished files of dead writers a name that says so (`...-000001.recovered.pcapng`) and returns their
/// new paths. Their content stays as it is: whole blocks up to where the writer died. A file that a live process has
/// locked is left alone; an empty one is removed.
pub(super) fn recover(names: &Names) -> io::Result<Vec<PathBuf>> {
    let mut recovered = Vec::new();
    for (name, size) in names.list()? {
        let from = names.path(&name);
        if !name.part || !is_abandoned(&from) {
            continue;
        }
        if size == 0 {
            fs::remove_file(&from)?;
            tracing::warn!(file = %from.display(), "removed an empty file left behind by a process that died");
            continue;
        }
        let mut new_name = name.as_recovered();
        let to = loop {
            let to = names.path(&new_name);
            match rename_new(&from, &to) {
                Ok(()) => break to,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => new_name = new_name.next(),
                Err(error) => return Err(error),
            }
        };
        tracing::warn!(
            file = %to.display(), bytes = size,
            "kept an unfinished capture of a process that died; it is complete up to its last flush"
        );
        recovered.push(to);
    }
    Ok(recovered)
}

/// Whether nobody holds the writer's lock. When that cannot be told, somebody might.
fn is_abandoned(path: &std::path::Path) -> bool {
    OpenOptions::new()
        .write(true)
        .open(path)
        .is_ok_and(|file| file.try_lock().is_ok())
}
