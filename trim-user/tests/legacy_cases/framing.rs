//! Framing by RFC 9112 section 6.3, and what is done where it says "reject".

use trim_user::trimmer::Settings;

use crate::wire::{Wire, outline, runs_of};

const GET: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
const MORE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";

/// Outline of a response stream sent in one segment behind some GETs.
fn response(stream: &[u8]) -> String {
    let mut wire = Wire::open();
    wire.client(0, &GET.repeat(5));
    let ticket = wire.server(0, stream);
    wire.finish();
    outline(wire.get(ticket).unwrap_or("nothing"))
}

fn with_fields(fields: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes(), body].concat()
}

#[test]
fn lengths_that_contradict_make_the_rest_unsure_for_good() {
    for fields in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length:\r\n",
        "Content-Length: 5a\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
    ] {
        let mut wire = Wire::open();
        wire.client(0, &GET.repeat(5));
        let first = wire.server(0, &with_fields(fields, b"hello"));
        let offset = with_fields(fields, b"hello").len() as u32;
        let second = wire.server(offset, MORE);
        assert_eq!(outline(wire.get(first).unwrap_or("")), "HU", "{fields}");
        wire.expect(second, &format!("U{}", MORE.len()));
        assert_eq!(wire.statistics().lost_to_framing, 1);
    }
}

#[test]
fn lengths_that_agree_are_one_length() {
    for fields in [
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "content-length:5\r\n",
        "Content-Length:\r\n 5\r\n",
        "Content-Length : 5\r\n",
        "Content-Length: 00005\r\n",
        "Content-Length: 5\nServer: x\n",
    ] {
        let stream = [with_fields(fields, b"hello"), MORE.to_vec()].concat();
        assert_eq!(response(&stream), "HBHB", "{fields}");
    }
}

#[test]
fn a_length_beyond_64_bits_is_a_body_without_end() {
    for length in [
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999999999",
    ] {
        assert_eq!(
            response(&with_fields(&format!("Content-Length: {length}\r\n"), MORE)),
            "HB"
        );
    }
}

#[test]
fn transfer_encoding_wins_over_content_length() {
    let body = b"5\r\nhello\r\n0\r\n\r\n";
    for fields in [
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "Content-Length: 4\r\nContent-Length: 3\r\nTransfer-Encoding: gzip, Chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
    ] {
        let stream = [with_fields(fields, body), MORE.to_vec()].concat();
        assert_eq!(response(&stream), "HFBFTHB", "{fields}");
    }
    let old = [
        &b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"[..],
        body,
        MORE,
    ]
    .concat();
    assert_eq!(response(&old), "HFBFTHB");
}

