//! What client and server say to each other, and who speaks when.

use super::content::content;
use super::labelled::{Labelled, Truth};
use super::message::{Delimiter, Plan, Writer};
use super::recipe::{Quirk, Quirks, Recipe};
use super::rng::Rng;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Sends requests.
    Client,
    /// Sends answers.
    Server,
}

impl Side {
    /// 0 for the client, 1 for the server.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The peer.
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// One side says a stretch of its stream.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// Who.
    pub side: Side,
    /// Offset of the first byte in the side's stream.
    pub from: usize,
    /// Offset behind the last byte.
    pub to: usize,
    /// It may be said while the turn before is still going on.
    pub overlaps: bool,
}

/// A whole connection's talk.
#[derive(Clone, Debug, Default)]
pub struct Dialogue {
    /// Client and server, by [`Side::index`].
    pub streams: [Labelled; 2],
    /// Who says which stretch of its stream, in order.
    pub turns: Vec<Turn>,
    /// It does not begin as HTTP.
    pub foreign: bool,
}

/// What a request is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ordinary,
    Head,
    ConnectAccepted,
    ConnectRefused,
    UpgradeAccepted,
    UpgradeRefused,
    /// Answered until the connection closes.
    Close,
    RejectedRequest,
    RejectedAnswer,
}

impl Kind {
    fn asks_for_switch(self) -> bool {
        matches!(
            self,
            Self::ConnectAccepted | Self::ConnectRefused | Self::UpgradeAccepted | Self::UpgradeRefused
        )
    }

    fn ends_http(self) -> bool {
        !matches!(
            self,
            Self::Ordinary | Self::Head | Self::ConnectRefused | Self::UpgradeRefused
        )
    }
}

struct Author {
    rng: Rng,
    quirks: Quirks,
    dialogue: Dialogue,
    said: [usize; 2],
}

impl Dialogue {
    /// Makes up a connection.
    pub fn of(recipe: Recipe) -> Self {
        let mut author = Author {
            rng: Rng::new(recipe.seed ^ 0xd1a1_0906),
            quirks: recipe.quirks,
            dialogue: Self::default(),
            said: [0; 2],
        };
        if recipe.quirks.has(Quirk::Foreign) {
            author.foreign();
        } else if recipe.quirks.has(Quirk::Simple) {
            author.simple();
        } else {
            author.http(recipe.exchanges as usize);
        }
        author.dialogue
    }
}

impl Author {
    fn stream(&mut self, side: Side) -> &mut Labelled {
        &mut self.dialogue.streams[side.index()]
    }

    /// Hands over what `side` wrote since its last turn.
    fn speak(&mut self, side: Side, overlaps: bool) {
        let to = self.stream(side).len();
        let from = std::mem::replace(&mut self.said[side.index()], to);
        if to > from {
            self.dialogue.turns.push(Turn {
                side,
                from,
                to,
                overlaps,
            });
        }
    }

    fn message(&mut self, side: Side, plan: &Plan) -> bool {
        let out = &mut self.dialogue.streams[side.index()];
        Writer::new(out, &mut self.rng, self.quirks).message(plan)
    }

    fn longest(&mut self) -> usize {
        match self.quirks.has(Quirk::Large) && self.rng.chance(25) {
            true => 60_000,
            false => 1500,
        }
    }

    fn foreign(&mut self) {
        self.dialogue.foreign = true;
        let greetings: [&[u8]; 4] = [
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00",
            b"EHLO example.org\r\n",
            b"\x05\x01\x00",
        ];
        for _ in 0..self.rng.between(1, 6) {
            let side = self.rng.pick(&[Side::Client, Side::Server]);
            let greeting = self.rng.pick(&greetings);
            let longest = self.longest();
            let length = self.rng.skewed(longest);
            let noise = self.rng.bytes(length);
            let stream = self.stream(side);
            stream.push(greeting, Truth::Foreign);
            stream.push(noise, Truth::Foreign);
            self.speak(side, false);
        }
    }

