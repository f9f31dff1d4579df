//! TCP as it is.

use trim_user::trimmer::Settings;

use crate::wire::{CLIENT_ISN, SERVER_ISN, Wire, outline};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const LONG: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
const SHORT: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";

fn outline_of(wire: &Wire, ticket: u64) -> String {
    outline(wire.get(ticket).unwrap_or("held"))
}

#[test]
fn a_hole_in_a_body_is_skipped_exactly() {
    let mut wire = Wire::open();
    wire.client(0, &GET.repeat(2));
    wire.server(0, LONG);
    let end = LONG.len() as u32 + 100;
    let tail = wire.server(end - 5, &[b"xxxxx", SHORT].concat());
    wire.expect(tail, "B5 H38 B3");
    let late = wire.server(end - 10, b"xxxxxxx");
    wire.expect(late, "B7");
    assert_eq!(wire.statistics().held, 0);
}

#[test]
fn a_hole_in_a_header_block_loses_framing_until_a_segment_starts_a_message() {
    let mut wire = Wire::open();
    wire.client(0, &GET.repeat(5));
    wire.server(0, &LONG[..20]);
    let body = wire.server(30, b"h: 100\r\n\r\nxxxxx");
    let next = wire.server(60, SHORT);
    let after = wire.server(60 + SHORT.len() as u32, SHORT);
    for ticket in [body, next, after] {
        wire.expect_held(ticket);
    }
    wire.release(body);
    wire.expect(body, "U15");
    // There is another hole in front of the next message.
    wire.expect_held(next);
    wire.release(after);
    wire.expect(next, "H38 B3");
    wire.expect(after, "H38 B3");
    assert_eq!(
        (wire.statistics().lost_to_gap, wire.statistics().resynchronised),
        (1, 1)
    );
}

#[test]
fn a_start_line_found_again_may_be_split_over_segments() {
    let mut wire = Wire::open();
    wire.client(0, &GET.repeat(5));
    let mut offset = 100;
    let mut letters = String::new();
    for part in [
        &b"cruft"[..],
        b"HTT",
        b"P/1.1 2",
        b"00 OK\r\nContent-Le",
        b"ngth: 3\r\n\r\na",
        b"bc",
    ] {
        let ticket = wire.server(offset, part);
        wire.release(ticket.min(2 + 1));
        offset += part.len() as u32;
        letters.push_str(wire.get(ticket).unwrap_or("held"));
    }
    assert!(
        letters.ends_with("BBB") && !letters[..letters.len() - 3].contains('B'),
        "{letters}"
    );
}

#[test]
fn a_candidate_that_fails_does_not_hide_the_next() {
    let mut wire = Wire::open();
    wire.client(0, &GET.repeat(5));
    let first = wire.server(100, b"HTTP/1.1 2");
    wire.release(first);
    let second = wire.server(110, SHORT);
    wire.expect(second, "H38 B3");
}

#[test]
fn retransmissions_are_labelled_like_the_first_copy_long_after() {
    let mut wire = Wire::open();
    let count = 500;
    for index in 0..count {
        wire.client(index * GET.len() as u32, GET);
        wire.server(index * SHORT.len() as u32, SHORT);
    }
    for index in (0..count - 1).rev() {
        let again = wire.server(index * SHORT.len() as u32 + 36, &[&SHORT[36..], &SHORT[..2]].concat());
        wire.expect(again, "H2 B3 H2");
    }
    let again = wire.client(0, &GET.repeat(3));
    assert_eq!(outline_of(&wire, again), "H");
}

#[test]
fn history_is_bounded_and_forgets_the_oldest_first() {
    let settings = Settings {
        reassembly_bytes: 0,
        ..Settings::default()
    };
    let mut wire = Wire::with(&settings);
    wire.handshake();
    for index in 0..100 {
        wire.client(index * GET.len() as u32, GET);
        wire.server(index * SHORT.len() as u32, SHORT);
    }
    let recent = wire.server(98 * SHORT.len() as u32, SHORT);
    wire.expect(recent, "H38 B3");
    let old = wire.server(0, SHORT);
    wire.expect(old, "U41");
}