#[test]
fn codings_that_do_not_end_in_chunked_last_until_close() {
    assert_eq!(
        response(&with_fields("Transfer-Encoding: chunked, gzip\r\n", MORE)),
        "HB"
    );
    assert_eq!(
        response(&with_fields(
            "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
            b"hello"
        )),
        "HB"
    );
    let mut wire = Wire::open();
    let ticket = wire.client(0, b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nhello");
    assert_eq!(outline(wire.get(ticket).unwrap_or("")), "HU");
}

#[test]
fn malformed_chunks_make_the_rest_unsure_for_good() {
    for body in [
        "x\r\n",
        "-1\r\n",
        "5\r\nhelloX",
        "10000000000000000\r\n",
        "ffffffffffffffff\r\n",
        "\r\n",
    ] {
        let stream = [
            with_fields("Transfer-Encoding: chunked\r\n", body.as_bytes()),
            MORE.to_vec(),
        ]
        .concat();
        let found = response(&stream);
        assert!(found.starts_with('H') && found.ends_with('U'), "{body:?}: {found}");
    }
}

#[test]
fn a_chunk_of_many_gigabytes_is_followed_exactly() {
    let mut wire = Wire::open();
    wire.client(0, GET);
    let head = with_fields("Transfer-Encoding: chunked\r\n", b"140000000\r\n");
    wire.server(0, &head);
    let length = 0x1_4000_0000_u64;
    let mut sent = 0;
    while sent < length {
        let size = (length - sent).min(1 << 20) as u32;
        let ticket = wire.server((head.len() as u64 + sent) as u32, &vec![b'x'; size as usize]);
        wire.expect(ticket, &format!("B{size}"));
        // Most of it is lost: the framing does not need it.
        sent = (sent + (1 << 29)).min(length).max(sent + u64::from(size));
    }
    let ticket = wire.server(
        (head.len() as u64 + length) as u32,
        b"\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    );
    wire.expect(ticket, "F5 T2 H38 B1");
}

#[test]
fn requests_without_a_length_have_no_body() {
    let mut wire = Wire::open();
    let ticket = wire.client(
        0,
        b"POST / HTTP/1.1\r\n\r\nBREW /pot HTTP/1.1\r\nContent-Length: 2\r\n\r\nab",
    );
    wire.expect(ticket, "H60 B2");
}

#[test]
fn blank_lines_between_messages_belong_to_the_next_header_block() {
    let mut wire = Wire::open();
    let ticket = wire.client(
        0,
        b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab\r\n\n\r\nGET / HTTP/1.1\r\n\r\n",
    );
    wire.expect(ticket, "H38 B2 H23");
}

#[test]
fn bytes_that_start_no_message_are_unsure_until_a_segment_does() {
    let mut wire = Wire::open();
    wire.client(0, &GET.repeat(5));
    let cruft = [
        with_fields("Content-Length: 2\r\n", b"ab"),
        b"cruft\r\n".to_vec(),
        MORE.to_vec(),
    ]
    .concat();
    let first = wire.server(0, &cruft);
    let second = wire.server(cruft.len() as u32, b"more cruft");
    let third = wire.server(cruft.len() as u32 + 10, MORE);
    assert_eq!(outline(wire.get(first).unwrap_or("")), "HBU");
    wire.expect(second, "U10");
    wire.expect(third, "H38 B3");
    assert_eq!(
        (wire.statistics().lost_to_framing, wire.statistics().resynchronised),
        (1, 1)
    );
}

#[test]
fn a_header_block_over_the_limit_is_kept_and_counted() {
    let settings = Settings {
        max_header_block: 64,
        ..Settings::default()
    };
    for split in [false, true] {
        let mut wire = Wire::with(&settings);
        wire.handshake();
        let long = [
            &b"GET / HTTP/1.1\r\nX: "[..],
            &[b'x'; 60],
            b"\r\nContent-Length: 20\r\n\r\n",
        ]
        .concat();
        let first = match split {
            true => long
                .iter()
                .enumerate()
                .map(|(offset, byte)| wire.client(offset as u32, &[*byte]))
                .last(),
            false => Some(wire.client(0, &long)),
        };
        let letters = wire.get(first.unwrap_or(0)).unwrap_or("").to_owned();
        assert!(letters.ends_with('U'), "{}", runs_of(&letters));
        let second = wire.client(long.len() as u32, b"GET / HTTP/1.1\r\nContent-Length: 20\r\n\r\nabc");
        assert_eq!(outline(wire.get(second).unwrap_or("")), "U");
        assert_eq!(wire.statistics().lost_to_limit, 1);
    }
}

#[test]
fn a_header_block_of_a_quarter_megabyte_is_followed() {
    let mut wire = Wire::open();
    let field = [&b"X: "[..], &[b'x'; 1000], b"\r\n"].concat();
    let block = [
        &b"GET / HTTP/1.1\r\n"[..],
        &field.repeat(250),
        b"Content-Length: 4\r\n\r\nbody",
    ]
    .concat();
    let mut last = 0;
    for (index, part) in block.chunks(1460).enumerate() {
        last = wire.client(index as u32 * 1460, part);
    }
    assert!(wire.get(last).is_some_and(|letters| letters.ends_with("HBBBB")));
}

#[test]
fn the_first_content_bytes_of_each_message_can_be_kept() {
    let settings = Settings {
        body_keep_bytes: 4,
        ..Settings::default()
    };
    let stream = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdefHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab\
        HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabcdefgh";
    for cut in [1, 3, 1000] {
        let mut wire = Wire::with(&settings);
        wire.handshake();
        wire.client(0, &GET.repeat(5));
        let mut letters = String::new();
        for (index, part) in stream.chunks(cut).enumerate() {
            let ticket = wire.server((index * cut) as u32, part);
            letters.push_str(wire.get(ticket).unwrap_or("held"));
        }
        let expected = "H38 K4 B2 H38 K2 H47 F3 K3 F5 K1 B2 F5 T2 H19 K4 B4";
        assert_eq!(runs_of(&letters), expected, "cut into {cut}");
        let again = wire.server(36, &stream[36..46]);
        wire.expect(again, "H2 K4 B2 H2");
    }
}

#[test]
fn values_of_redacted_fields_are_labelled_wherever_they_are_split() {
    let settings = Settings {
        redact_headers: vec!["cookie".into(), "authorization".into()],
        ..Settings::default()
    };
    let stream = b"GET / HTTP/1.1\r\nCOOKIE: a=b\r\n\tc\r\nHost: x\r\nCookie:d\r\nAuthorization: Basic x\r\n\r\n";
    for cut in 1..=stream.len() {
        let mut wire = Wire::with(&settings);
        wire.handshake();
        let mut letters = String::new();
        for (index, part) in stream.chunks(cut).enumerate() {
            let ticket = wire.client((index * cut) as u32, part);
            letters.push_str(wire.get(ticket).unwrap_or("held"));
        }
        assert_eq!(runs_of(&letters), "H24 R3 H3 R1 H18 R1 H17 R7 H4", "cut into {cut}");
        let again = wire.client(20, &stream[20..30]);
        wire.expect(again, "H4 R3 H3");
    }
}
