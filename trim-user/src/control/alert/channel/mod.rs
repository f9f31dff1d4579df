//! The ways out: e-mail, Slack, webhook, Alertmanager, log file.

mod email;
pub(crate) mod http;
mod log_file;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

pub use email::{EmailSettings, Security};
pub use lettre::message::Mailbox;
pub use log_file::LogFileSettings;

use super::engine::Audience;
use super::message::Message;
use super::render;
use super::secret::{SecretError, SecretRef};

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSettings {
    /// Its name, and what it is told.
    pub audience: Audience,
    /// Longest time for one attempt.
    pub timeout: Duration,
    /// Where it leads.
    pub kind: ChannelKind,
}

/// Where a channel leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// A mail server.
    Email(EmailSettings),
    /// Slack's incoming webhook; its address is a secret.
    Slack(HttpSettings),
    /// Any server that takes JSON.
    Webhook(HttpSettings),
    /// An Alertmanager; the address is that of its API, such as `http://host:9093`.
    Alertmanager {
        /// The server.
        server: HttpSettings,
        /// How long an alert is good without being told again.
        lasts: Duration,
    },
    /// A file of JSON lines.
    LogFile(LogFileSettings),
}

impl ChannelKind {
    /// The word used in output.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Slack(_) => "slack",
            Self::Webhook(_) => "webhook",
            Self::Alertmanager { .. } => "alertmanager",
            Self::LogFile(_) => "log_file",
        }
    }
}

/// An HTTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Its address.
    pub url: Address,
    /// Sent as a bearer token.
    pub token: Option<SecretRef>,
    /// Certificates to trust besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
}

/// An address that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// It may be seen.
    Open(String),
    /// It has a token in it.
    Secret(SecretRef),
}

/// Why an attempt failed. No text in it holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SendError {
    /// What happened.
    pub reason: String,
    /// Whether trying again is of no use.
    pub is_final: bool,
    /// Not before this is over, says the server.
    pub retry_after: Option<Duration>,
}

impl SendError {
    /// May work the next time.
    pub(crate) fn passing(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_final: false,
            retry_after: None,
        }
    }

    /// Will not work the next time either.
    pub(crate) fn lasting(reason: impl Into<String>) -> Self {
        Self {
            is_final: true,
            ..Self::passing(reason)
        }
    }
}

impl From<SecretError> for SendError {
    /// The file may come; until then the message waits.
    fn from(error: SecretError) -> Self {
        Self::passing(error.to_string())
    }
}

impl ChannelSettings {
    /// Delivers a message, or says why not, within `timeout`.
    ///
    /// # Errors
    /// When the other side did not take it, or did not say so in time.
    pub async fn send(&self, message: &Message, host: &str) -> Result<(), SendError> {
        let sent = tokio::time::timeout(self.timeout, self.attempt(message, host)).await;
        sent.unwrap_or_else(|_| Err(SendError::passing(format!("no answer within {:?}", self.timeout))))
    }

    async fn attempt(&self, message: &Message, host: &str) -> Result<(), SendError> {
        match &self.kind {
            ChannelKind::Email(settings) => email::send(settings, message, host).await,
            ChannelKind::Slack(server) => http::post(server, "", &render::slack(message, host)).await,
            ChannelKind::Webhook(server) => http::post(server, "", &render::json(message, host)).await,
            ChannelKind::Alertmanager { server, lasts } => {
                http::post(server, "/api/v2/alerts", &render::alertmanager(message, host, *lasts)).await
            }
            ChannelKind::LogFile(settings) => log_file::append(settings, &render::lines(message, host)),
        }
    }
}