    fn simple(&mut self) {
        let target = self.rng.pick(&["GET /\r\n", "GET /index.html\r\n", "GET /a\n"]);
        let answer = content(&mut self.rng, self.quirks.without(Quirk::Lookalike), 3000);
        self.stream(Side::Client).push(target, Truth::Header);
        self.speak(Side::Client, false);
        self.stream(Side::Server).push_content(b"<html>", Truth::Body, 0);
        self.stream(Side::Server).push_content(&answer.bytes, Truth::Body, 6);
        self.speak(Side::Server, false);
    }

    fn http(&mut self, exchanges: usize) {
        let exchanges = match self.quirks.has(Quirk::ManyMessages) {
            true => exchanges * 12,
            false => exchanges,
        };
        let mut left = exchanges;
        while left > 0 {
            let most = if self.quirks.has(Quirk::Pipelining) { 6 } else { 1 };
            let count = self.rng.between(1, most).min(left);
            left -= count;
            if self.batch(count) {
                return;
            }
        }
        if self.quirks.has(Quirk::Unsolicited) {
            self.unsolicited();
        }
    }

    /// Requests sent at once, and their answers. Whether the connection is over.
    fn batch(&mut self, count: usize) -> bool {
        let mut kinds = Vec::new();
        let mut lost = false;
        for _ in 0..count {
            if count == 1 && self.quirks.has(Quirk::Interim) && self.rng.chance(40) {
                return self.expectant_exchange();
            }
            let kind = self.choose_kind();
            lost = self.request(kind);
            kinds.push(kind);
            if lost || kind.ends_http() {
                break;
            }
        }
        let overlaps = self.quirks.has(Quirk::Interleave);
        let switching = kinds.last().is_some_and(|kind| is_switch(*kind));
        if switching && self.rng.chance(40) {
            self.tunnel(Side::Client);
        }
        self.speak(Side::Client, overlaps);
        let first = self.dialogue.streams[0].messages.len() - kinds.len();
        for (index, kind) in kinds.iter().enumerate() {
            if self.answer(*kind, first + index) {
                lost = true;
                self.leave_unanswered(&kinds[index + 1..], first + index + 1);
                break;
            }
        }
        let switching = switching && !lost;
        if switching && self.rng.chance(30) {
            self.tunnel(Side::Server);
        }
        let overlaps = overlaps && self.rng.chance(30);
        self.speak(Side::Server, overlaps);
        if switching {
            self.tunnel_talk();
        }
        lost || kinds.last().is_some_and(|kind| kind.ends_http())
    }

    fn choose_kind(&mut self) -> Kind {
        let roll = self.rng.below(100);
        match roll {
            0..15 if self.quirks.has(Quirk::NoContent) => Kind::Head,
            15..23 if self.quirks.has(Quirk::Switch) => self.rng.pick(&[Kind::ConnectAccepted, Kind::UpgradeAccepted]),
            23..35 if self.quirks.has(Quirk::Switch) => self.rng.pick(&[Kind::ConnectRefused, Kind::UpgradeRefused]),
            35..43 if self.quirks.has(Quirk::UntilClose) => Kind::Close,
            43..50 if self.quirks.has(Quirk::Malformed) => {
                self.rng.pick(&[Kind::RejectedRequest, Kind::RejectedAnswer])
            }
            _ => Kind::Ordinary,
        }
    }

    fn target(&mut self) -> String {
        let longest = if self.quirks.has(Quirk::Large) && self.rng.chance(10) {
            8000
        } else {
            30
        };
        let length = self.rng.skewed(longest);
        let path: String = (0..length)
            .map(|_| char::from(self.rng.between(0x61, 0x7a) as u8))
            .collect();
        match self.rng.below(4) {
            0 => format!("http://example.org/{path}"),
            1 => format!("/{path}?q=HTTP/1.1"),
            _ => format!("/{path}"),
        }
    }

