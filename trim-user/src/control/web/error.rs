//! Why there is no listener.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::token::ShortToken;
use crate::control::alert::secret::SecretError;

/// Why the listener cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Others could reach it, and it has no token.
    #[error(
        "{0} can be reached from other machines, and there is no token: name one with `web.token`, or listen on 127.0.0.1"
    )]
    Unguarded(SocketAddr),
    /// The token cannot be had.
    #[error("web.token: {0}")]
    Token(#[from] SecretError),
    /// The token is too short.
    #[error("web.token: {0}")]
    ShortToken(#[from] ShortToken),
    /// The system does not let it listen.
    #[error("cannot listen on {address}: {error}; `web.listen` names another address, or none")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// A file for TLS is no use.
    #[error("{key}: {}: {reason}", path.display())]
    Tls {
        /// The configuration's key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no thread or runtime for it.
    #[error("cannot start the thread that answers requests: {0}")]
    Thread(io::Error),
}
