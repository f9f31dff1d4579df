//! Bounds: what an attacker can make the trimmer do.

use trim_user::trimmer::{Ports, Settings};

use crate::wire::{Wire, outline};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const SHORT: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";

#[test]
fn a_direction_over_its_budget_gives_its_hole_up() {
    let settings = Settings {
        reassembly_bytes_per_direction: 2000,
        ..Settings::default()
    };
    let mut wire = Wire::with(&settings);
    wire.handshake();
    wire.client(0, &GET.repeat(5));
    wire.server(0, b"HTTP/1.1 ");
    let first = wire.server(100, &[b'x'; 1000]);
    wire.expect_held(first);
    let second = wire.server(1100, &[SHORT, &[b'x'; 1000]].concat());
    wire.expect(first, "U1000");
    assert_eq!(outline(wire.get(second).unwrap_or("held")), "HBU");
    assert_eq!(wire.statistics().lost_to_limit, 1);
}

#[test]
fn when_the_common_budget_is_used_up_the_oldest_hole_is_given_up() {
    let settings = Settings {
        reassembly_bytes: 10_000,
        ..Settings::default()
    };
    let mut wire = Wire::with(&settings);
    let mut held = Vec::new();
    for port in 1000..1100 {
        wire.port = port;
        wire.handshake();
        held.push(wire.client(100, &[b'x'; 1000]));
    }
    let still: Vec<bool> = held.iter().map(|ticket| wire.get(*ticket).is_none()).collect();
    let count = still.iter().filter(|held| **held).count();
    assert!(
        (5..=9).contains(&count),
        "{count} segments of a thousand bytes are held in ten thousand"
    );
    assert!(still[100 - count..].iter().all(|held| *held), "the newest are held");
    wire.finish();
}

#[test]
fn nothing_is_held_without_a_budget() {
    let settings = Settings {
        reassembly_bytes: 0,
        ..Settings::default()
    };
    let mut wire = Wire::with(&settings);
    wire.handshake();
    let ticket = wire.client(10, GET);
    assert_eq!(outline(wire.get(ticket).unwrap_or("held")), "H");
}

#[test]
fn a_full_table_evicts_the_oldest_flow_and_decides_what_it_held() {
    let settings = Settings {
        max_flows: 2,
        ..Settings::default()
    };
    let mut wire = Wire::with(&settings);
    let mut held = Vec::new();
    for port in [1000, 1001, 1002] {
        wire.port = port;
        wire.handshake();
        held.push(wire.client(100, b"\0eld"));
    }
    wire.expect(held[0], "?4");
    wire.expect_held(held[1]);
    wire.expect_held(held[2]);
    let statistics = wire.statistics();
    assert_eq!(
        (statistics.flows, statistics.flows_seen, statistics.flows_evicted),
        (2, 3, 1)
    );
    wire.finish();
}

#[test]
fn ports_that_are_not_http_cost_no_flow() {
    let settings = Settings {
        ports: Ports::Only(vec![8080]),
        ..Settings::default()
    };
    let mut wire = Wire::with(&settings);
    wire.handshake();
    let ticket = wire.client(0, GET);
    assert_eq!(outline(wire.get(ticket).unwrap_or("held")), "N");
    assert_eq!(wire.statistics().flows_seen, 0);
}

#[test]
fn segments_in_reverse_order_are_put_together() {
    let mut wire = Wire::open();
    wire.client(0, &GET.repeat(1000));
    let stream = SHORT.repeat(50);
    let mut tickets: Vec<u64> = (0..stream.len())
        .rev()
        .map(|at| wire.server(at as u32, &stream[at..=at]))
        .collect();
    tickets.reverse();
    for (at, ticket) in tickets.iter().enumerate() {
        wire.expect(*ticket, if at % SHORT.len() < 38 { "H1" } else { "B1" });
    }
}

#[test]
fn more_held_segments_than_the_bound_lose_framing_and_nothing_else() {
    let mut wire = Wire::open();
    let tickets: Vec<u64> = (0..5000).map(|at| wire.client(10 + at, b"x")).collect();
    assert!(
        tickets
            .iter()
            .all(|ticket| wire.get(*ticket).is_none_or(|letters| letters != "B"))
    );
    assert!(wire.get(tickets[0]).is_some());
    wire.finish();
}

#[test]
fn random_segments_break_nothing() {
    let mut random = 1_u64;
    let mut next = move |bound: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % bound
    };
    let words: [&[u8]; 14] = [
        GET,
        SHORT,
        b"HTTP/1.1 200 OK\r\n",
        b"\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 18446744073709551615\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"CONNECT x HTTP/1.1\r\n\r\n",
        b"Upgrade: x\r\n",
        b"HTTP/1.1 101 x\r\n\r\n",
        b"GET /\r\n",
        b"x",
        b"HEAD / HTTP/1.0\r\n\r\n",
    ];
    for round in 0..3000 {
        let settings = Settings {
            max_flows: 2,
            reassembly_bytes: 4000,
            reassembly_bytes_per_direction: 3000,
            max_header_block: 100,
            body_keep_bytes: (round % 3) as u32,
            ..Settings::default()
        };
        let mut wire = Wire::with(&settings);
        for step in 0..40 {
            wire.port = 1 + next(3) as u16;
            let mut payload = Vec::new();
            (0..next(4)).for_each(|_| payload.extend_from_slice(words[next(14) as usize]));
            wire.cut_off = if next(10) == 0 { next(20) as usize } else { 0 };
            let sequence = match next(20) {
                0 => next(1 << 32) as u32,
                _ => (next(300) as u32).wrapping_sub(100),
            };
            let flags = [0x10, 0x10, 0x10, 0x10, 0x10, 0x18, 0x02, 0x12, 0x11, 0x14, 0x00, 0xff][next(12) as usize];
            let ticket = wire.send(
                next(2) == 0,
                flags,
                sequence,
                Some((next(300) as u32).wrapping_sub(100)),
                &payload,
            );
            if next(8) == 0 {
                wire.release(ticket.saturating_sub(next(step + 1)));
            }
        }
        wire.finish();
    }
}
