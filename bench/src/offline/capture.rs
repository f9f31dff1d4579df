//! The capture that is trimmed: downloads over keep-alive connections, with the truth about each frame.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use trim_user::data::record::Record;
use trim_user::data::sink::{FileSink, OutputFormat, Sink as _};
use trim_user::data::{Compression, Format, Interface};
use trim_user::packet::LinkType;

use crate::traffic::frame::{ACK, HEADERS, PSH, SYN, Segment};

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const SERVER_PORT: u16 = 80;
const FIRST_CLIENT_PORT: u16 = 30_000;
/// Connections that take turns, a frame each.
pub(super) const FLOWS: u16 = 64;
/// Length of each response body, bytes.
pub(super) const BODY: usize = 1 << 20;
/// Largest TCP payload in an Ethernet frame of 1514 bytes.
const SEGMENT: usize = 1460;
/// 2026-01-01, nanoseconds since 1970.
const START_NS: u64 = 1_767_225_600_000_000_000;
/// Bits per nanosecond: frames come as on a link of 10 Gbit/s.
const LINE_RATE: u64 = 10;
/// Preamble, frame check sequence and gap between two frames, bytes.
const BETWEEN_FRAMES: u64 = 24;

/// One frame and what of it is a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) time_ns: u64,
    pub(super) bytes: Vec<u8>,
    /// Bytes in front of the body: link, IP, TCP, and HTTP up to the empty line. Everything behind them is body.
    pub(super) headers: usize,
}

/// The frames of a capture, the same ones each time.
pub(super) struct Frames {
    /// Frame bytes that are still to come.
    left: usize,
    turn: usize,
    time_ns: u64,
    flows: Vec<Flow>,
    /// The body of every response.
    body: Vec<u8>,
}

impl Frames {
    /// So many that their bytes reach `size`.
    pub(super) fn new(size: usize) -> Self {
        Self::with(FLOWS, BODY, size)
    }

    /// Likewise with other numbers of connections and bytes of a body.
    fn with(flows: u16, body: usize, size: usize) -> Self {
        Self {
            left: size,
            turn: 0,
            time_ns: START_NS,
            flows: (0..flows).map(Flow::new).collect(),
            body: noise(body),
        }
    }
}

impl Iterator for Frames {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        if self.left == 0 {
            return None;
        }
        let (bytes, headers) = self.flows[self.turn].frame(&self.body);
        self.turn = (self.turn + 1) % self.flows.len();
        self.left = self.left.saturating_sub(bytes.len());
        self.time_ns += (bytes.len() as u64 + BETWEEN_FRAMES) * 8 / LINE_RATE;
        Some(Frame {
            time_ns: self.time_ns,
            bytes,
            headers,
        })
    }
}

/// What a connection does next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Open,
    Accept,
    Confirm,
    Ask,
    Answer,
    Body {
        /// Bytes of the body that were sent.
        sent: usize,
    },
}

struct Flow {
    number: u16,
    client: u32,
    server: u32,
    next: Next,
}

impl Flow {
    fn new(number: u16) -> Self {
        Self {
            number,
            client: u32::from(number).wrapping_mul(77_777_777),
            server: u32::from(number).wrapping_mul(99_999_999),
            next: Next::Open,
        }
    }

    /// The next frame, and how many of its bytes are headers.
    fn frame(&mut self, body: &[u8]) -> (Vec<u8>, usize) {
        match self.next {
            Next::Open => self.open(),
            Next::Accept => self.accept(),
            Next::Confirm => headers_only(self.by_client(ACK, &[], Next::Ask)),
            Next::Ask => {
                let request = self.request();
                headers_only(self.by_client(PSH | ACK, &request, Next::Answer))
            }
            Next::Answer => {
                let mut payload = response(body.len());
                let headers = payload.len();
                payload.extend_from_slice(&body[..SEGMENT - headers]);
                let sent = SEGMENT - headers;
                (self.by_server(&payload, Next::Body { sent }), HEADERS + headers)
            }
            Next::Body { sent } => {
                let end = body.len().min(sent + SEGMENT);
                let next = if end == body.len() {
                    Next::Ask
                } else {
                    Next::Body { sent: end }
                };
                (self.by_server(&body[sent..end], next), HEADERS)
            }
        }
    }

    fn open(&mut self) -> (Vec<u8>, usize) {
        let frame = self.segment_of_client(0, SYN, &[]).frame();
        self.client = self.client.wrapping_add(1);
        self.next = Next::Accept;
        headers_only(frame)
    }

    fn accept(&mut self) -> (Vec<u8>, usize) {
        let frame = self.segment_of_server(SYN | ACK, &[]).frame();
        self.server = self.server.wrapping_add(1);
        self.next = Next::Confirm;
        headers_only(frame)
    }

