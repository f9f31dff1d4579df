//! HTTP traffic made in memory, as the segments that a trimmer sees.

mod texts;

use std::ops::Range;

use texts::{Texts, chunked, noise, request, with_length};
use trim_common::flow::{Direction, FlowKey, map_ipv4};
use trim_user::packet::TcpFlags;
use trim_user::trimmer::Segment;

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
/// Payload of a full-size Ethernet frame, bytes.
const FULL: usize = 1460;
/// Ethernet, IPv4 and TCP headers, bytes.
const HEADERS: usize = 14 + 20 + 20;

/// One TCP segment; its payload stands in [`Trace::bytes`].
#[derive(Clone)]
struct Packet {
    flow: FlowKey,
    direction: Direction,
    sequence: u32,
    acknowledgment: u32,
    flags: u8,
    payload: Range<usize>,
    /// How many of the payload bytes are body.
    body: usize,
}

/// Packets of many connections in the order in which they are captured.
pub struct Trace {
    packets: Vec<Packet>,
    bytes: Vec<u8>,
}

impl Trace {
    /// How many packets there are.
    pub fn packets(&self) -> usize {
        self.packets.len()
    }

    /// Frame bytes on the wire, without preamble and checksum.
    pub fn wire_bytes(&self) -> usize {
        let payload: usize = self.packets.iter().map(|packet| packet.payload.len()).sum();
        payload + HEADERS * self.packets.len()
    }

    /// Body bytes in all packets.
    pub fn body_bytes(&self) -> usize {
        self.packets.iter().map(|packet| packet.body).sum()
    }

    /// The segments of one round, beginning with SYNs. `shift` moves all sequence numbers, so that a round after
    /// another one is new traffic on warm tables and no retransmission.
    pub fn segments(&self, shift: u32) -> impl Iterator<Item = Segment<'_>> {
        self.packets.iter().enumerate().map(move |(index, packet)| Segment {
            flow: packet.flow,
            direction: packet.direction,
            sequence: packet.sequence.wrapping_add(shift),
            acknowledgment: packet.acknowledgment.wrapping_add(shift),
            flags: TcpFlags(packet.flags),
            payload: &self.bytes[packet.payload.clone()],
            wire_payload: packet.payload.len() as u32,
            time: index as u64,
        })
    }

    /// The same without one packet in `one_in`, chosen by chance, the same ones each time. SYNs stay.
    pub fn with_loss(mut self, one_in: u32) -> Self {
        let mut state = 0x9e37_79b9;
        self.packets
            .retain(|packet| packet.flags & SYN != 0 || !texts::next(&mut state).is_multiple_of(one_in));
        self
    }
}

/// One connection that is being written, apart from the others so that they can take turns later.
struct Connection {
    flow: FlowKey,
    client: Direction,
    next: [u32; 2],
    packets: Vec<Packet>,
}

impl Connection {
    /// A connection that has just been opened.
    fn new(number: u32) -> Self {
        let [_, a, b, c] = number.to_be_bytes();
        let port = 10_000 + (number % 50_000) as u16;
        let (flow, client) = FlowKey::new(map_ipv4([10, a, b, c]), port, map_ipv4([192, 168, 0, 1]), 80);
        let mut new = Self {
            flow,
            client,
            next: [number.wrapping_mul(77_777), number.wrapping_mul(99_991)],
            packets: Vec::new(),
        };
        new.push(0, SYN, 0..0, 0);
        new.push(1, SYN | ACK, 0..0, 0);
        new.push(0, ACK, 0..0, 0);
        new
    }

    fn push(&mut self, side: usize, flags: u8, payload: Range<usize>, body: usize) {
        let length = payload.len() as u32 + u32::from(flags & SYN != 0);
        self.packets.push(Packet {
            flow: self.flow,
            direction: if side == 0 { self.client } else { self.client.reverse() },
            sequence: self.next[side],
            acknowledgment: self.next[1 - side],
            flags,
            payload,
            body,
        });
        self.next[side] = self.next[side].wrapping_add(length);
    }

