//! Many HTTP downloads at once.
//!
//! Each flow opens with a handshake, a request and the header of its response, sent once through a packet socket; then
//! the body follows as full-size segments made by the kernel, one of each flow in turn, without pauses and without
//! acknowledgments, as a mirror port brings one direction of a fast download.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use trim_common::maps::SourceFlow;
use trim_user::kernel::packet_socket::PacketSocket;
use trim_user::kernel::source::Source;

use super::frame::{ACK, HEADERS, PSH, SYN, Segment};
use super::{CLIENT, CLIENT_START, FIRST_CLIENT_PORT, SEGMENT, SERVER, SERVER_PORT, SERVER_START, Sent, Shape};

/// Pause between the openings of two flows. A veth keeps 256 frames, and a lost header would change what is measured.
const OPENING_PAUSE: Duration = Duration::from_micros(200);

/// Downloads that run side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Downloads {
    /// How many.
    pub(crate) flows: u16,
    /// Full-size segments of each body.
    pub(crate) segments: u32,
}

impl Downloads {
    /// Bytes of each body.
    fn body_bytes(self) -> u64 {
        u64::from(self.segments) * SEGMENT as u64
    }

    /// Frames of all bodies.
    fn body_frames(self) -> u32 {
        u32::from(self.flows) * self.segments
    }

    pub(super) fn shape(self) -> Shape {
        Shape {
            flows: self.flows,
            frame_bytes: (HEADERS + SEGMENT) as f64,
            frames: self.body_frames().into(),
            body_bytes: u64::from(self.flows) * self.body_bytes(),
        }
    }

    /// Sends everything out of the interface with this index (of the calling thread's namespace).
    ///
    /// # Errors
    /// When the kernel refuses, or has made another number of frames than it was asked for.
    pub(super) fn send(self, interface: u32) -> Result<Sent> {
        let mut source = Source::load(interface, &self.body_flows())?;
        let template = self.body_template();
        let openings = self.open_flows(interface)?;
        let started = Instant::now();
        source.send(&template, self.body_frames())?;
        let duration = started.elapsed();
        let made = source.made()?;
        ensure!(
            made == u64::from(self.body_frames()),
            "the kernel made {made} frames of {} asked for",
            self.body_frames()
        );
        Ok(Sent {
            frames: openings + made,
            openings,
            body_bytes: self.shape().body_bytes,
            duration,
        })
    }

    /// Everything up to the first body byte; returns how many frames that were.
    fn open_flows(self, interface: u32) -> Result<u64> {
        let socket =
            PacketSocket::open(interface, 0).context("cannot open a packet socket on the sending interface")?;
        let mut sent = 0;
        for flow in 0..self.flows {
            for frame in self.opening(flow) {
                socket.send(&frame).context("cannot send the beginning of a flow")?;
                sent += 1;
            }
            std::thread::sleep(OPENING_PAUSE);
        }
        Ok(sent)
    }

    /// Handshake, request and response header of one flow.
    fn opening(self, flow: u16) -> [Vec<u8>; 5] {
        let (request, response) = (request(flow), self.response());
        let client = |sequence, flags, payload| Segment {
            from: (CLIENT, FIRST_CLIENT_PORT + flow),
            to: (SERVER, SERVER_PORT),
            sequence,
            acknowledgment: if flags == SYN { 0 } else { SERVER_START + 1 },
            flags,
            payload,
        };
        let server = |sequence, acknowledgment, flags, payload| Segment {
            from: (SERVER, SERVER_PORT),
            to: (CLIENT, FIRST_CLIENT_PORT + flow),
            sequence,
            acknowledgment,
            flags,
            payload,
        };
        [
            client(CLIENT_START, SYN, &[]).frame(),
            server(SERVER_START, CLIENT_START + 1, SYN | ACK, &[]).frame(),
            client(CLIENT_START + 1, ACK, &[]).frame(),
            client(CLIENT_START + 1, PSH | ACK, request.as_bytes()).frame(),
            server(SERVER_START + 1, after(&request), PSH | ACK, response.as_bytes()).frame(),
        ]
    }

    fn response(self) -> String {
        format!(
            "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\
             Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: \"0123456789abcdef\"\r\nAccept-Ranges: bytes\r\n\r\n",
            self.body_bytes()
        )
    }

    /// What the kernel copies for each part of a body; it writes ports and sequence numbers itself.
    fn body_template(self) -> Vec<u8> {
        let payload: Vec<u8> = (0..SEGMENT).map(|index| b' ' + (index * 7 % 95) as u8).collect();
        Segment {
            from: (SERVER, SERVER_PORT),
            to: (CLIENT, FIRST_CLIENT_PORT),
            sequence: 0,
            acknowledgment: after(&request(0)),
            flags: ACK,
            payload: &payload,
        }
        .frame()
    }

    fn body_flows(self) -> Vec<SourceFlow> {
        let sequence = SERVER_START + 1 + self.response().len() as u32;
        let flow = |flow| SourceFlow {
            sequence,
            source_port: SERVER_PORT,
            destination_port: FIRST_CLIENT_PORT + flow,
        };
        (0..self.flows).map(flow).collect()
    }
}

/// Of the same length for every flow, because all bodies carry the same acknowledgment number.
fn request(flow: u16) -> String {
    format!("GET /download/{flow:05} HTTP/1.1\r\nHost: files.example\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n")
}

/// The number that acknowledges a request.
fn after(request: &str) -> u32 {
    CLIENT_START + 1 + request.len() as u32
}

#[cfg(test)]
mod tests {
    use super::super::trimmed::by_legacy;
    use super::*;

    const DOWNLOADS: Downloads = Downloads { flows: 2, segments: 3 };

    /// What the kernel's program makes of the template: the next segment of `flow`.
    fn body(flow: &mut SourceFlow) -> Vec<u8> {
        let mut frame = DOWNLOADS.body_template();
        frame[34..36].copy_from_slice(&flow.source_port.to_be_bytes());
        frame[36..38].copy_from_slice(&flow.destination_port.to_be_bytes());
        frame[38..42].copy_from_slice(&flow.sequence.to_be_bytes());
        flow.sequence += SEGMENT as u32;
        frame
    }

    #[test]
    fn a_trimmer_cuts_every_body_and_keeps_every_opening() {
        let openings: Vec<_> = (0..DOWNLOADS.flows).flat_map(|flow| DOWNLOADS.opening(flow)).collect();
        let mut flows = DOWNLOADS.body_flows();
        let bodies = (0..DOWNLOADS.segments).flat_map(|_| flows.iter_mut().map(body).collect::<Vec<_>>());
        let kept: Vec<_> = openings.iter().map(Vec::len).collect();
        let lengths = by_legacy(openings.into_iter().chain(bodies));
        assert_eq!(lengths[..kept.len()], kept);
        assert_eq!(lengths[kept.len()..], [HEADERS; 6]);
    }

    #[test]
    fn the_body_ends_where_the_last_segment_ends() {
        let mut next = DOWNLOADS.opening(0).into_iter().collect::<Vec<_>>();
        let mut flow = DOWNLOADS.body_flows()[0];
        next.extend((0..=DOWNLOADS.segments).map(|_| body(&mut flow)));
        let lengths = by_legacy(next);
        assert_eq!(lengths[5..8], [HEADERS; 3]);
        assert_eq!(lengths[8], HEADERS + SEGMENT, "a segment behind the body is none of it");
    }
}