    fn by_client(&mut self, flags: u8, payload: &[u8], next: Next) -> Vec<u8> {
        let frame = self.segment_of_client(self.server, flags, payload).frame();
        self.client = self.client.wrapping_add(payload.len() as u32);
        self.next = next;
        frame
    }

    fn by_server(&mut self, payload: &[u8], next: Next) -> Vec<u8> {
        let frame = self.segment_of_server(ACK, payload).frame();
        self.server = self.server.wrapping_add(payload.len() as u32);
        self.next = next;
        frame
    }

    fn segment_of_client<'a>(&self, acknowledgment: u32, flags: u8, payload: &'a [u8]) -> Segment<'a> {
        Segment {
            from: (CLIENT, FIRST_CLIENT_PORT + self.number),
            to: (SERVER, SERVER_PORT),
            sequence: self.client,
            acknowledgment,
            flags,
            payload,
        }
    }

    fn segment_of_server<'a>(&self, flags: u8, payload: &'a [u8]) -> Segment<'a> {
        Segment {
            from: (SERVER, SERVER_PORT),
            to: (CLIENT, FIRST_CLIENT_PORT + self.number),
            sequence: self.server,
            acknowledgment: self.client,
            flags,
            payload,
        }
    }

    fn request(&self) -> Vec<u8> {
        let number = self.number;
        format!(
            "GET /download/{number:05} HTTP/1.1\r\nHost: files.example\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\
             Cookie: session=0123456789abcdef0123456789abcdef\r\n\r\n"
        )
        .into_bytes()
    }
}

fn headers_only(frame: Vec<u8>) -> (Vec<u8>, usize) {
    let headers = frame.len();
    (frame, headers)
}

fn response(length: usize) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/octet-stream\r\nContent-Length: {length}\r\n\
         Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: \"0123456789abcdef\"\r\nAccept-Ranges: bytes\r\n\r\n"
    )
    .into_bytes()
}

/// Bytes that look compressed, the same ones each time (Marsaglia's xorshift).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// How much there is in a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Content {
    pub(super) packets: u64,
    /// Bytes of all headers, from Ethernet's on.
    pub(super) header_bytes: u64,
    pub(super) body_bytes: u64,
}

/// Writes a capture and returns its path.
pub(super) fn write(folder: &Path, format: Format, size: usize) -> Result<(PathBuf, Content)> {
    let path = folder.join("bulk").with_extension(format.extension());
    let content = write_to(&path, format, size).with_context(|| format!("cannot write {}", path.display()))?;
    Ok((path, content))
}

fn write_to(path: &Path, format: Format, size: usize) -> Result<Content> {
    let compression = Compression::None;
    let mut sink = FileSink::create(path, &[], OutputFormat { format, compression })?;
    let interface = sink.interface(&Interface::new(LinkType::ETHERNET))?;
    let mut content = Content::default();
    for frame in Frames::new(size) {
        content.packets += 1;
        content.header_bytes += frame.headers as u64;
        content.body_bytes += (frame.bytes.len() - frame.headers) as u64;
        sink.record(&Record {
            interface,
            time_ns: frame.time_ns,
            original_length: frame.bytes.len() as u32,
            data: &frame.bytes,
        })?;
    }
    sink.finish()?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::trimmed::by_legacy;

    const FEW: u16 = 8;
    const SMALL: usize = 100_000;

    /// Two whole bodies of every connection, and a part of the third.
    fn frames() -> Frames {
        Frames::with(FEW, SMALL, usize::from(FEW) * SMALL * 5 / 2)
    }

    #[test]
    fn legacy_cuts_exactly_the_bodies() {
        let headers: Vec<_> = frames().map(|frame| frame.headers).collect();
        let bytes: Vec<_> = frames().map(|frame| frame.bytes).collect();
        assert_eq!(by_legacy(&bytes), headers);
    }

    #[test]
    fn flows_take_turns_with_full_frames_at_line_rate() {
        let frames: Vec<_> = frames().collect();
        let full = frames.iter().filter(|frame| frame.bytes.len() == HEADERS + SEGMENT);
        assert!(full.count() > frames.len() * 8 / 10);
        let port = |frame: &Frame| {
            let at = if frame.bytes[34..36] == [0, 80] { 36 } else { 34 };
            u16::from_be_bytes([frame.bytes[at], frame.bytes[at + 1]])
        };
        for (number, frame) in frames.iter().enumerate() {
            assert_eq!(port(frame), FIRST_CLIENT_PORT + (number % usize::from(FEW)) as u16);
        }
        let seconds = (frames[frames.len() - 1].time_ns - START_NS) as f64 / 1e9;
        let bits = 8.0 * frames.iter().map(|frame| frame.bytes.len() as f64).sum::<f64>();
        assert!(
            (bits / seconds / 1e9 - 9.8).abs() < 0.1,
            "{} Gbit/s",
            bits / seconds / 1e9
        );
    }
}
