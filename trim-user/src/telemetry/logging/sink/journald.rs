//! systemd's journal, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).
//!
//! The crate `tracing-journald` sends on the thread that logs and shows nobody what it sends, so it can neither be kept from
//! waiting nor be redacted.

use std::io;
use std::os::unix::net::UnixDatagram;

use super::super::error::LoggingError;
use super::super::line::Line;
use super::Sink;

const SOCKET: &str = "/run/systemd/journal/socket";

pub(in super::super) struct Journal {
    socket: UnixDatagram,
}

impl Journal {
    pub(super) fn connect() -> Result<Self, LoggingError> {
        Self::at(SOCKET)
    }

    pub(in super::super) fn at(path: &str) -> Result<Self, LoggingError> {
        let socket = UnixDatagram::unbound().map_err(LoggingError::Journal)?;
        socket.connect(path).map_err(LoggingError::Journal)?;
        Ok(Self { socket })
    }
}

impl Sink for Journal {
    fn write(&mut self, line: &Line) -> io::Result<()> {
        self.socket.send(&datagram(line)).map(drop)
    }

    fn complain(&mut self, error: &io::Error) {
        eprintln!("trim: systemd's journal takes no log lines: {error}");
    }
}

fn datagram(line: &Line) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, "MESSAGE", &line.message);
    put(&mut bytes, "PRIORITY", &line.level.priority().to_string());
    put(&mut bytes, "SYSLOG_IDENTIFIER", "trim");
    put(&mut bytes, "TRIM_LEVEL", line.level.name());
    put(&mut bytes, "TRIM_TARGET", &line.target);
    for (name, value) in &line.fields {
        put(&mut bytes, &field_name(name), value);
    }
    bytes
}

/// Upper case letters, digits and `_` are what the journal takes; the prefix keeps its own fields ours.
fn field_name(name: &str) -> String {
    let allowed = name.chars().map(|c| {
        let c = c.to_ascii_uppercase();
        if c.is_ascii_uppercase() || c.is_ascii_digit() {
            c
        } else {
            '_'
        }
    });
    format!("TRIM_F_{}", allowed.take(50).collect::<String>())
}

/// A value with its length in front, which may hold anything.
fn put(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(b'\n');
    bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
    bytes.extend_from_slice(value.as_bytes());
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::super::super::line::Level;
    use super::*;

    #[test]
    fn fields_arrive_as_the_journal_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixDatagram::bind(&path).unwrap();
        let mut journal = Journal::at(path.to_str().unwrap()).unwrap();
        let mut line = Line::of_log(Level::Warn, "two\nlines".to_owned());
        line.fields.push(("queue.full".to_owned(), "7".to_owned()));
        journal.write(&line).unwrap();
        let mut buffer = [0; 4096];
        let length = listener.recv(&mut buffer).unwrap();
        let sent = &buffer[..length];
        assert!(sent.starts_with(b"MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\nPRIORITY\n"));
        let has = |part: &[u8]| sent.windows(part.len()).any(|window| window == part);
        assert!(has(b"TRIM_F_QUEUE_FULL\n\x01\0\0\0\0\0\0\x007\n"));
    }

    #[test]
    fn without_a_journal_it_says_what_to_do() {
        let error = Journal::at("/nonexistent/socket").err().unwrap().to_string();
        assert!(error.contains("logging.to"), "{error}");
    }
}
