//! Many connections in step: each step is one frame of every connection, so that neighbouring frames on the wire belong to
//! different ones.
//!
//! A connection opens with a handshake; then the same cycle of segments follows again and again, of both directions, with
//! consecutive sequence numbers. Acknowledgment numbers stay as they are: a template of the kernel has one.

use std::time::Instant;

use anyhow::{Result, ensure};
use trim_common::maps::SourceFlow;
use trim_user::kernel::source::Source;

use super::frame::{ACK, HEADERS, PSH, SYN, Segment};
use super::{CLIENT, CLIENT_START, FIRST_CLIENT_PORT, SEGMENT, SERVER, SERVER_PORT, SERVER_START, Sent, Shape};

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Client,
    Server,
}

/// One frame of every connection.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    from: End,
    payload: Vec<u8>,
    /// Bytes of a message body in the payload.
    body: usize,
}

/// Connections that all do the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exchanges {
    connections: u16,
    /// Once, before time is taken.
    opening: Vec<Step>,
    /// Again and again.
    cycle: Vec<Step>,
    cycles: u32,
}

impl Exchanges {
    /// Pages and their parts: bodies of 4, 8 and 24 KiB over connections that stay, one of the three chunked.
    pub(crate) fn web(connections: u16, cycles: u32) -> Self {
        let exchanges = [response(4 << 10), chunked(8 << 10), response(24 << 10)];
        let cycle = exchanges.into_iter().flat_map(|response| [request(), response]);
        Self::of(connections, Vec::new(), cycle.flatten().collect(), cycles)
    }

    /// Small messages: a request without body, and 1 KiB of answer.
    pub(crate) fn api(connections: u16, cycles: u32) -> Self {
        Self::of(connections, Vec::new(), [request(), response(1 << 10)].concat(), cycles)
    }

    /// The smallest frames there are, of no HTTP: 6 bytes of payload make 60, and 64 with the checksum of Ethernet.
    pub(crate) fn tiny(connections: u16, cycles: u32) -> Self {
        let step = Step {
            from: End::Client,
            payload: vec![0, 1, 2, 0xfd, 0xfe, 0xff],
            body: 0,
        };
        Self::of(connections, Vec::new(), vec![step], cycles)
    }

    /// A header block that never ends, one byte a segment, on every connection.
    pub(crate) fn hostile(connections: u16, cycles: u32) -> Self {
        let opening = segments(End::Client, b"GET / HTTP/1.1\r\nHost: victim.example\r\nX-Endless: ", 0);
        let step = Step {
            from: End::Client,
            payload: b"x".to_vec(),
            body: 0,
        };
        Self::of(connections, opening, vec![step], cycles)
    }

    fn of(connections: u16, opening: Vec<Step>, cycle: Vec<Step>, cycles: u32) -> Self {
        Self {
            connections,
            opening,
            cycle,
            cycles,
        }
    }

    pub(super) fn shape(&self) -> Shape {
        let rounds = u64::from(self.connections) * u64::from(self.cycles);
        let bytes: usize = self.cycle.iter().map(|step| HEADERS + step.payload.len()).sum();
        Shape {
            flows: self.connections,
            frame_bytes: bytes as f64 / self.cycle.len() as f64,
            frames: rounds * self.cycle.len() as u64,
            body_bytes: rounds * self.cycle.iter().map(|step| step.body as u64).sum::<u64>(),
        }
    }

    pub(super) fn send(&self, interface: u32) -> Result<Sent> {
        let handshakes = self.shake_hands(interface)?;
        let mut client = Source::load(interface, &self.flows(End::Client, 1))?;
        let mut server = Source::load(interface, &self.flows(End::Server, 1))?;
        let mut send = |step: &Step, times: u32| {
            let source = match step.from {
                End::Client => &mut client,
                End::Server => &mut server,
            };
            source.send(
                &template(step.from, PSH | ACK, &step.payload),
                times * u32::from(self.connections),
            )
        };
        for step in &self.opening {
            send(step, 1)?;
        }
        let started = Instant::now();
        match self.cycle.as_slice() {
            // Without a change of direction or length the kernel needs to be called once.
            [step] => drop(send(step, self.cycles)?),
            steps => {
                for _ in 0..self.cycles {
                    for step in steps {
                        send(step, 1)?;
                    }
                }
            }
        }
        let duration = started.elapsed();
        let made = client.made()? + server.made()?;
        let shape = self.shape();
        let openings = (self.opening.len() as u64) * u64::from(self.connections);
        ensure!(
            made == shape.frames + openings,
            "the kernel made {made} frames of {} asked for",
            shape.frames + openings
        );
        Ok(Sent {
            frames: handshakes + made,
            openings: handshakes + openings,
            body_bytes: shape.body_bytes,
            duration,
        })
    }

    /// SYN, SYN and ACK, ACK of every connection; returns how many frames that were.
    fn shake_hands(&self, interface: u32) -> Result<u64> {
        let all = u32::from(self.connections);
        let steps = [
            (End::Client, SYN, 0),
            (End::Server, SYN | ACK, 0),
            (End::Client, ACK, 1),
        ];
        for (end, flags, sequence) in steps {
            Source::load(interface, &self.flows(end, sequence))?.send(&template(end, flags, &[]), all)?;
        }
        Ok(steps.len() as u64 * u64::from(all))
    }