    fn request(&mut self, kind: Kind) -> bool {
        let version = if self.rng.chance(8) { "1.0" } else { "1.1" };
        let mut fields = Vec::new();
        let mut delimiter = Delimiter::Nothing;
        let method = match kind {
            Kind::Head => "HEAD",
            Kind::ConnectAccepted | Kind::ConnectRefused => "CONNECT",
            _ => {
                let (method, wants_content) = self.method();
                delimiter = self.request_delimiter(wants_content);
                method
            }
        };
        if matches!(kind, Kind::UpgradeAccepted | Kind::UpgradeRefused) {
            fields.push(("Connection".to_owned(), "Upgrade".to_owned()));
            fields.push(("Upgrade".to_owned(), "websocket".to_owned()));
        }
        let target = match method {
            "CONNECT" => "example.org:443".to_owned(),
            "OPTIONS" => "*".to_owned(),
            _ => self.target(),
        };
        if kind == Kind::RejectedRequest {
            delimiter = Delimiter::Rejected;
        }
        let longest_content = self.longest();
        let space = if self.quirks.has(Quirk::Lines) && self.rng.chance(5) {
            "  "
        } else {
            " "
        };
        let lost = self.message(
            Side::Client,
            &Plan {
                start_line: format!("{method}{space}{target}{space}HTTP/{version}"),
                is_request: true,
                delimiter,
                fields,
                longest_content,
                allow_faulty: true,
            },
        );
        if let Some(message) = self.stream(Side::Client).messages.last_mut() {
            message.decides_answer = matches!(method, "HEAD" | "CONNECT");
            message.asks_for_switch = kind.asks_for_switch();
        }
        lost
    }

    fn method(&mut self) -> (&'static str, bool) {
        if self.quirks.has(Quirk::OddMethods) && self.rng.chance(50) {
            let odd = [
                "PROPFIND",
                "M-SEARCH",
                "x",
                "get",
                "HEADER",
                "CONNECTED",
                "A!#$%&'*+.^_`|~9",
                "BASELINE-CONTROL",
            ];
            return (self.rng.pick(&odd), false);
        }
        self.rng.pick(&[
            ("GET", false),
            ("GET", false),
            ("GET", false),
            ("POST", true),
            ("PUT", true),
            ("PATCH", true),
            ("DELETE", false),
            ("OPTIONS", false),
        ])
    }

    fn request_delimiter(&mut self, wants_content: bool) -> Delimiter {
        if !wants_content && !self.rng.chance(8) {
            return Delimiter::Nothing;
        }
        match self.quirks.has(Quirk::Chunked) && self.rng.chance(40) {
            true => Delimiter::Chunked,
            false => Delimiter::Length,
        }
    }

    fn status_line(&mut self, status: u16) -> String {
        let version = if self.rng.chance(8) { "1.0" } else { "1.1" };
        let reason = match self.quirks.has(Quirk::OddMethods) {
            true => self.rng.pick(&["", " ", " \u{e9}t\u{e9} HTTP/1.1 200 OK", " OK"]),
            false => " Some reason",
        };
        format!("HTTP/{version} {status}{reason}")
    }

    /// Writes an answer, interim ones in front. Whether the direction's framing is lost.
    fn answer(&mut self, kind: Kind, request: usize) -> bool {
        if self.quirks.has(Quirk::Interim) && self.rng.chance(25) && !is_switch(kind) {
            let status = self.rng.pick(&[100, 102, 103]);
            self.interim(status, request);
        }
        let (status, delimiter) = self.status_and_delimiter(kind);
        let start_line = self.status_line(status);
        let longest_content = self.longest();
        let plan = Plan {
            start_line,
            is_request: false,
            delimiter,
            fields: Vec::new(),
            longest_content,
            allow_faulty: !is_switch(kind),
        };
        let lost = self.message(Side::Server, &plan);
        if let Some(message) = self.stream(Side::Server).messages.last_mut() {
            message.request = Some(request);
            message.answers_head = kind == Kind::Head;
        }
        lost
    }

    fn status_and_delimiter(&mut self, kind: Kind) -> (u16, Delimiter) {
        let fields_only = match self.rng.chance(70) {
            true => Delimiter::FieldsOnly,
            false => Delimiter::Nothing,
        };
        match kind {
            Kind::Head => (self.rng.pick(&[200, 404, 301]), fields_only),
            Kind::ConnectAccepted => (
                200,
                if self.rng.chance(20) {
                    fields_only
                } else {
                    Delimiter::Nothing
                },
            ),
            Kind::UpgradeAccepted => (101, Delimiter::Nothing),
            Kind::Close => (200, Delimiter::Close),
            Kind::RejectedAnswer => (200, Delimiter::Rejected),
            Kind::ConnectRefused => (407, self.answer_delimiter()),
            Kind::RejectedRequest => (400, self.answer_delimiter()),
            Kind::Ordinary | Kind::UpgradeRefused => {
                if self.quirks.has(Quirk::NoContent) && self.rng.chance(25) {
                    return (self.rng.pick(&[204, 304]), fields_only);
                }
                (self.rng.pick(&[200, 200, 200, 404, 500, 206]), self.answer_delimiter())
            }
        }
    }

