//! Segments made one by one, and trimmers that are driven as a worker does.

use std::collections::VecDeque;

use trim_common::flow::{Direction, FlowKey, map_ipv4};
use trim_user::packet::TcpFlags;
use trim_user::trimmer::{
    Auto, Judgement, Label, Labels, Late, Legacy, Scanning, Segment, Settings, Statistics, Ticket, Trimmer,
};

pub(crate) const SYN: u8 = 0x02;
pub(crate) const ACK: u8 = 0x10;

/// The trimmers under test, by name.
pub(crate) const NAMES: [&str; 3] = ["legacy", "scanning", "auto"];

pub(crate) fn make(name: &str, settings: &Settings) -> Box<dyn Trimmer> {
    let (legacy, scanning) = (Legacy::new(settings), Scanning::new(settings));
    match name {
        "legacy" => Box::new(legacy),
        "scanning" => Box::new(scanning),
        _ => Box::new(Auto::new(legacy, scanning, settings.max_flows)),
    }
}

/// A connection from a client to port 80.
#[derive(Clone, Copy)]
pub(crate) struct Flow {
    key: FlowKey,
    client: Direction,
}

impl Flow {
    pub(crate) fn new(network: u8, number: u32) -> Self {
        let [_, a, b, c] = number.to_be_bytes();
        let (key, client) = FlowKey::new(map_ipv4([network, a, b, c]), 40_000, map_ipv4([192, 168, 0, 1]), 80);
        Self { key, client }
    }

    /// A segment from the client, or from the server.
    pub(crate) fn segment<'a>(
        &self,
        from_client: bool,
        flags: u8,
        sequence: u32,
        acknowledgment: u32,
        payload: &'a [u8],
    ) -> Segment<'a> {
        Segment {
            flow: self.key,
            direction: if from_client {
                self.client
            } else {
                self.client.reverse()
            },
            sequence,
            acknowledgment,
            flags: TcpFlags(flags),
            payload,
            wire_payload: payload.len() as u32,
            time: 0,
        }
    }

    pub(crate) fn request<'a>(&self, sequence: u32, acknowledgment: u32, payload: &'a [u8]) -> Segment<'a> {
        self.segment(true, ACK, sequence, acknowledgment, payload)
    }

    pub(crate) fn answer<'a>(&self, sequence: u32, acknowledgment: u32, payload: &'a [u8]) -> Segment<'a> {
        self.segment(false, ACK, sequence, acknowledgment, payload)
    }
}

/// Receives labels that come late; holds no more than a worker would.
#[derive(Default)]
struct Caller {
    held: VecDeque<(Ticket, usize)>,
    held_bytes: usize,
    late: u64,
}

impl Late for Caller {
    fn decide(&mut self, ticket: Ticket, _: &Labels) {
        self.late += 1;
        let place = self.held.binary_search_by_key(&ticket, |held| held.0);
        let length = std::mem::take(&mut self.held[place.expect("only what is held is decided, once")].1);
        assert!(length > 0, "{ticket:?} is decided twice");
        self.held_bytes -= length;
        while self.held.pop_front_if(|held| held.1 == 0).is_some() {}
    }
}

/// A trimmer and its caller.
pub(crate) struct Driver {
    trimmer: Box<dyn Trimmer>,
    caller: Caller,
    labels: Labels,
    next: u64,
    /// Payload bytes so far.
    pub(crate) bytes: u64,
    /// Most payload bytes that are held for the trimmer.
    most_held: usize,
}

impl Driver {
    pub(crate) fn new(name: &str, settings: &Settings, most_held: usize) -> Self {
        Self {
            trimmer: make(name, settings),
            caller: Caller::default(),
            labels: Labels::new(),
            next: 0,
            bytes: 0,
            most_held,
        }
    }

    /// Labels of one segment, when they are known at once.
    pub(crate) fn judge(&mut self, segment: &Segment<'_>) -> Option<&Labels> {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.bytes += segment.payload.len() as u64;
        let judgement = self.trimmer.judge(ticket, segment, &mut self.labels, &mut self.caller);
        if judgement == Judgement::Held {
            self.caller.held.push_back((ticket, segment.payload.len()));
            self.caller.held_bytes += segment.payload.len();
            while self.caller.held_bytes > self.most_held {
                let (oldest, _) = self.caller.held[0];
                self.trimmer.release(oldest, &mut self.caller);
            }
            return None;
        }
        assert_eq!(self.labels.covered() as usize, segment.payload.len());
        Some(&self.labels)
    }

    /// Whether a segment is known at once to be this many bytes of header and then nothing but body.
    #[track_caller]
    pub(crate) fn expect(&mut self, segment: &Segment<'_>, header: usize) {
        let mut expected = Labels::new();
        expected.push(header as u32, Label::Header);
        expected.fill_to(segment.payload.len() as u32, Label::Body);
        assert_eq!(self.judge(segment), Some(&expected));
    }

    pub(crate) fn finish(&mut self) {
        self.trimmer.finish(&mut self.caller);
        assert_eq!(self.caller.held_bytes, 0, "everything is decided in the end");
    }

    pub(crate) fn segments(&self) -> u64 {
        self.next
    }

    pub(crate) fn statistics(&self) -> Statistics {
        *self.trimmer.statistics()
    }
}
