//! What the configuration says of it.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::control::alert::secret::{Secret, SecretError, SecretRef};

/// Where documents go, and what may be kept until they have gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElasticsearchSettings {
    /// The server, `http://` or `https://`, without the path of the bulk API. No secret is in it.
    pub url: String,
    /// Data stream of the metrics.
    pub data_stream: String,
    /// Data stream of the events.
    pub event_data_stream: String,
    /// Time between two documents of metrics.
    pub interval: Duration,
    /// What the server asks for.
    pub credentials: Option<Credentials>,
    /// Certificates to trust besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Longest time for one request.
    pub timeout: Duration,
    /// Folder in which documents wait.
    pub spool_directory: PathBuf,
    /// Most bytes that wait; the oldest documents make room.
    pub spool_bytes: u64,
    /// Most documents of a request, at least 1.
    pub batch_documents: usize,
    /// Most bytes of a request. One document that is larger goes alone.
    pub batch_bytes: u64,
}

/// How a request shows who it is from. Secrets are read anew for each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// An API key in its encoded form.
    ApiKey(SecretRef),
    /// A user.
    Basic {
        /// The name.
        username: String,
        /// Where the password is kept.
        password: SecretRef,
    },
}

impl Credentials {
    /// The reference to the secret in it.
    pub const fn secret(&self) -> &SecretRef {
        match self {
            Self::ApiKey(secret) | Self::Basic { password: secret, .. } => secret,
        }
    }

    /// What a request shows.
    ///
    /// # Errors
    /// When the secret cannot be had.
    pub(super) fn authorization(&self) -> Result<Authorization, SecretError> {
        let secret = self.secret().read()?;
        let (scheme, encoded) = match self {
            Self::ApiKey(_) => ("ApiKey", secret.reveal().to_owned()),
            Self::Basic { username, .. } => {
                let pair = format!("{username}:{}", secret.reveal());
                ("Basic", BASE64_STANDARD.encode(pair))
            }
        };
        Ok(Authorization {
            header: Secret::new(format!("{scheme} {encoded}")),
            hidden: [secret, Secret::new(encoded)],
        })
    }
}

/// What a request shows.
pub(super) struct Authorization {
    /// The value of the header field `Authorization`.
    pub(super) header: Secret,
    /// What must not be repeated from an answer.
    pub(super) hidden: [Secret; 2],
}
