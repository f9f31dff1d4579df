//! What the configuration asks for besides.

use super::{Case, FIVE, GET, exchange};
use crate::ops::selftest::script::Script;
use crate::trimmer::{Action, Policy, Ports, Retention, Settings};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![body_keep(), redaction(), ports(), limit()];
    cases.extend(policies());
    cases
}

fn body_keep() -> Case {
    let script = Script::open()
        .ask(GET.repeat(2))
        .answer(FIVE)
        .answer("hel")
        .answer_body("lo");
    let script = script.answer(FIVE).answer("w").send().answer("or").answer_body("ld");
    let settings = Settings {
        body_keep_bytes: 3,
        ..Settings::default()
    };
    Case::new("body-keep", "the first bytes of each body stay", script).settings(settings)
}

fn redaction() -> Case {
    let script = Script::open()
        .ask("GET / HTTP/1.1\r\nCookie: ")
        .ask_secret("a=b; c=")
        .send()
        .ask_secret("d")
        .ask("\r\nX: y\r\nAUTHORIZATION:\t")
        .ask_secret("Basic eA==")
        .ask("\r\ncookie: ")
        .ask_secret("again")
        .ask("\r\n\r\n")
        .answer(FIVE)
        .answer_body("hello");
    let settings = Settings {
        redact_headers: vec!["cookie".into(), "authorization".into()],
        ..Settings::default()
    };
    Case::new(
        "redaction",
        "values in any case, repeated, and split over segments",
        script,
    )
    .settings(settings)
}

fn ports() -> Case {
    let script = Script::open().ask(GET).answer(FIVE).answer("hello");
    let settings = Settings {
        ports: Ports::Only(vec![8080]),
        ..Settings::default()
    };
    Case::new("ports", "HTTP on a port that is not configured is left alone", script).settings(settings)
}

fn limit() -> Case {
    let long = format!(
        "HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 5\r\n\r\nhello",
        "y".repeat(3000)
    );
    let script = Script::open().ask(GET).answer(long).cut_into(1460);
    let settings = Settings {
        max_header_block: 2000,
        ..Settings::default()
    };
    Case::new("header-limit", "a header block over the limit: unsure and kept", script).settings(settings)
}

fn policies() -> Vec<Case> {
    let mask = Policy {
        action: Action::Mask,
        ..Policy::default()
    };
    let mid = exchange().answer(FIVE).answer_body("odd").send().answer_body("ly");
    let framing = Script::open()
        .ask(GET)
        .answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        .answer_body("5\r\nhello\r\n0\r\n")
        .answer("T: u\r\n\r\n");
    let opaque = Script::open()
        .ask("CONNECT a:443 HTTP/1.1\r\n\r\n")
        .answer("HTTP/1.1 200 OK\r\n\r\n")
        .ask_body("\u{16}\u{3}secret")
        .answer_body("tunnelled");
    vec![
        Case::new("mask", "bodies are zeroed, lengths stay, checksums are right", mid).policy(mask),
        Case::new("framing-cut", "chunk-size lines go, trailers stay", framing).policy(Policy {
            framing: Retention::Cut,
            ..Policy::default()
        }),
        Case::new("opaque-cut", "tunnelled bytes go", opaque).policy(Policy {
            opaque: Retention::Cut,
            ..Policy::default()
        }),
    ]
}
