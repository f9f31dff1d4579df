//! Message content of all sorts, some of it made to be mistaken for something else.

use super::recipe::{Quirk, Quirks};
use super::rng::Rng;

/// Content, and whether a message start, or the beginning of one, can be seen in it.
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    pub(super) lookalike: bool,
}

const DECOYS: [&[u8]; 10] = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.0 200 OK\n\n",
    b"GET /decoy HTTP/1.1\r\nHost: decoy\r\n\r\n",
    b"POST /decoy HTTP/1.1\r\nHost: decoy\r\nContent-Length: 100000\r\n\r\n",
    b"HEAD /decoy HTTP/1.1\r\n\r\n",
    b"CONNECT decoy:443 HTTP/1.1\r\n\r\n",
    b"\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: decoy\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    b"HTTP/1.1 20",
];

/// Content of at most `longest` bytes.
pub(super) fn content(rng: &mut Rng, quirks: Quirks, longest: usize) -> Content {
    let length = rng.skewed(longest);
    if quirks.has(Quirk::Lookalike) && rng.chance(50) {
        return Content {
            bytes: with_decoys(rng, length),
            lookalike: true,
        };
    }
    let bytes = match rng.below(5) {
        0 => vec![0; length],
        1 => text(rng, length),
        2 => line_ends(rng, length),
        _ => rng.bytes(length),
    };
    Content {
        bytes: without_accidents(bytes),
        lookalike: false,
    }
}

/// The same, but never beginning like a status line, of which a single `H` would be enough.
fn without_accidents(mut bytes: Vec<u8>) -> Vec<u8> {
    let beginning = bytes[..bytes.len().min(5)].to_ascii_uppercase();
    if b"HTTP/".starts_with(&beginning)
        && let Some(first) = bytes.first_mut()
    {
        *first = b'.';
    }
    bytes
}

fn text(rng: &mut Rng, length: usize) -> Vec<u8> {
    let words: [&[u8]; 6] = [
        b"lorem ",
        b"<p>ipsum</p>\r\n",
        b"dolor\n",
        b"Content-Length: 7\r\n",
        b"a: b\r\n",
        b"sit amet ",
    ];
    let mut bytes = Vec::new();
    while bytes.len() < length {
        bytes.extend_from_slice(rng.pick(&words));
    }
    bytes.truncate(length);
    bytes
}

/// Ends of header blocks, last chunks, NULs.
fn line_ends(rng: &mut Rng, length: usize) -> Vec<u8> {
    let parts: [&[u8]; 6] = [b"\r\n\r\n", b"\n\n", b"0\r\n\r\n", b"\0\0", b"\r", b"5\r\nhello\r\n"];
    let mut bytes = Vec::new();
    while bytes.len() < length {
        bytes.extend_from_slice(rng.pick(&parts));
    }
    bytes.truncate(length);
    bytes
}

fn with_decoys(rng: &mut Rng, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        bytes.extend_from_slice(rng.pick(&DECOYS));
        if bytes.len() >= length {
            return bytes;
        }
        let fill = rng.below(200);
        bytes.extend(rng.bytes(fill));
    }
}
