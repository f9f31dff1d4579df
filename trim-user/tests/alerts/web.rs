//! A web server that records what it is sent, and misbehaves on request.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tokio_rustls::rustls::ServerConfig;
use xtask::lab::wait_until;

use crate::tls::secured;

/// What it does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Answers so, with these header lines and this body.
    Status(u16, &'static str, String),
    /// Never answers.
    Silence,
    /// Closes its side without an answer.
    HalfClose,
    /// Breaks off within the status line.
    HalfLine,
    /// Sends a byte of an endless answer now and then.
    Drip,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::Status(status, "", String::new())
    }
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) head: String,
    pub(crate) body: Value,
}

#[derive(Default)]
struct Record {
    script: VecDeque<Answer>,
    requests: Vec<Request>,
}

/// The server. It answers 200 when its script is at its end.
pub(crate) struct Web {
    address: SocketAddr,
    record: Arc<Mutex<Record>>,
}

impl Web {
    pub(crate) fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").unwrap(), script, None)
    }

    pub(crate) fn secure(config: Arc<ServerConfig>) -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").unwrap(), [], Some(config))
    }

    pub(crate) fn serve(
        listener: TcpListener,
        script: impl IntoIterator<Item = Answer>,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let record = Arc::new(Mutex::new(Record {
            script: script.into_iter().collect(),
            requests: Vec::new(),
        }));
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&record);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (shared, tls) = (Arc::clone(&shared), tls.clone());
                thread::spawn(move || converse(&stream.unwrap(), tls.as_ref(), &shared));
            }
        });
        Self { address, record }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.record.lock().unwrap().requests.clone()
    }

    /// Waits until so many requests have arrived.
    #[track_caller]
    pub(crate) fn wait(&self, count: usize) -> Vec<Request> {
        wait_until(Duration::from_secs(30), || self.requests().len() >= count);
        let requests = self.requests();
        assert!(
            requests.len() >= count,
            "{} of {count} requests arrived",
            requests.len()
        );
        requests
    }
}

fn converse(stream: &TcpStream, tls: Option<&Arc<ServerConfig>>, record: &Mutex<Record>) {
    // A peer that breaks off, or does not trust us, is what some tests are about.
    let _ = match tls {
        None => exchange(stream, stream, record),
        Some(config) => exchange(secured(config, stream), stream, record),
    };
}

fn exchange<S: Read + Write>(peer: S, raw: &TcpStream, record: &Mutex<Record>) -> std::io::Result<()> {
    let mut peer = BufReader::new(peer);
    let (mut line, mut head) = (String::new(), String::new());
    peer.read_line(&mut line)?;
    while !head.ends_with("\r\n\r\n") {
        if peer.read_line(&mut head)? == 0 {
            return Ok(());
        }
        if head == "\r\n" {
            break;
        }
    }
    let length = head.to_ascii_lowercase();
    let length = length
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.lines().next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    peer.read_exact(&mut body)?;
    let request = Request {
        line: line.trim_end().to_owned(),
        head,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let answer = {
        let mut record = record.lock().unwrap();
        record.requests.push(request);
        record.script.pop_front().unwrap_or_else(|| Answer::status(200))
    };
    act(&answer, peer.get_mut(), raw)
}

fn act<S: Read + Write>(answer: &Answer, peer: &mut S, raw: &TcpStream) -> std::io::Result<()> {
    match answer {
        Answer::Status(status, head, body) => {
            let length = body.len();
            write!(
                peer,
                "HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\n{head}\r\n{body}"
            )?;
            peer.flush()
        }
        Answer::Silence => peer.read_to_end(&mut Vec::new()).map(drop),
        Answer::HalfClose => {
            raw.shutdown(Shutdown::Write)?;
            peer.read_to_end(&mut Vec::new()).map(drop)
        }
        Answer::HalfLine => {
            write!(peer, "HTTP/1.1 20")?;
            raw.shutdown(Shutdown::Both)
        }
        Answer::Drip => {
            for letter in b"HTTP/1.1 200 OK\r\nx: ".iter().chain(std::iter::repeat(&b'y')) {
                peer.write_all(&[*letter])?;
                thread::sleep(Duration::from_millis(50));
            }
            Ok(())
        }
    }
}
