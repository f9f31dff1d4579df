//! Forms that HTTP takes on the Internet, by both strategies, cut into segments at every byte.
//!
//! A script is what the two ends say in turn; each piece carries the letter of what its bytes are: `H` header, `B` body,
//! `F` framing, `T` trailer, `O` opaque, `U` unsure, `N` not HTTP.

use std::collections::BTreeMap;

use trim_common::flow::{FlowKey, map_ipv4};
use trim_user::packet::TcpFlags;
use trim_user::trimmer::{Judgement, Label, Labels, Late, Legacy, Scanning, Segment, Settings, Ticket, Trimmer};

type Piece = (&'static str, char);
/// Who speaks, and what.
type Turn = (Side, &'static [Piece]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}
use Side::{Client, Server};

#[derive(Default)]
struct Collected(BTreeMap<u64, String>);

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

struct Wire<'t> {
    trimmer: &'t mut dyn Trimmer,
    late: Collected,
    labels: Labels,
    next: u64,
    sent: [u32; 2],
}

impl Wire<'_> {
    fn segment(&mut self, side: Side, flags: u8, payload: &[u8]) {
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
fn check(name: &str, script: &[Turn]) {
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

const GET: Turn = (Client, &[("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 'H')]);
const OK3: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";

#[test]
fn interim_responses_come_in_any_number() {
    check(
        "a flood of interim responses",
        &[
            GET,
            (
                Server,
                &[
                    (
                        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n",
                        'H',
                    ),
                    (
                        "HTTP/1.1 199 X\r\nContent-Length: 9\r\n\r\nHTTP/1.1 100 \r\n\r\nHTTP/1.1 100\r\n\r\n",
                        'H',
                    ),
                    (OK3, 'H'),
                    ("abc", 'B'),
                ],
            ),
            GET,
            (Server, &[(OK3, 'H'), ("HTT", 'B')]),
        ],
    );
    check(
        "100-continue, and the content later",
        &[
            (
                Client,
                &[(
                    "POST /u HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
                    'H',
                )],
            ),
            (Server, &[("HTTP/1.1 100 Continue\r\n\r\n", 'H')]),
            (Client, &[("GET /", 'B')]),
            (Server, &[("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 'H')]),
            GET,
            (Server, &[(OK3, 'H'), ("abc", 'B')]),
        ],
    );
    check(
        "100-continue that nobody waits for",
        &[
            (
                Client,
                &[
                    (
                        "POST /u HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
                        'H',
                    ),
                    ("2\r\n", 'F'),
                    ("xy", 'B'),
                    ("\r\n0\r\n", 'F'),
                    ("\r\n", 'T'),
                ],
            ),
            (
                Server,
                &[
                    (
                        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 417 No\r\nContent-Length: 1\r\n\r\n",
                        'H',
                    ),
                    ("n", 'B'),
                ],
            ),
        ],
    );
}

#[test]
fn statuses_decide_about_content() {
    check(
        "204, 304 and 205",
        &[
            GET,
            (
                Server,
                &[("HTTP/1.1 204 No Content\r\nContent-Length: 10\r\n\r\n", 'H')],
            ),
            GET,
            (
                Server,
                &[("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 'H')],
            ),
            GET,
            (
                Server,
                &[("HTTP/1.1 205 Reset\r\nContent-Length: 2\r\n\r\n", 'H'), ("ab", 'B')],
            ),
            (Client, &[("HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", 'H')]),
            (
                Server,
                &[
                    ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", 'H'),
                    (OK3, 'H'),
                    ("abc", 'B'),
                ],
            ),
        ],
    );
    check(
        "206 with several ranges",
        &[
            (Client, &[("GET / HTTP/1.1\r\nRange: bytes=0-1,4-5\r\n\r\n", 'H')]),
            (
                Server,
                &[
                    (
                        "HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=B\r\nContent-Length: 71\r\n\r\n",
                        'H',
                    ),
                    (
                        "--B\r\nContent-Range: bytes 0-1/9\r\n\r\nab\r\n--B\r\nContent-Length: 5\r\n\r\nHTTP\r\n",
                        'B',
                    ),
                    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 'H'),
                ],
            ),
        ],
    );
}

#[test]
fn old_versions_keep_their_rules() {
    check(
        "HTTP/1.0, kept alive and not",
        &[
            (Client, &[("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 'H')]),
            (
                Server,
                &[
                    (
                        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n",
                        'H',
                    ),
                    ("ab", 'B'),
                ],
            ),
            (Client, &[("GET / HTTP/1.0\r\n\r\n", 'H')]),
            (
                Server,
                &[
                    ("HTTP/1.0 200 OK\r\n\r\n", 'H'),
                    ("HTTP/1.1 200 OK\r\n\r\nall of it", 'B'),
                ],
            ),
        ],
    );
    check(
        "Transfer-Encoding in HTTP/1.0",
        &[
            (Client, &[("GET / HTTP/1.0\r\n\r\n", 'H')]),
            (
                Server,
                &[
                    ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 'H'),
                    ("1\r\n", 'F'),
                    ("x", 'B'),
                    ("\r\n0\r\n", 'F'),
                    ("\r\n", 'T'),
                ],
            ),
        ],
    );
    check(
        "HTTP/0.9",
        &[
            (Client, &[("GET /old\r\n", 'H')]),
            (Server, &[("<p>HTTP/0.9</p>\r\n\r\n", 'B')]),
        ],
    );
    check(
        "start lines in lower case, without a reason",
        &[
            (Client, &[("get /a http/1.1\r\nhost: a\r\n\r\n", 'H')]),
            (
                Server,
                &[
                    ("http/1.1 200\r\ncontent-length:1\r\n\r\n", 'H'),
                    ("x", 'B'),
                    ("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 'H'),
                ],
            ),
        ],
    );
    check(
        "a version to come",
        &[
            (Client, &[("GET / HTTP/1.7\r\n\r\n", 'H')]),
            (
                Server,
                &[("HTTP/1.9 200 OK\r\nContent-Length: 1\r\n\r\n", 'H'), ("x", 'B')],
            ),
        ],
    );
}

#[test]
fn targets_and_methods_take_every_form() {
    check(
        "absolute, asterisk and odd targets",
        &[
            (
                Client,
                &[(
                    "GET http://a.b:80/c?d=HTTP/1.1 HTTP/1.1\r\n\r\nOPTIONS * HTTP/1.1\r\n\r\nM-SEARCH * HTTP/1.1\r\n\r\n",
                    'H',
                )],
            ),
            (
                Client,
                &[
                    (
                        "GET /a b c HTTP/1.1\r\n\r\nX /\u{e9} HTTP/1.1\r\nContent-Length: 2\r\n\r\n",
                        'H',
                    ),
                    ("xx", 'B'),
                    ("BREW / HTTP/1.1\r\n\r\n", 'H'),
                ],
            ),
        ],
    );
    check(
        "blank lines between messages",
        &[
            (
                Client,
                &[
                    ("\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n", 'H'),
                    ("x", 'B'),
                    ("\r\n\nGET / HTTP/1.1\r\n\r\n", 'H'),
                ],
            ),
            (
                Server,
                &[
                    (OK3, 'H'),
                    ("\r\n\r", 'B'),
                    ("\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 'H'),
                ],
            ),
        ],
    );
}

#[test]
fn chunks_take_every_form() {
    check(
        "bare LF, blanks, zeros, extensions, trailers",
        &[
            GET,
            (
                Server,
                &[
                    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 'H'),
                    ("3\n", 'F'),
                    ("a\r\n", 'B'),
                    ("\n  2 \t;a=\"b;c\"\r\n", 'F'),
                    ("0\r", 'B'),
                    ("\r\n00000000000000000000A\r\n", 'F'),
                    ("0123456789", 'B'),
                    ("\r\n000;last=1\r\n", 'F'),
                    ("A: b\nHTTP/1.1 200 OK\r\n folded\r\n\r\n", 'T'),
                    (OK3, 'H'),
                    ("abc", 'B'),
                ],
            ),
        ],
    );
    for bad in [
        "-1\r\nx",
        "x\r\n",
        "+1\r\nx",
        "1 1\r\nx",
        "8000000000000000\r\n",
        "10000000000000000\r\nx",
        "\r\n",
        ";a\r\n",
        "0x1\r\nx",
    ] {
        let pieces: &'static [Piece] = Vec::leak(vec![
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 'H'),
            (bad, 'U'),
            ("0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 'U'),
        ]);
        check(bad, &[GET, (Server, pieces)]);
    }
}

#[test]
fn lengths_take_every_form() {
    for good in [
        "3",
        "3, 3",
        "3,3 ,3",
        "  3\t",
        "0000000000000000000000000003",
        "\r\n 3",
        "3\r\nContent-Length: 3",
        "3\r\nX: a\0b\u{ff}",
    ] {
        let block = format!("HTTP/1.1 200 OK\r\ncontent-LENGTH :{good}\r\nContent-Length-X: 9\r\n\r\n");
        let pieces: &'static [Piece] = Vec::leak(vec![(&*block.leak(), 'H'), ("abc", 'B'), (OK3, 'H'), ("abc", 'B')]);
        check(good, &[GET, (Server, pieces)]);
    }
    for bad in [
        "+3",
        "-3",
        "3 3",
        "0x3",
        "3;",
        "3, 4",
        "",
        "3.0",
        "3\r\nContent-Length: 03",
        "3,",
    ] {
        let block = format!("HTTP/1.1 200 OK\r\nContent-Length: {bad}\r\n\r\n");
        let pieces: &'static [Piece] = Vec::leak(vec![(&*block.leak(), 'H'), ("abcHTTP/1.1 200 OK\r\n\r\n", 'U')]);
        check(bad, &[GET, (Server, pieces)]);
    }
    for endless in [
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999999999999",
    ] {
        let block = format!("HTTP/1.1 200 OK\r\nContent-Length: {endless}\r\n\r\n");
        let pieces: &'static [Piece] = Vec::leak(vec![(&*block.leak(), 'H'), ("abcHTTP/1.1 200 OK\r\n\r\n", 'B')]);
        check(endless, &[GET, (Server, pieces)]);
    }
    check(
        "both lengths, and identity",
        &[
            GET,
            (
                Server,
                &[
                    (
                        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n",
                        'H',
                    ),
                    ("1\r\n", 'F'),
                    ("x", 'B'),
                    ("\r\n0\r\n", 'F'),
                    ("\r\n", 'T'),
                ],
            ),
            GET,
            (
                Server,
                &[
                    (
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\n",
                        'H',
                    ),
                    ("x", 'B'),
                ],
            ),
            GET,
            (
                Server,
                &[
                    (
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\nContent-Length: 1\r\n\r\n",
                        'H',
                    ),
                    ("xHTTP/1.1 200 OK\r\n\r\n", 'B'),
                ],
            ),
        ],
    );
    check(
        "a request that says no length that anybody knows",
        &[(
            Client,
            &[
                ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 'H'),
                ("GET / HTTP/1.1\r\n\r\n", 'U'),
            ],
        )],
    );
}

#[test]
fn protocols_change_only_when_the_server_says_so() {
    check(
        "a WebSocket",
        &[
            (
                Client,
                &[(
                    "GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
                    'H',
                )],
            ),
            (
                Server,
                &[
                    ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", 'H'),
                    ("\u{1}\u{5}hello", 'O'),
                ],
            ),
            (Client, &[("GET / HTTP/1.1\r\n\r\n", 'O')]),
            (Server, &[("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 'O')]),
        ],
    );
    check(
        "101 that nobody asked for",
        &[
            GET,
            (
                Server,
                &[
                    ("HTTP/1.1 101 Switching Protocols\r\nContent-Length: 3\r\n\r\n", 'H'),
                    ("abcdef", 'O'),
                ],
            ),
            (Client, &[("anything", 'O')]),
        ],
    );
    check(
        "h2c by upgrade, refused",
        &[
            (
                Client,
                &[(
                    "GET / HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
                    'H',
                )],
            ),
            (Server, &[(OK3, 'H'), ("abc", 'B')]),
            GET,
            (Server, &[(OK3, 'H'), ("abc", 'B')]),
        ],
    );
    check(
        "CONNECT, refused and then granted",
        &[
            (Client, &[("CONNECT a:443 HTTP/1.1\r\n\r\n", 'H')]),
            (
                Server,
                &[("HTTP/1.1 407 Who?\r\nContent-Length: 3\r\n\r\n", 'H'), ("abc", 'B')],
            ),
            (
                Client,
                &[("CONNECT a:443 HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n", 'H')],
            ),
            (
                Server,
                &[("HTTP/1.0 200 Connection established\r\nContent-Length: 3\r\n\r\n", 'H')],
            ),
            (Client, &[("\u{16}\u{3}\u{1}GET / HTTP/1.1\r\n\r\n", 'O')]),
            (Server, &[("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 'O')]),
        ],
    );
}

#[test]
fn other_protocols_on_the_port_are_left_alone() {
    check(
        "TLS",
        &[
            (Client, &[("\u{16}\u{3}\u{1}\0\u{5}GET / HTTP/1.1\r\n\r\n", 'N')]),
            (Server, &[("\u{16}\u{3}\u{3}\0\u{2}HTTP/1.1 200 OK\r\n\r\nx", 'N')]),
        ],
    );
    check(
        "HTTP/2 with prior knowledge",
        &[
            (
                Client,
                &[("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0", 'N')],
            ),
            (Server, &[("\0\0\0\u{4}\0\0\0\0\0", 'N')]),
        ],
    );
    check(
        "SMTP",
        &[
            (Server, &[("220 HTTP/1.1 mail\r\n", 'N')]),
            (Client, &[("HELO a\r\n", 'N')]),
            (Server, &[("250 OK\r\n", 'N')]),
        ],
    );
}

/// Behind a hole in chunked content, only what a server sends first after it has received more requests may be an answer;
/// what looks like one later on may be content, and the length it tells would cut through the next header block.
#[test]
fn a_decoy_behind_a_hole_is_no_answer() {
    let settings = Settings::default();
    let mut scanning = Scanning::new(&settings);
    let mut wire = Wire {
        trimmer: &mut scanning,
        late: Collected::default(),
        labels: Labels::new(),
        next: 0,
        sent: [1000, 70_000],
    };
    wire.segment(Client, 0x02, b"");
    wire.segment(Server, 0x12, b"");
    wire.segment(Client, 0x18, b"GET / HTTP/1.1\r\n\r\n");
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc";
    wire.segment(Server, 0x18, head);
    wire.segment(Client, 0x18, b"GET / HTTP/1.1\r\n\r\n");
    wire.sent[1] += 100;
    wire.segment(Server, 0x18, b"plain text in the chunk whose size is lost");
    wire.segment(Server, 0x18, b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
    wire.segment(
        Server,
        0x18,
        b"\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    );
    wire.trimmer.finish(&mut wire.late);
    let last = wire.late.0.into_values().last().unwrap_or_default();
    assert!(!last.contains('B'), "{last}");
}
