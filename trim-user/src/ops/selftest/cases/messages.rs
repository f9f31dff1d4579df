//! Messages one behind the other.

use super::{Case, FIVE, GET, HEAD, exchange};
use crate::ops::selftest::script::Script;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = plain();
    cases.extend(without_body());
    cases.extend(lines());
    cases.extend(beyond_http());
    cases
}

fn plain() -> Vec<Case> {
    let pipelined = Script::open()
        .ask(GET.repeat(3))
        .answer(FIVE)
        .answer_body("hello")
        .answer(FIVE)
        .answer_body("again")
        .answer(FIVE)
        .answer_body("bye!!");
    let middle = Script::open()
        .ask("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
        .ask_body("ab")
        .send()
        .ask_body("cd")
        .ask(GET)
        .answer(FIVE)
        .answer_body("hel")
        .send()
        .answer_body("lo")
        .answer(FIVE)
        .answer_body("there");
    let lookalike = Script::open()
        .ask(GET)
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 62\r\n\r\n")
        .send()
        .answer_body("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        .send()
        .answer_body("GET / HTTP/1.1\r\n\r\n");
    vec![
        Case::new("exchange", "one request, one answer with a body", exchange()),
        Case::new("keep-alive", "three exchanges in turn", {
            let more = exchange().ask(GET).answer(FIVE).answer_body("hello");
            more.ask(GET).answer(FIVE).answer_body("hello").close()
        }),
        Case::new(
            "pipelining",
            "three requests in a segment, three answers in another",
            pipelined.clone(),
        ),
        Case::new("middle-of-segment", "messages that begin behind a body", middle.clone()),
        Case::new(
            "split-everywhere",
            "header blocks cut at every byte",
            pipelined.cut_into(1),
        ),
        Case::new(
            "split-by-seven",
            "the same in segments of seven bytes",
            middle.cut_into(7),
        ),
        Case::new("decoy", "a body that looks like messages", lookalike),
    ]
}

fn without_body() -> Vec<Case> {
    let head = Script::open()
        .ask([HEAD, GET].concat())
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        .answer(FIVE)
        .answer_body("hello");
    let interim = Script::open()
        .ask("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        .answer("HTTP/1.1 100 Continue\r\n\r\n")
        .ask_body("abc")
        .answer("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        .answer(FIVE)
        .answer_body("hello");
    let empty = Script::open()
        .ask(GET.repeat(3))
        .answer("HTTP/1.1 204 No Content\r\n\r\n")
        .answer("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n")
        .answer(FIVE)
        .answer_body("hello");
    vec![
        Case::new("head", "an answer to HEAD announces a body and has none", head),
        Case::new("interim", "100 and 103 before the answer", interim),
        Case::new("no-content", "204, and 304 with a length", empty),
    ]
}

fn lines() -> Vec<Case> {
    let bare = Script::open()
        .ask("GET / HTTP/1.1\nHost: a\n\n")
        .answer("HTTP/1.1 200 OK\nContent-Length: 5\n\n")
        .answer_body("hello");
    let fold = Script::open()
        .ask("GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n")
        .answer("HTTP/1.1 200 OK\r\nContent-Length:\r\n\t5\r\n\r\n")
        .answer_body("hello");
    let blank = Script::open()
        .ask("\r\n\r\n")
        .ask(GET)
        .ask("\n")
        .ask(GET)
        .answer(FIVE)
        .answer_body("hello")
        .answer("\r\n")
        .answer(FIVE)
        .answer_body("world");
    let odd = Script::open()
        .ask("M-SEARCH * HTTP/1.1\r\n\r\n")
        .answer("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n")
        .answer_body("hello");
    vec![
        Case::new("bare-lf", "lines that end in LF alone", bare),
        Case::new("obs-fold", "field values folded over lines", fold),
        Case::new("blank-lines", "blank lines in front of start lines", blank),
        Case::new("odd-lines", "an unknown method, a missing reason phrase", odd),
    ]
}

fn beyond_http() -> Vec<Case> {
    let connect = Script::open()
        .ask("CONNECT a:443 HTTP/1.1\r\n\r\n")
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        .ask("\u{16}\u{3}\u{1}tunnel")
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    let refused = Script::open()
        .ask("CONNECT a:443 HTTP/1.1\r\n\r\n")
        .answer("HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\n")
        .answer_body("hello")
        .ask(GET)
        .answer(FIVE)
        .answer_body("hello");
    let upgrade = Script::open()
        .ask("GET /chat HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
        .answer("\u{1}\u{5}hello")
        .ask("\u{1}\u{5}world");
    let simple = Script::open()
        .ask("GET /\r\n")
        .answer_body("<html>hello</html>")
        .close();
    let foreign = Script::open()
        .answer("SSH-2.0-x\r\n")
        .ask("SSH-2.0-y\r\n")
        .answer("keys");
    vec![
        Case::new("connect", "a tunnel behind CONNECT", connect),
        Case::new("connect-refused", "CONNECT refused, HTTP goes on", refused),
        Case::new("upgrade", "another protocol behind 101", upgrade),
        Case::new("http-0.9", "a request of one line, an answer that is all body", simple),
        Case::new("not-http", "another protocol from its first byte on", foreign),
    ]
}
