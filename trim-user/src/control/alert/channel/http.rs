//! Posts JSON over HTTP/1.1.

use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::super::secret::{Secret, SecretRef};
use super::{Address, HttpSettings, SendError, tls};

/// The content type of everything that is told to people.
const JSON: &str = "application/json";
/// Most of an answer that is read, and most of it that is shown.
const LONGEST_ANSWER: usize = 64 << 10;
const LONGEST_EXCERPT: usize = 200;
/// Longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Posts `body` to the address with `path` behind it. Redirections are not followed.
pub(super) async fn post(server: &HttpSettings, path: &str, body: &Value) -> Result<(), SendError> {
    let address = match &server.url {
        Address::Open(url) => Secret::new(url.clone()),
        Address::Secret(reference) => reference.read()?,
    };
    let token = server.token.as_ref().map(|token| token.read()).transpose()?;
    let target = Target::parse(address.reveal(), path)?;
    let authorization = token
        .as_ref()
        .map(|token| Secret::new(format!("Bearer {}", token.reveal())));
    let request = target.request(authorization.as_ref(), JSON, body.to_string())?;
    let response = target.exchange(server.ca_file.as_deref(), request).await?;
    let secrets = [
        matches!(server.url, Address::Secret(_)).then_some(&address),
        token.as_ref(),
    ];
    judge(&target.shown, response, &secrets).await
}

/// A request of any kind.
pub(crate) struct Post<'a> {
    /// The address, which may be shown, and what comes behind it.
    pub(crate) url: &'a str,
    pub(crate) path: &'a str,
    /// The whole value of `Authorization`.
    pub(crate) authorization: Option<&'a Secret>,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// Certificates to trust besides the system's, PEM.
    pub(crate) ca_file: Option<&'a Path>,
    /// Most bytes of an answer; a longer one is an error.
    pub(crate) longest_answer: usize,
}

/// What a server answered, whatever its status.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
    /// Scheme, host and port, for messages.
    pub(crate) shown: String,
}

impl Reply {
    /// The status, and the beginning of what was said unless it repeats `secrets`.
    pub(crate) fn describe(&self, secrets: &[Option<&Secret>]) -> String {
        let excerpt = excerpt(&self.body, secrets);
        format!("{}: the server answered {}{excerpt}", self.shown, self.status)
    }
}

impl Post<'_> {
    /// Sends it and reads the whole answer. Redirections are not followed.
    ///
    /// # Errors
    /// When there is no whole answer. Time is bounded by the caller.
    pub(crate) async fn send(self) -> Result<Reply, SendError> {
        let target = Target::parse(self.url, self.path)?;
        let request = target.request(self.authorization, self.content_type, self.body)?;
        let response = target.exchange(self.ca_file, request).await?;
        let (status, retry_after) = (response.status(), retry_after(response.headers()));
        let body = Limited::new(response.into_body(), self.longest_answer).collect().await;
        let body = body.map_err(|error| target.failed("the answer broke off", error))?;
        Ok(Reply {
            status,
            retry_after,
            body: body.to_bytes(),
            shown: target.shown,
        })
    }
}

/// Why nothing can be said to a server, by how far it got.
pub(crate) enum Unreachable {
    /// No connection.
    Connection(SendError),
    /// No TLS that its certificate vouches for.
    Tls(SendError),
}

/// Connects, agrees on TLS where the address asks for it, and says nothing. Gives scheme, host and port. Time is bounded by the
/// caller.
pub(crate) async fn reach(url: &str, ca_file: Option<&Path>) -> Result<String, Unreachable> {
    let target = Target::parse(url, "").map_err(Unreachable::Connection)?;
    let stream = target.connect().await.map_err(Unreachable::Connection)?;
    if target.is_tls {
        target.secure(ca_file, stream).await.map_err(Unreachable::Tls)?;
    }
    Ok(target.shown)
}

impl HttpSettings {
    /// The references to secrets that a request needs.
    pub(crate) fn secrets(&self) -> Vec<&SecretRef> {
        let url = match &self.url {
            Address::Open(_) => None,
            Address::Secret(reference) => Some(reference),
        };
        url.into_iter().chain(&self.token).collect()
    }

    /// Where connections go; `None` when the address is a secret that cannot be had. Neither shows the address itself.
    pub(crate) fn host_and_port(&self) -> Option<Result<(String, u16), String>> {
        let address = match &self.url {
            Address::Open(url) => Secret::new(url.clone()),
            Address::Secret(reference) => reference.read().ok()?,
        };
        let target = Target::parse(address.reveal(), "");
        Some(
            target
                .map(|target| (target.host, target.port))
                .map_err(|error| error.to_string()),
        )
    }
}

/// Where a request goes, taken apart.
struct Target {
    is_tls: bool,
    host: String,
    port: u16,
    /// What `Host` says.
    authority: String,
    path: String,
    /// What errors may show: scheme, host and port.
    shown: String,
}

