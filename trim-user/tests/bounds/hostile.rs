//! Peers that try to cost memory or time, next to others that do not.

use trim_user::trimmer::{Segment, Settings, Statistics};

use crate::traffic::{ACK, Driver, Flow, NAMES, SYN};

const FLOWS: usize = 4096;
const REASSEMBLY: usize = 1 << 20;
const MOST_HELD: usize = 1 << 20;
const LONGEST_HEADER_BLOCK: u32 = 16 << 10;

/// Bytes: what every flow may have, what may be held twice (by the trimmer and, here as tickets, by its caller), what may
/// be remembered, and what a trimmer has from the beginning.
const MOST_MEMORY: u64 = (FLOWS * 1000 + 4 * REASSEMBLY + (4 << 20)) as u64;

fn settings() -> Settings {
    Settings {
        max_flows: FLOWS,
        reassembly_bytes: REASSEMBLY,
        reassembly_bytes_per_direction: 64 << 10,
        max_header_block: LONGEST_HEADER_BLOCK,
        ..Settings::default()
    }
}

/// Marsaglia's xorshift.
struct Chance(u32);

impl Chance {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

/// Sixteen connections that ask and answer in turn, without end.
struct Neighbours {
    exchanges: [u32; 16],
    turn: usize,
}

const ASKED: &[u8] = b"GET /page HTTP/1.1\r\nHost: example.org\r\n\r\n";
const ANSWERED: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n";

impl Neighbours {
    fn new(driver: &mut Driver) -> Self {
        for number in 0..16 {
            let flow = Flow::new(172, number);
            driver.expect(&flow.segment(true, SYN, 99, 0, b""), 0);
            driver.expect(&flow.segment(false, SYN | ACK, 499, 100, b""), 0);
        }
        Self {
            exchanges: [0; 16],
            turn: 0,
        }
    }

