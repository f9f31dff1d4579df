//! A dialogue as TCP segments, with everything that happens to segments on their way into a capture.

use crate::packet::TcpFlags;
use crate::trimmer::Segment;
use trim_common::flow::{Direction, FlowKey, map_ipv4};

use super::dialogue::{Dialogue, Side};
use super::recipe::{Quirk, Quirks, Recipe};
use super::rng::Rng;

/// TCP flag FIN.
pub const FIN: u8 = 0x01;
/// TCP flag SYN.
pub const SYN: u8 = 0x02;
/// TCP flag RST.
pub const RST: u8 = 0x04;
/// TCP flag PSH.
pub const PSH: u8 = 0x08;
/// TCP flag ACK.
pub const ACK: u8 = 0x10;

/// One captured TCP segment.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Which connection of the case.
    pub connection: usize,
    /// Who sent it.
    pub side: Side,
    /// Offset of the payload's first byte in the side's stream; `None` for payload that is no part of it.
    pub offset: Option<usize>,
    /// Sequence number, of the SYN itself when SYN is set.
    pub sequence: u32,
    /// Acknowledgment number.
    pub acknowledgment: u32,
    /// TCP flags.
    pub flags: u8,
    /// The captured payload.
    pub payload: Vec<u8>,
    /// Payload length on the wire, bytes.
    pub wire_payload: u32,
    /// Payload bytes that differ from what was really sent.
    pub altered: Vec<usize>,
    /// Nanoseconds.
    pub time: u64,
}

impl std::fmt::Display for Packet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            side, offset, flags, ..
        } = self;
        let (from, to) = (self.sequence, self.sequence.wrapping_add(self.wire_payload));
        let (captured, acknowledgment) = (self.payload.len(), self.acknowledgment);
        write!(
            f,
            "{side:?} {offset:?} {from}..{to} ({captured} captured) flags {flags:#x} ack {acknowledgment}: "
        )?;
        let text = String::from_utf8_lossy(&self.payload[..captured.min(70)]);
        write!(f, "{text:?}")
    }
}

/// Endpoints of a connection: address and port of client and server.
#[derive(Clone, Copy, Debug)]
pub struct Endpoints {
    /// Who sends requests.
    pub client: ([u8; 4], u16),
    /// Who answers.
    pub server: ([u8; 4], u16),
}

impl Endpoints {
    /// The flow, and the direction in which `side` sends.
    pub fn flow(&self, side: Side) -> (FlowKey, Direction) {
        let (from, to) = match side {
            Side::Client => (self.client, self.server),
            Side::Server => (self.server, self.client),
        };
        FlowKey::new(map_ipv4(from.0), from.1, map_ipv4(to.0), to.1)
    }
}

/// A whole test case: connections one after the other between the same endpoints, as captured.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it was made from.
    pub recipe: Recipe,
    /// Between whom.
    pub endpoints: Endpoints,
    /// What was said, by connection.
    pub dialogues: Vec<Dialogue>,
    /// What was captured, in order.
    pub packets: Vec<Packet>,
}

impl Case {
    /// Makes the case of a recipe.
    pub fn of(recipe: Recipe) -> Self {
        let mut rng = Rng::new(recipe.seed ^ 0x77e1_2e00);
        let count = if recipe.quirks.has(Quirk::PortReuse) { 2 } else { 1 };
        let mut case = Self {
            recipe,
            endpoints: endpoints(&mut rng),
            dialogues: Vec::new(),
            packets: Vec::new(),
        };
        for connection in 0..count {
            let seed = recipe.seed.wrapping_add(connection as u64 * 0x1234_5678_9abc);
            let mut quirks = recipe.quirks;
            if connection > 0 {
                quirks = Quirk::HIDING.iter().fold(quirks, |set, &quirk| set.without(quirk));
            }
            let dialogue = Dialogue::of(Recipe { seed, ..recipe });
            let mut wire = Wire::new(&mut rng, quirks, &dialogue, connection);
            wire.send();
            let packets = wire.captured();
            case.packets.extend(packets);
            case.dialogues.push(dialogue);
        }
        for (index, packet) in case.packets.iter_mut().enumerate() {
            packet.time = 1_700_000_000_000_000_000 + index as u64 * 10_007;
        }
        case
    }

