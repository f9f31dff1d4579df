//! Where the listener is, who may ask, and what one client may take.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::control::alert::secret::SecretRef;

/// The listener's settings.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Where it listens. Any address that is not loopback needs a token.
    pub listen: SocketAddr,
    /// Where the token is kept that every request has to bring.
    pub token: Option<SecretRef>,
    /// Certificate and key, for TLS.
    pub tls: Option<TlsFiles>,
    /// What clients may take.
    pub limits: WebLimits,
}

impl WebSettings {
    /// On this address, open to whoever reaches it, with the usual limits.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            token: None,
            tls: None,
            limits: WebLimits::default(),
        }
    }
}

/// PEM files for TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those between it and a root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What clients may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebLimits {
    /// Connections at one time; others wait in the kernel until one ends.
    pub connections: usize,
    /// Longest time for a TLS handshake, for the head of a request, and between two requests of a connection.
    pub head: Duration,
    /// Longest time from a request's head to the head of its answer, its body included.
    pub answer: Duration,
    /// Longest time in which a client takes nothing of an answer.
    pub stall: Duration,
    /// Longest body of a request, bytes.
    pub body: usize,
}

impl Default for WebLimits {
    fn default() -> Self {
        Self {
            connections: 64,
            head: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            stall: Duration::from_secs(10),
            body: 64 << 10,
        }
    }
}