    fn answer_delimiter(&mut self) -> Delimiter {
        match self.quirks.has(Quirk::Chunked) && self.rng.chance(50) {
            true => Delimiter::Chunked,
            false => Delimiter::Length,
        }
    }

    fn interim(&mut self, status: u16, request: usize) {
        let start_line = self.status_line(status);
        let plan = Plan {
            start_line,
            is_request: false,
            delimiter: Delimiter::Nothing,
            fields: Vec::new(),
            longest_content: 0,
            allow_faulty: false,
        };
        self.message(Side::Server, &plan);
        if let Some(message) = self.stream(Side::Server).messages.last_mut() {
            message.request = Some(request);
        }
    }

    /// `Expect: 100-continue`: header block, interim answer, content, answer. Whether the connection is over.
    fn expectant_exchange(&mut self) -> bool {
        let longest_content = self.longest();
        let delimiter = self.request_delimiter(true);
        let plan = Plan {
            start_line: "POST /upload HTTP/1.1".to_owned(),
            is_request: true,
            delimiter,
            fields: vec![("Expect".to_owned(), "100-continue".to_owned())],
            longest_content,
            allow_faulty: false,
        };
        self.message(Side::Client, &plan);
        let client = self.stream(Side::Client);
        let (request, end) = (client.messages.len() - 1, client.len());
        let header_end = client.messages[request].header_end;
        let from = std::mem::replace(&mut self.said[0], end);
        let turn = |side, from, to| Turn {
            side,
            from,
            to,
            overlaps: false,
        };
        self.dialogue.turns.push(turn(Side::Client, from, header_end));
        self.interim(100, request);
        self.speak(Side::Server, false);
        if end > header_end {
            self.dialogue.turns.push(turn(Side::Client, header_end, end));
        }
        let lost = self.answer(Kind::Ordinary, request);
        self.speak(Side::Server, false);
        lost
    }

    /// A server that closes an idle connection says so to nobody in particular.
    fn unsolicited(&mut self) {
        let plan = Plan {
            start_line: "HTTP/1.1 408 Request Timeout".to_owned(),
            is_request: false,
            delimiter: Delimiter::Length,
            fields: vec![("Connection".to_owned(), "close".to_owned())],
            longest_content: 200,
            allow_faulty: false,
        };
        let quirks = self.quirks;
        self.quirks = quirks.without(Quirk::Lookalike);
        self.message(Side::Server, &plan);
        self.quirks = quirks;
        self.speak(Side::Server, false);
    }

    fn tunnel(&mut self, side: Side) {
        let talk = content(&mut self.rng, self.quirks, 600);
        self.stream(side).push(talk.bytes, Truth::Opaque);
        let inner: [&[u8]; 3] = [
            b"GET /inner HTTP/1.1\r\nHost: inner\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
            b"\x81\x05hello",
        ];
        if self.quirks.has(Quirk::Lookalike) {
            let inner = self.rng.pick(&inner);
            self.stream(side).push(inner, Truth::Opaque);
        }
    }

    /// Behind a request for a tunnel that nobody answers, the client's bytes can be taken for anything. `first` is the
    /// index of the first of the unanswered requests.
    fn leave_unanswered(&mut self, kinds: &[Kind], first: usize) {
        if let Some(index) = kinds.iter().position(|kind| kind.asks_for_switch()) {
            let client = self.stream(Side::Client);
            let behind = client.messages[first + index].end;
            client.truth[behind..].fill(Truth::Inside);
        }
    }

    fn tunnel_talk(&mut self) {
        for _ in 0..self.rng.below(5) {
            let side = self.rng.pick(&[Side::Client, Side::Server]);
            self.tunnel(side);
            self.speak(side, false);
        }
    }
}

fn is_switch(kind: Kind) -> bool {
    matches!(kind, Kind::ConnectAccepted | Kind::UpgradeAccepted)
}