    /// A packet as trimmers see it.
    pub fn segment<'p>(&self, packet: &'p Packet) -> Segment<'p> {
        let (flow, direction) = self.endpoints.flow(packet.side);
        Segment {
            flow,
            direction,
            sequence: packet.sequence,
            acknowledgment: packet.acknowledgment,
            flags: TcpFlags(packet.flags),
            payload: &packet.payload,
            wire_payload: packet.wire_payload,
            time: packet.time,
        }
    }
}

fn endpoints(rng: &mut Rng) -> Endpoints {
    let address = |rng: &mut Rng| {
        [
            10,
            rng.below(256) as u8,
            rng.below(256) as u8,
            rng.between(1, 254) as u8,
        ]
    };
    let client = (address(rng), rng.between(9000, 65_535) as u16);
    Endpoints {
        client,
        server: (address(rng), rng.pick(&[80, 8080, 3128, 8000])),
    }
}

struct Wire<'w> {
    rng: &'w mut Rng,
    quirks: Quirks,
    dialogue: &'w Dialogue,
    connection: usize,
    initial: [u32; 2],
    sent: [usize; 2],
    closed: [bool; 2],
    packets: Vec<Packet>,
}

impl<'w> Wire<'w> {
    fn new(rng: &'w mut Rng, quirks: Quirks, dialogue: &'w Dialogue, connection: usize) -> Self {
        let mut initial = [rng.word() as u32, rng.word() as u32];
        if quirks.has(Quirk::Wrap) {
            initial = initial.map(|word| 0u32.wrapping_sub(word % 3000));
        }
        Self {
            rng,
            quirks,
            dialogue,
            connection,
            initial,
            sent: [0; 2],
            closed: [false; 2],
            packets: Vec::new(),
        }
    }

    fn sequence(&self, side: Side, offset: usize) -> u32 {
        self.initial[side.index()].wrapping_add(1).wrapping_add(offset as u32)
    }

    fn packet(&self, side: Side, offset: usize, payload: &[u8], flags: u8) -> Packet {
        let other = side.other();
        let closed = usize::from(self.closed[other.index()]);
        Packet {
            connection: self.connection,
            side,
            offset: Some(offset),
            sequence: self.sequence(side, offset),
            acknowledgment: self.sequence(other, self.sent[other.index()] + closed),
            flags: flags | ACK,
            payload: payload.to_vec(),
            wire_payload: payload.len() as u32,
            altered: Vec::new(),
            time: 0,
        }
    }

    fn stretch(&self, side: Side, from: usize, to: usize, flags: u8) -> Packet {
        let bytes = &self.dialogue.streams[side.index()].bytes[from..to];
        self.packet(side, from, bytes, flags)
    }

    /// Sends everything, in the order in which it really happened.
    fn send(&mut self) {
        self.handshake();
        let turns = &self.dialogue.turns;
        let mut at = 0;
        while at < turns.len() {
            let mut open = vec![(
                turns[at].side,
                turns[at].from.max(self.sent[turns[at].side.index()]),
                turns[at].to,
            )];
            at += 1;
            if at < turns.len() && turns[at].overlaps && turns[at].side != open[0].0 && open[0].0 == Side::Server {
                open.push((turns[at].side, turns[at].from, turns[at].to));
                at += 1;
            }
            self.say(open);
            if self.quirks.has(Quirk::Probes) && self.rng.chance(40) {
                self.probe();
            }
        }
        self.farewell();
    }

    fn handshake(&mut self) {
        let mut syn = self.packet(Side::Client, 0, &[], SYN);
        syn.sequence = self.initial[0];
        syn.flags = SYN;
        syn.acknowledgment = 0;
        if self.quirks.has(Quirk::FastOpen)
            && let Some(turn) = self.dialogue.turns.first().filter(|turn| turn.side == Side::Client)
        {
            let length = self.rng.between(1, (turn.to - turn.from).min(1400));
            syn.payload = self.dialogue.streams[0].bytes[..length].to_vec();
            syn.wire_payload = length as u32;
            self.sent[0] = length;
        }
        self.packets.push(syn);
        let mut answer = self.packet(Side::Server, 0, &[], SYN);
        answer.sequence = self.initial[1];
        self.packets.push(answer);
        self.packets.push(self.packet(Side::Client, self.sent[0], &[], 0));
    }

