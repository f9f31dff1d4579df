//! What connections say.

use std::collections::HashMap;
use std::ops::Range;

use super::Message;

/// Messages said by many connections stand in memory once, as frames do that come from a small pool which is used again
/// and again: what is measured is the trimmer and its tables, not how fast payloads come from memory.
#[derive(Default)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    known: HashMap<Vec<u8>, usize>,
}

impl Texts {
    pub(super) fn place(&mut self, text: Vec<u8>) -> Range<usize> {
        let length = text.len();
        let from = *self.known.entry(text).or_insert_with_key(|text| {
            self.bytes.extend_from_slice(text);
            self.bytes.len() - length
        });
        from..from + length
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A request of some 330 bytes.
pub(super) fn request(path: u32) -> Message {
    let text = format!(
        "GET /static/item/{path}.html HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; \
         rv:128.0) Gecko/20100101 Firefox/128.0\r\nAccept: text/html,application/xhtml+xml,*/*;q=0.8\r\n\
         Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.5\r\n\
         Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\nConnection: keep-alive\r\n\r\n"
    );
    Message {
        text: text.into_bytes(),
        body: Vec::new(),
    }
}

/// The header block, some 290 bytes, of an answer with this framing field.
fn response(framing: &str) -> Vec<u8> {
    let text = format!(
        "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Tue, 01 Jul 2025 10:00:00 GMT\r\nContent-Type: text/html; \
         charset=utf-8\r\n{framing}\r\nLast-Modified: Mon, 30 Jun 2025 08:00:00 GMT\r\nConnection: keep-alive\r\n\
         ETag: \"68625d40-3039\"\r\nCache-Control: max-age=600\r\nAccept-Ranges: bytes\r\n\r\n"
    );
    text.into_bytes()
}

/// An answer with a `Content-Length`.
pub(super) fn with_length(body: &[u8]) -> Message {
    let mut text = response(&format!("Content-Length: {}", body.len()));
    let start = text.len();
    text.extend_from_slice(body);
    let end = text.len();
    Message {
        text,
        body: std::iter::once(start..end).collect(),
    }
}

/// An answer in chunks of 8000 bytes.
pub(super) fn chunked(body: &[u8]) -> Message {
    let mut text = response("Transfer-Encoding: chunked");
    let mut ranges = Vec::new();
    for chunk in body.chunks(8000) {
        text.extend(format!("{:x}\r\n", chunk.len()).bytes());
        ranges.push(text.len()..text.len() + chunk.len());
        text.extend_from_slice(chunk);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"0\r\n\r\n");
    Message { text, body: ranges }
}

/// Bytes that look compressed, the same for the same seed.
pub(super) fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    (0..length).map(|_| (next(&mut state) >> 24) as u8).collect()
}

/// Marsaglia's xorshift.
pub(super) fn next(state: &mut u32) -> u32 {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    *state
}
