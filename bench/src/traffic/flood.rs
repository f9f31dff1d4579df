//! The same segment again and again on many connections, one frame of each in turn, so that neighbouring frames on the wire
//! belong to different ones.
//!
//! A connection opens with a handshake and what the client says first; then every frame is the client's next segment.

use std::time::Instant;

use anyhow::{Result, ensure};
use trim_common::maps::SourceFlow;
use trim_user::kernel::source::Source;

use super::frame::{ACK, HEADERS, PSH, SYN, Segment};
use super::{CLIENT, CLIENT_START, FIRST_CLIENT_PORT, SERVER, SERVER_PORT, SERVER_START, Sent, Shape};

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Client,
    Server,
}

/// Connections on which clients say the same again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flood {
    connections: u16,
    /// First, before time is taken; nothing when it is empty.
    opening: &'static [u8],
    /// Payload of each segment.
    segment: &'static [u8],
    /// Segments of each connection.
    segments: u32,
}

impl Flood {
    /// The smallest frames there are, of no HTTP: 6 bytes of payload make 60, and 64 with the checksum of Ethernet.
    pub(crate) const fn tiny(connections: u16, segments: u32) -> Self {
        Self {
            connections,
            opening: &[],
            segment: &[0, 1, 2, 0xfd, 0xfe, 0xff],
            segments,
        }
    }

    /// A header block that never ends, one byte a segment, on every connection.
    pub(crate) const fn hostile(connections: u16, segments: u32) -> Self {
        Self {
            connections,
            opening: b"GET / HTTP/1.1\r\nHost: victim.example\r\nX-Endless: ",
            segment: b"x",
            segments,
        }
    }

    pub(super) fn shape(self) -> Shape {
        Shape {
            flows: self.connections,
            frame_bytes: (HEADERS + self.segment.len()) as f64,
            frames: u64::from(self.frames()),
            body_bytes: 0,
        }
    }

    /// Frames while time is taken.
    fn frames(self) -> u32 {
        u32::from(self.connections) * self.segments
    }

    pub(super) fn send(self, interface: u32) -> Result<Sent> {
        let handshakes = self.shake_hands(interface)?;
        let mut source = Source::load(interface, &self.flows(End::Client, 1))?;
        if !self.opening.is_empty() {
            source.send(&template(End::Client, PSH | ACK, self.opening), self.connections.into())?;
        }
        let openings = source.made()?;
        let segment = template(End::Client, PSH | ACK, self.segment);
        let started = Instant::now();
        source.send(&segment, self.frames())?;
        let duration = started.elapsed();
        let made = source.made()? - openings;
        ensure!(
            made == u64::from(self.frames()),
            "the kernel made {made} frames of {} asked for",
            self.frames()
        );
        Ok(Sent {
            frames: handshakes + openings + made,
            openings: handshakes + openings,
            body_bytes: 0,
            duration,
        })
    }

    /// SYN, SYN and ACK, ACK of every connection; returns how many frames that were.
    fn shake_hands(self, interface: u32) -> Result<u64> {
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
    fn flows(self, from: End, sequence: u32) -> Vec<SourceFlow> {
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

#[cfg(test)]
mod tests {
    use super::super::trimmed::by_legacy;
    use super::*;

    #[test]
    fn tiny_frames_and_endless_headers_are_kept_whole() {
        for flood in [Flood::tiny(1, 100), Flood::hostile(1, 100)] {
            let mut sequence = CLIENT_START + 1;
            let payloads = [flood.opening].into_iter().filter(|opening| !opening.is_empty());
            let payloads = payloads.chain((0..flood.segments).map(|_| flood.segment));
            let frames: Vec<Vec<u8>> = payloads
                .map(|payload| {
                    let mut frame = template(End::Client, PSH | ACK, payload);
                    frame[38..42].copy_from_slice(&sequence.to_be_bytes());
                    sequence += payload.len() as u32;
                    frame
                })
                .collect();
            let whole: Vec<usize> = frames.iter().map(Vec::len).collect();
            assert_eq!(by_legacy(frames), whole);
        }
        assert!((Flood::tiny(1, 1).shape().frame_bytes - 60.0).abs() < f64::EPSILON);
    }
}
