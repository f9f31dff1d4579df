//! `trim file` as a user calls it, judged by a program that is none of ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const TRIM: &str = env!("CARGO_BIN_EXE_trim");

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The open captures and the oracle lie beside the project and are no part of it.
fn corpus() -> Option<(Vec<PathBuf>, PathBuf)> {
    let folder = std::env::var_os("TRIM_CORPUS").map_or_else(|| workspace().join("../shared/corpus"), PathBuf::from);
    let oracle = std::env::var_os("TRIM_ORACLE")
        .map_or_else(|| workspace().join("../shared/tools/http_oracle.py"), PathBuf::from);
    if !folder.is_dir() || !oracle.is_file() {
        println!(
            "skipped: no captures in {} or no oracle at {}",
            folder.display(),
            oracle.display()
        );
        return None;
    }
    let is_capture = |path: &PathBuf| path.extension().is_some_and(|it| it == "pcap" || it == "pcapng");
    let mut captures: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(is_capture)
        .collect();
    captures.sort();
    assert!(!captures.is_empty(), "the corpus is empty");
    Some((captures, oracle))
}

fn trim(arguments: &[&str], files: &[&Path]) -> Output {
    Command::new(TRIM)
        .arg("file")
        .args(arguments)
        .args(files)
        .output()
        .expect("trim starts")
}

#[track_caller]
fn assert_status(output: &Output, status: i32) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{stderr}");
}

/// A pcap with one HTTP exchange over IPv4, made by hand.
fn capture() -> Vec<u8> {
    let request: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nCookie: c=1\r\n\r\n";
    let response: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nvery secret";
    capture_of(&[(true, 1, request), (false, 1, response)])
}

/// A pcap with these segments: whether the client sends it, its sequence number and its payload.
fn capture_of(segments: &[(bool, u32, &[u8])]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0]);
    for (number, &(from_client, sequence, payload)) in segments.iter().enumerate() {
        let packet = packet(from_client, sequence, payload);
        file.extend((1_600_000_000 + number as u32).to_le_bytes());
        file.extend(7_u32.to_le_bytes());
        file.extend((packet.len() as u32).to_le_bytes());
        file.extend((packet.len() as u32).to_le_bytes());
        file.extend(packet);
    }
    file
}

fn packet(from_client: bool, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let length = (40 + payload.len()) as u16;
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    packet.extend(if from_client {
        [10, 0, 0, 1, 10, 0, 0, 2]
    } else {
        [10, 0, 0, 2, 10, 0, 0, 1]
    });
    packet.extend(if from_client {
        [0x30, 0x39, 0, 80]
    } else {
        [0, 80, 0x30, 0x39]
    });
    packet.extend(sequence.to_be_bytes());
    packet.extend(1_u32.to_be_bytes());
    packet.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}

/// A folder with that capture in it.
fn folder() -> (TempDir, PathBuf, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let (input, output) = (folder.path().join("in.pcap"), folder.path().join("out.pcapng"));
    fs::write(&input, capture()).expect("the capture is written");
    (folder, input, output)
}

#[test]
fn the_oracle_finds_every_strategy_and_action_exact_on_the_open_captures() {
    let Some((captures, oracle)) = corpus() else { return };
    let folder = TempDir::new().expect("a folder");
    for capture in &captures {
        for strategy in ["legacy", "scanning", "auto", "comparison"] {
            for action in ["cut", "mask"] {
                let trimmed = folder.path().join("out.pcapng");
                let trimmed_by = trim(
                    &["--strategy", strategy, "--action", action, "-o"],
                    &[&trimmed, capture],
                );
                assert_status(&trimmed_by, 0);
                let verdict = Command::new("python3")
                    .args([&oracle, Path::new("check"), capture, &trimmed])
                    .args(["--opaque", "keep", "--framing", "keep", "--form", action])
                    .output()
                    .expect("python3 starts");
                let said = String::from_utf8_lossy(&verdict.stdout);
                assert!(
                    verdict.status.success(),
                    "{strategy} {action} {}: {said}",
                    capture.display()
                );
            }
        }
    }
}

#[test]
fn what_is_kept_of_a_flow_met_in_its_middle_is_counted() {
    let (_folder, input, output) = folder();
    let middle: &[u8] = b"the rest of a body";
    fs::write(&input, capture_of(&[(false, 7000, middle)])).expect("the capture is written");
    let told = trim(&["--json", "-o"], &[&output, &input]);
    assert_status(&told, 0);
    let report: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!(report["http"]["undecided_bytes"], middle.len(), "{report}");
    let trimmed = fs::read(&output).expect("the output is there");
    assert!(trimmed.windows(middle.len()).any(|window| window == middle));
}

#[test]
fn the_body_goes_and_the_header_stays() {
    let (_folder, input, output) = folder();
    assert_status(&trim(&["-o"], &[&output, &input]), 0);
    let trimmed = fs::read(&output).expect("the output is there");
    let holds = |text: &[u8]| trimmed.windows(text.len()).any(|window| window == text);
    assert!(holds(b"Content-Length: 11\r\n\r\n"));
    assert!(holds(b"Cookie: c=1\r\n\r\n"));
    assert!(!holds(b"secret"));
}