    /// The flows that one end sends, with their next sequence numbers: so many behind the initial ones.
    fn flows(&self, from: End, sequence: u32) -> Vec<SourceFlow> {
        let flow = |number| {
            let client = FIRST_CLIENT_PORT + number;
            match from {
                End::Client => SourceFlow {
                    sequence: CLIENT_START + sequence,
                    source_port: client,
                    destination_port: SERVER_PORT,
                },
                End::Server => SourceFlow {
                    sequence: SERVER_START + sequence,
                    source_port: SERVER_PORT,
                    destination_port: client,
                },
            }
        };
        (0..self.connections).map(flow).collect()
    }
}

/// What the kernel copies for each connection; it writes ports and sequence numbers itself.
fn template(from: End, flags: u8, payload: &[u8]) -> Vec<u8> {
    let (client, server) = ((CLIENT, FIRST_CLIENT_PORT), (SERVER, SERVER_PORT));
    let (from, to, acknowledgment) = match from {
        End::Client => (client, server, SERVER_START + 1),
        End::Server => (server, client, CLIENT_START + 1),
    };
    Segment {
        from,
        to,
        sequence: 0,
        acknowledgment: if flags == SYN { 0 } else { acknowledgment },
        flags,
        payload,
    }
    .frame()
}

fn request() -> Vec<Step> {
    let text = b"GET /articles/2026/11/index.html HTTP/1.1\r\nHost: www.example\r\nUser-Agent: bench/1 (X11; Linux x86_64)\r\n\
        Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en\r\nCookie: session=0123456789abcdef\r\n\r\n";
    segments(End::Client, text, 0)
}

/// A response with a body of so many bytes.
fn response(length: usize) -> Vec<Step> {
    let head = format!("{HEAD}Content-Length: {length}\r\n\r\n");
    segments(End::Server, &[head.as_bytes(), &body(length)].concat(), length)
}

/// A response whose body comes in chunks of 4 KiB.
fn chunked(length: usize) -> Vec<Step> {
    let mut message = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for chunk in body(length).chunks(4 << 10) {
        message.extend(format!("{:x}\r\n", chunk.len()).bytes());
        message.extend(chunk);
        message.extend(b"\r\n");
    }
    message.extend(b"0\r\n\r\n");
    segments(End::Server, &message, length)
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/html\r\n\
     Cache-Control: max-age=60\r\nETag: \"0123456789abcdef\"\r\nVary: Accept-Encoding\r\n";

/// Text, so that nothing in it looks like a message.
fn body(length: usize) -> Vec<u8> {
    (0..length).map(|index| b' ' + (index * 7 % 95) as u8).collect()
}

/// Cuts a message into full-size segments. Of its last `body` bytes each segment is said to carry its share, which is exact
/// in the sum.
fn segments(from: End, message: &[u8], body: usize) -> Vec<Step> {
    let mut steps: Vec<Step> = message
        .chunks(SEGMENT)
        .map(|payload| Step {
            from,
            payload: payload.to_vec(),
            body: 0,
        })
        .collect();
    if let Some(last) = steps.last_mut() {
        last.body = body;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::super::trimmed::{self, Kept};
    use super::*;

    /// What the kernel makes of the steps for one connection.
    fn frames(exchanges: &Exchanges) -> Vec<Vec<u8>> {
        let mut next = [CLIENT_START + 1, SERVER_START + 1];
        let cycles = (0..exchanges.cycles).flat_map(|_| &exchanges.cycle);
        let frame = |step: &Step| {
            let sequence = &mut next[step.from as usize];
            let mut frame = template(step.from, PSH | ACK, &step.payload);
            frame[38..42].copy_from_slice(&sequence.to_be_bytes());
            *sequence += step.payload.len() as u32;
            frame
        };
        exchanges.opening.iter().chain(cycles).map(frame).collect()
    }

    #[test]
    fn of_web_and_api_every_body_byte_is_cut_and_nothing_is_unsure() {
        for exchanges in [Exchanges::web(1, 3), Exchanges::api(1, 5)] {
            let frames = frames(&exchanges);
            assert_eq!(frames.len() as u64, exchanges.shape().frames);
            let Kept { cut, unsure, .. } = trimmed::by_legacy(frames);
            assert_eq!((cut, unsure), (exchanges.shape().body_bytes, 0));
        }
    }

    #[test]
    fn a_web_page_has_twelve_kibibytes_on_average() {
        assert_eq!(Exchanges::web(1, 1).shape().body_bytes, 3 * (12 << 10));
    }

    #[test]
    fn tiny_frames_and_endless_headers_are_kept_whole() {
        for exchanges in [Exchanges::tiny(1, 100), Exchanges::hostile(1, 100)] {
            let frames = frames(&exchanges);
            let whole: Vec<usize> = frames.iter().map(Vec::len).collect();
            let Kept { lengths, cut, .. } = trimmed::by_legacy(frames);
            assert_eq!((lengths, cut), (whole, 0));
        }
        assert!((Exchanges::tiny(1, 1).shape().frame_bytes - 60.0).abs() < f64::EPSILON);
    }
}
