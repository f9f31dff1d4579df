//! A third opinion on the open captures: what tshark reads of HTTP is the same before and after trimming.
//!
//! With `mask` everything is, reassembly included. With `cut` tshark puts no message together that lacks bytes, so it is
//! asked for what it reads of each packet alone; only packets that hold nothing but a body have nothing to say any more.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The open captures lie beside the project and are no part of it.
fn corpus() -> Vec<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let folder = std::env::var_os("TRIM_CORPUS").map_or(beside, PathBuf::from);
    let has_tshark = Command::new("tshark").arg("--version").output().is_ok();
    if !folder.is_dir() || !has_tshark {
        println!("skipped: no captures in {} or no tshark", folder.display());
        return Vec::new();
    }
    let is_capture = |path: &PathBuf| path.extension().is_some_and(|it| it == "pcap" || it == "pcapng");
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(is_capture)
        .collect()
}

/// Number and HTTP fields of each packet that has some.
fn fields(capture: &Path, reassemble: bool) -> Vec<String> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-Y", "http", "-T", "fields", "-e", "frame.number"]);
    command.args(["-o", &format!("tcp.desegment_tcp_streams:{reassemble}")]);
    for field in [
        "request.line",
        "request.method",
        "request.uri",
        "request.version",
        "response.line",
        "response.version",
        "response.code",
        "response.phrase",
        "content_length_header",
        "content_type",
        "transfer_encoding",
        "host",
        "cookie",
        "set_cookie",
    ] {
        command.args(["-e", &format!("http.{field}")]);
    }
    let output = command.arg("-r").arg(capture).output().expect("tshark starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let says_something = |line: &&str| line.split('\t').skip(1).any(|field| !field.is_empty());
    text.lines().filter(says_something).map(str::to_owned).collect()
}

#[test]
fn tshark_reads_the_same_http_fields_before_and_after_trimming() {
    let folder = tempfile::tempdir().expect("a folder");
    for capture in corpus() {
        for strategy in ["legacy", "scanning"] {
            for (action, reassemble) in [("mask", true), ("mask", false), ("cut", false)] {
                let trimmed = folder.path().join("out.pcapng");
                let status = Command::new(env!("CARGO_BIN_EXE_trim"))
                    .args(["file", "--strategy", strategy, "--action", action, "-o"])
                    .args([&trimmed, &capture])
                    .status();
                assert!(status.expect("trim starts").success());
                let before = fields(&capture, reassemble);
                assert!(!before.is_empty(), "{} has HTTP in it", capture.display());
                let after = fields(&trimmed, reassemble);
                assert_eq!(before, after, "{} by {strategy}, {action}", capture.display());
            }
        }
    }
}
