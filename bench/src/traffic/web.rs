//! Pages and what belongs to them: messages of many sizes, around 12 KiB, on connections that are kept, with lengths and in
//! chunks, in both directions.

use super::Traffic;
use super::conversation::{Body, Conversation, End};

/// So many connections.
pub(crate) fn web(flows: u32) -> Traffic {
    // Delayed acknowledgments: one for two full segments (RFC 5681 section 4.2).
    let mut conversation = Conversation::new(2);
    let mut exchange = |request: &str, sent: Body, response: &str, received: Body| {
        conversation.may_begin();
        conversation.message(End::Client, request, sent);
        conversation.message(End::Server, response, received);
    };
    for (path, body) in [
        ("/", Body::Chunks(12)),
        ("/style.css", Body::Length(6 << 10)),
        ("/app.js", Body::Length(40 << 10)),
        ("/logo.svg", Body::Length(700)),
        ("/photo.jpg", Body::Length(24 << 10)),
        ("/feed", Body::Chunks(3)),
        ("/font.woff2", Body::Length(18 << 10)),
        ("/icon.png", Body::Length(1500)),
    ] {
        exchange(&get(path), Body::None, FOUND, body);
    }
    exchange(&get("/cached.js"), Body::None, NOT_MODIFIED, Body::None);
    exchange(POST, Body::Length(3000), FOUND, Body::Length(12 << 10));
    conversation.traffic(flows)
}

fn get(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: www.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Bench/1.0\r\n\
         Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.5\r\n\
         Accept-Encoding: gzip, deflate, br\r\nCookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\
         Connection: keep-alive\r\n"
    )
}

const POST: &str = "POST /comments HTTP/1.1\r\nHost: www.example\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) Bench/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n";

const FOUND: &str = "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
    Content-Type: text/html; charset=utf-8\r\nCache-Control: private, max-age=60\r\nVary: Accept-Encoding\r\n\
    Set-Cookie: theme=dark; Path=/; SameSite=Lax\r\nX-Request-Id: 5f1d7a84-3c0b-4d9e-8a56-0123456789ab\r\n";

const NOT_MODIFIED: &str = "HTTP/1.1 304 Not Modified\r\nServer: bench\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
    ETag: \"0123456789abcdef\"\r\n";

#[cfg(test)]
mod tests {
    use super::super::trimmed::assert_trimmed;
    use super::*;

    #[test]
    fn a_trimmer_cuts_the_bodies_and_nothing_else() {
        assert_trimmed(&web(11), 5000);
    }

    #[test]
    fn exchanges_are_around_12_kib() {
        let traffic = web(1);
        let round = traffic.script.steps.iter().skip(3).map(|step| u32::from(step.repeat));
        let shape = traffic.shape(round.sum());
        let mean = shape.body_bytes / 10;
        assert!((11 << 10..15 << 10).contains(&mean), "{mean}");
    }
}
