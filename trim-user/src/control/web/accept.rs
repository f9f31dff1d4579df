//! Takes connections, as many as there are places, and speaks HTTP/1.1 on each.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::patience::Patience;
use super::settings::WebLimits;

/// Most bytes of a request's head.
const LONGEST_HEAD: usize = 32 << 10;
/// Pause after the system had no descriptor for a connection.
const EXHAUSTED: Duration = Duration::from_millis(200);

/// Who is at the other end; handlers find it among a request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebPeer(pub SocketAddr);

/// What every connection is served with.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) router: Router,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) limits: WebLimits,
}

impl Server {
    /// Takes connections for ever.
    pub(super) async fn accept(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        // The semaphore is never closed.
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    tokio::spawn(self.clone().converse(stream, peer, place));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot take a connection");
                    sleep(EXHAUSTED).await;
                }
            }
        }
    }

    async fn converse(self, stream: TcpStream, peer: SocketAddr, _place: OwnedSemaphorePermit) {
        let done = match &self.tls {
            None => self.serve(stream, peer).await,
            Some(tls) => match timeout(self.limits.head, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.serve(stream, peer).await,
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("no TLS handshake in time".to_owned()),
            },
        };
        if let Err(error) = done {
            tracing::debug!(%peer, error, "a connection ended early");
        }
    }

    async fn serve<S>(&self, stream: S, peer: SocketAddr) -> Result<(), String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let router = TowerToHyperService::new(self.router.clone());
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(WebPeer(peer));
            router.call(request)
        });
        let stream = TokioIo::new(Patience::new(stream, self.limits.stall));
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head)
            .max_buf_size(LONGEST_HEAD)
            .serve_connection(stream, service)
            .await
            .map_err(|error| error.to_string())
    }
}

/// Answers for a handler that takes too long, or waits for a body that does not come.
pub(super) async fn in_time(limit: Duration, request: Request, next: Next) -> Result<Response, Infallible> {
    Ok(timeout(limit, next.run(request))
        .await
        .unwrap_or_else(|_| (StatusCode::REQUEST_TIMEOUT, "this took too long\n").into_response()))
}

/// Opens the socket.
pub(super) fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