#[test]
fn an_overlap_with_other_content_is_kept_and_counted() {
    let mut wire = Wire::open();
    wire.client(0, &GET.repeat(2));
    let first = wire.server(10, &SHORT[10..]);
    let other = wire.server(20, b"XX");
    let copy = wire.server(30, &SHORT[30..35]);
    wire.server(0, &SHORT[..10]);
    wire.expect(first, "H28 B3");
    wire.expect(other, "U2");
    wire.expect(copy, "H5");
    assert_eq!(wire.statistics().conflicting_bytes, 2);
}

#[test]
fn keep_alive_and_window_probes_disturb_nothing() {
    let mut wire = Wire::open();
    let before = wire.send(true, 0x10, CLIENT_ISN, Some(SERVER_ISN + 1), b"\0");
    wire.expect(before, "?1");
    wire.client(0, GET);
    wire.server(0, SHORT);
    let probe = wire.server(SHORT.len() as u32 - 1, b"\0");
    wire.expect(probe, "B1");
    let probe = wire.client(GET.len() as u32 - 1, b"\0");
    wire.expect(probe, "H1");
    let empty = wire.server(SHORT.len() as u32 - 1, b"");
    wire.expect(empty, "");
    // A window probe carries one new byte, which is sent again.
    let window = wire.server(SHORT.len() as u32, b"H");
    wire.expect(window, "H1");
    wire.client(GET.len() as u32, GET);
    let next = wire.server(SHORT.len() as u32, SHORT);
    wire.expect(next, "H38 B3");
}

#[test]
fn a_keep_alive_probe_at_the_start_of_a_capture_disturbs_nothing() {
    let mut wire = Wire::new();
    wire.acknowledged[1] = 100;
    wire.server(0, b"");
    let probe = wire.client(99, b"\0");
    wire.expect(probe, "?1");
    let request = wire.client(100, GET);
    assert_eq!(outline_of(&wire, request), "H");
    assert_eq!(wire.statistics().lost_to_framing, 0);
}

