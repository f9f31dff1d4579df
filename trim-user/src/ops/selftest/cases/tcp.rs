//! What TCP, networks and captures do to a connection.

use super::{Case, FIVE, GET, HEAD, exchange};
use crate::ops::selftest::generated::dialogue::Side;
use crate::ops::selftest::generated::wire::ACK;
use crate::ops::selftest::script::{Script, Sent};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = order();
    cases.extend(holes());
    cases.extend(life());
    cases
}

/// Two answers over many segments: three of the opening, a request, then twelve of the server.
fn long() -> Script {
    let body = "c".repeat(500);
    let script = Script::open().ask(GET.repeat(2));
    let script = script
        .send()
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        .answer_body(&body);
    script.answer(FIVE).answer_body("hello").send().cut_into(60)
}

fn order() -> Vec<Case> {
    let swapped = long().travel(|sent| {
        let last = sent.len() - 1;
        sent.swap(6, 8);
        sent.swap(last, last - 1);
    });
    let headers = long().travel(|sent| sent.swap(4, 5));
    let again = long().travel(|sent| {
        let mut copy = sent[5].clone();
        copy.from += 20;
        copy.captured = copy.to - copy.from;
        sent.insert(8, copy);
        let first = sent[4].clone();
        sent.push(first);
        let request = sent[3].clone();
        sent.push(request);
    });
    vec![
        Case::new("reordering", "segments of a body out of order", swapped).needs_reassembly(),
        Case::new("reordered-header", "the start of an answer comes second", headers).needs_reassembly(),
        Case::new(
            "retransmission",
            "segments again with other boundaries, also long after",
            again,
        )
        .needs_reassembly(),
        Case::new(
            "wrap",
            "sequence numbers wrap inside a body",
            long().starting_at(u32::MAX - 200),
        ),
    ]
}

fn holes() -> Vec<Case> {
    let lost = |index: usize| {
        long().travel(move |sent| {
            sent.remove(index);
        })
    };
    let header = Script::open()
        .ask(GET.repeat(2))
        .answer("HTTP/1.1 200 OK\r\n")
        .send()
        .answer("Content-Length: 5\r\n")
        .send()
        .answer("X: y\r\n\r\n")
        .answer("hello")
        .send()
        .answer(FIVE)
        .answer_body("hello")
        .travel(|sent| {
            sent.remove(5);
        });
    let snaplen = long().travel(|sent| {
        for sent in sent.iter_mut().filter(|sent| sent.side == Side::Server) {
            sent.captured = sent.captured.min(50);
        }
    });
    let head = Script::middle().answer("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n");
    let one_sided = head
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        .answer_body("hello");
    vec![
        Case::new("gap-in-body", "a lost segment of a body is skipped exactly", lost(8)).needs_reassembly(),
        Case::new(
            "gap-in-header",
            "a lost piece of a header block: unsure until the next message",
            header,
        )
        .needs_reassembly(),
        Case::new("snaplen", "packets cut short by a snaplen", snaplen).needs_reassembly(),
        Case::new("mid-connection", "the capture begins behind the opening", {
            Script::middle().ask(GET).answer(FIVE).answer_body("hello")
        })
        .needs_reassembly(),
        Case::new("one-sided", "only answers were captured", one_sided).needs_reassembly(),
    ]
}

fn life() -> Vec<Case> {
    let probe = exchange().travel(|sent| {
        let end = sent
            .iter()
            .filter(|sent| sent.side == Side::Client)
            .map(|sent| sent.to)
            .max();
        let end = end.unwrap_or(1);
        sent.push(Sent {
            side: Side::Client,
            from: end - 1,
            to: end,
            flags: ACK,
            captured: 1,
            heard: 43,
            connection: 0,
        });
    });
    let fast_open = exchange().travel(|sent| {
        let request = sent.remove(3);
        sent[0].to = request.to;
        sent[0].captured = request.captured;
    });
    let fin = exchange().close().travel(|sent| {
        let fin = sent.len() - 2;
        let flags = sent[fin].flags;
        sent.remove(fin);
        sent[fin - 1].flags |= flags;
    });
    let reuse = exchange().travel(|sent| {
        let mut second = sent.clone();
        second.iter_mut().for_each(|sent| sent.connection = 1);
        sent.extend(second);
    });
    let early = Script::open()
        .ask(HEAD)
        .answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        .ask(GET)
        .answer(FIVE)
        .answer_body("hello")
        .travel(|sent| sent.swap(3, 4));
    vec![
        Case::new("probe", "a keep-alive probe repeats a byte", probe),
        Case::new("fast-open", "a request in the SYN", fast_open),
        Case::new("fin-with-data", "the last bytes come with the FIN", fin),
        Case::new("port-reuse", "a second connection between the same ports", reuse),
        Case::new("early-answer", "an answer is captured in front of its request", early).needs_reassembly(),
    ]
}
