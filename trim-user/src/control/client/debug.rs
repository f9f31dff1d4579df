//! What is asked about the inside of the daemon.

use hyper::Method;

use super::{Client, ClientError};
use crate::control::api::debug::ProfileRequest;
use crate::control::diagnosis::Profile;
use crate::control::diagnosis::memory::{Memory, Released};

impl Client {
    /// Its memory by subsystem.
    ///
    /// # Errors
    /// See [`ClientError`]; likewise for the other requests.
    pub fn memory(&self) -> Result<Memory, ClientError> {
        self.ask(Method::GET, "/v1/debug/memory", None::<&()>)
    }

    /// Lets it give memory back to the system.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn release_memory(&self) -> Result<Released, ClientError> {
        self.ask(Method::POST, "/v1/debug/release-memory", None::<&()>)
    }

    /// Samples its allocations.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn heap_profile(&self, request: &ProfileRequest) -> Result<Profile, ClientError> {
        self.ask(Method::POST, "/v1/debug/heap-profile", Some(request))
    }

    /// Samples where its time goes.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn cpu_profile(&self, request: &ProfileRequest) -> Result<Profile, ClientError> {
        self.ask(Method::POST, "/v1/debug/cpu-profile", Some(request))
    }
}
