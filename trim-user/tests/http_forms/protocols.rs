//! Where HTTP ends, and what is none.

use crate::script::{Client, GET, OK3, Server, check};

#[test]
fn protocols_change_only_when_the_server_says_so() {
    check(
        "a WebSocket",
        &[
            (
                Client,
                &[(
                    "GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
                    'H',
                )],
            ),
            (
                Server,
                &[
                    ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", 'H'),
                    ("\u{1}\u{5}hello", 'O'),
                ],
            ),
            (Client, &[("GET / HTTP/1.1\r\n\r\n", 'O')]),
            (Server, &[("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 'O')]),
        ],
    );
    check(
        "101 that nobody asked for",
        &[
            GET,
            (
                Server,
                &[
                    ("HTTP/1.1 101 Switching Protocols\r\nContent-Length: 3\r\n\r\n", 'H'),
                    ("abcdef", 'O'),
                ],
            ),
            (Client, &[("anything", 'O')]),
        ],
    );
    check(
        "h2c by upgrade, refused",
        &[
            (
                Client,
                &[(
                    "GET / HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
                    'H',
                )],
            ),
            (Server, &[(OK3, 'H'), ("abc", 'B')]),
            GET,
            (Server, &[(OK3, 'H'), ("abc", 'B')]),
        ],
    );
}

#[test]
fn a_tunnel_begins_when_it_is_granted() {
    check(
        "CONNECT, refused and then granted",
        &[
            (Client, &[("CONNECT a:443 HTTP/1.1\r\n\r\n", 'H')]),
            (
                Server,
                &[("HTTP/1.1 407 Who?\r\nContent-Length: 3\r\n\r\n", 'H'), ("abc", 'B')],
            ),
            (
                Client,
                &[("CONNECT a:443 HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n", 'H')],
            ),
            (
                Server,
                &[("HTTP/1.0 200 Connection established\r\nContent-Length: 3\r\n\r\n", 'H')],
            ),
            (Client, &[("\u{16}\u{3}\u{1}GET / HTTP/1.1\r\n\r\n", 'O')]),
            (Server, &[("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 'O')]),
        ],
    );
}

#[test]
fn other_protocols_on_the_port_are_left_alone() {
    check(
        "TLS",
        &[
            (Client, &[("\u{16}\u{3}\u{1}\0\u{5}GET / HTTP/1.1\r\n\r\n", 'N')]),
            (Server, &[("\u{16}\u{3}\u{3}\0\u{2}HTTP/1.1 200 OK\r\n\r\nx", 'N')]),
        ],
    );
    check(
        "HTTP/2 with prior knowledge",
        &[
            (
                Client,
                &[("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0", 'N')],
            ),
            (Server, &[("\0\0\0\u{4}\0\0\0\0\0", 'N')]),
        ],
    );
    check(
        "SMTP",
        &[
            (Server, &[("220 HTTP/1.1 mail\r\n", 'N')]),
            (Client, &[("HELO a\r\n", 'N')]),
            (Server, &[("250 OK\r\n", 'N')]),
        ],
    );
}
