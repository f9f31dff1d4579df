//! What is asked about alerts.

use hyper::Method;

use super::{Client, ClientError};
use crate::control::alert::view::{AlertList, AlertStatistics, SilenceView};
use crate::control::api::Done;
use crate::control::api::alerts::{AcknowledgeRequest, SendRequest, SilenceRequest, UnsilenceRequest};

impl Client {
    /// The alerts and silences there are.
    ///
    /// # Errors
    /// See [`ClientError`]; likewise for the other requests.
    pub fn alerts(&self) -> Result<AlertList, ClientError> {
        self.ask(Method::GET, "/v1/alerts", None::<&()>)
    }

    /// How many there were.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn alert_statistics(&self) -> Result<AlertStatistics, ClientError> {
        self.ask(Method::GET, "/v1/alerts/statistics", None::<&()>)
    }

    /// Reports an event.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn send_alert(&self, request: &SendRequest) -> Result<Done, ClientError> {
        self.ask(Method::POST, "/v1/alerts", Some(request))
    }

    /// Says that somebody has seen an alert.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn acknowledge_alert(&self, request: &AcknowledgeRequest) -> Result<Done, ClientError> {
        self.ask(Method::POST, "/v1/alerts/acknowledge", Some(request))
    }

    /// Keeps alerts quiet for a while.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn silence_alerts(&self, request: &SilenceRequest) -> Result<SilenceView, ClientError> {
        self.ask(Method::POST, "/v1/alerts/silence", Some(request))
    }

    /// Ends a silence.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn end_silence(&self, request: &UnsilenceRequest) -> Result<Done, ClientError> {
        self.ask(Method::POST, "/v1/alerts/unsilence", Some(request))
    }
}
