//! A million connections at once, each with something to remember.

use trim_user::trimmer::Settings;

use crate::traffic::{Driver, Flow, NAMES};

const GET: &[u8] = b"GET /index.html HTTP/1.1\r\nHost: example.org\r\n\r\n";
const POST: &[u8] = b"POST /form HTTP/1.1\r\nHost: example.org\r\nContent-Length: 3000\r\n\r\n";
const HALF_REQUEST: &[u8] = b"GET /index.html HTTP/1.1\r\nHost: example.org\r\nUser-Agent: Mozilla/5.0 (X11; Lin";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
const HALF_ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Le";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nab\r\n100";

/// Where a flow stands.
#[derive(Clone, Copy, Debug)]
enum State {
    /// In the header block of its first request.
    Request,
    /// In the header block of an answer.
    Answer,
    /// In the body of an answer.
    Body,
    /// In the line of a third chunk.
    Chunk,
    /// In the header blocks of a request and of the answer to the one before it.
    Both,
}

const STATES: [State; 5] = [State::Request, State::Answer, State::Body, State::Chunk, State::Both];

impl State {
    fn reach(self, driver: &mut Driver, number: u32) {
        let flow = Flow::new(10, number);
        let (get, half) = (GET.len() as u32, HALF_REQUEST.len() as u32);
        let answer = |payload| flow.answer(7000, 1000 + get, payload);
        match self {
            Self::Request => driver.judge(&flow.request(1000, 0, HALF_REQUEST)),
            Self::Both => driver.judge(&flow.request(1000, 7000, &[GET, HALF_REQUEST].concat())),
            _ => driver.judge(&flow.request(1000, 7000, GET)),
        };
        match self {
            Self::Request => return,
            Self::Both => driver.judge(&flow.answer(7000, 1000 + get + half, HALF_ANSWER)),
            Self::Answer => driver.judge(&answer(HALF_ANSWER)),
            Self::Body => driver.judge(&answer(ANSWER)),
            Self::Chunk => driver.judge(&answer(CHUNKED)),
        };
    }

    /// The flow is still known: its next segment is told apart.
    fn check(self, driver: &mut Driver, number: u32) {
        let flow = Flow::new(10, number);
        let (get, half) = (GET.len() as u32, HALF_REQUEST.len() as u32);
        let rest_of_answer = b"ngth: 7\r\n\r\nxxxxxxx";
        match self {
            Self::Request => driver.expect(&flow.request(1000 + half, 0, b"ux)\r\n\r\n"), 7),
            Self::Both => driver.expect(&flow.request(1000 + get + half, 7000, b"ux)\r\n\r\n"), 7),
            Self::Answer => driver.expect(
                &flow.answer(7000 + HALF_ANSWER.len() as u32, 1000 + get, rest_of_answer),
                11,
            ),
            Self::Body => driver.expect(&flow.answer(7000 + ANSWER.len() as u32, 1000 + get, &[b'x'; 900]), 0),
            Self::Chunk => {
                let segment = flow.answer(7000 + CHUNKED.len() as u32, 1000 + get, b"0\r\nxxxxxxxxx");
                let labels = driver.judge(&segment).expect("nothing is missing");
                let kinds: Vec<_> = labels.iter().map(|(from, to, _)| to - from).collect();
                assert_eq!(kinds, [3, 9]);
            }
        }
    }
}

fn a_million_flows_fit_into_a_gibibyte(name: &str) {
    const FLOWS: u32 = 1_000_000;
    let used = allocation_counter::measure(|| {
        let mut driver = Driver::new(name, &Settings::default(), 64 << 20);
        let state = |number: u32| STATES[number as usize % STATES.len()];
        (0..FLOWS).for_each(|number| state(number).reach(&mut driver, number));
        (0..FLOWS)
            .step_by(997)
            .for_each(|number| state(number).check(&mut driver, number));
        let statistics = driver.statistics();
        assert_eq!((statistics.flows, statistics.flows_evicted), (FLOWS.into(), 0));
        assert_eq!(statistics.lost_to_limit + statistics.lost_to_gap, 0);
    });
    println!("{name}: {FLOWS} flows in {} MiB", used.bytes_max >> 20);
    assert!(used.bytes_max <= 1 << 30, "{name}: {} bytes", used.bytes_max);
}

#[test]
fn a_million_flows_of_legacy_fit_into_a_gibibyte() {
    a_million_flows_fit_into_a_gibibyte("legacy");
}

#[test]
fn a_million_flows_of_scanning_fit_into_a_gibibyte() {
    a_million_flows_fit_into_a_gibibyte("scanning");
}

#[test]
fn a_million_flows_of_auto_fit_into_a_gibibyte() {
    a_million_flows_fit_into_a_gibibyte("auto");
}

/// Most bytes that a flow may cost in any state, its place in the table included.
const MOST_PER_FLOW: u64 = 1000;

#[test]
fn a_flow_is_small_in_every_state() {
    const FLOWS: u32 = 1 << 14;
    let settings = Settings {
        max_flows: FLOWS as usize,
        ..Settings::default()
    };
    for name in NAMES {
        for state in STATES {
            let used = allocation_counter::measure(|| {
                let mut driver = Driver::new(name, &settings, 64 << 20);
                (0..FLOWS).for_each(|number| state.reach(&mut driver, number));
                state.check(&mut driver, 0);
            });
            let each = used.bytes_max / u64::from(FLOWS);
            println!("{name}, {state:?}: {each} bytes per flow");
            assert!(each <= MOST_PER_FLOW, "{name}, {state:?}: {each}");
        }
    }
}

#[test]
fn the_flow_used_least_recently_makes_room_and_is_counted() {
    let settings = Settings {
        max_flows: 1000,
        ..Settings::default()
    };
    for name in NAMES {
        let mut driver = Driver::new(name, &settings, 64 << 20);
        (0..1500).for_each(|number| State::Request.reach(&mut driver, number));
        let statistics = driver.statistics();
        assert_eq!((statistics.flows, statistics.flows_evicted), (1000, 500), "{name}");
        State::Request.check(&mut driver, 1000);
        // Of a flow that is gone nothing is known, and all is kept.
        let flow = Flow::new(10, 3);
        let segment = flow.request(1000 + HALF_REQUEST.len() as u32, 0, POST.split_at(20).1);
        let labels = driver.judge(&segment);
        let kept = labels.is_none_or(|labels| {
            labels
                .iter()
                .all(|(.., label)| label != trim_user::trimmer::Label::Body)
        });
        assert!(kept, "{name}: {labels:?}");
    }
}
