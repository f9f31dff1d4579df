//! A connection written by hand: what both sides say, what must become of every byte, and how it travels.

use super::generated::dialogue::Side;
use super::generated::wire::{ACK, FIN, PSH, SYN};
use crate::trimmer::Fate;

/// One segment with a stretch of its side's stream, empty ones included.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) side: Side,
    /// Offset of the first byte in the side's stream.
    pub(super) from: usize,
    /// Offset behind the last byte.
    pub(super) to: usize,
    pub(super) flags: u8,
    /// Bytes of payload that are captured; the rest falls to a snaplen.
    pub(super) captured: usize,
    /// How far its sender had heard the other side when it was sent, as an offset in that side's stream.
    pub(super) heard: usize,
    /// It stands for a connection of its own between the same ports.
    pub(super) connection: u32,
}

/// What is said, and how.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    pub(super) bytes: [Vec<u8>; 2],
    pub(super) fates: [Vec<Fate>; 2],
    said: [usize; 2],
    pub(super) sent: Vec<Sent>,
    /// Sequence number of the first payload byte of each side.
    pub(super) initial: [u32; 2],
}

impl Script {
    /// A connection that has been opened.
    pub(super) fn open() -> Self {
        let mut script = Self::middle();
        for (side, flags) in [(Side::Client, SYN), (Side::Server, SYN | ACK), (Side::Client, ACK)] {
            script.push(side, 0, 0, flags);
        }
        script
    }

    /// A connection of which the opening was not captured.
    pub(super) fn middle() -> Self {
        Self {
            initial: [1_000_001, 2_000_001],
            ..Self::default()
        }
    }

    fn say(mut self, side: Side, text: impl AsRef<[u8]>, fate: Fate) -> Self {
        let (other, index) = (side.other(), side.index());
        self.flush(other);
        self.bytes[index].extend_from_slice(text.as_ref());
        self.fates[index].resize(self.bytes[index].len(), fate);
        self
    }

    /// The client says what must stay.
    pub(super) fn ask(self, text: impl AsRef<[u8]>) -> Self {
        self.say(Side::Client, text, Fate::Keep)
    }

    /// The client says what must go.
    pub(super) fn ask_body(self, text: impl AsRef<[u8]>) -> Self {
        self.say(Side::Client, text, Fate::Remove)
    }

    /// The client says what must be overwritten.
    pub(super) fn ask_secret(self, text: impl AsRef<[u8]>) -> Self {
        self.say(Side::Client, text, Fate::Overwrite)
    }

    /// The server says what must stay.
    pub(super) fn answer(self, text: impl AsRef<[u8]>) -> Self {
        self.say(Side::Server, text, Fate::Keep)
    }

    /// The server says what must go.
    pub(super) fn answer_body(self, text: impl AsRef<[u8]>) -> Self {
        self.say(Side::Server, text, Fate::Remove)
    }

    /// Ends the segment.
    pub(super) fn send(mut self) -> Self {
        self.flush(Side::Client);
        self.flush(Side::Server);
        self
    }

    fn flush(&mut self, side: Side) {
        let (from, to) = (self.said[side.index()], self.bytes[side.index()].len());
        if to > from {
            self.said[side.index()] = to;
            self.push(side, from, to, PSH | ACK);
        }
    }

    fn push(&mut self, side: Side, from: usize, to: usize, flags: u8) {
        let others = self.sent.iter().filter(|sent| sent.side != side);
        let heard = others.map(|sent| sent.to + usize::from(sent.flags & FIN != 0)).max();
        self.sent.push(Sent {
            side,
            from,
            to,
            flags,
            captured: to - from,
            heard: heard.unwrap_or(0),
            connection: 0,
        });
    }

    /// Both sides close the connection.
    pub(super) fn close(self) -> Self {
        let mut script = self.send();
        for side in [Side::Server, Side::Client] {
            let end = script.bytes[side.index()].len();
            script.push(side, end, end, FIN | ACK);
        }
        script
    }

    /// Every segment becomes segments of `length` bytes.
    pub(super) fn cut_into(self, length: usize) -> Self {
        let mut script = self.send();
        let whole = std::mem::take(&mut script.sent);
        for sent in whole {
            if sent.from == sent.to {
                script.sent.push(sent);
                continue;
            }
            for from in (sent.from..sent.to).step_by(length) {
                let to = (from + length).min(sent.to);
                script.push(sent.side, from, to, sent.flags);
            }
        }
        script
    }

    /// Changes how it travels; `change` sees the segments in order, the three of the opening first.
    pub(super) fn travel(self, change: impl FnOnce(&mut Vec<Sent>)) -> Self {
        let mut script = self.send();
        change(&mut script.sent);
        script
    }

    /// Sequence numbers start here.
    pub(super) fn starting_at(mut self, initial: u32) -> Self {
        self.initial = [initial, initial];
        self
    }
}
