//! `trim compare` as a user calls it.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use trim_user::data::capture::file::{CaptureReader, Event};

use support::capture::{frames, write_pcap};
use support::recipe::{Quirk, Quirks, Recipe};
use support::rng::Rng;
use support::wire::Case;

const TRIM: &str = env!("CARGO_BIN_EXE_trim");

fn compare(file: &Path, arguments: &[&str]) -> Output {
    Command::new(TRIM)
        .arg("compare")
        .arg(file)
        .args(arguments)
        .output()
        .expect("trim starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// A capture of connections that suffer from everything.
fn troubled(folder: &TempDir, seed: u64) -> PathBuf {
    let cases: Vec<_> = (0..20).map(|index| Case::of(Recipe::of_seed(seed + index))).collect();
    let path = folder.path().join("troubled.pcap");
    write_pcap(&path, &frames(&cases, &mut Rng::new(seed)));
    path
}

/// Traffic without accidents.
fn plain(folder: &TempDir) -> PathBuf {
    let recipe = |seed| Recipe {
        quirks: Recipe::of_seed(seed).without(&Quirk::ALL).quirks.with(Quirk::Large),
        seed,
        exchanges: 3,
    };
    let cases: Vec<_> = (0..5).map(|seed| Case::of(recipe(seed))).collect();
    let path = folder.path().join("plain.pcap");
    write_pcap(&path, &frames(&cases, &mut Rng::new(1)));
    path
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)))
}

/// A capture in which `scanning`, which does not wait for segments out of order, takes content for a message.
fn misleading(folder: &TempDir) -> PathBuf {
    let quirks = [Quirk::Lookalike, Quirk::Chunked, Quirk::Reorder, Quirk::ManyMessages];
    let quirks = quirks.into_iter().fold(Quirks::default(), Quirks::with);
    for seed in (0..4000).step_by(20) {
        let recipe = |seed| Recipe {
            seed,
            exchanges: 3,
            quirks,
        };
        let cases: Vec<_> = (seed..seed + 20).map(|seed| Case::of(recipe(seed))).collect();
        let path = folder.path().join("misleading.pcap");
        write_pcap(&path, &frames(&cases, &mut Rng::new(seed)));
        if json(&compare(&path, &["--json"]))["same_headers"] == false {
            return path;
        }
    }
    panic!("no generated capture misleads `scanning` any more: make a harder one");
}

#[test]
fn strategies_that_agree_exit_with_0_and_show_their_costs_side_by_side() {
    let folder = TempDir::new().expect("a folder");
    let told = compare(&plain(&folder), &[]);
    assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
    let table = text(&told.stdout);
    for word in [
        "legacy",
        "scanning",
        "header bytes",
        "unsure bytes",
        "cut bytes",
        "ns per packet",
    ] {
        assert!(table.contains(word), "`{word}` is missing in: {table}");
    }
    assert!(table.contains("agree on every header byte"), "{table}");
}

#[test]
fn a_header_byte_of_one_that_the_other_cuts_exits_with_1() {
    let folder = TempDir::new().expect("a folder");
    let path = misleading(&folder);
    let told = compare(&path, &["--json"]);
    assert_eq!(told.status.code(), Some(1), "{}", text(&told.stdout));
    let report = json(&told);
    let about_headers: u64 = [0, 1]
        .iter()
        .filter_map(|&index: &usize| report["comparisons"][0]["classes"][index]["bytes"].as_u64())
        .sum();
    assert!(about_headers > 0, "{report}");
    let told = compare(&path, &[]);
    assert_eq!(told.status.code(), Some(1));
    assert!(
        text(&told.stdout).contains("DIFFER in header bytes"),
        "{}",
        text(&told.stdout)
    );
}

