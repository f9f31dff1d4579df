//! `trim explain` as a user calls it.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use trim_user::data::capture::file::{CaptureReader, Event};

use support::capture::{frames, write_pcap};
use support::dialogue::Side;
use support::recipe::{Quirk, Recipe};
use support::rng::Rng;
use support::wire::{ACK, Case, Packet, SYN};

const TRIM: &str = env!("CARGO_BIN_EXE_trim");

fn trim(command: &str, file: &Path, arguments: &[&str]) -> Output {
    Command::new(TRIM)
        .arg(command)
        .arg(file)
        .args(arguments)
        .output()
        .expect("trim starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[track_caller]
fn lines(output: &Output) -> Vec<Value> {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines = text(&output.stdout).lines();
    lines.map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn number(value: &Value) -> usize {
    value.as_u64().expect("a number") as usize
}

/// Captured bytes of every packet.
fn packets(path: &Path) -> Vec<Vec<u8>> {
    let mut reader = CaptureReader::open(path).expect("a capture");
    let mut packets = Vec::new();
    while let Some(event) = reader.next_event().expect("it can be read") {
        if let Event::Packet(record) = event {
            packets.push(record.data.to_vec());
        }
    }
    packets
}

fn troubled(folder: &TempDir) -> PathBuf {
    let cases: Vec<_> = (300..320).map(|seed| Case::of(Recipe::of_seed(seed))).collect();
    let path = folder.path().join("troubled.pcap");
    write_pcap(&path, &frames(&cases, &mut Rng::new(3)));
    path
}

/// One connection that says these segments: who, at which offset of its stream, and what.
fn written(folder: &TempDir, segments: &[(Side, usize, &str)]) -> PathBuf {
    let mut seen = [0; 2];
    let mut case = Case::of(Recipe::of_seed(0));
    case.recipe = case.recipe.without(&Quirk::ALL);
    case.packets.clear();
    let opening = [(Side::Client, 0, ""), (Side::Server, 0, "")];
    for (index, &(side, offset, payload)) in opening.iter().chain(segments).enumerate() {
        let is_syn = index < 2;
        seen[side.index()] = seen[side.index()].max(offset + payload.len());
        case.packets.push(Packet {
            connection: 0,
            side,
            offset: Some(offset),
            sequence: 1000 + u32::from(!is_syn) + offset as u32,
            acknowledgment: 1001 + seen[side.other().index()] as u32,
            flags: if index == 0 {
                SYN
            } else if is_syn {
                SYN | ACK
            } else {
                ACK
            },
            payload: payload.as_bytes().to_vec(),
            wire_payload: payload.len() as u32,
            altered: Vec::new(),
            time: 0,
        });
    }
    let path = folder.path().join("written.pcap");
    write_pcap(&path, &frames(&[case], &mut Rng::new(5)));
    path
}

/// Label, fate, message and reason of every range of a packet.
fn ranges(path: &Path, packet: usize, arguments: &[&str]) -> Vec<(String, String, String, String)> {
    let packet = packet.to_string();
    let told = trim("explain", path, &[&["--json", "--packet", &packet], arguments].concat());
    let field = |range: &Value, name: &str| range[name].as_str().unwrap_or("").to_owned();
    let ranges = lines(&told)[0]["ranges"].as_array().expect("ranges").clone();
    let shown = ranges.iter().map(|range| {
        let [label, fate, message, why] = ["label", "fate", "message", "why"].map(|name| field(range, name));
        (label, fate, message, why)
    });
    shown.collect()
}

#[track_caller]
fn assert_range(range: &(String, String, String, String), label: &str, fate: &str, message: &str, why: &str) {
    assert_eq!((range.0.as_str(), range.1.as_str()), (label, fate), "{range:?}");
    assert!(
        range.2.contains(message) && range.3.contains(why),
        "{range:?} is not {message} {why}"
    );
}

const GET: &str = "GET /one HTTP/1.1\r\n\r\n";

#[test]
fn what_is_explained_is_what_trim_file_does() {
    let folder = TempDir::new().expect("a folder");
    let path = troubled(&folder);
    let original = packets(&path);
    for strategy in ["legacy", "scanning"] {
        for action in ["cut", "mask"] {
            let flags = [
                "--strategy",
                strategy,
                "--action",
                action,
                "--redact",
                "cookie",
                "--body-keep",
                "3",
            ];
            let output = folder.path().join("out.pcapng");
            let written = trim(
                "file",
                &path,
                &[&flags[..], &["-o", output.to_str().expect("UTF-8")]].concat(),
            );
            assert_eq!(written.status.code(), Some(0));
            let trimmed = packets(&output);
            let flows = lines(&trim("explain", &path, &[&flags[..], &["--json"]].concat()));
            let mut explained = 0;
            for flow in &flows {
                let flow = flow["flow"].to_string();
                for packet in lines(&trim(
                    "explain",
                    &path,
                    &[&flags[..], &["--json", "--flow", &flow]].concat(),
                )) {
                    let index = number(&packet["packet"]) - 1;
                    assert_packet(&packet, &original[index], &trimmed[index]);
                    explained += 1;
                }
            }
            assert!(explained > original.len() / 2);
        }
    }
}

fn assert_packet(packet: &Value, original: &[u8], trimmed: &[u8]) {
    assert_eq!(number(&packet["captured_bytes"]), original.len());
    assert_eq!(number(&packet["stored_bytes"]), trimmed.len(), "{packet}");
    let (at, length) = (number(&packet["payload_offset"]), number(&packet["payload_bytes"]));
    let mut covered = 0;
    for range in packet["ranges"].as_array().expect("ranges") {
        let (from, to) = (number(&range["from"]), number(&range["to"]));
        assert_eq!(from, covered, "{packet}");
        covered = to;
        let (old, new) = (&original[at + from..at + to], trimmed.get(at + from..at + to));
        let good = match range["fate"].as_str().expect("a word") {
            "kept" => new == Some(old),
            "cut" => at + from >= trimmed.len(),
            "zeroed" => new.is_some_and(|new| new.iter().all(|&byte| byte == 0)),
            "overwritten" => new.is_some_and(|new| new.iter().all(|&byte| byte == b'x')),
            other => panic!("{other}"),
        };
        assert!(good, "{range} of {packet}");
    }
    assert_eq!(covered, length, "{packet}");
}

#[test]
fn the_overview_counts_every_payload_byte_and_message() {
    let folder = TempDir::new().expect("a folder");
    let path = troubled(&folder);
    let flows = lines(&trim("explain", &path, &["--json"]));
    let (mut bytes, mut packets) = (0, 0);
    for (index, flow) in flows.iter().enumerate() {
        assert_eq!(number(&flow["flow"]), index + 1);
        packets += number(&flow["packets"]);
        let labels = ["header", "framing", "body", "opaque", "unsure", "undecided", "not_http"];
        bytes += labels
            .iter()
            .map(|label| number(&flow[format!("{label}_bytes")]))
            .sum::<usize>();
    }
    let of_packets =
        (1..=flows.len()).flat_map(|flow| lines(&trim("explain", &path, &["--json", "--flow", &flow.to_string()])));
    let (count, payload) = of_packets.fold((0, 0), |(count, payload), packet| {
        (count + 1, payload + number(&packet["payload_bytes"]))
    });
    assert_eq!((packets, bytes), (count, payload));
    let table = trim("explain", &path, &[]);
    assert_eq!(text(&table.stdout).lines().count(), flows.len() + 1);
}

#[test]
fn pipelined_messages_get_their_numbers_rules_and_places_in_the_body() {
    let folder = TempDir::new().expect("a folder");
    let asked = format!("{GET}HEAD /two HTTP/1.1\r\n\r\n{GET}");
    let one = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe";
    let rest = "lloHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    let path = written(
        &folder,
        &[
            (Side::Client, 0, &asked),
            (Side::Server, 0, one),
            (Side::Server, one.len(), rest),
        ],
    );
    let requests = ranges(&path, 3, &[]);
    assert_eq!(requests.len(), 3, "{requests:?}");
    assert_range(&requests[1], "header", "kept", "request 2 HEAD /two", "item 7");
    let first = ranges(&path, 4, &[]);
    assert_range(
        &first[0],
        "header",
        "kept",
        "response 1 (200 to GET /one)",
        "5 bytes by Content-Length (RFC 9112 6.3, item 6)",
    );
    assert_range(&first[1], "body", "cut", "response 1", "bytes 0..2 of 5");
    let rest = ranges(&path, 5, &[]);
    assert_range(&rest[0], "body", "zeroed", "response 1", "bytes 2..5 of 5");
    assert_range(
        &rest[1],
        "header",
        "kept",
        "response 2 (200 to HEAD /two)",
        "answers HEAD (RFC 9112 6.3, item 1)",
    );
    assert_range(
        &rest[2],
        "header",
        "kept",
        "response 3 (204 to GET /one)",
        "status 204 never has one",
    );
    assert!(rest.len() == 3);
}

#[test]
fn chunks_trailers_and_tunnels_are_told_apart() {
    let folder = TempDir::new().expect("a folder");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n5;x\r\nhello\r\n2\r\nyo\r\n0\r\nT: u\r\n\r\n";
    let connect = "CONNECT a:443 HTTP/1.1\r\n\r\n";
    let asked = format!("{GET}{connect}");
    let told = format!("{chunked}HTTP/1.1 200 OK\r\n\r\n\u{1}\u{2}");
    let path = written(&folder, &[(Side::Client, 0, &asked), (Side::Server, 0, &told)]);
    let ranges = ranges(&path, 4, &["--framing", "cut"]);
    let expected = [
        (
            "header",
            "kept",
            "response 1",
            "overrides Content-Length (RFC 9112 6.3, items 3 and 4)",
        ),
        ("framing", "zeroed", "response 1", "\"5;x\\r\\n\" (RFC 9112 7.1)"),
        ("body", "zeroed", "response 1", "bytes 0..5 (chunked)"),
        ("framing", "zeroed", "response 1", "\"\\r\\n2\\r\\n\""),
        ("body", "zeroed", "response 1", "bytes 5..7 (chunked)"),
        ("framing", "zeroed", "response 1", "\"\\r\\n0\\r\\n\""),
        ("trailer", "kept", "response 1", "7.1.2"),
        ("header", "kept", "response 2 (200 to CONNECT a:443)", "item 2"),
        ("opaque", "kept", "", "no HTTP any more since response 2"),
    ];
    assert_eq!(ranges.len(), expected.len(), "{ranges:?}");
    for (range, (label, fate, message, why)) in ranges.iter().zip(expected) {
        assert_range(range, label, fate, message, why);
    }
}

#[test]
fn an_unsure_byte_has_its_reason() {
    let folder = TempDir::new().expect("a folder");
    let bad = "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello";
    let path = written(&folder, &[(Side::Client, 0, GET), (Side::Server, 0, bad)]);
    assert_range(
        &ranges(&path, 4, &[])[1],
        "unsure",
        "kept",
        "",
        "not one number (RFC 9112 6.3, item 5)",
    );

    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX";
    let path = written(&folder, &[(Side::Client, 0, GET), (Side::Server, 0, chunk)]);
    let last = ranges(&path, 4, &[]).pop().expect("a range");
    assert_range(&last, "unsure", "kept", "", "malformed chunk of response 1");

    let start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let path = written(
        &folder,
        &[
            (Side::Client, 0, GET),
            (Side::Server, 0, start),
            (Side::Server, start.len() + 10, "in the middle of something"),
        ],
    );
    assert_range(
        &ranges(&path, 5, &[])[0],
        "unsure",
        "kept",
        "",
        "10 bytes in front are missing",
    );

    let path = written(
        &folder,
        &[
            (Side::Client, 0, GET),
            (Side::Server, 0, start),
            (Side::Server, start.len() + 3, "hello\r\n0\r\n\r\n"),
            (Side::Server, start.len(), "5\r\n"),
        ],
    );
    let early = &ranges(&path, 5, &["--strategy", "scanning"])[0];
    assert_range(
        early,
        "unsure",
        "kept",
        "",
        "the bytes in front came later, in packet 6",
    );
}

#[test]
fn a_person_reads_one_line_for_each_range() {
    let folder = TempDir::new().expect("a folder");
    let body = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let path = written(&folder, &[(Side::Client, 0, GET), (Side::Server, 0, body)]);
    let told = trim("explain", &path, &["--packet", "4"]);
    let lines: Vec<_> = text(&told.stdout).lines().collect();
    assert!(lines[0].starts_with("flow 1: client 172.16.0.0:"), "{lines:?}");
    assert!(
        lines[2].contains("server > client  [ACK]  seq 1001 (stream byte 0)"),
        "{lines:?}"
    );
    assert!(lines[4].contains("38..43     body      cut "), "{lines:?}");
    assert_eq!(lines.len(), 5);
}

#[test]
fn bad_input_is_named() {
    let folder = TempDir::new().expect("a folder");
    let path = written(&folder, &[(Side::Client, 0, GET)]);
    for (arguments, word) in [
        (&["--packet", "4"][..], "the capture has packets 1 to 3"),
        (&["--packet", "0"], "there is no packet 0"),
        (&["--flow", "2"], "the capture has flows 1 to 1"),
        (&["--flow", "1", "--packet", "1"], "cannot be used with"),
        (&["--strategy", "best"], "best"),
    ] {
        let told = trim("explain", &path, arguments);
        assert_eq!(told.status.code(), Some(2), "{arguments:?}");
        assert!(text(&told.stderr).contains(word), "{}", text(&told.stderr));
    }
    let whole = std::fs::read(&path).expect("the capture");
    let cut = folder.path().join("cut.pcap");
    std::fs::write(&cut, &whole[..whole.len() - 3]).expect("it is written");
    let told = trim("explain", &cut, &["--json"]);
    assert_eq!(told.status.code(), Some(2));
    assert!(text(&told.stderr).contains("cut.pcap") && text(&told.stdout).contains("\"packets\":2"));
}