#[test]
fn redaction_and_kept_body_bytes_are_as_asked_for() {
    let (_folder, input, output) = folder();
    assert_status(
        &trim(&["--redact", "COOKIE", "--body-keep", "4", "-o"], &[&output, &input]),
        0,
    );
    let trimmed = fs::read(&output).expect("the output is there");
    let holds = |text: &[u8]| trimmed.windows(text.len()).any(|window| window == text);
    assert!(holds(b"Cookie: xxx\r\n\r\n"));
    assert!(holds(b"\r\n\r\nvery") && !holds(b"very secret"));
}

#[test]
fn a_pipe_gives_what_a_file_gives() {
    let (_folder, input, output) = folder();
    assert_status(&trim(&["-o"], &[&output, &input]), 0);
    let mut child = Command::new(TRIM)
        .args(["file", "-", "-o", "-"])
        .stdin(fs::File::open(&input).expect("the capture opens"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("trim starts");
    let mut piped = Vec::new();
    std::io::Read::read_to_end(&mut child.stdout.take().expect("piped"), &mut piped).expect("it can be read");
    assert!(child.wait().expect("it ends").success());
    assert!(
        piped == fs::read(&output).expect("the output is there"),
        "the pipe differs from the file"
    );
}

#[test]
fn statistics_are_told_to_people_and_programs() {
    let (_folder, input, output) = folder();
    let told = trim(&["--json", "-o"], &[&output, &input]);
    assert_status(&told, 0);
    let json: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!(json["packets"]["seen"], 2);
    assert_eq!(json["http"]["messages"], 2);
    assert_eq!(json["http"]["body_bytes_cut"], 11);
    let told = trim(&["--stats", "-o"], &[&output, &input]);
    assert!(String::from_utf8_lossy(&told.stdout).contains("2 messages"));
}

#[test]
fn a_damaged_capture_is_trimmed_up_to_the_damage_and_the_place_is_said() {
    let (folder, _, output) = folder();
    let damaged = folder.path().join("damaged.pcap");
    let whole = capture();
    fs::write(&damaged, &whole[..whole.len() - 5]).expect("the capture is written");
    let told = trim(&["-o"], &[&output, &damaged]);
    assert_status(&told, 2);
    let stderr = String::from_utf8_lossy(&told.stderr);
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for word in ["damaged.pcap", "packet 2", "cut off"] {
        assert!(stderr.contains(word), "`{word}` is missing in: {stderr}");
    }
    let told = trim(&["--json", "-o"], &[&folder.path().join("again.pcapng"), &output]);
    assert!(
        String::from_utf8_lossy(&told.stdout).contains("\"seen\":1"),
        "the first packet is in the output"
    );
}

#[test]
fn the_input_is_never_overwritten_and_no_capture_leaves_no_output() {
    let (folder, input, output) = folder();
    let link = folder.path().join("link.pcap");
    fs::hard_link(&input, &link).expect("a second name");
    for name in [&input, &link] {
        let refused = trim(&["-o"], &[name, &input]);
        assert_ne!(refused.status.code(), Some(0));
        assert!(
            fs::read(&input).expect("it is there") == capture(),
            "the input has changed"
        );
    }
    let text = folder.path().join("text");
    fs::write(&text, "this is no capture").expect("the text is written");
    assert_status(&trim(&["-o"], &[&output, &text]), 2);
    assert_status(&trim(&["-o"], &[&output, &folder.path().join("missing")]), 2);
    assert!(!output.exists(), "nothing was read, so nothing is written");
}

#[test]
fn wrong_usage_says_what_is_allowed() {
    let (_folder, input, output) = folder();
    let told = trim(&["--ports", "80,http", "-o"], &[&output, &input]);
    assert_status(&told, 2);
    assert!(String::from_utf8_lossy(&told.stderr).contains("1 to 65535"));
    assert_status(&trim(&["--strategy", "best", "-o"], &[&output, &input]), 2);
    assert_status(&trim(&["-o"], &[&output, Path::new("-"), Path::new("-")]), 2);
}

#[test]
fn ports_that_are_not_asked_for_are_left_alone() {
    let (_folder, input, output) = folder();
    let told = trim(&["--ports", "8080", "--json", "-o"], &[&output, &input]);
    let json: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!(json["http"]["body_bytes_cut"], 0);
    assert_eq!(json["bytes"]["in"], json["bytes"]["out"]);
}

#[test]
fn an_interrupt_leaves_neither_output_nor_debris() {
    let (folder, input, output) = folder();
    let long = folder.path().join("long.pcap");
    let whole = capture();
    let mut file = whole[..24].to_vec();
    (0..400_000).for_each(|_| file.extend(&whole[24..]));
    fs::write(&long, file).expect("the capture is written");
    let mut child = Command::new(TRIM)
        .arg("file")
        .arg(&long)
        .arg("-o")
        .arg(&output)
        .spawn()
        .expect("trim starts");
    let is_writing = || fs::read_dir(folder.path()).expect("a folder").count() > 2;
    assert!(
        xtask::lab::wait_until(std::time::Duration::from_secs(20), is_writing),
        "the output was never begun"
    );
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill starts");
    assert!(interrupt.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
    let left: Vec<_> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|it| it.expect("an entry").path())
        .collect();
    assert!(left.iter().all(|path| *path == long || *path == input), "{left:?}");
}
