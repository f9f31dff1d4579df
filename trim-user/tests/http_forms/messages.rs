//! Messages of every form.

use crate::script::{Client, GET, OK3, Server, check};

#[test]
fn interim_responses_come_in_any_number() {
    check(
        "a flood of interim responses",
        &[
            GET,
            (
                Server,
                &[
                    (
                        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n",
                        'H',
                    ),
                    (
                        "HTTP/1.1 199 X\r\nContent-Length: 9\r\n\r\nHTTP/1.1 100 \r\n\r\nHTTP/1.1 100\r\n\r\n",
                        'H',
                    ),
                    (OK3, 'H'),
                    ("abc", 'B'),
                ],
            ),
            GET,
            (Server, &[(OK3, 'H'), ("HTT", 'B')]),
        ],
    );
    check(
        "100-continue, and the content later",
        &[
            (
                Client,
                &[(
                    "POST /u HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
                    'H',
                )],
            ),
            (Server, &[("HTTP/1.1 100 Continue\r\n\r\n", 'H')]),
            (Client, &[("GET /", 'B')]),
            (Server, &[("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 'H')]),
            GET,
            (Server, &[(OK3, 'H'), ("abc", 'B')]),
        ],
    );
    check(
        "100-continue that nobody waits for",
        &[
            (
                Client,
                &[
                    (
                        "POST /u HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
                        'H',
                    ),
                    ("2\r\n", 'F'),
                    ("xy", 'B'),
                    ("\r\n0\r\n", 'F'),
                    ("\r\n", 'T'),
                ],
            ),
            (
                Server,
                &[
                    (
                        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 417 No\r\nContent-Length: 1\r\n\r\n",
                        'H',
                    ),
                    ("n", 'B'),
                ],
            ),
        ],
    );
}

#[test]
fn statuses_decide_about_content() {
    check(
        "204, 304 and 205",
        &[
            GET,
            (
                Server,
                &[("HTTP/1.1 204 No Content\r\nContent-Length: 10\r\n\r\n", 'H')],
            ),
            GET,
            (
                Server,
                &[("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 'H')],
            ),
            GET,
            (
                Server,
                &[("HTTP/1.1 205 Reset\r\nContent-Length: 2\r\n\r\n", 'H'), ("ab", 'B')],
            ),
            (Client, &[("HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", 'H')]),
            (
                Server,
                &[
                    ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", 'H'),
                    (OK3, 'H'),
                    ("abc", 'B'),
                ],
            ),
        ],
    );
    check(
        "206 with several ranges",
        &[
            (Client, &[("GET / HTTP/1.1\r\nRange: bytes=0-1,4-5\r\n\r\n", 'H')]),
            (
                Server,
                &[
                    (
                        "HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=B\r\nContent-Length: 71\r\n\r\n",
                        'H',
                    ),
                    (
                        "--B\r\nContent-Range: bytes 0-1/9\r\n\r\nab\r\n--B\r\nContent-Length: 5\r\n\r\nHTTP\r\n",
                        'B',
                    ),
                    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 'H'),
                ],
            ),
        ],
    );
}

#[test]
fn old_versions_keep_their_rules() {
    check(
        "HTTP/1.0, kept alive and not",
        &[
            (Client, &[("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 'H')]),
            (
                Server,
                &[
                    (
                        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n",
                        'H',
                    ),
                    ("ab", 'B'),
                ],
            ),
            (Client, &[("GET / HTTP/1.0\r\n\r\n", 'H')]),
            (
                Server,
                &[
                    ("HTTP/1.0 200 OK\r\n\r\n", 'H'),
                    ("HTTP/1.1 200 OK\r\n\r\nall of it", 'B'),
                ],
            ),
        ],
    );
    check(
        "Transfer-Encoding in HTTP/1.0",
        &[
            (Client, &[("GET / HTTP/1.0\r\n\r\n", 'H')]),
            (
                Server,
                &[
                    ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 'H'),
                    ("1\r\n", 'F'),
                    ("x", 'B'),
                    ("\r\n0\r\n", 'F'),
                    ("\r\n", 'T'),
                ],
            ),
        ],
    );
    check(
        "HTTP/0.9",
        &[
            (Client, &[("GET /old\r\n", 'H')]),
            (Server, &[("<p>HTTP/0.9</p>\r\n\r\n", 'B')]),
        ],
    );
}

#[test]
fn start_lines_of_other_versions_are_recognised() {
    check(
        "start lines in lower case, without a reason",
        &[
            (Client, &[("get /a http/1.1\r\nhost: a\r\n\r\n", 'H')]),
            (
                Server,
                &[
                    ("http/1.1 200\r\ncontent-length:1\r\n\r\n", 'H'),
                    ("x", 'B'),
                    ("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 'H'),
                ],
            ),
        ],
    );
    check(
        "a version to come",
        &[
            (Client, &[("GET / HTTP/1.7\r\n\r\n", 'H')]),
            (
                Server,
                &[("HTTP/1.9 200 OK\r\nContent-Length: 1\r\n\r\n", 'H'), ("x", 'B')],
            ),
        ],
    );
}

#[test]
fn targets_and_methods_take_every_form() {
    check(
        "absolute, asterisk and odd targets",
        &[
            (
                Client,
                &[(
                    "GET http://a.b:80/c?d=HTTP/1.1 HTTP/1.1\r\n\r\nOPTIONS * HTTP/1.1\r\n\r\nM-SEARCH * HTTP/1.1\r\n\r\n",
                    'H',
                )],
            ),
            (
                Client,
                &[
                    (
                        "GET /a b c HTTP/1.1\r\n\r\nX /\u{e9} HTTP/1.1\r\nContent-Length: 2\r\n\r\n",
                        'H',
                    ),
                    ("xx", 'B'),
                    ("BREW / HTTP/1.1\r\n\r\n", 'H'),
                ],
            ),
        ],
    );
    check(
        "blank lines between messages",
        &[
            (
                Client,
                &[
                    ("\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n", 'H'),
                    ("x", 'B'),
                    ("\r\n\nGET / HTTP/1.1\r\n\r\n", 'H'),
                ],
            ),
            (
                Server,
                &[
                    (OK3, 'H'),
                    ("\r\n\r", 'B'),
                    ("\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 'H'),
                ],
            ),
        ],
    );
}
