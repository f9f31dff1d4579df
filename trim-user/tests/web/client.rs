//! A listener, and a client that sends what it is told to byte by byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::{get, post};
use trim_user::control::web::{WebLimits, WebListener, WebServer, WebSettings};

/// Longer than any limit of these tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Length of the answer that a client which does not read cannot have taken in.
pub(crate) const LARGE: usize = 64 << 20;

/// Limits that make a test short.
pub(crate) fn strict() -> WebLimits {
    WebLimits {
        connections: 4,
        head: Duration::from_millis(300),
        answer: Duration::from_millis(500),
        stall: Duration::from_millis(300),
        body: 1000,
    }
}

pub(crate) fn settings(limits: WebLimits) -> WebSettings {
    WebSettings {
        limits,
        ..WebSettings::new("127.0.0.1:0".parse().unwrap())
    }
}

/// Serves `/open` to everybody and the rest to bearers of the token.
pub(crate) fn start(settings: &WebSettings) -> WebServer {
    let open = Router::new().route("/open", get(async || "open"));
    let guarded = Router::new()
        .route("/", get(async || "here").post(async || "done"))
        .route("/large", get(async || "x".repeat(LARGE)))
        .route("/body", post(async |body: String| format!("{} bytes", body.len())))
        .route("/slow", get(async |_: Request| tokio::time::sleep(PATIENCE).await));
    WebListener::open(settings).unwrap().start(open, guarded).unwrap()
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// What comes back for these bytes until the server closes.
pub(crate) fn say(address: SocketAddr, bytes: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(bytes.as_bytes()).unwrap();
    rest(&mut stream)
}

/// Everything until the server closes; a reset is an end, too.
pub(crate) fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("no end: {error}"),
        _ => String::from_utf8(answer).unwrap(),
    }
}

/// The answer to a request for `path` with these header lines.
pub(crate) fn get_with(address: SocketAddr, path: &str, lines: &str) -> String {
    say(
        address,
        &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{lines}\r\n"),
    )
}

/// The status of an answer.
#[track_caller]
pub(crate) fn status(answer: &str) -> u16 {
    let word = answer.split(' ').nth(1);
    word.and_then(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

/// Writes a file that nobody else may read.
pub(crate) fn write_secret(path: &std::path::Path, text: impl AsRef<[u8]>) {
    std::fs::write(path, text).unwrap();
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, closed).unwrap();
}
