//! What of each packet has to be kept, from the script that it was made of: no trimmer is asked.

use trim_common::source::Step;

use super::conversation::{CLIENT, FIRST_PORT, PORTS, START};
use super::frame::HEADERS;

/// A step, and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spoken {
    pub(super) step: Step,
    /// Payload bytes at the beginning that are no body.
    pub(super) kept: u16,
    /// Body bytes behind them.
    pub(super) body: u16,
}

/// How much of a payload is to be kept.
#[derive(Clone, Debug)]
pub(crate) enum Truth {
    /// All of it: there are no bodies.
    Whole,
    /// As a stream of messages has it.
    Stream(Stream),
}

impl Truth {
    /// Body bytes in a frame of this step.
    pub(crate) fn body_bytes(&self, step: usize) -> u64 {
        match self {
            Self::Whole => 0,
            Self::Stream(stream) => stream.spoken[step].body.into(),
        }
    }

    /// How many payload bytes at the beginning of this packet are to be kept; the others are body. `None` when the script
    /// has no such packet.
    pub(crate) fn kept(&self, packet: &Packet) -> Option<u32> {
        match self {
            Self::Whole => Some(packet.payload),
            Self::Stream(_) if packet.payload == 0 => Some(0),
            Self::Stream(stream) => stream.kept(packet),
        }
    }
}

/// A captured packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) source: (u32, u16),
    pub(crate) destination: (u32, u16),
    pub(crate) sequence: u32,
    /// Length of its payload when it was sent, bytes.
    pub(crate) payload: u32,
}

impl Packet {
    /// What a frame of a script says about itself; `None` when its headers were not captured.
    pub(crate) fn of(frame: &[u8]) -> Option<Self> {
        let headers = frame.first_chunk::<HEADERS>()?;
        let half = |at: usize| u16::from_be_bytes([headers[at], headers[at + 1]]);
        let word = |at: usize| u32::from(half(at)) << 16 | u32::from(half(at + 2));
        Some(Self {
            source: (word(26), half(34)),
            destination: (word(30), half(36)),
            sequence: word(38),
            payload: u32::from(half(16)).checked_sub(20 + 20)?,
        })
    }
}

/// A script of messages that repeats itself.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    spoken: Vec<Spoken>,
    /// The steps at which connections begin, in turn; with the first of them it begins anew.
    begins: Vec<u16>,
    /// Bytes of a whole round, by end.
    round: [u32; 2],
    /// For each end where its segments stand in a round, and how much of each is to be kept.
    segments: [Vec<(u32, u16)>; 2],
    /// For each step how many bytes of the round each end has said before.
    before: Vec<[u32; 2]>,
}

impl Stream {
    pub(super) fn new(spoken: Vec<Spoken>, begins: Vec<u16>) -> Self {
        let mut stream = Self {
            before: vec![[0; 2]; spoken.len()],
            spoken,
            begins,
            round: [0; 2],
            segments: [Vec::new(), Vec::new()],
        };
        for number in usize::from(stream.begins[0])..stream.spoken.len() {
            stream.before[number] = stream.round;
            let Spoken { step, kept, .. } = stream.spoken[number];
            let end = usize::from(step.from_server);
            for _ in 0..step.repeat {
                if step.advance > 0 {
                    stream.segments[end].push((stream.round[end], kept));
                    stream.round[end] += u32::from(step.advance);
                }
            }
        }
        stream
    }

    /// Payload bytes of this packet that are to be kept; `None` when it is none of the script's.
    fn kept(&self, packet: &Packet) -> Option<u32> {
        let (end, client) = if packet.source.1 == 80 {
            (1, packet.destination)
        } else {
            (0, packet.source)
        };
        let number = self.number(client)?;
        let begin = usize::from(self.begins[number as usize % self.begins.len()]);
        let at = packet.sequence.wrapping_sub(START[end] + 1);
        let place = (u64::from(at) + u64::from(self.before[begin][end])) % u64::from(self.round[end]);
        let segments = &self.segments[end];
        let index = segments
            .binary_search_by_key(&(place as u32), |&(place, _)| place)
            .ok()?;
        Some(segments[index].1.into())
    }

    /// Number of the connection of this client.
    fn number(&self, (address, port): (u32, u16)) -> Option<u32> {
        let address = address.checked_sub(CLIENT.into())?;
        Some(address * PORTS + u32::from(port.checked_sub(FIRST_PORT)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::conversation::{Body, Conversation, End};
    use super::super::{Play, Traffic};
    use super::*;

    fn traffic() -> Traffic {
        let mut conversation = Conversation::new(2);
        for length in [100, 9000] {
            conversation.may_begin();
            conversation.message(End::Client, "GET / HTTP/1.1\r\nHost: a\r\n", Body::None);
            conversation.message(End::Server, "HTTP/1.1 200 OK\r\n", Body::Length(length));
        }
        conversation.traffic(2)
    }

    #[test]
    fn every_segment_is_found_by_its_sequence_number_wherever_its_connection_began() {
        let traffic = traffic();
        let Truth::Stream(stream) = &traffic.truth else {
            panic!("messages have bodies");
        };
        let mut play = Play::new(&traffic.script);
        for _ in 0..2 * 40 {
            let step = play.clone().next_frame().step;
            let packet = Packet::of(&play.next_bytes()).unwrap();
            let kept = if packet.payload == 0 {
                0
            } else {
                stream.spoken[step].kept
            };
            assert_eq!(
                traffic.truth.kept(&packet),
                Some(kept.into()),
                "step {step}: {packet:?}"
            );
        }
    }

    #[test]
    fn a_packet_of_somebody_else_is_none_of_the_script() {
        let traffic = traffic();
        let mut play = Play::new(&traffic.script);
        (0..6).for_each(|_| drop(play.next_bytes()));
        let mut packet = Packet::of(&play.next_bytes()).unwrap();
        packet.sequence += 1;
        assert_eq!(traffic.truth.kept(&packet), None);
    }
}
