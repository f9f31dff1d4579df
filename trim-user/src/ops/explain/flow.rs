//! Flows of a capture, numbered as they begin, with their two directions.

use std::collections::HashMap;
use std::net::SocketAddr;

use trim_common::flow::{Direction, FlowKey};

use super::messages::{self, Message};
use super::stream::{Arrival, Position, Stream};
use crate::ops::capture::Capture;
use crate::ops::ends::ends;
use crate::packet::TcpLayout;
use crate::trimmer::Labels;

/// One TCP connection.
pub(super) struct Flow {
    pub(super) key: FlowKey,
    /// Its packets, in capture order.
    pub(super) packets: Vec<usize>,
    pub(super) halves: [Half; 2],
}

/// One direction.
#[derive(Default)]
pub(super) struct Half {
    /// Position of the first payload byte, if the SYN was captured.
    pub(super) base: Option<Position>,
    newest: Option<Position>,
    /// How far its sender had acknowledged the other direction, by packet.
    acknowledged: HashMap<usize, Position>,
    /// Where payload stands, by packet.
    pub(super) places: HashMap<usize, Position>,
    pub(super) stream: Stream,
    pub(super) messages: Vec<Message>,
}

impl Half {
    fn unwrap(&self, sequence: u32) -> Position {
        let Some(newest) = self.newest else {
            return Position::from(sequence) + (1 << 32);
        };
        newest + Position::from(sequence.wrapping_sub(newest as u32).cast_signed())
    }

    fn see(&mut self, at: Position) {
        self.newest = Some(self.newest.map_or(at, |newest| newest.max(at)));
    }
}

/// All flows, and the flow of every packet.
pub(super) struct Flows {
    pub(super) flows: Vec<Flow>,
    pub(super) of_packet: Vec<Option<usize>>,
}

impl Flows {
    /// Sorts the packets of a capture. A SYN that opens another connection between the same ports begins another flow.
    pub(super) fn of(capture: &Capture) -> Self {
        let mut flows: Vec<Flow> = Vec::new();
        let mut current: HashMap<FlowKey, usize> = HashMap::new();
        let mut of_packet = Vec::with_capacity(capture.packets.len());
        for (packet, layout) in capture.packets.iter().map(|packet| packet.tcp()).enumerate() {
            let Some(layout) = layout else {
                of_packet.push(None);
                continue;
            };
            let known = current.get(&layout.flow).copied();
            let index = known
                .filter(|&index| !flows[index].is_replaced_by(layout))
                .unwrap_or(flows.len());
            if index == flows.len() {
                flows.push(Flow::new(layout.flow));
                current.insert(layout.flow, index);
            }
            flows[index].take(packet, layout);
            of_packet.push(Some(index));
        }
        Self { flows, of_packet }
    }
}

impl Flow {
    fn new(key: FlowKey) -> Self {
        Self {
            key,
            packets: Vec::new(),
            halves: Default::default(),
        }
    }

    fn is_replaced_by(&self, layout: &TcpLayout) -> bool {
        let opens = layout.flags.syn() && !layout.flags.ack();
        let half = &self.halves[layout.direction.index()];
        opens
            && half
                .base
                .or(half.newest)
                .is_some_and(|base| half.unwrap(layout.sequence) + 1 != base)
    }

    fn take(&mut self, packet: usize, layout: &TcpLayout) {
        self.packets.push(packet);
        let half = &mut self.halves[layout.direction.index()];
        let mut at = half.unwrap(layout.sequence);
        if layout.flags.syn() {
            at += 1;
            half.base = Some(at);
        }
        if !layout.flags.rst() {
            half.see(at);
            half.places.insert(packet, at);
        }
        if layout.flags.ack() {
            let other = &mut self.halves[layout.direction.reverse().index()];
            let acknowledged = other.unwrap(layout.acknowledgment);
            other.newest.get_or_insert(acknowledged);
            self.halves[layout.direction.index()]
                .acknowledged
                .insert(packet, acknowledged);
        }
    }

    /// Puts the directions together and finds their messages.
    pub(super) fn interpret<'l>(&mut self, capture: &Capture, limit: u32, labels: impl Fn(usize) -> &'l Labels) {
        for direction in [Direction::Up, Direction::Down] {
            let arrivals: Vec<_> = self
                .packets
                .iter()
                .filter_map(|&packet| arrival(capture, packet, direction, &self.halves[direction.index()]))
                .collect();
            let half = &mut self.halves[direction.index()];
            half.stream = Stream::assemble(&arrivals, &labels);
            let stream = &half.stream;
            half.messages = messages::messages(stream, limit, |from, to| bytes(capture, stream, from, to));
        }
        let client = self.client().index();
        let [up, down] = &mut self.halves;
        let (asking, answering) = if client == 0 { (up, down) } else { (down, up) };
        let Half {
            stream,
            messages,
            acknowledged,
            ..
        } = answering;
        messages::pair(&mut asking.messages, messages, stream, |at| {
            let packet = stream.piece_at(at)?.packet;
            acknowledged.get(&packet).copied()
        });
    }

    /// The direction that carries requests: by its messages, or else by who opened the connection.
    pub(super) fn client(&self) -> Direction {
        let requests = |half: &Half| half.messages.first().map(|message| message.is_request);
        let is_up = match (requests(&self.halves[0]), requests(&self.halves[1])) {
            (Some(is_up), _) => is_up,
            (None, Some(is_down)) => !is_down,
            (None, None) => self.key.low_port >= self.key.high_port,
        };
        if is_up { Direction::Up } else { Direction::Down }
    }

    /// Client and server.
    pub(super) fn ends(&self) -> (SocketAddr, SocketAddr) {
        ends(&self.key, self.client())
    }
}

fn arrival(capture: &Capture, packet: usize, direction: Direction, half: &Half) -> Option<Arrival> {
    let layout = capture.packets[packet]
        .tcp()
        .filter(|layout| layout.direction == direction)?;
    let length = layout.payload_end - layout.payload_offset;
    let at = *half.places.get(&packet).filter(|_| length > 0)?;
    Some(Arrival { at, length, packet })
}

/// The captured bytes between two positions.
pub(super) fn bytes(capture: &Capture, stream: &Stream, from: Position, to: Position) -> Vec<u8> {
    let first = stream.pieces.partition_point(|piece| piece.end <= from);
    let mut bytes = Vec::new();
    for piece in stream.pieces[first..].iter().take_while(|piece| piece.at < to) {
        let payload = capture.payload(&capture.packets[piece.packet]);
        let start = piece.offset as usize + (from.max(piece.at) - piece.at) as usize;
        let length = (to.min(piece.end) - from.max(piece.at)) as usize;
        bytes.extend_from_slice(&payload[start..start + length]);
    }
    bytes
}