#[test]
fn data_may_come_with_the_syn() {
    let mut wire = Wire::new();
    let syn = wire.client_syn(CLIENT_ISN, GET);
    assert_eq!(outline_of(&wire, syn), "H");
    let again = wire.client(0, b"GET / HTTP");
    wire.expect(again, "H10");
    let more = wire.client(GET.len() as u32, b"PUT / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
    wire.expect(more, "H37 B1");
}

#[test]
fn a_new_syn_is_a_new_connection() {
    let mut wire = Wire::open();
    wire.client(0, GET);
    let body = wire.server(0, &[LONG, b"xx"].concat());
    assert_eq!(outline_of(&wire, body), "HB");
    let held = wire.client(1000, GET);
    wire.expect_held(held);
    wire.client_syn(77, b"");
    assert_eq!(outline_of(&wire, held), "H", "a message starts there for certain");
    wire.send(false, 0x12, 99, Some(78), b"");
    wire.send(true, 0x10, 78, Some(100), GET);
    let answer = wire.send(false, 0x10, 100, Some(78 + GET.len() as u32), SHORT);
    wire.expect(answer, "H38 B3");
}

#[test]
fn a_repeated_syn_changes_nothing() {
    let mut wire = Wire::open();
    wire.client(0, b"PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab");
    wire.handshake();
    let rest = wire.client(39, b"cd");
    wire.expect(rest, "B2");
}

#[test]
fn a_syn_that_comes_after_its_data_changes_nothing() {
    let mut wire = Wire::new();
    wire.client(0, b"PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab");
    wire.client_syn(CLIENT_ISN, b"");
    let rest = wire.client(39, b"cd");
    wire.expect(rest, "B2");
}

#[test]
fn the_text_of_a_reset_is_kept() {
    let mut wire = Wire::open();
    wire.client(0, GET);
    wire.server(0, LONG);
    let reset = wire.server_reset(LONG.len() as u32, b"go away");
    wire.expect(reset, "U7");
    let more = wire.server(LONG.len() as u32, b"body");
    wire.expect(more, "B4");
}

#[test]
fn a_body_until_close_ends_with_the_fin() {
    let mut wire = Wire::open();
    wire.client(0, GET);
    let head = b"HTTP/1.1 200 OK\r\n\r\n";
    wire.server(0, head);
    let last = wire.server_fin(19, b"body");
    wire.expect(last, "B4");
    let again = wire.server(21, b"dy");
    wire.expect(again, "B2");
}

#[test]
fn payload_behind_a_fin_is_kept() {
    let mut wire = Wire::open();
    wire.client(0, GET);
    wire.server_fin(0, SHORT);
    let behind = wire.server(SHORT.len() as u32 + 1, SHORT);
    assert_eq!(outline_of(&wire, behind), "U");
}

#[test]
fn bytes_cut_off_by_a_snaplen_stand_like_a_hole_that_never_fills() {
    let mut wire = Wire::open();
    wire.client(0, &GET.repeat(5));
    wire.cut_off = 60;
    let head = wire.server(0, &[LONG, &[b'x'; 100]].concat());
    assert_eq!(outline_of(&wire, head), "HB");
    wire.cut_off = 10;
    let offset = LONG.len() as u32 + 100;
    let cut = wire.server(offset, LONG);
    assert_eq!(outline_of(&wire, cut), "H");
    wire.cut_off = 0;
    let body = wire.server(offset + LONG.len() as u32, &[b'x'; 100]);
    wire.expect(body, "U100");
    let next = wire.server(offset + LONG.len() as u32 + 100, SHORT);
    wire.expect(next, "H38 B3");
    assert_eq!(wire.statistics().held, 0);
}

#[test]
fn a_capture_may_start_in_the_middle_of_a_connection() {
    let mut wire = Wire::new();
    let first = wire.server(0, b"tail of a body");
    wire.expect(first, "?14");
    let second = wire.server(14, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    wire.expect(second, "H38 B3");
    let request = wire.client(0, GET);
    assert_eq!(outline_of(&wire, request), "H");
}

#[test]
fn what_the_peer_waits_for_tells_where_a_direction_begins() {
    let mut wire = Wire::new();
    wire.client(0, GET);
    let second = wire.server(LONG.len() as u32, &[b'x'; 50]);
    wire.expect_held(second);
    wire.server(0, LONG);
    wire.expect(second, "B50");
}

#[test]
fn other_protocols_are_never_held_or_cut() {
    let mut wire = Wire::open();
    let hello = wire.client(0, b"\x16\x03\x01\x02\x00\x01");
    let answer = wire.server(0, b"\x16\x03\x03");
    let hole = wire.server(1000, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    wire.expect(hello, "N6");
    wire.expect(answer, "N3");
    wire.expect(hole, "N41");
    assert_eq!(wire.statistics().held, 0);
}

#[test]
fn a_server_that_talks_first_may_still_be_answered_in_http() {
    let mut wire = Wire::open();
    let banner = wire.server(0, b"hello\r\n");
    wire.expect(banner, "N7");
    wire.client(0, GET);
    let answer = wire.server(7, SHORT);
    wire.expect(answer, "H38 B3");
}

#[test]
fn sequence_numbers_far_from_the_stream_are_kept_and_ignored() {
    let mut wire = Wire::open();
    wire.client(0, GET);
    wire.server(0, LONG);
    let stray = wire.server(0x7000_0000, b"stray");
    wire.expect(stray, "U5");
    let body = wire.server(LONG.len() as u32, &[b'x'; 100]);
    wire.expect(body, "B100");
}
