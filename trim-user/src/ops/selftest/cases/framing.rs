//! Message bodies delimited in every way (RFC 9112 sections 6 and 7).

use super::{Case, FIVE, GET};
use crate::ops::selftest::script::Script;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = chunked();
    cases.extend(lengths());
    cases.extend(rejected());
    cases
}

fn answered(fields: &str) -> Script {
    let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    Script::open().ask(GET.repeat(2)).answer(head)
}

/// A body in chunks, and another message.
fn chunks(script: Script) -> Script {
    let script = script.answer("5\r\n").answer_body("hello").answer("\r\n0A;x=\"y\"\r\n");
    let script = script
        .answer_body("\r\n0\r\n\r\nabc")
        .answer("\r\n0;last\r\nTrailer: x\r\n\r\n");
    script.answer(FIVE).answer_body("world")
}

fn chunked() -> Vec<Case> {
    let te = "Transfer-Encoding: chunked\r\n";
    let request = Script::open()
        .ask("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n")
        .ask_body("abc")
        .ask("\r\n0\r\n\r\n")
        .ask(GET)
        .answer(FIVE)
        .answer_body("hello");
    let large = "x".repeat(4000);
    let one = answered(te)
        .answer("fa0\r\n")
        .answer_body(&large)
        .answer("\r\n0\r\n\r\n");
    vec![
        Case::new("chunked", "chunks with extensions and a trailer", chunks(answered(te))),
        Case::new(
            "chunked-split",
            "the same, cut at every byte",
            chunks(answered(te)).cut_into(1),
        ),
        Case::new("chunked-request", "a request in chunks, another behind it", request),
        Case::new("chunked-large", "a chunk over several segments", one.cut_into(1460)),
        Case::new(
            "te-and-cl",
            "Transfer-Encoding overrides Content-Length",
            chunks(answered("Content-Length: 3\r\nTransfer-Encoding: gzip, Chunked\r\n")),
        ),
    ]
}

fn lengths() -> Vec<Case> {
    let close = Script::open()
        .ask(GET)
        .answer("HTTP/1.0 200 OK\r\n\r\n")
        .answer_body("until the end\r\n\r\n")
        .send()
        .answer_body("HTTP/1.1 200 OK\r\n\r\n")
        .close();
    let five = |fields: &str| answered(fields).answer_body("hello").answer(FIVE).answer_body("world");
    let large = "b".repeat(20_000);
    let long = Script::open()
        .ask(GET.repeat(2))
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n");
    let long = long
        .answer_body(&large)
        .answer(FIVE)
        .answer_body("world")
        .cut_into(1460);
    vec![
        Case::new("until-close", "a body that lasts until the connection ends", close),
        Case::new(
            "length-repeated",
            "the same length twice",
            five("Content-Length: 5\r\nContent-Length: 5\r\n"),
        ),
        Case::new(
            "length-list",
            "the same length in a list",
            five("Content-Length: 5, 5\r\n"),
        ),
        Case::new(
            "length-zeros",
            "a length with leading zeros",
            five("Content-Length: 0005\r\n"),
        ),
        Case::new("length-large", "a body over many segments", long),
    ]
}

fn rejected() -> Vec<Case> {
    let unsure = |fields: &str| answered(fields).answer("hello").send().answer("more");
    vec![
        Case::new(
            "length-conflict",
            "two lengths: the rest is unsure and kept",
            unsure("Content-Length: 5\r\nContent-Length: 6\r\n"),
        ),
        Case::new(
            "length-negative",
            "a length with a sign",
            unsure("Content-Length: -5\r\n"),
        ),
        Case::new("length-empty", "a length without digits", unsure("Content-Length:\r\n")),
        Case::new(
            "chunk-malformed",
            "a chunk size that is no number",
            answered("Transfer-Encoding: chunked\r\n").answer("z\r\nhello"),
        ),
        Case::new("request-coding", "a request whose last coding is not chunked", {
            let post = Script::open().ask("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nhello");
            post.send().ask("more")
        }),
    ]
}
