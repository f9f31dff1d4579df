//! How a script is written: who says what, message by message.

use std::net::Ipv4Addr;

use trim_common::source::{BEGIN, Flow, Step, WRITTEN_MAX};
use trim_user::kernel::source::Script;

use super::frame::{ACK, HEADERS, PSH, SYN, Segment};
use super::truth::{Spoken, Stream, Truth};
use super::{Traffic, frame};

/// First address and port of the clients; each address has [`PORTS`] connections.
pub(super) const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 1);
pub(super) const FIRST_PORT: u16 = 30_000;
pub(super) const PORTS: u32 = 30_000;
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const SERVER_PORT: u16 = 80;
/// Initial sequence numbers of client and server.
pub(super) const START: [u32; 2] = [1_000_000, 2_000_000];
/// Largest TCP payload in an Ethernet frame of 1514 bytes.
pub(super) const SEGMENT: usize = 1460;

/// An end of a connection, as an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Client = 0,
    Server = 1,
}

impl End {
    const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// A body, and how it is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// None, and no header field about it.
    None,
    /// With a Content-Length, bytes.
    Length(usize),
    /// In chunks: one up to the end of each of so many segments.
    Chunks(usize),
}

/// A script that grows.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    spoken: Vec<Spoken>,
    /// Where messages begin at which a connection may begin.
    begins: Vec<u16>,
    /// Segments of a body after which the receiver acknowledges; 0 for never.
    acknowledged_after: usize,
}

impl Conversation {
    /// One that begins with a handshake. Receivers acknowledge after so many full segments (0: they do not).
    pub(super) fn new(acknowledged_after: usize) -> Self {
        let mut new = Self {
            acknowledged_after,
            ..Self::default()
        };
        new.segment(End::Client, SYN, Vec::new(), 0);
        new.segment(End::Server, SYN | ACK, Vec::new(), 0);
        new.segment(End::Client, ACK, Vec::new(), 0);
        new
    }

    /// A connection may begin with what is said next.
    pub(super) fn may_begin(&mut self) {
        self.begins.push(self.spoken.len() as u16);
    }

    /// A message: its header block without the field that frames the body and without the empty line, and its body.
    pub(super) fn message(&mut self, from: End, header: &str, body: Body) {
        let mut header = header.to_owned().into_bytes();
        match body {
            Body::None => header.extend(b"\r\n"),
            Body::Length(length) => header.extend(format!("Content-Length: {length}\r\n\r\n").into_bytes()),
            Body::Chunks(_) => header.extend(b"Transfer-Encoding: chunked\r\n\r\n"),
        }
        match body {
            Body::None => self.segment(from, PSH | ACK, header, 0),
            Body::Length(length) => self.plain(from, header, length),
            Body::Chunks(segments) => self.chunked(from, header, segments),
        }
    }

    fn plain(&mut self, from: End, header: Vec<u8>, length: usize) {
        let first = length.min(SEGMENT - header.len());
        let (full, rest) = ((length - first) / SEGMENT, (length - first) % SEGMENT);
        let last = if full + rest == 0 { PSH } else { 0 };
        self.segment(from, ACK | last, header, first);
        self.full_segments(from, full);
        if rest > 0 {
            self.segment(from, PSH | ACK, Vec::new(), rest);
        }
    }

    /// Full segments of a body, and what their receiver says to them.
    fn full_segments(&mut self, from: End, count: usize) {
        let at_once = match self.acknowledged_after {
            0 => count,
            after => after,
        };
        let mut left = count;
        while left > 0 {
            let now = left.min(at_once);
            self.segment(from, ACK, Vec::new(), SEGMENT);
            if let Some(spoken) = self.spoken.last_mut() {
                spoken.step.repeat = now as u16;
            }
            left -= now;
            if self.acknowledged_after > 0 {
                self.segment(from.other(), ACK, Vec::new(), 0);
            }
        }
    }

    /// The line of each chunk's size stands at the beginning of its segment, after the end of the chunk before.
    fn chunked(&mut self, from: End, mut header: Vec<u8>, segments: usize) {
        header.extend(b"400\r\n");
        self.segment(from, ACK, header, 1024);
        for _ in 1..segments {
            self.segment(from, ACK, b"\r\n5a0\r\n".to_vec(), 1440);
        }
        self.segment(from, PSH | ACK, b"\r\n0\r\n\r\n".to_vec(), 0);
    }

    /// A segment that begins with what is to be kept, and goes on with so many bytes of a body.
    pub(super) fn segment(&mut self, from: End, flags: u8, kept: Vec<u8>, body: usize) {
        let payload: Vec<u8> = kept.iter().copied().chain(filling(kept.len()).take(body)).collect();
        let (client, server) = ((CLIENT, FIRST_PORT), (SERVER, SERVER_PORT));
        let (from_socket, to_socket) = match from {
            End::Client => (client, server),
            End::Server => (server, client),
        };
        let frame = Segment {
            from: from_socket,
            to: to_socket,
            sequence: 0,
            acknowledgment: 0,
            flags,
            payload: &payload,
        }
        .frame();
        let number = self.spoken.len() as u16;
        self.spoken.push(Spoken {
            step: Step {
                next: number + 1,
                ..Step::new(&frame, from == End::Server, WRITTEN_MAX)
            },
            kept: kept.len() as u16,
            body: body as u16,
        });
    }

    /// The step that was written last, to be changed.
    ///
    /// # Panics
    /// Never: a conversation has a handshake.
    pub(super) fn last(&mut self) -> &mut Step {
        &mut self.spoken.last_mut().expect("a handshake").step
    }

    /// The segment that was written last is sent again and again.
    pub(super) fn without_end(&mut self) {
        let last = self.spoken.len() as u16 - 1;
        self.last().next = last;
    }

    /// So many connections, which begin with one message after the other, and after the last with the first again.
    pub(super) fn traffic(mut self, flows: u32) -> Traffic {
        self.last().next = self.begins[0];
        let truth = Truth::Stream(Stream::new(self.spoken.clone(), self.begins.clone()));
        self.finished(flows, truth)
    }

    /// So many connections, of whose bytes all are to be kept.
    pub(super) fn kept_whole(self, flows: u32) -> Traffic {
        self.finished(flows, Truth::Whole)
    }

    fn finished(mut self, flows: u32, truth: Truth) -> Traffic {
        self.spoken[2].step.next = BEGIN;
        // Whatever another step has left in a frame is written over.
        let most_kept = self.spoken.iter().map(|spoken| spoken.kept).max().unwrap_or(0);
        let written = HEADERS + usize::from(most_kept);
        assert!(written <= WRITTEN_MAX, "a header block fits into what a step writes");
        let steps = self.spoken.iter().map(|spoken| Step {
            written: written.min(spoken.step.length.into()) as u16,
            ..spoken.step
        });
        let flow = |number: u32| Flow {
            sequences: START,
            address: u32::from(CLIENT) + number / PORTS,
            port: FIRST_PORT + (number % PORTS) as u16,
            begin: self.begins[number as usize % self.begins.len()],
            ..Flow::default()
        };
        Traffic {
            script: Script {
                steps: steps.collect(),
                flows: (0..flows).map(flow).collect(),
                filling: frame::filled(SEGMENT),
            },
            truth,
            opening: 3,
        }
    }
}

/// Body bytes, as they stand in a payload from this place on: readable, and never 0.
pub(super) fn filling(from: usize) -> impl Iterator<Item = u8> {
    (from..).map(|index| b' ' + (index * 7 % 95) as u8)
}
