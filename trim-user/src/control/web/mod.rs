//! The daemon's TCP listener: health, metrics and a page for operators.
//!
//! It has a thread and a runtime of its own, at a low priority: whatever clients do, they slow neither the lease nor the
//! control loop. What it shows is read at most twice a second ([`Pictures`]), however many ask.

mod accept;
mod error;
mod guard;
mod metrics;
mod page;
mod patience;
mod picture;
mod probes;
mod routes;
mod settings;
mod tls;
mod token;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

pub use accept::WebPeer;
pub use error::WebError;
pub use guard::{COOKIE_NAME, Guard};
pub use picture::{Picture, PictureError, Pictures, ThreadPicture};
pub use routes::{WebState, routes};
pub use settings::{TlsFiles, WebLimits, WebSettings};
pub use token::{ShortToken, Token};

use self::accept::Server;

/// How much less than others the thread is to get of a busy processor (setpriority(2)).
const NICE: i32 = 10;
/// Threads that read for it what may make them wait.
const READERS: usize = 2;
/// How long requests may take to end when the listener does.
const FAREWELL: Duration = Duration::from_secs(1);

/// A listener that takes no connections yet.
pub struct WebListener {
    socket: std::net::TcpListener,
    address: SocketAddr,
    guard: Arc<Guard>,
    tls: Option<TlsAcceptor>,
    limits: WebLimits,
}

impl WebListener {
    /// Opens the socket and reads what it is guarded with.
    ///
    /// # Errors
    /// When the address can be reached from elsewhere and there is no token, when the token or a file for TLS is no use, or
    /// when the system does not let it listen.
    pub fn open(settings: &WebSettings) -> Result<Self, WebError> {
        if !settings.listen.ip().is_loopback() && settings.token.is_none() {
            return Err(WebError::Unguarded(settings.listen));
        }
        let secret = settings.token.as_ref().map(|token| token.read()).transpose()?;
        let token = secret.map(Token::new).transpose()?;
        let tls = settings.tls.as_ref().map(tls::acceptor).transpose()?;
        let failed = |error| WebError::Listen {
            address: settings.listen,
            error,
        };
        let socket = accept::listen(settings.listen).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        if !address.ip().is_loopback() && tls.is_none() {
            tracing::warn!(%address, "the token goes over the network in the open: `web.certificate` and `web.key` give TLS");
        }
        Ok(Self {
            socket,
            address,
            guard: Arc::new(Guard::new(token)),
            tls,
            limits: settings.limits,
        })
    }

    /// Where it listens, with the port that the system chose if it was asked to.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What requests have to show; a form that takes the token needs it.
    pub fn guard(&self) -> Arc<Guard> {
        Arc::clone(&self.guard)
    }

    /// Serves `open` to everybody and `guarded` to bearers of the token, until the server is dropped.
    ///
    /// # Errors
    /// When there is no thread or no runtime for it.
    pub fn start(self, open: Router, guarded: Router) -> Result<WebServer, WebError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(READERS)
            .build()
            .map_err(WebError::Thread)?;
        let router = self.fence(open, guarded);
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        tracing::info!(address = %self.address, scheme, token = self.guard.asks(), "listening");
        let server = Server {
            router,
            tls: self.tls,
            limits: self.limits,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let work = move || {
            // Of this thread, and of those that it starts. When it is not allowed, all go on as they are.
            let _ = rustix::process::nice(NICE);
            runtime.block_on(async {
                match tokio::net::TcpListener::from_std(self.socket) {
                    Ok(listener) => tokio::select! {
                        () = server.accept(listener) => {}
                        _ = stopped => {}
                    },
                    Err(error) => tracing::error!(%error, "the listener cannot be used"),
                }
            });
            runtime.shutdown_timeout(FAREWELL);
        };
        let thread = std::thread::Builder::new().name("web".to_owned()).spawn(work);
        Ok(WebServer {
            address: self.address,
            stop: Some(stop),
            thread: Some(thread.map_err(WebError::Thread)?),
        })
    }

    fn fence(&self, open: Router, guarded: Router) -> Router {
        let answer = self.limits.answer;
        guarded
            .layer(middleware::from_fn_with_state(self.guard(), guard::token))
            .merge(open)
            .layer(DefaultBodyLimit::max(self.limits.body))
            .layer(middleware::from_fn(move |request: Request, next: Next| {
                accept::in_time(answer, request, next)
            }))
            .layer(middleware::from_fn_with_state(self.guard(), guard::site))
    }
}

/// A running listener; it ends when it is dropped.
#[derive(Debug)]
pub struct WebServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl WebServer {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic was printed where it happened.
            let _ = thread.join();
        }
    }
}