    /// One exchange on one connection, which has to be told exactly.
    #[track_caller]
    fn go_on(&mut self, driver: &mut Driver) {
        let number = self.turn % 16;
        self.turn += 1;
        let flow = Flow::new(172, number as u32);
        let past = self.exchanges[number];
        self.exchanges[number] += 1;
        let asked = 100 + past * ASKED.len() as u32;
        let answered = 500 + past * (ANSWERED.len() as u32 + 2000);
        driver.expect(&flow.request(asked, answered, ASKED), ASKED.len());
        let first = [ANSWERED, &[b'b'; 1000]].concat();
        let acknowledged = asked + ASKED.len() as u32;
        driver.expect(&flow.answer(answered, acknowledged, &first), ANSWERED.len());
        driver.expect(
            &flow.answer(answered + first.len() as u32, acknowledged, &[b'b'; 1000]),
            0,
        );
    }
}

/// Runs an attack of `steps` steps, each of which sends what it likes, against every trimmer, and neighbours beside it.
/// `check` sees what was counted.
fn attack(steps: u32, mut step: impl FnMut(u32, &mut dyn FnMut(&Segment<'_>)), check: impl Fn(&str, &Statistics)) {
    for name in NAMES {
        let used = allocation_counter::measure(|| {
            let mut driver = Driver::new(name, &settings(), MOST_HELD);
            let mut neighbours = Neighbours::new(&mut driver);
            for number in 0..steps {
                step(number, &mut |segment| {
                    driver.judge(segment);
                });
                if number % 16 == 0 {
                    neighbours.go_on(&mut driver);
                }
            }
            driver.finish();
            let statistics = driver.statistics();
            check(name, &statistics);
            let work = statistics.examined as f64 / (driver.bytes + 64 * driver.segments()) as f64;
            println!(
                "{name}: {} segments, {work:.2} bytes examined per byte",
                driver.segments()
            );
            assert!(work < 2.0, "{name}: {statistics:?}");
        });
        println!("{name}: at most {} KiB", used.bytes_max >> 10);
        assert!(used.bytes_max <= MOST_MEMORY, "{name}: {} bytes", used.bytes_max);
    }
}

#[test]
fn header_blocks_that_never_end_cost_a_bounded_amount() {
    let line = b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
    attack(
        100_000,
        |number, send| {
            let flow = Flow::new(10, number);
            let start = [b"GET / HTTP/1.1\r\n", &line[..]].concat();
            send(&flow.request(1, 1, &start));
            send(&flow.request(1 + start.len() as u32, 1, line));
        },
        |name, statistics| {
            assert!(statistics.flows_evicted > 90_000, "{name}: {statistics:?}");
            assert_eq!(statistics.flows, FLOWS as u64, "{name}");
        },
    );
}

#[test]
fn a_header_block_over_the_limit_is_given_up_and_counted() {
    let line = [b'a'; 1000];
    attack(
        2000,
        |number, send| {
            let flow = Flow::new(10, number % 20);
            match number / 20 {
                0 => send(&flow.request(1, 1, b"GET / HTTP/1.1\r\nX-Long: ")),
                turn => send(&flow.request(25 + (turn - 1) * 1000, 1, &line)),
            }
        },
        |name, statistics| assert!(statistics.lost_to_limit >= 20, "{name}: {statistics:?}"),
    );
}

#[test]
fn one_byte_per_segment_costs_no_more_than_its_bytes() {
    let text = [
        ASKED,
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ]
    .concat();
    attack(
        text.len() as u32 * 400,
        |number, send| {
            let (flow, at) = (Flow::new(10, number % 400), number / 400);
            send(&flow.request(1 + at, 1, &text[at as usize..][..1]));
        },
        |name, statistics| assert!(statistics.messages > 800, "{name}: {statistics:?}"),
    );
}

#[test]
fn a_hole_in_every_flow_costs_no_more_than_the_budget() {
    let body = [b'x'; 1000];
    attack(
        20_000,
        |number, send| {
            let flow = Flow::new(10, number);
            send(&flow.segment(true, SYN, 0, 0, b""));
            send(&flow.request(1, 1, b"GET / HTTP/1.1\r\nHo"));
            send(&flow.request(500, 1, &body));
            send(&flow.request(2500, 1, &body));
        },
        |name, statistics| {
            let lost = statistics.lost_to_limit + statistics.lost_to_gap;
            assert!(lost > 15_000, "{name}: {statistics:?}");
        },
    );
}

/// One-byte holes between one-byte segments, and then all but one of them filled: few bytes in many pieces.
#[test]
fn many_small_pieces_cost_no_more_than_the_budget() {
    let filling = [b'y'; 1400];
    attack(
        40_000,
        |number, send| {
            let (flow, at) = (Flow::new(10, number / 200), number % 200);
            if at == 0 {
                send(&flow.segment(true, SYN, 0, 0, b""));
                send(&flow.request(1, 1, b"GET / HTTP/1.1\r\nHo"));
                send(&flow.request(5000, 1, &filling));
            }
            send(&flow.request(20 + 2 * at, 1, b"x"));
            if at == 199 {
                send(&flow.request(21, 1, &filling[..397]));
            }
        },
        |_, _| {},
    );
}

/// Large segments lend their memory to nobody who holds a small one.
#[test]
fn small_pieces_have_small_buffers() {
    let large = [b'y'; 15_000];
    attack(
        6000,
        |number, send| {
            let (large_one, small_one) = (Flow::new(10, number % 8), Flow::new(11, number % 2000));
            if number < 2000 {
                send(&small_one.segment(true, SYN, 0, 0, b""));
            }
            let at = number / 8 * 40_000;
            send(&large_one.segment(true, SYN, at, 0, b""));
            send(&large_one.request(at + 20, 1, &large));
            send(&large_one.request(at + 1, 1, b"GET /index HTTP/1.1"));
            send(&small_one.request(10 + 2 * (number / 2000), 1, b"z"));
        },
        |_, _| {},
    );
}

#[test]
fn overlapping_junk_costs_a_bounded_amount() {
    let mut chance = Chance(77);
    let junk: Vec<u8> = (0..4000).map(|_| (chance.next() >> 24) as u8).collect();
    attack(
        30_000,
        |number, send| {
            let flow = Flow::new(10, number % 50);
            let (from, length) = (chance.next() % 2000, 1 + chance.next() % 1400);
            let payload = &junk[(chance.next() % 2000) as usize..][..length as usize];
            let sequence = 1 + from + number / 50 * 20;
            match number {
                0..50 => send(&flow.request(1, 1, b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHo")),
                _ => send(&flow.segment(number % 3 > 0, ACK, sequence, chance.next() % 2000, payload)),
            }
        },
        |_, _| {},
    );
}

#[test]
fn random_segments_of_random_flows_cost_a_bounded_amount() {
    let mut chance = Chance(4711);
    let junk: Vec<u8> = (0..4000).map(|_| (chance.next() >> 24) as u8).collect();
    attack(
        60_000,
        |_, send| {
            let flow = Flow::new(10, chance.next() >> 8);
            let payload = &junk[(chance.next() % 2000) as usize..][..(chance.next() % 1400) as usize];
            let flags = (chance.next() >> 16) as u8;
            send(&flow.segment(flags & 0x80 != 0, flags, chance.next(), chance.next(), payload));
        },
        |name, statistics| assert!(statistics.flows_evicted > 40_000, "{name}: {statistics:?}"),
    );
}

/// Unlike requests that nobody answers: each has to be remembered for the framing of its answer.
#[test]
fn unanswered_requests_cost_no_more_than_the_budget() {
    let text = b"GET / HTTP/1.1\r\n\r\nHEAD / HTTP/1.1\r\n\r\n".repeat(40);
    attack(
        9000,
        |number, send| {
            let (flow, turn) = (Flow::new(10, number % 3000), number / 3000);
            send(&flow.request(1 + turn * text.len() as u32, 1, &text));
        },
        |name, statistics| assert!(statistics.messages > 700_000, "{name}: {statistics:?}"),
    );
}