    /// Full-size segments, and an acknowledgment for every two of them.
    fn say(&mut self, side: usize, texts: &mut Texts, message: Message) {
        let text = texts.place(message.text);
        for (index, from) in text.clone().step_by(FULL).enumerate() {
            let part = from..text.end.min(from + FULL);
            let within = part.start - text.start..part.end - text.start;
            let body = message.body.iter().map(|body| overlap(body, &within)).sum();
            self.push(side, ACK, part, body);
            if index % 2 == 1 {
                self.push(1 - side, ACK, 0..0, 0);
            }
        }
    }
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> usize {
    one.end.min(other.end).saturating_sub(one.start.max(other.start))
}

/// Bytes to be sent in one go, and which of them are body.
#[derive(Default)]
struct Message {
    text: Vec<u8>,
    body: Vec<Range<usize>>,
}

impl Message {
    fn and(mut self, other: Self) -> Self {
        let shift = self.text.len();
        self.text.extend(other.text);
        self.body
            .extend(other.body.into_iter().map(|body| body.start + shift..body.end + shift));
        self
    }
}

/// Lets connections take turns, a few packets each.
fn interleave(connections: Vec<Connection>, turn: usize, texts: Texts) -> Trace {
    let mut queues: Vec<_> = connections
        .into_iter()
        .map(|connection| connection.packets.into_iter())
        .collect();
    let mut packets = Vec::new();
    while !queues.is_empty() {
        queues.retain_mut(|queue| {
            packets.extend(queue.take(turn));
            queue.len() > 0
        });
    }
    let bytes = texts.into_bytes();
    Trace { packets, bytes }
}

/// Bodies of 1 MiB over 64 connections that take turns packet by packet.
pub fn body_heavy() -> Trace {
    body_heavy_of(64, 1 << 20)
}

/// Likewise with so many connections, and bodies of so many bytes.
pub fn body_heavy_of(flows: u32, length: usize) -> Trace {
    let mut texts = Texts::default();
    let mut connections = Vec::new();
    for number in 0..flows {
        let mut connection = Connection::new(number);
        connection.say(0, &mut texts, request(number % 8));
        connection.say(1, &mut texts, with_length(&noise(length, number % 4)));
        connections.push(connection);
    }
    interleave(connections, 1, texts)
}

/// Small messages over 10 000 connections that take turns packet by packet; on every fourth one, requests and answers
/// come by threes.
pub fn header_heavy() -> Trace {
    header_heavy_of(10_000)
}

/// Likewise with so many connections.
pub fn header_heavy_of(flows: u32) -> Trace {
    let mut texts = Texts::default();
    let mut connections = Vec::new();
    for number in 0..flows {
        let mut connection = Connection::new(number);
        let pipelined = if number % 4 == 0 { 3 } else { 1 };
        for turn in 0..(6 / pipelined) {
            let mut asked = Message::default();
            let mut answered = Message::default();
            for exchange in 0..pipelined {
                let kind = number % 16 + turn * pipelined + exchange;
                asked = asked.and(request(kind));
                answered = answered.and(with_length(&noise((kind * 37) as usize % 200, kind)));
            }
            connection.say(0, &mut texts, asked);
            connection.say(1, &mut texts, answered);
        }
        connections.push(connection);
    }
    interleave(connections, 1, texts)
}

/// 500 keep-alive connections with bodies around 12 KiB, a third of them chunked.
pub fn web() -> Trace {
    web_of(500)
}

/// Likewise with so many connections.
pub fn web_of(flows: u32) -> Trace {
    let mut texts = Texts::default();
    let mut connections = Vec::new();
    for number in 0..flows {
        let mut connection = Connection::new(number);
        for exchange in 0..8 {
            let kind = number % 16 + exchange;
            let body = noise(600 + (kind * 104_729) as usize % 24_000, kind);
            let answer = match exchange % 3 {
                0 => chunked(&body),
                _ => with_length(&body),
            };
            connection.say(0, &mut texts, request(exchange));
            connection.say(1, &mut texts, answer);
        }
        connections.push(connection);
    }
    interleave(connections, 4, texts)
}
