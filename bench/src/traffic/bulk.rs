//! Large downloads side by side, seen from a port that mirrors what the server sends: full-size frames.

use super::Traffic;
use super::conversation::{Body, Conversation, End};

/// Of 1, 2, 4 and 1.5 MiB, on connections that are kept.
const BODIES: [usize; 4] = [1 << 20, 2 << 20, 4 << 20, 3 << 19];

/// So many of them.
pub(crate) fn bulk(flows: u32) -> Traffic {
    let mut conversation = Conversation::new(0);
    for (number, length) in BODIES.into_iter().enumerate() {
        conversation.may_begin();
        conversation.message(End::Client, &request(number), Body::None);
        conversation.message(End::Server, RESPONSE, Body::Length(length));
    }
    conversation.traffic(flows)
}

fn request(number: usize) -> String {
    format!("GET /download/{number:05} HTTP/1.1\r\nHost: files.example\r\nUser-Agent: bench/1\r\nAccept: */*\r\n")
}

const RESPONSE: &str = "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/octet-stream\r\n\
    Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: \"0123456789abcdef\"\r\nAccept-Ranges: bytes\r\n";

#[cfg(test)]
mod tests {
    use super::super::trimmed::assert_trimmed;
    use super::*;

    #[test]
    fn a_trimmer_cuts_the_bodies_and_nothing_else() {
        // Beyond the end of the first message.
        assert_trimmed(&bulk(1), 800);
    }
}
