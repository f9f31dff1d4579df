//! Bytes that the other end has received and this capture has not.

use trim_user::trimmer::{Settings, Trimmer as _};

use crate::wire::Wire;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
/// What stood in the hole.
const MISSING: &[u8] = b"HTTP/1.1 204 No\r\nServer: x\r\n\r\n";
const LOST: u32 = MISSING.len() as u32;

fn after(count: u32) -> u32 {
    LOST + count * ANSWER.len() as u32
}

/// Five requests, and an answer behind a hole in which another one stood.
fn with_a_hole(settings: &Settings) -> (Wire, u64) {
    let mut wire = Wire::with(settings);
    wire.handshake();
    wire.client(0, &GET.repeat(5));
    let held = wire.server(LOST, ANSWER);
    wire.expect_held(held);
    (wire, held)
}

fn acknowledge(wire: &mut Wire) {
    wire.client(5 * GET.len() as u32, b"");
}

#[test]
fn what_was_acknowledged_is_waited_for_only_a_moment() {
    let (mut wire, held) = with_a_hole(&Settings::default());
    acknowledge(&mut wire);
    wire.now = 9;
    let next = wire.server(after(1), ANSWER);
    wire.expect_held(held);
    wire.expect_held(next);
    wire.now = 10;
    let last = wire.server(after(2), ANSWER);
    for ticket in [held, next, last] {
        wire.expect(ticket, "H38 B3");
    }
    assert_eq!(wire.statistics().lost_to_gap, 1);
}

#[test]
fn a_retransmission_is_waited_for_as_long_as_the_caller_likes() {
    let (mut wire, held) = with_a_hole(&Settings::default());
    wire.now = 5000;
    let next = wire.server(after(1), ANSWER);
    wire.expect_held(held);
    wire.server(0, MISSING);
    wire.expect(held, "H38 B3");
    wire.expect(next, "H38 B3");
    assert_eq!(wire.statistics().lost_to_gap, 0);
}

#[test]
fn bytes_that_a_capture_has_mixed_up_still_find_their_place() {
    let (mut wire, held) = with_a_hole(&Settings::default());
    acknowledge(&mut wire);
    wire.now = 5;
    let late = wire.server(0, MISSING);
    wire.expect(late, "H30");
    wire.expect(held, "H38 B3");
    assert_eq!(wire.statistics().lost_to_gap, 0);
}

#[test]
fn behind_a_hole_that_is_known_for_long_nothing_is_held() {
    let mut wire = Wire::open();
    wire.client(0, &GET.repeat(5));
    wire.acknowledged[0] = LOST;
    acknowledge(&mut wire);
    wire.now = 10;
    let behind = wire.server(LOST, ANSWER);
    wire.expect(behind, "H38 B3");
    assert_eq!((wire.statistics().held, wire.statistics().lost_to_gap), (0, 1));
}

#[test]
fn an_answer_waits_no_longer_for_its_request_than_bytes_do() {
    let mut wire = Wire::open();
    wire.client(0, GET);
    wire.acknowledged[1] = 2 * GET.len() as u32;
    let first = wire.server(0, ANSWER);
    let second = wire.server(ANSWER.len() as u32, ANSWER);
    wire.expect(first, "H38 B3");
    wire.expect_held(second);
    wire.now = 10;
    wire.client(2 * GET.len() as u32, b"");
    wire.expect(second, "H38 B3");
}

#[test]
fn while_the_capture_loses_packets_only_what_is_not_acknowledged_is_waited_for() {
    let (mut wire, held) = with_a_hole(&Settings::default());
    wire.trimmer.hurry(true);
    acknowledge(&mut wire);
    wire.expect(held, "H38 B3");
    wire.trimmer.hurry(false);
    let next = wire.server(after(2), ANSWER);
    wire.client(5 * GET.len() as u32 + 1, b"");
    wire.expect_held(next);
}

#[test]
fn without_patience_nothing_is_waited_for() {
    let impatient = Settings {
        hold_acknowledged_ns: 0,
        ..Settings::default()
    };
    let (mut wire, held) = with_a_hole(&impatient);
    acknowledge(&mut wire);
    wire.expect(held, "H38 B3");
}