#[test]
fn the_numbers_of_every_strategy_add_up() {
    let folder = TempDir::new().expect("a folder");
    for arguments in [
        &["--json"][..],
        &["--json", "--framing", "cut", "--opaque", "cut", "--body-keep", "9"],
    ] {
        let told = compare(
            &troubled(&folder, 77),
            &[arguments, &["--strategies", "legacy,scanning,auto"]].concat(),
        );
        let report = json(&told);
        let captured = report["captured_bytes"].as_u64().expect("a number");
        let names = ["header", "framing", "body", "opaque", "unsure", "undecided", "not_http"];
        let payload = |strategy: &Value| -> u64 {
            let bytes = names.map(|name| strategy[format!("{name}_bytes")].as_u64().expect("a number"));
            bytes.iter().sum()
        };
        let strategies = report["strategies"].as_array().expect("an array");
        assert_eq!(strategies.len(), 3);
        assert_eq!(report["comparisons"].as_array().map(Vec::len), Some(2));
        for strategy in strategies {
            assert_eq!(strategy["packets"], report["packets"]);
            let (kept, cut) = (strategy["kept_bytes"].as_u64(), strategy["cut_bytes"].as_u64());
            assert_eq!(
                kept.zip(cut).map(|(kept, cut)| kept + cut),
                Some(captured),
                "{strategy}"
            );
            assert_eq!(payload(strategy), payload(&strategies[0]), "{strategy}");
            assert!(strategy["time_ns"].as_u64() > Some(0));
            assert_eq!(strategy["panics"], 0);
        }
    }
}

/// Interface, time and bytes of every packet.
fn packets(path: &Path) -> Vec<(u64, u32, Vec<u8>)> {
    let mut reader = CaptureReader::open(path).expect("a capture");
    let mut packets = Vec::new();
    while let Some(event) = reader.next_event().expect("it can be read") {
        if let Event::Packet(record) = event {
            packets.push((record.time_ns, record.original_length, record.data.to_vec()));
        }
    }
    packets
}

fn number(value: &Value) -> usize {
    value.as_u64().expect("a number") as usize
}

#[test]
fn saved_differences_are_the_flows_own_packets_and_nothing_is_overwritten() {
    let folder = TempDir::new().expect("a folder");
    let (path, saved) = (troubled(&folder, 40), folder.path().join("new/differences"));
    let directory = saved.to_str().expect("UTF-8");
    let report = json(&compare(&path, &["--json", "--save-differences", directory]));
    let original = packets(&path);
    let lines = std::fs::read_to_string(saved.join("differences.txt")).expect("the text");
    let exemplars = report["exemplars"].as_array().expect("an array");
    assert!(exemplars.len() > 1, "{report}");
    assert_eq!(lines.lines().count(), exemplars.len());
    for (exemplar, line) in exemplars.iter().zip(lines.lines()) {
        let name = exemplar["file"].as_str().expect("it was saved");
        let (packet, from) = (number(&exemplar["packet"]), number(&exemplar["payload_from"]));
        let kept = packets(&saved.join(name));
        assert!(
            kept.len() < 60 && kept.iter().all(|packet| original.contains(packet)),
            "{name}"
        );
        let place = kept.iter().position(|packet_kept| *packet_kept == original[packet - 1]);
        let place = place.expect("the packet that differs is there") + 1;
        for word in [
            format!("{name}: {}: flow ", exemplar["class"].as_str().expect("a name")),
            format!("packet {packet} ({place} in this file)"),
            format!("payload bytes {from}..{}", exemplar["payload_to"]),
        ] {
            assert!(line.contains(&word), "`{word}` is missing in: {line}");
        }
    }
    let told = compare(&path, &["--save-differences", directory]);
    assert_eq!(told.status.code(), Some(2));
    assert!(text(&told.stderr).contains("is not empty"), "{}", text(&told.stderr));
}

#[test]
fn bad_input_is_named() {
    let folder = TempDir::new().expect("a folder");
    let path = plain(&folder);
    for (arguments, word) in [
        (&["--strategies", "legacy"][..], "two or three"),
        (&["--strategies", "legacy,legacy"], "different"),
        (&["--strategies", "legacy,fast"], "fast"),
    ] {
        let told = compare(&path, arguments);
        assert_eq!(told.status.code(), Some(2));
        assert!(text(&told.stderr).contains(word), "{}", text(&told.stderr));
    }
    let missing = compare(&folder.path().join("none.pcap"), &[]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("none.pcap"), "{}", text(&missing.stderr));
    let whole = std::fs::read(&path).expect("the capture");
    let cut = folder.path().join("cut.pcap");
    std::fs::write(&cut, &whole[..whole.len() - 3]).expect("it is written");
    let told = compare(&cut, &["--json"]);
    assert_eq!(told.status.code(), Some(2));
    assert!(
        json(&told)["damage"]
            .as_str()
            .is_some_and(|damage| damage.contains("cut.pcap"))
    );
}
