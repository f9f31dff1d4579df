//! Which request a response answers, and what follows from it.

use crate::wire::{SERVER_ISN, Wire, outline};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const HEAD: &[u8] = b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n";
const LONG: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";

fn outline_of(wire: &Wire, ticket: u64) -> String {
    outline(wire.get(ticket).unwrap_or("held"))
}

#[test]
fn the_answer_to_head_has_no_body() {
    let mut wire = Wire::open();
    wire.client(0, &[HEAD, GET, HEAD].concat());
    let ticket = wire.server(0, &[LONG, LONG, &[b'x'; 100], LONG, LONG].concat());
    assert_eq!(outline_of(&wire, ticket), "HBH");
    assert_eq!(wire.statistics().messages, 7);
}

#[test]
fn interim_responses_answer_nothing() {
    let mut wire = Wire::open();
    wire.client(0, &[HEAD, GET].concat());
    let interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    let ticket = wire.server(0, &[interim, LONG, interim, interim, LONG, b"xx"].concat());
    wire.expect(ticket, "H191 B2");
}

#[test]
fn an_unknown_request_is_told_by_the_bytes_that_follow() {
    for (body, expected) in [(LONG, "H"), (&[b'x'; 100], "HB"), (b"HTTP/1.1 abc", "HB")] {
        let mut wire = Wire::new();
        let ticket = wire.server(0, &[LONG, body].concat());
        assert_eq!(outline_of(&wire, ticket), expected);
    }
}

#[test]
fn the_look_ahead_for_an_unknown_request_holds_only_what_may_be_a_status_line() {
    let mut wire = Wire::new();
    wire.server(0, LONG);
    let end = LONG.len() as u32;
    let held: Vec<u64> = LONG[..12]
        .iter()
        .enumerate()
        .map(|(at, byte)| wire.server(end + at as u32, &[*byte]))
        .collect();
    for ticket in &held {
        wire.expect_held(*ticket);
    }
    let last = wire.server(end + 12, &LONG[12..]);
    assert!(
        held.iter()
            .chain([&last])
            .all(|ticket| outline_of(&wire, *ticket) == "H")
    );

    let mut wire = Wire::new();
    wire.server(0, LONG);
    let first = wire.server(end, b"HTTP/1");
    wire.expect_held(first);
    let second = wire.server(end + 6, b".x");
    wire.expect(first, "B6");
    wire.expect(second, "B2");
}

#[test]
fn a_look_ahead_that_never_ends_is_kept() {
    let mut wire = Wire::new();
    wire.server(0, LONG);
    let ticket = wire.server(LONG.len() as u32, b"HTTP/1.");
    wire.expect_held(ticket);
    wire.release(ticket);
    wire.expect(ticket, "U7");
}

#[test]
fn a_response_waits_for_a_request_that_it_acknowledges() {
    let mut wire = Wire::open();
    wire.acknowledged[1] = HEAD.len() as u32;
    let response = wire.server(0, LONG);
    let next = wire.server(LONG.len() as u32, b"not a message");
    assert_eq!(outline_of(&wire, response), "H");
    wire.expect_held(next);
    wire.client(0, HEAD);
    wire.expect(next, "U13");

    let mut wire = Wire::open();
    wire.acknowledged[1] = GET.len() as u32;
    wire.server(0, LONG);
    let body = wire.server(LONG.len() as u32, b"HTTP/1.1 200 OK\r\n");
    wire.expect_held(body);
    wire.client(0, GET);
    wire.expect(body, "B17");
}

#[test]
fn a_response_does_not_wait_for_ever() {
    let mut wire = Wire::open();
    wire.acknowledged[1] = GET.len() as u32;
    wire.server(0, LONG);
    let body = wire.server(LONG.len() as u32, b"xxx");
    wire.release(body);
    wire.expect(body, "B3");
}

#[test]
fn an_unsolicited_response_does_not_wait() {
    let mut wire = Wire::open();
    let ticket = wire.server(0, b"HTTP/1.1 408 Timeout\r\nContent-Length: 2\r\n\r\nxx");
    assert_eq!(outline_of(&wire, ticket), "HB");
}

#[test]
fn when_requests_were_lost_the_bytes_behind_the_header_block_tell() {
    let mut wire = Wire::open();
    // The first request, a HEAD, is lost.
    let second = wire.client(HEAD.len() as u32, GET);
    wire.expect_held(second);
    wire.release(second);
    let ticket = wire.server(0, &[LONG, LONG, b"body"].concat());
    assert_eq!(outline_of(&wire, ticket), "HB");
    wire.expect(ticket, &format!("H{} B4", 2 * LONG.len()));
}

