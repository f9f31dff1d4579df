//! Requests about the configuration.

use hyper::Method;

use super::{Client, ClientError};
use crate::control::api::configuration::{Checked, ConfigRollbackRequest, ReloadRequest};
use crate::control::configuration::{ActiveConfiguration, Applied};

impl Client {
    /// What is active.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn active_configuration(&self) -> Result<ActiveConfiguration, ClientError> {
        self.ask(Method::GET, "/v1/config", None::<&()>)
    }

    /// Where the daemon's layers, read anew, differ from that.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn check_configuration(&self) -> Result<Checked, ClientError> {
        self.ask(Method::GET, "/v1/config/check", None::<&()>)
    }

    /// Has it read its layers anew.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn reload(&self, request: &ReloadRequest) -> Result<Applied, ClientError> {
        self.ask(Method::POST, "/v1/config/reload", Some(request))
    }

    /// Makes an earlier version active.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn roll_back_configuration(&self, request: &ConfigRollbackRequest) -> Result<Applied, ClientError> {
        self.ask(Method::POST, "/v1/config/rollback", Some(request))
    }
}
