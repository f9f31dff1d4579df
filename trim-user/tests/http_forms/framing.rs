//! Chunks and lengths of every form.

use trim_user::trimmer::{Labels, Scanning, Settings};

use crate::script::{Client, Collected, GET, OK3, Piece, Server, Wire, check};

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
}

#[test]
fn transfer_encodings_take_every_form() {
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