    fn say(&mut self, mut open: Vec<(Side, usize, usize)>) {
        while !open.is_empty() {
            let which = self.rng.below(open.len());
            let (side, from, to) = open[which];
            if from >= to {
                open.swap_remove(which);
                continue;
            }
            let length = self.segment_length(to - from);
            let packet = self.stretch(side, from, from + length, PSH);
            self.packets.push(packet);
            self.sent[side.index()] = from + length;
            open[which].1 = from + length;
            if self.rng.chance(20) {
                let other = side.other();
                let packet = self.packet(other, self.sent[other.index()], &[], 0);
                self.packets.push(packet);
            }
        }
    }

    fn segment_length(&mut self, left: usize) -> usize {
        let longest = match self.quirks.has(Quirk::Tiny) && left < 4000 {
            true => self.rng.pick(&[1, 1, 2, 7, 40]),
            false => self.rng.pick(&[1460, 1460, 1460, 1448, 536, 100]),
        };
        match self.rng.chance(80) {
            true => longest.min(left),
            false => self.rng.between(1, longest).min(left),
        }
    }

    /// A keep-alive or zero-window probe: the last byte again, with or without a garbage byte in it.
    fn probe(&mut self) {
        let side = self.rng.pick(&[Side::Client, Side::Server]);
        let sent = self.sent[side.index()];
        if sent == 0 {
            return;
        }
        let payload: &[u8] = self.rng.pick(&[&b""[..], &b"\0"[..], &b"x"[..]]);
        let mut probe = self.packet(side, sent - 1, payload, 0);
        probe.offset = None;
        self.packets.push(probe);
        let other = side.other();
        let answer = self.packet(other, self.sent[other.index()], &[], 0);
        self.packets.push(answer);
    }

    fn farewell(&mut self) {
        if self.quirks.has(Quirk::Reset) {
            let side = self.rng.pick(&[Side::Client, Side::Server]);
            let text: &[u8] = if self.rng.chance(50) {
                b"connection reset by test"
            } else {
                b""
            };
            let mut reset = self.packet(side, self.sent[side.index()], text, RST);
            reset.offset = None;
            return self.packets.push(reset);
        }
        for side in [Side::Server, Side::Client] {
            self.finish(side);
        }
        let end = self.sent[1] + 1;
        let mut last = self.packet(Side::Server, end, &[], 0);
        last.offset = None;
        self.packets.push(last);
    }

    /// A FIN, sometimes on the last data segment.
    fn finish(&mut self, side: Side) {
        let joined = self.rng.chance(40);
        let last = self.packets.last_mut().filter(|packet| {
            joined
                && packet.side == side
                && !packet.payload.is_empty()
                && packet.offset.is_some()
                && packet.flags & SYN == 0
        });
        match last {
            Some(packet) => packet.flags |= FIN,
            None => {
                let packet = self.packet(side, self.sent[side.index()], &[], FIN);
                self.packets.push(packet);
            }
        }
        self.closed[side.index()] = true;
    }

    /// What of it was captured, and in which order.
    fn captured(mut self) -> Vec<Packet> {
        if self.quirks.has(Quirk::Retransmit) {
            self.retransmit(12);
        }
        // An HTTP/0.9 answer is known for one only behind its request.
        let may_swap = !self.quirks.has(Quirk::Simple);
        if self.quirks.has(Quirk::Reorder) && may_swap {
            self.reorder();
        }
        if self.quirks.has(Quirk::EarlyAnswer) && may_swap {
            self.answer_early();
        }
        if self.quirks.has(Quirk::Loss) {
            let percent = self.rng.pick(&[2, 5, 15]);
            let rng = &mut *self.rng;
            self.packets
                .retain(|packet| packet.payload.is_empty() || !rng.chance(percent));
        }
        if self.quirks.has(Quirk::LateDuplicates) {
            self.duplicate_late();
        }
        if self.quirks.has(Quirk::MidStream) {
            let first = self.rng.below(self.packets.len());
            self.packets.drain(..first);
        }
        if self.quirks.has(Quirk::OneSided) {
            let side = self.rng.pick(&[Side::Client, Side::Server]);
            self.packets.retain(|packet| packet.side == side);
        }
        if self.quirks.has(Quirk::Conflict) {
            self.contradict();
        }
        if self.quirks.has(Quirk::Snaplen) {
            let longest = self.rng.between(40, 1300);
            for packet in &mut self.packets {
                packet.payload.truncate(longest);
                packet.altered.retain(|&index| index < longest);
            }
        }
        self.empty_premature_probes();
        self.packets
    }

