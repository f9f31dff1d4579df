//! Slow, greedy and many clients.

use std::io::{Read as _, Write as _};
use std::thread;
use std::time::Duration;

use crate::client::{connect, get_with, rest, say, settings, start, status, strict};

#[test]
fn a_client_that_is_slow_with_its_head_is_dropped_and_makes_room() {
    let server = start(&settings(strict()));
    // All places are taken, by connections that say nothing, and by one that says a letter now and then.
    let mut idle: Vec<_> = (0..3).map(|_| connect(server.address())).collect();
    let mut dripping = connect(server.address());
    let drip = thread::spawn(move || {
        dripping.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
        while dripping.write_all(b"y").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(status(&get_with(server.address(), "/", "")), 200);
    for stream in &mut idle {
        assert_eq!(rest(stream), "");
    }
    drip.join().unwrap();
}

#[test]
fn a_connection_that_asks_nothing_more_is_closed() {
    let server = start(&settings(strict()));
    let answer = say(server.address(), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"),
        "{answer}"
    );
}

#[test]
fn a_body_that_does_not_come_and_a_handler_that_does_not_end_are_answered() {
    let server = start(&settings(strict()));
    let head = "POST /body HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 10\r\n\r\n";
    assert_eq!(status(&say(server.address(), &format!("{head}some"))), 408);
    assert_eq!(status(&get_with(server.address(), "/slow", "")), 408);
    assert!(say(server.address(), &format!("{head}0123456789")).ends_with("10 bytes"));
}

#[test]
fn a_body_and_a_head_that_are_too_long_are_refused() {
    let server = start(&settings(strict()));
    let body = "x".repeat(1001);
    let post =
        format!("POST /body HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1001\r\n\r\n{body}");
    assert_eq!(status(&say(server.address(), &post)), 413);
    let long = format!("X: {}\r\n", "y".repeat(64 << 10));
    assert_eq!(status(&get_with(server.address(), "/", &long)), 431);
}

#[test]
fn a_client_that_takes_nothing_of_its_answer_is_dropped() {
    let server = start(&settings(strict()));
    let mut greedy: Vec<_> = (0..4).map(|_| connect(server.address())).collect();
    for stream in &mut greedy {
        stream
            .write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
    }
    // There is a place again only when one of them is dropped.
    assert_eq!(status(&get_with(server.address(), "/", "")), 200);
    let mut taken = Vec::new();
    // An end or a reset: what matters is that most never came.
    let _ = greedy[0].read_to_end(&mut taken);
    assert!(taken.len() < crate::client::LARGE, "all {} bytes came", taken.len());
}

#[test]
fn what_is_no_http_does_no_harm() {
    let server = start(&settings(strict()));
    for garbage in [
        "\0\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\r\n\r\n\r\n",
        "\u{16}\u{3}\u{1}\r\n\r\n",
    ] {
        let answer = say(server.address(), garbage);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{garbage:?}: {answer}"
        );
    }
    assert_eq!(status(&get_with(server.address(), "/", "")), 200);
}

#[test]
fn it_ends_while_clients_hang_on() {
    let server = start(&settings(strict()));
    let address = server.address();
    let mut hanging = connect(address);
    hanging
        .write_all(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    drop(server);
    assert_eq!(rest(&mut hanging), "");
    assert!(std::net::TcpStream::connect(address).is_err(), "it still listens");
}
