//! A connection made by hand: sends segments to the trimmer and collects the label of every byte as one letter.

use std::collections::BTreeMap;

use trim_common::flow::{Direction, FlowKey, map_ipv4};
use trim_user::packet::TcpFlags;
use trim_user::trimmer::{Judgement, Label, Labels, Late, Legacy, Segment, Settings, Statistics, Ticket, Trimmer};

/// First sequence numbers (of the SYNs).
pub(crate) const CLIENT_ISN: u32 = 0xffff_fff0;
pub(crate) const SERVER_ISN: u32 = 5000;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// Decided labels by ticket.
#[derive(Default)]
pub(crate) struct Collected(BTreeMap<u64, String>);

impl Late for Collected {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        let before = self.0.insert(ticket.0, letters(labels));
        assert!(before.is_none(), "ticket {} was decided twice", ticket.0);
    }
}

fn letters(labels: &Labels) -> String {
    let letter = |label| match label {
        Label::Header => 'H',
        Label::Redacted => 'R',
        Label::Trailer => 'T',
        Label::Framing => 'F',
        Label::Body => 'B',
        Label::BodyKept => 'K',
        Label::Opaque => 'O',
        Label::Unsure => 'U',
        Label::NotHttp => 'N',
        Label::Undecided => '?',
    };
    labels
        .iter()
        .flat_map(|(from, to, label)| std::iter::repeat_n(letter(label), (to - from) as usize))
        .collect()
}

/// One connection on a trimmer of its own (or of several connections, see [`Wire::port`]).
pub(crate) struct Wire {
    pub(crate) trimmer: Legacy,
    pub(crate) late: Collected,
    labels: Labels,
    next_ticket: u64,
    /// Port of the client: another port is another connection.
    pub(crate) port: u16,
    /// Acknowledgment numbers that the client and the server send, as offsets into the other's stream.
    pub(crate) acknowledged: [u32; 2],
    sent: [u32; 2],
    /// Bytes cut off the end of each payload as a snaplen would.
    pub(crate) cut_off: usize,
    /// Capture time of what is sent next, milliseconds.
    pub(crate) now: u64,
}

impl Wire {
    pub(crate) fn new() -> Self {
        Self::with(&Settings::default())
    }

    pub(crate) fn with(settings: &Settings) -> Self {
        Self {
            trimmer: Legacy::new(settings),
            late: Collected::default(),
            labels: Labels::new(),
            next_ticket: 0,
            port: 40_000,
            acknowledged: [0; 2],
            sent: [0; 2],
            cut_off: 0,
            now: 0,
        }
    }

    /// A connection whose handshake was seen.
    pub(crate) fn open() -> Self {
        let mut wire = Self::new();
        wire.handshake();
        wire
    }

    pub(crate) fn handshake(&mut self) {
        self.send(true, SYN, CLIENT_ISN, None, b"");
        self.send(false, SYN | ACK, SERVER_ISN, Some(CLIENT_ISN.wrapping_add(1)), b"");
    }

    /// Sends client bytes at an offset of its stream; the acknowledgment covers what the server sent so far.
    pub(crate) fn client(&mut self, offset: u32, payload: &[u8]) -> u64 {
        self.data(true, ACK, offset, payload)
    }

    /// Like [`Self::client`] from the server.
    pub(crate) fn server(&mut self, offset: u32, payload: &[u8]) -> u64 {
        self.data(false, ACK, offset, payload)
    }

    pub(crate) fn server_fin(&mut self, offset: u32, payload: &[u8]) -> u64 {
        self.data(false, ACK | FIN, offset, payload)
    }

    pub(crate) fn server_reset(&mut self, offset: u32, payload: &[u8]) -> u64 {
        self.data(false, ACK | RST, offset, payload)
    }

    /// A SYN with data (TCP Fast Open).
    pub(crate) fn client_syn(&mut self, isn: u32, payload: &[u8]) -> u64 {
        self.send(true, SYN, isn, None, payload)
    }