#[test]
fn requests_before_a_loss_are_still_paired() {
    let mut wire = Wire::open();
    wire.client(0, &[HEAD, GET].concat());
    let behind = wire.client(1000, GET);
    wire.release(behind);
    // The answer to the GET begins like a status line.
    let ticket = wire.server(0, &[LONG, LONG, b"HTTP/1.1 200 OK\r\n\r\n"].concat());
    wire.expect(ticket, &format!("H{} B19", 2 * LONG.len()));
}

#[test]
fn a_capture_that_starts_between_request_and_response_pairs_the_next_ones() {
    let mut wire = Wire::new();
    let early = wire.server(0, &[LONG, &[b'x'; 100]].concat());
    assert_eq!(outline_of(&wire, early), "HB");
    wire.client(0, HEAD);
    let end = LONG.len() as u32 + 100;
    let answer = wire.server(end, &[LONG, b"HTTP/1.1 200\r\n"].concat());
    assert_eq!(outline_of(&wire, answer), "H");
}

#[test]
fn a_request_that_follows_a_response_is_not_answered_by_it() {
    let mut wire = Wire::new();
    // The client has received up to byte 1000 of the server when it sends HEAD; then a response that began earlier
    // arrives late.
    wire.acknowledged[0] = 1000;
    wire.client(0, HEAD);
    let early = wire.server(1000 - 45, b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nabcdefg");
    let answer = wire.server(1000, &[LONG, b"HTTP/1.1 200 OK\r\n"].concat());
    wire.expect(early, "H38 B7");
    assert_eq!(outline_of(&wire, answer), "H");
}

#[test]
fn one_direction_alone_is_enough() {
    let mut wire = Wire::new();
    let ticket = wire.server(
        0,
        &[LONG, &[b'x'; 100], b"HTTP/1.1 204 No\r\n\r\n", LONG, &[b'y'; 100]].concat(),
    );
    assert_eq!(outline_of(&wire, ticket), "HBHB");
    let mut wire = Wire::new();
    let ticket = wire.client(
        0,
        b"POST / HTTP/1.1\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nabGET / HTTP/1.1\r\n\r\n",
    );
    assert_eq!(outline_of(&wire, ticket), "HBH");
}

#[test]
fn a_tunnel_is_opaque_in_both_directions() {
    let connect = b"CONNECT a:443 HTTP/1.1\r\n\r\n";
    let mut wire = Wire::open();
    let early = wire.client(
        0,
        &[&connect[..], b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"].concat(),
    );
    wire.expect_held(early);
    let answer = wire.server(
        0,
        b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    );
    assert_eq!(outline_of(&wire, early), "HO");
    assert_eq!(outline_of(&wire, answer), "HO");
    let later = wire.client(500, b"anything");
    wire.expect(later, "O8");
}

#[test]
fn a_refused_tunnel_goes_on_as_http() {
    let connect = b"CONNECT a:443 HTTP/1.1\r\n\r\n";
    let mut wire = Wire::open();
    let early = wire.client(
        0,
        &[&connect[..], b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", HEAD].concat(),
    );
    wire.expect_held(early);
    let answer = wire.server(
        0,
        &[
            b"HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno",
            LONG,
            &[b'x'; 100],
            LONG,
        ]
        .concat(),
    );
    assert_eq!(outline_of(&wire, early), "HBH");
    assert_eq!(outline_of(&wire, answer), "HBHBH");
}

#[test]
fn an_upgrade_is_opaque_from_the_switch_on_and_http_without_one() {
    let upgrade = b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    let mut wire = Wire::open();
    wire.client(0, upgrade);
    let early = wire.client(upgrade.len() as u32, b"\x81\x05hello");
    wire.expect_held(early);
    let answer = wire.server(
        0,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi",
    );
    wire.expect(early, "O7");
    assert_eq!(outline_of(&wire, answer), "HO");

    let mut wire = Wire::open();
    wire.client(0, upgrade);
    wire.server(0, &[LONG, &[b'x'; 100]].concat());
    let next = wire.client(upgrade.len() as u32, b"PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab");
    wire.expect(next, "H37 B2");
}

#[test]
fn a_switch_that_overtakes_the_body_of_its_request_leaves_the_body_to_http() {
    let head = b"POST /chat HTTP/1.1\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab";
    let rest = b"cd\r\n0\r\n\r\nanything";
    let mut wire = Wire::open();
    wire.client(0, head);
    wire.acknowledged[1] = (head.len() + rest.len()) as u32;
    wire.server(0, b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
    let tail = wire.client(head.len() as u32, rest);
    wire.expect(tail, "B2 F5 T2 O8");
}

#[test]
fn bytes_behind_an_unanswered_connect_are_opaque_and_behind_an_upgrade_requests() {
    let mut wire = Wire::open();
    let connect = wire.client(0, b"CONNECT a:443 HTTP/1.1\r\n\r\n\x16\x03");
    wire.release(connect);
    assert_eq!(outline_of(&wire, connect), "HO");
    let mut wire = Wire::open();
    let both = wire.client(
        0,
        b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\nPUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab",
    );
    wire.release(both);
    assert_eq!(outline_of(&wire, both), "HB");
}

#[test]
fn a_simple_request_is_answered_by_body_alone() {
    let mut wire = Wire::open();
    let request = wire.client(0, b"GET /old\r\n");
    let answer = wire.server(0, b"<html>HTTP</html>");
    wire.expect(request, "H10");
    wire.expect(answer, "B17");

    let mut wire = Wire::open();
    wire.client(0, b"GET /old\r\n");
    let modern = wire.server(0, b"\r\nHTTP/1.0 200 OK\r\n\r\nbody");
    wire.expect(modern, "H21 B4");

    let mut wire = Wire::open();
    wire.acknowledged[1] = 10;
    let early = wire.server(0, b"<html></html>");
    wire.expect_held(early);
    wire.client(0, b"GET /old\r\n");
    wire.expect(early, "B13");

    let mut wire = Wire::open();
    wire.acknowledged[1] = 10;
    let early = wire.server(0, b"<html></html>");
    wire.release(early);
    wire.expect(early, "N13");

    let mut wire = Wire::open();
    wire.client(0, b"GET /old\r\n");
    let behind_hole = wire.server(100, b"of it</p>\n</html>");
    wire.release(behind_hole);
    wire.expect(behind_hole, "B17");

    let mut wire = Wire::open();
    wire.client(0, b"GET /old\r\n");
    let short = wire.server_fin(0, b"HTTP/1");
    wire.expect(short, "B6");

    let mut wire = Wire::open();
    let unseen = wire.server(0, b"<html></html>");
    wire.expect(unseen, "N13");
}

#[test]
fn behind_a_hole_only_what_cannot_be_header_is_taken_for_the_body_of_an_unknown_answer() {
    for (after, expected) in [
        (&b"of text\n and more text \0"[..], "B"),
        (b"<div>\n<p>\n", "B"),
        (b"gth: 5\r\nServer: x\r\n\r\nhello", "U"),
        (b"yyyyyyyyyyyy", "U"),
        (b"</div>\n<p>\nHTTP/1.1 200 OK\r\n\r\n", "U"),
        (LONG, "H"),
    ] {
        let mut wire = Wire::new();
        wire.server(0, LONG);
        let behind = wire.server(LONG.len() as u32 + 50, after);
        wire.expect_held(behind);
        wire.release(behind);
        assert_eq!(
            outline_of(&wire, behind),
            expected,
            "{:?}",
            after.escape_ascii().to_string()
        );
    }
    let mut wire = Wire::new();
    wire.server(0, LONG);
    let behind = wire.server(LONG.len() as u32 + 20, b"<div>\n<p>\n");
    wire.release(behind);
    let late = wire.server(LONG.len() as u32, b"in the hole");
    let more = wire.server(LONG.len() as u32 + 30, &[&[b'x'; 70], LONG].concat());
    wire.expect(late, "U11");
    wire.expect(more, "B70 H40");
}

#[test]
fn a_method_spelled_like_head_is_told_by_the_bytes_that_follow() {
    for (body, expected) in [(LONG, "H"), (&b"<html>"[..], "HB")] {
        let mut wire = Wire::open();
        wire.client(0, b"head / HTTP/1.1\r\n\r\n");
        let ticket = wire.server(0, &[LONG, body].concat());
        assert_eq!(outline_of(&wire, ticket), expected);
    }
}

#[test]
fn a_client_that_closed_its_side_is_not_waited_for() {
    let mut wire = Wire::open();
    wire.client(0, GET);
    let sequence = crate::wire::CLIENT_ISN.wrapping_add(1 + GET.len() as u32);
    wire.send(true, 0x11, sequence, Some(SERVER_ISN + 1), b"");
    wire.acknowledged[1] = GET.len() as u32 + 1;
    let ticket = wire.server(0, &[LONG, &[b'x'; 100], LONG, b"xx"].concat());
    assert_eq!(outline_of(&wire, ticket), "HBHB");
}
