//! Talks to a running daemon over its unix socket.

mod alerts;
mod configuration;
mod debug;
mod rollout;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::api::{Done, Reasoned, Refusal, SwitchRequest};
use super::histograms::Histograms;
use super::status::Status;

/// Why a request got no answer, or not the one hoped for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no trim is running behind {}: {error}; start one with `trim run`, or name its socket with `--socket`", path.display())]
    NotRunning {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It does not answer.
    #[error("the daemon behind {} does not answer within {} s; it may hang", path.display(), patience.as_secs_f64())]
    Silent {
        /// The socket.
        path: PathBuf,
        /// How long it had.
        patience: Duration,
    },
    /// The conversation broke off.
    #[error("the daemon broke off: {0}")]
    Broken(#[from] hyper::Error),
    /// The daemon refused.
    #[error("{0}")]
    Refused(String),
    /// The answer is not understood.
    #[error("the daemon's answer is not understood ({0}): are both programs of the same version?")]
    NotUnderstood(#[from] serde_json::Error),
    /// No runtime.
    #[error("cannot start: {0}")]
    Runtime(io::Error),
}

/// A daemon, by its socket.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    patience: Duration,
}

/// How long the daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

impl Client {
    /// The daemon behind this socket.
    pub fn new(socket: &Path) -> Self {
        Self {
            socket: socket.into(),
            patience: PATIENCE,
        }
    }

    /// Gives up after this long.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// See [`ClientError`]; likewise for the other requests.
    pub fn status(&self) -> Result<Status, ClientError> {
        self.ask(Method::GET, "/v1/status", None::<&()>)
    }

    /// Its latency histograms.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn histograms(&self) -> Result<Histograms, ClientError> {
        self.ask(Method::GET, "/v1/histograms", None::<&()>)
    }

    /// Switches the mode.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn switch(&self, request: &SwitchRequest) -> Result<Done, ClientError> {
        self.ask(Method::POST, "/v1/switch", Some(request))
    }

    /// Begins a new output file.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn rotate(&self, why: &Reasoned) -> Result<Done, ClientError> {
        self.ask(Method::POST, "/v1/rotate", Some(why))
    }

    /// Ends the capture.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn stop(&self, why: &Reasoned) -> Result<Done, ClientError> {
        self.ask(Method::POST, "/v1/stop", Some(why))
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ClientError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let body = body.map(serde_json::to_vec).transpose()?;
        let (status, answer) = runtime
            .map_err(ClientError::Runtime)?
            .block_on(async { tokio::time::timeout(self.patience, self.exchange(method, path, body)).await })
            .map_err(|_elapsed| ClientError::Silent {
                path: self.socket.clone(),
                patience: self.patience,
            })??;
        if status.is_success() {
            return Ok(serde_json::from_slice(&answer)?);
        }
        let refusal = serde_json::from_slice::<Refusal>(&answer).map(|refusal| refusal.error);
        Err(ClientError::Refused(
            refusal.unwrap_or_else(|_| String::from_utf8_lossy(&answer).into_owned()),
        ))
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|error| ClientError::NotRunning {
                path: self.socket.clone(),
                error,
            })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut request = Request::new(body.map_or_else(Body::empty, Body::from));
        *request.method_mut() = method;
        *request.uri_mut() = hyper::Uri::try_from(path).unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(hyper::header::HOST, hyper::header::HeaderValue::from_static("trim"));
        headers.insert(
            hyper::header::CONTENT_TYPE,
            hyper::header::HeaderValue::from_static("application/json"),
        );
        let response = sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}