    /// A garbage byte that is captured before the true byte in its place would be the truth of the capture.
    fn empty_premature_probes(&mut self) {
        for index in 0..self.packets.len() {
            let (probe, later) = (&self.packets[index], &self.packets[index + 1..]);
            let is_probe = probe.offset.is_none() && probe.flags & RST == 0 && !probe.payload.is_empty();
            let covers = |packet: &Packet| {
                let distance = probe.sequence.wrapping_sub(packet.sequence) as usize;
                packet.side == probe.side && packet.offset.is_some() && distance < packet.payload.len()
            };
            if is_probe && later.iter().any(covers) && !self.packets[..index].iter().any(covers) {
                self.packets[index].payload.clear();
                self.packets[index].wire_payload = 0;
            }
        }
    }

    fn is_data(packet: &Packet) -> bool {
        !packet.payload.is_empty() && packet.offset.is_some() && packet.flags & (SYN | RST) == 0
    }

    /// Sends some stretch that ends where or before `packet` ends once more, cut anew.
    fn again(&mut self, index: usize) -> Packet {
        let packet = &self.packets[index];
        let (side, acknowledgment) = (packet.side, packet.acknowledgment);
        let end = packet.offset.unwrap_or(0) + packet.payload.len();
        let back = self.rng.between(1, 3000).min(end);
        let from = end - back;
        let to = (from + self.rng.between(1, 1460)).min(end);
        let mut copy = self.stretch(side, from, to, PSH);
        copy.acknowledgment = acknowledgment;
        copy
    }

    fn retransmit(&mut self, percent: usize) {
        let mut index = 0;
        while index < self.packets.len() {
            if Self::is_data(&self.packets[index]) && self.rng.chance(percent) {
                let copy = self.again(index);
                let place = (index + 1 + self.rng.below(4)).min(self.packets.len());
                self.packets.insert(place, copy);
            }
            index += 1;
        }
    }

    fn reorder(&mut self) {
        let furthest = self.rng.pick(&[1, 3, 8]);
        for index in 0..self.packets.len() {
            let to = index + self.rng.between(1, furthest);
            if to < self.packets.len()
                && self.rng.chance(25)
                && Self::is_data(&self.packets[index])
                && self.packets[index..=to].iter().all(|packet| packet.flags & SYN == 0)
            {
                let packet = self.packets.remove(index);
                self.packets.insert(to, packet);
            }
        }
    }

    /// Two capture points merged badly: answers stand in front of their requests.
    fn answer_early(&mut self) {
        for index in 1..self.packets.len() {
            let answer = &self.packets[index];
            let before = &self.packets[index - 1];
            let swaps = answer.side == Side::Server && before.side == Side::Client;
            if swaps && Self::is_data(answer) && Self::is_data(before) && self.rng.chance(60) {
                self.packets.swap(index, index - 1);
            }
        }
    }

    fn duplicate_late(&mut self) {
        for _ in 0..self.rng.between(1, 4) {
            let data: Vec<_> = (0..self.packets.len())
                .filter(|&index| Self::is_data(&self.packets[index]))
                .collect();
            if data.is_empty() {
                return;
            }
            let index = self.rng.pick(&data);
            let copy = match self.rng.chance(50) {
                true => self.packets[index].clone(),
                false => self.again(index),
            };
            let place = self.rng.between(index + 1, self.packets.len());
            self.packets.insert(place, copy);
        }
    }

    /// Copies of captured segments with some bytes changed.
    fn contradict(&mut self) {
        for _ in 0..self.rng.between(1, 3) {
            let data: Vec<_> = (0..self.packets.len())
                .filter(|&index| Self::is_data(&self.packets[index]) && self.packets[index].altered.is_empty())
                .collect();
            if data.is_empty() {
                return;
            }
            let index = self.rng.pick(&data);
            let mut copy = self.packets[index].clone();
            for _ in 0..self.rng.between(1, 5) {
                let at = self.rng.below(copy.payload.len());
                copy.payload[at] ^= 0x5a;
                copy.altered.push(at);
            }
            copy.altered.sort_unstable();
            copy.altered.dedup();
            copy.altered
                .retain(|&at| copy.payload[at] != self.packets[index].payload[at]);
            let place = self.rng.between(index + 1, self.packets.len());
            self.packets.insert(place, copy);
        }
    }
}