impl Target {
    /// The error does not show the address: it may be secret.
    fn parse(address: &str, path: &str) -> Result<Self, SendError> {
        let unusable = || SendError::lasting("the address is no http:// or https:// URL");
        let uri: Uri = address.parse().map_err(|_| unusable())?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(unusable()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(unusable)?;
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let own = uri.path_and_query().map_or("/", |own| own.as_str());
        let path = if path.is_empty() {
            own.to_owned()
        } else {
            format!("{}{path}", own.trim_end_matches('/'))
        };
        Ok(Self {
            is_tls,
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            authority: uri
                .port_u16()
                .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
            path,
            shown: format!("{}://{host}:{port}", if is_tls { "https" } else { "http" }),
        })
    }

    fn request(
        &self,
        authorization: Option<&Secret>,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Result<Request<Full<Bytes>>, SendError> {
        let unusable = |what: &str| SendError::lasting(format!("{}: the {what} cannot be sent in HTTP", self.shown));
        let mut request = Request::new(Full::new(body.into()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.parse().map_err(|_| unusable("path"))?;
        let headers = request.headers_mut();
        headers.insert(
            HOST,
            HeaderValue::from_str(&self.authority).map_err(|_| unusable("host name"))?,
        );
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("trim/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(authorization) = authorization {
            let mut value = HeaderValue::from_str(authorization.reveal()).map_err(|_| unusable("token"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    fn failed(&self, what: &str, error: impl std::fmt::Display) -> SendError {
        SendError::passing(format!("{}: {what}: {error}", self.shown))
    }

    async fn exchange(
        &self,
        ca_file: Option<&Path>,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, SendError> {
        let stream = self.connect().await?;
        if self.is_tls {
            self.talk(self.secure(ca_file, stream).await?, request).await
        } else {
            self.talk(stream, request).await
        }
    }

    async fn connect(&self) -> Result<TcpStream, SendError> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
        stream.map_err(|error| self.failed("cannot connect", error))
    }

    async fn secure(&self, ca_file: Option<&Path>, stream: TcpStream) -> Result<TlsStream<TcpStream>, SendError> {
        let name = ServerName::try_from(self.host.clone()).map_err(|error| self.failed("no name for TLS", error))?;
        let stream = tls::connector(ca_file)?.connect(name, stream).await;
        stream.map_err(|error| self.failed("no TLS", error))
    }

    async fn talk<S>(&self, stream: S, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, SendError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let broke_off = |error: hyper::Error| self.failed("the conversation broke off", error);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broke_off)?;
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request).await.map_err(broke_off);
        if response.is_err() {
            connection.abort();
        }
        response
    }
}

/// Success, a failure that may pass (the server's fault, too many requests, a time-out), or one that will not.
async fn judge(shown: &str, response: Response<Incoming>, secrets: &[Option<&Secret>]) -> Result<(), SendError> {
    let status = response.status();
    if status.is_success() {
        // What else the server says changes nothing, and may take its time.
        return Ok(());
    }
    let retry_after = retry_after(response.headers());
    let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let reason = format!("{shown}: the server answered {status}{}", excerpt(&body, secrets));
    let may_pass = status.is_server_error()
        || [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_EARLY,
            StatusCode::TOO_MANY_REQUESTS,
        ]
        .contains(&status);
    Err(SendError {
        reason,
        is_final: !may_pass,
        retry_after: retry_after.filter(|_| may_pass),
    })
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3); dates are not looked at.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

/// The beginning of an answer, unless it repeats a secret.
fn excerpt(body: &[u8], secrets: &[Option<&Secret>]) -> String {
    let text = String::from_utf8_lossy(body);
    let holds_secret = |secret: &Secret| {
        secret
            .reveal()
            .split('/')
            .any(|part| part.len() > 5 && text.contains(part))
    };
    if text.trim().is_empty() || secrets.iter().flatten().any(|secret| holds_secret(secret)) {
        return String::new();
    }
    let line: String = text
        .chars()
        .take(LONGEST_EXCERPT)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!(": {}", line.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart_and_shown_without_their_path() {
        let target = Target::parse("https://hooks.example/T1/secret?x=1", "").unwrap();
        assert_eq!((target.port, target.path.as_str()), (443, "/T1/secret?x=1"));
        assert_eq!(target.shown, "https://hooks.example:443");
        let target = Target::parse("http://[::1]:9093/", "/api/v2/alerts").unwrap();
        assert_eq!((target.host.as_str(), target.path.as_str()), ("::1", "/api/v2/alerts"));
        assert_eq!(target.authority, "[::1]:9093");
        for address in ["ftp://a/secret", "secret", "http://", "http://a b/secret"] {
            let error = Target::parse(address, "").err().unwrap();
            assert!(error.is_final && !error.reason.contains("secret"), "{error}");
        }
    }

    #[test]
    fn an_answer_that_repeats_a_secret_is_not_shown() {
        let secret = Secret::new("https://hooks.example/T0001/abcdefgh");
        assert_eq!(excerpt(b"no such token: abcdefgh", &[Some(&secret)]), "");
        assert_eq!(
            excerpt(b"invalid\npayload", &[Some(&secret), None]),
            ": invalid payload"
        );
    }
}
