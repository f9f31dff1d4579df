//! Secrets are planted in every form, and looked for in every sink.

use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex};

use super::*;

const SECRET: &str = "hunter2";

#[derive(Clone, Default)]
struct Remembered(Arc<Mutex<Vec<u8>>>);

impl Write for Remembered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("refused with Authorization: Bearer hunter2")]
struct Cause;

#[derive(Debug, thiserror::Error)]
#[error("cannot fetch https://user:hunter2@example.org/")]
struct Failure(#[source] Cause);

/// As careless code would log them.
fn plant() {
    let url = "https://user:hunter2@example.org/path?token=hunter2";
    tracing::info!(url, "fetching {url}");
    tracing::info!(password = SECRET, smtp_token = ?Some(SECRET), cookie = %SECRET, "connecting");
    tracing::warn!("login failed: password={SECRET} user=ops");
    tracing::warn!("request was GET / HTTP/1.1\r\nAuthorization: Basic {SECRET}\r\nCookie: a=1; b={SECRET}\r\n");
    tracing::error!(error = &Failure(Cause) as &dyn std::error::Error, "cannot send");
    tracing::error!(error = %Failure(Cause), "cannot send");
    tracing::error!("answer was {{\"access_token\": \"a {SECRET}\"}}");
    tracing::info!(x_trace_id = SECRET, "the header X-Trace-Id: {SECRET} is ours");
    tracing::info!("the end");
}

/// What a sink gets of all that.
fn logged(sink: Box<dyn sink::Sink>) {
    let settings = Logging {
        redact_fields: vec!["x-trace".to_owned(), "x_trace".to_owned()],
        ..Logging::default()
    };
    let (logger, writer) = start(&settings, sink).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(logger), plant);
    drop(writer);
}

#[track_caller]
fn assert_clean(log: &str) {
    assert!(log.contains("the end") && log.contains("connecting"), "{log}");
    assert!(log.contains("user=ops"), "what is no secret stays: {log}");
    assert!(log.contains(HIDDEN), "{log}");
    assert!(!log.contains(SECRET), "{log}");
}

#[test]
fn no_secret_reaches_standard_error() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let remembered = Remembered::default();
        logged(Box::new(sink::Stream::new(remembered.clone(), format, true)));
        let bytes = remembered.0.lock().unwrap().clone();
        assert_clean(&String::from_utf8(bytes).unwrap());
    }
}

#[test]
fn no_secret_reaches_a_file() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let folder = tempfile::tempdir().unwrap();
        let settings = Logging {
            to: LogTo::File,
            directory: folder.path().into(),
            format,
            ..Logging::default()
        };
        logged(sink::open(&settings).unwrap());
        assert_clean(&std::fs::read_to_string(folder.path().join(sink::CURRENT)).unwrap());
    }
}

#[test]
fn no_secret_reaches_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixDatagram::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    logged(Box::new(sink::Journal::at(path.to_str().unwrap()).unwrap()));
    let (mut log, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    while let Ok(length) = listener.recv(&mut buffer) {
        log.extend_from_slice(&buffer[..length]);
    }
    assert_clean(&String::from_utf8_lossy(&log));
}
