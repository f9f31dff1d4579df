//! What must be taken away when the process ends by a signal, where destructors do not run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};

use anyhow::{Context, Result};

use super::namespace;

/// Something to take away, in the order in which it must happen: namespaces first, as they end the processes in them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Resource {
    /// A network namespace by name.
    Namespace(String),
    /// A folder and everything in it.
    Folder(PathBuf),
}

static ACTIVE: LazyLock<Mutex<BTreeSet<Resource>>> = LazyLock::new(Mutex::default);
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A number that no other call in this process got.
pub(super) fn unique() -> u32 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Has `resource` taken away on a termination signal.
pub(super) fn register(resource: Resource) {
    static HANDLER: Once = Once::new();
    // A program with a handler of its own keeps it; then its own end of life must drop the guards.
    HANDLER.call_once(|| drop(ctrlc::set_handler(end_by_signal)));
    active().insert(resource);
}

/// Takes `resource` away now.
pub(super) fn release(resource: &Resource) {
    if active().remove(resource) {
        remove(resource);
    }
}

fn active() -> MutexGuard<'static, BTreeSet<Resource>> {
    ACTIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn end_by_signal() {
    eprintln!("\ninterrupted: removing namespaces and files");
    for resource in &*active() {
        remove(resource);
    }
    std::process::exit(130);
}

fn remove(resource: &Resource) {
    match resource {
        Resource::Namespace(name) => namespace::remove(name),
        Resource::Folder(path) => drop(fs::remove_dir_all(path)),
    }
}

/// A folder of its own under the system's temporary directory, removed with everything in it on drop.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder; `label` becomes part of its name.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn new(label: &str) -> Result<Self> {
        let name = format!("trim-{}-{}-{label}", std::process::id(), unique());
        let folder = Self::adopt(std::env::temp_dir().join(name));
        fs::create_dir(&folder.path).with_context(|| format!("cannot create {}", folder.path.display()))?;
        Ok(folder)
    }

    /// Takes charge of a folder that something else makes, such as a directory of BPF pins.
    pub fn adopt(path: PathBuf) -> Self {
        register(Resource::Folder(path.clone()));
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        release(&Resource::Folder(std::mem::take(&mut self.path)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_guard_even_in_a_panic() {
        let mut path = PathBuf::new();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let folder = Folder::new("panic").unwrap();
            path = folder.path().to_owned();
            fs::write(path.join("file"), "x").unwrap();
            panic!("as a failing test does");
        }));
        assert!(result.is_err() && !path.as_os_str().is_empty());
        assert!(!path.exists());
    }
}
