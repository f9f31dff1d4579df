//! The pin directory: what keeps the program in force when `trim` dies, and lets another process reach its maps.
//!
//! A pinned link stays attached after the process that made it is killed, so that `on_user_space_loss` holds; a pinned
//! map can be written while the process that made it hangs. The directory is locked (`flock`) by its owner; the lock
//! goes with the process, however it ends.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::error::KernelError;

/// Where the BPF file system is by convention.
pub const BPF_FILE_SYSTEM: &str = "/sys/fs/bpf";

/// The pin directory of an interface. Interface names are unique only within a network namespace, so the namespace's
/// number is part of the name. Which one is the first of the machine nobody can tell without privilege over process 1, so
/// it is no exception.
pub fn directory_of(interface: &str) -> PathBuf {
    // Of itself a process can always tell, where /proc is mounted.
    let namespace = fs::metadata("/proc/thread-self/ns/net").map_or(0, |it| it.ino());
    // The BPF file system reserves names with a dot (`bpf_lookup`, kernel/bpf/inode.c); VLAN interfaces have one.
    let name = interface.replace('.', ",");
    Path::new(BPF_FILE_SYSTEM)
        .join("trim")
        .join(format!("{name}@{namespace}"))
}

/// The pin directories of this network namespace.
///
/// # Errors
/// When the BPF file system cannot be listed; nothing pinned is no error.
pub fn directories() -> io::Result<Vec<PathBuf>> {
    let parent = Path::new(BPF_FILE_SYSTEM).join("trim");
    let entries = match fs::read_dir(&parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let interface = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let interface = interface.split('@').next().unwrap_or_default().replace(',', ".");
        if directory_of(&interface) == path {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Mounts the BPF file system at [`BPF_FILE_SYSTEM`] when it is not there. Whether it had to be mounted.
pub fn mount_bpf_file_system() -> Result<bool, KernelError> {
    let path = Path::new(BPF_FILE_SYSTEM);
    if is_bpf_file_system(path).map_err(KernelError::pin("look at", path.into()))? {
        return Ok(false);
    }
    // SAFETY: all three strings are NUL-terminated literals and the data pointer may be null; the call keeps none.
    let result = unsafe {
        libc::mount(
            c"bpf".as_ptr(),
            c"/sys/fs/bpf".as_ptr(),
            c"bpf".as_ptr(),
            libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC,
            c"mode=0700".as_ptr().cast(),
        )
    };
    if result != 0 {
        return Err(KernelError::pin("mount the BPF file system at", path.into())(
            io::Error::last_os_error(),
        ));
    }
    Ok(true)
}

/// Whether a living process owns this pin directory. The lock is tried and given back at once.
///
/// # Errors
/// When the directory cannot be opened or locked.
pub fn is_held(path: &Path) -> io::Result<bool> {
    match File::open(path)?.try_lock() {
        Ok(()) => Ok(false),
        Err(fs::TryLockError::WouldBlock) => Ok(true),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Whether a BPF file system is mounted at [`BPF_FILE_SYSTEM`].
///
/// # Errors
/// When the folder cannot be looked at.
pub fn is_mounted() -> io::Result<bool> {
    is_bpf_file_system(Path::new(BPF_FILE_SYSTEM))
}

fn is_bpf_file_system(path: &Path) -> io::Result<bool> {
    let name = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: `statfs` is made of integers, for which zeros are values.
    let mut found: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: `name` is NUL-terminated and `found` a whole `statfs`; both outlive the call.
    if unsafe { libc::statfs(name.as_ptr(), &mut found) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(found.f_type == libc::BPF_FS_MAGIC as libc::c_long)
}

/// A pin directory that this process owns. Dropping it removes what is pinned there.
#[derive(Debug)]
pub struct PinDirectory {
    path: PathBuf,
    /// Holds the lock.
    _lock: File,
}

impl PinDirectory {
    /// Makes the directory, or takes over that of a dead owner, whose pinned maps are removed and whose pinned link
    /// stays for [`links`](Self::links).
    pub fn claim(path: &Path, interface: &str) -> Result<Self, KernelError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(KernelError::pin("make", path.into()))?;
        if !is_bpf_file_system(path).map_err(KernelError::pin("look at", path.into()))? {
            // Empty, as nothing can be pinned there.
            let _ = fs::remove_dir(path);
            return Err(KernelError::pin("pin to", path.into())(io::Error::other(
                "not on a BPF file system",
            )));
        }
        let lock = File::open(path).map_err(KernelError::pin("open", path.into()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(KernelError::AlreadyRunning {
                    interface: interface.to_owned(),
                    path: path.into(),
                });
            }
            Err(fs::TryLockError::Error(error)) => return Err(KernelError::pin("lock", path.into())(error)),
        }
        let directory = Self {
            path: path.into(),
            _lock: lock,
        };
        directory.remove_files(|name| !name.starts_with(LINK_PREFIX));
        Ok(directory)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the link of an attachment in this mode is pinned: the name tells a successor the mode.
    pub(super) fn link(&self, mode: &str) -> PathBuf {
        self.path.join(format!("{LINK_PREFIX}{mode}"))
    }

    /// Removes the files whose name `which` picks. What cannot be removed now is removed by the next owner.
    fn remove_files(&self, which: impl Fn(&str) -> bool) {
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(&which) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// The names of pinned links begin with this; the mode follows.
const LINK_PREFIX: &str = "link-";

impl Drop for PinDirectory {
    fn drop(&mut self) {
        self.remove_files(|_| true);
        // Fails only when somebody else put something there, which is then theirs.
        let _ = fs::remove_dir(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vlan_interface_has_a_directory_without_a_dot() {
        let directory = directory_of("eth0.100");
        assert!(directory.starts_with("/sys/fs/bpf/trim"));
        let name = directory.file_name().and_then(|name| name.to_str());
        assert!(name.is_some_and(|name| name.starts_with("eth0,100@")));
    }

    #[test]
    fn a_directory_elsewhere_is_refused_and_not_left_behind() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("pins");
        let error = PinDirectory::claim(&path, "eth0").expect_err("not a BPF file system");
        assert!(error.to_string().contains("not on a BPF file system"), "{error}");
        assert!(!path.exists());
    }
}
