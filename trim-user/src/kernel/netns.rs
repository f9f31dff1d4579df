//! Work in another network namespace.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::{io, thread};

use super::syscall::check;

/// Why work in another network namespace could not start.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// The namespace file cannot be opened.
    #[error("cannot open network namespace {}: {source}; `ip netns list` shows the names", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The namespace cannot be entered.
    #[error("cannot enter network namespace {}: {source}; this needs CAP_SYS_ADMIN", .path.display())]
    Enter {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No thread could be started.
    #[error("cannot start a thread for network namespace {}: {source}", .path.display())]
    Thread {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Runs `work` on a new thread inside the network namespace of the file `path` (`/run/netns/NAME`, `/proc/PID/ns/net`)
/// and returns what it returns.
///
/// Sockets opened there stay in that namespace and may be used from any thread afterwards. `/sys` keeps showing the
/// namespace it was mounted in.
///
/// # Errors
/// The namespace cannot be opened or entered.
///
/// # Panics
/// Resumes a panic of `work`.
pub fn run_in<T: Send>(path: &Path, work: impl FnOnce() -> T + Send) -> Result<T, NamespaceError> {
    let named = |source| NamespaceError::Open {
        path: path.into(),
        source,
    };
    let file = File::open(path).map_err(named)?;
    thread::scope(|scope| {
        let inside = move || {
            // SAFETY: the call takes an open descriptor and a constant, and affects this thread alone.
            check(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) }).map_err(|source| {
                NamespaceError::Enter {
                    path: path.into(),
                    source,
                }
            })?;
            Ok(work())
        };
        let thread = thread::Builder::new()
            .spawn_scoped(scope, inside)
            .map_err(|source| NamespaceError::Thread {
                path: path.into(),
                source,
            })?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
