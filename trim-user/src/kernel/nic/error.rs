//! What can go wrong with an interface.

use std::io;

/// An interface could not be asked or set up.
#[derive(Debug, thiserror::Error)]
pub enum NicError {
    /// There is no interface of this name in this network namespace.
    #[error("there is no interface {name:?} here: {source}; `trim interfaces` lists them")]
    Unknown {
        /// The name asked for.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// There is no interface with this index in this network namespace.
    #[error("interface {0} is gone")]
    Gone(u32),
    /// A request to the kernel failed.
    #[error("cannot {action}: {source}; {}", remedy(.source))]
    Request {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl NicError {
    pub(super) fn request(action: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Request { action, source }
    }
}

fn remedy(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => "run as root or with CAP_NET_ADMIN and CAP_NET_RAW",
        Some(libc::ENODEV) => "the interface is gone",
        Some(libc::EOPNOTSUPP) => "the driver or the kernel does not offer this",
        _ => "see the kernel log",
    }
}
