//! Conversations and what their bytes are.
//!
//! A script is what the two ends say in turn; each piece carries the letter of what its bytes are: `H` header, `B` body,
//! `F` framing, `T` trailer, `O` opaque, `U` unsure, `N` not HTTP.

use std::collections::BTreeMap;

use trim_common::flow::{FlowKey, map_ipv4};
use trim_user::packet::TcpFlags;
use trim_user::trimmer::{Judgement, Label, Labels, Late, Legacy, Scanning, Segment, Settings, Ticket, Trimmer};

pub(crate) type Piece = (&'static str, char);
/// Who speaks, and what.
pub(crate) type Turn = (Side, &'static [Piece]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}
pub(crate) use Side::{Client, Server};

#[derive(Default)]
pub(crate) struct Collected(pub(crate) BTreeMap<u64, String>);

impl Late for Collected {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        let text = labels
            .iter()
            .flat_map(|(from, to, label)| (from..to).map(move |_| letter(label)));
        assert!(self.0.insert(ticket.0, text.collect()).is_none(), "decided twice");
    }
}

fn letter(label: Label) -> char {
    match label {
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
    }
}

/// How turns are cut into segments.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Nowhere,
    /// Behind this many bytes of the conversation.
    At(usize),
    EveryByte,
}

pub(crate) struct Wire<'t> {
    pub(crate) trimmer: &'t mut dyn Trimmer,
    pub(crate) late: Collected,
    pub(crate) labels: Labels,
    pub(crate) next: u64,
    pub(crate) sent: [u32; 2],
}

impl Wire<'_> {
    pub(crate) fn segment(&mut self, side: Side, flags: u8, payload: &[u8]) {
        let (client, server) = (map_ipv4([10, 0, 0, 1]), map_ipv4([10, 0, 0, 2]));
        let (flow, up) = FlowKey::new(client, 40_000, server, 80);
        let (own, other) = (side as usize, 1 - side as usize);
        let segment = Segment {
            flow,
            direction: if side == Client { up } else { up.reverse() },
            sequence: self.sent[own],
            acknowledgment: self.sent[other],
            flags: TcpFlags(flags),
            payload,
            wire_payload: payload.len() as u32,
            time: 0,
        };
        self.sent[own] = self.sent[own].wrapping_add(payload.len() as u32 + u32::from(flags & 2 != 0));
        let ticket = Ticket(self.next);
        self.next += 1;
        if self.trimmer.judge(ticket, &segment, &mut self.labels, &mut self.late) == Judgement::Decided {
            self.late.decide(ticket, &self.labels);
        }
    }
}

fn said(script: &[Turn]) -> (String, String) {
    let pieces = || script.iter().flat_map(|(_, pieces)| *pieces);
    let letters = pieces().flat_map(|(text, letter)| std::iter::repeat_n(*letter, text.len()));
    (pieces().map(|(text, _)| *text).collect(), letters.collect())
}

fn labels(trimmer: &mut dyn Trimmer, script: &[Turn], cut: Cut) -> String {
    let mut wire = Wire {
        trimmer,
        late: Collected::default(),
        labels: Labels::new(),
        next: 0,
        sent: [u32::MAX - 20, 70_000],
    };
    wire.segment(Client, 0x02, b"");
    wire.segment(Server, 0x12, b"");
    let mut position = 0;
    for (side, pieces) in script {
        let text: String = pieces.iter().map(|(text, _)| *text).collect();
        let bytes = text.as_bytes();
        match cut {
            Cut::At(at) if (position + 1..position + bytes.len()).contains(&at) => {
                wire.segment(*side, 0x18, &bytes[..at - position]);
                wire.segment(*side, 0x18, &bytes[at - position..]);
            }
            Cut::EveryByte => bytes.iter().for_each(|byte| wire.segment(*side, 0x18, &[*byte])),
            _ => wire.segment(*side, 0x18, bytes),
        }
        position += bytes.len();
    }
    wire.trimmer.finish(&mut wire.late);
    wire.late.0.into_values().collect()
}

/// Both trimmers, however the script is cut. The first bytes of a flow need not tell that it speaks HTTP.
pub(crate) fn check(name: &str, script: &[Turn]) {
    let (text, expected) = said(script);
    let settings = Settings::default();
    let cuts = (1..text.len()).map(Cut::At).chain([Cut::Nowhere, Cut::EveryByte]);
    for cut in cuts {
        let found = labels(&mut Legacy::new(&settings), script, cut);
        assert_same(name, "legacy", cut, &text, &expected, &found);
        let found = labels(&mut Scanning::new(&settings), script, cut);
        assert_same(name, "scanning", cut, &text, &expected, &found);
    }
}

fn assert_same(name: &str, strategy: &str, cut: Cut, text: &str, expected: &str, found: &str) {
    assert_eq!(expected.len(), found.len(), "{name}, {strategy}, {cut:?}");
    for (at, (wanted, got)) in expected.chars().zip(found.chars()).enumerate() {
        let kept = |letter| !matches!(letter, 'B' | 'R');
        // What is kept may be kept under another name: where framing turns out to be malformed, or while nothing has
        // shown yet that this is HTTP.
        let same_fate = kept(wanted) && kept(got) && (got == '?' || "UNO".contains(wanted));
        let rest = text.get(at..text.len().min(at + 30));
        assert!(
            wanted == got || same_fate,
            "{name}, {strategy}, {cut:?}: byte {at} {rest:?} is {got}, not {wanted}"
        );
    }
}

pub(crate) const GET: Turn = (Client, &[("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 'H')]);
pub(crate) const OK3: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