    fn data(&mut self, is_client: bool, flags: u8, offset: u32, payload: &[u8]) -> u64 {
        let (own, other) = if is_client { (0, 1) } else { (1, 0) };
        let isns = [CLIENT_ISN, SERVER_ISN];
        self.sent[own] = self.sent[own].max(offset + payload.len() as u32);
        let acknowledged = self.acknowledged[own].max(self.sent[other]);
        let acknowledgment = isns[other].wrapping_add(1).wrapping_add(acknowledged);
        let sequence = isns[own].wrapping_add(1).wrapping_add(offset);
        self.send(is_client, flags, sequence, Some(acknowledgment), payload)
    }

    /// Sends any segment; returns its ticket.
    pub(crate) fn send(
        &mut self,
        is_client: bool,
        flags: u8,
        sequence: u32,
        acknowledgment: Option<u32>,
        payload: &[u8],
    ) -> u64 {
        let (client, server) = (map_ipv4([10, 0, 0, 1]), map_ipv4([10, 0, 0, 2]));
        let (flow, up) = FlowKey::new(client, self.port, server, 80);
        assert_eq!(up, Direction::Up);
        let segment = Segment {
            flow,
            direction: if is_client { up } else { up.reverse() },
            sequence,
            acknowledgment: acknowledgment.unwrap_or(0),
            flags: TcpFlags(flags),
            payload: &payload[..payload.len().saturating_sub(self.cut_off)],
            wire_payload: payload.len() as u32,
            time: self.now * 1_000_000,
        };
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        match self
            .trimmer
            .judge(Ticket(ticket), &segment, &mut self.labels, &mut self.late)
        {
            Judgement::Decided => {
                assert_eq!(
                    self.labels.covered() as usize,
                    segment.payload.len(),
                    "labels tile the payload"
                );
                self.late.decide(Ticket(ticket), &self.labels);
            }
            Judgement::Held => assert!(!self.late.0.contains_key(&ticket), "held and decided"),
        }
        ticket
    }

    pub(crate) fn release(&mut self, ticket: u64) {
        self.trimmer.release(Ticket(ticket), &mut self.late);
        assert!(self.late.0.contains_key(&ticket), "a released ticket is decided");
    }

    pub(crate) fn finish(&mut self) {
        self.trimmer.finish(&mut self.late);
        assert_eq!(self.late.0.len() as u64, self.next_ticket, "every ticket is decided");
    }

    /// Labels of a ticket, `None` while it is held.
    pub(crate) fn get(&self, ticket: u64) -> Option<&str> {
        self.late.0.get(&ticket).map(String::as_str)
    }

    #[track_caller]
    pub(crate) fn expect(&self, ticket: u64, runs: &str) {
        assert_eq!(self.get(ticket).map(runs_of).as_deref(), Some(runs), "ticket {ticket}");
    }

    #[track_caller]
    pub(crate) fn expect_held(&self, ticket: u64) {
        assert_eq!(self.get(ticket), None, "ticket {ticket}");
    }

    pub(crate) fn statistics(&self) -> Statistics {
        *self.trimmer.statistics()
    }
}

/// `HHHBB` as `H3 B2`.
pub(crate) fn runs_of(letters: &str) -> String {
    let mut runs: Vec<(char, usize)> = Vec::new();
    for letter in letters.chars() {
        match runs.last_mut() {
            Some((last, count)) if *last == letter => *count += 1,
            _ => runs.push((letter, 1)),
        }
    }
    let words: Vec<String> = runs.iter().map(|(letter, count)| format!("{letter}{count}")).collect();
    words.join(" ")
}

/// `HHHBB` as `HB`.
pub(crate) fn outline(letters: &str) -> String {
    let mut outline: Vec<char> = letters.chars().collect();
    outline.dedup();
    outline.into_iter().collect()
}
