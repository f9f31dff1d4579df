//! Calls of a program by others: 1 KiB there and 1 KiB back, on many connections.

use super::Traffic;
use super::conversation::{Body, Conversation, End};

/// So many connections.
pub(crate) fn api(flows: u32) -> Traffic {
    let mut conversation = Conversation::new(2);
    conversation.may_begin();
    conversation.message(End::Client, REQUEST, Body::Length(1024));
    conversation.message(End::Server, RESPONSE, Body::Length(1024));
    conversation.traffic(flows)
}

const REQUEST: &str = "POST /v2/orders HTTP/1.1\r\nHost: api.example\r\nUser-Agent: client/4.2\r\n\
    Accept: application/json\r\nAuthorization: Bearer 0123456789abcdef0123456789abcdef\r\n\
    Content-Type: application/json\r\nTraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";

const RESPONSE: &str = "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
    Content-Type: application/json\r\nX-Request-Id: 5f1d7a84-3c0b-4d9e-8a56-0123456789ab\r\n";

#[cfg(test)]
mod tests {
    use super::super::trimmed::assert_trimmed;
    use super::*;

    #[test]
    fn a_trimmer_cuts_the_bodies_and_nothing_else() {
        assert_trimmed(&api(7), 500);
    }
}
