//! `trim verify` on generated captures, trimmed well, trimmed by `trim file`, and damaged on purpose; and the same
//! judged by an independent program where there is one.
//!
//! `TRIM_ORACLE` names that program (default: `../shared/tools/http_oracle.py` beside the workspace); without it the
//! comparison is skipped, and says so.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::capture::{Frame, frames, write_pcap};
use support::damage::DAMAGES;
use support::perfect;
use support::recipe::{Quirk, Recipe};
use support::rng::Rng;
use support::wire::Case;
use trim_user::ops::verify::{Fault, Matching, Options, Report, verify};
use trim_user::trimmer::Action;

/// A folder for one test's captures.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn write(&self, name: &str, frames: &[Frame]) -> PathBuf {
        let path = self.0.path().join(name);
        write_pcap(&path, frames);
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// A capture of connections of every kind, changed as `change` says.
fn capture(seed: u64, connections: u64, change: impl Fn(Recipe) -> Recipe) -> Vec<Frame> {
    let recipes = (0..connections).map(|index| change(Recipe::of_seed(seed << 16 | index)));
    let cases: Vec<_> = recipes.map(Case::of).collect();
    frames(&cases, &mut Rng::new(seed))
}

/// Nothing is missing from the capture.
fn complete(recipe: Recipe) -> Recipe {
    recipe.without(&Quirk::HIDING)
}

/// Complete, and without HTTP inside tunnels: the other judge pairs by time what a client sends ahead into a tunnel.
fn unambiguous(recipe: Recipe) -> Recipe {
    match recipe.quirks.has(Quirk::Lookalike) {
        true => complete(recipe).without(&[Quirk::Switch]),
        false => complete(recipe),
    }
}

/// Anything may be missing, but nothing looks like a message that is none.
fn incomplete(recipe: Recipe) -> Recipe {
    recipe.without(&[Quirk::Lookalike])
}

fn hold(original: &Path, trimmed: &Path, options: &Options) -> Report {
    verify(original, trimmed, options).expect("both captures are readable")
}

fn oracle() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/tools/http_oracle.py");
    let path = std::env::var_os("TRIM_ORACLE").map_or(beside, PathBuf::from);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: no second judge at {}; TRIM_ORACLE names one", path.display());
    None
}

/// Whether the other program finds nothing wrong, and what it says.
fn oracle_agrees(oracle: &Path, original: &Path, trimmed: &Path) -> (bool, String) {
    let output = Command::new("python3")
        .arg(oracle)
        .arg("check")
        .args([original, trimmed])
        .output();
    let output = output.expect("python3 runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), text)
}

#[test]
fn captures_trimmed_by_the_reference_are_faithful_and_clean() {
    let folder = Folder::new();
    for seed in 0..20 {
        let original = capture(seed, 20, |recipe| recipe);
        let paths = (
            folder.write("a.pcap", &original),
            folder.write("b.pcap", &perfect::trim(&original)),
        );
        let report = hold(&paths.0, &paths.1, &Options::default());
        assert!(report.is_good(), "seed {seed}:\n{report}");
        assert!(
            report.body.gone > 0 && report.body.zero > 0 && report.header.kept > 0,
            "seed {seed}:\n{report}"
        );
    }
}

#[test]
fn another_judge_agrees_with_the_reference_on_complete_captures() {
    let Some(oracle) = oracle() else { return };
    let folder = Folder::new();
    for seed in 0..12 {
        let original = capture(seed, 40, unambiguous);
        let paths = (
            folder.write("a.pcap", &original),
            folder.write("b.pcap", &perfect::trim(&original)),
        );
        let (agrees, text) = oracle_agrees(&oracle, &paths.0, &paths.1);
        assert!(agrees, "seed {seed}: {text}");
    }
}

#[test]
fn another_judge_misses_no_header_where_bytes_are_missing() {
    let Some(oracle) = oracle() else { return };
    let folder = Folder::new();
    for seed in 200..210 {
        let original = capture(seed, 40, incomplete);
        let paths = (
            folder.write("a.pcap", &original),
            folder.write("b.pcap", &perfect::trim(&original)),
        );
        let (_, text) = oracle_agrees(&oracle, &paths.0, &paths.1);
        // It asks for bodies that only a guess at the lost bytes tells from headers, so only headers count.
        assert!(
            !text.contains("header over-trimmed") && !text.contains("FATAL"),
            "seed {seed}: {text}"
        );
    }
}

#[test]
fn what_trim_file_writes_is_faithful_and_clean_by_both_judges() {
    let oracle = oracle();
    let folder = Folder::new();
    for seed in 100..108 {
        let original = folder.write("a.pcap", &capture(seed, 40, unambiguous));
        let trimmed = folder.path("b.pcapng");
        let status = Command::new(env!("CARGO_BIN_EXE_trim"))
            .arg("file")
            .arg(&original)
            .arg("-o")
            .arg(&trimmed)
            .status();
        assert!(status.expect("trim runs").success());
        let report = hold(&original, &trimmed, &Options::default());
        assert!(report.is_good(), "seed {seed}:\n{report}");
        if let Some(oracle) = &oracle {
            let (agrees, text) = oracle_agrees(oracle, &original, &trimmed);
            assert!(agrees, "seed {seed}: {text}");
        }
    }
}

#[test]
fn every_damage_is_found_and_named() {
    let oracle = oracle();
    let folder = Folder::new();
    for (number, (damage, fault)) in DAMAGES.into_iter().enumerate() {
        for seed in 0..2 {
            let original = capture(seed, 20, unambiguous);
            let mut trimmed = perfect::trim(&original);
            damage(&original, &mut trimmed, &mut Rng::new(seed));
            let paths = (folder.write("a.pcap", &original), folder.write("b.pcap", &trimmed));
            let options = Options {
                max_findings: usize::MAX,
                ..Options::default()
            };
            let report = hold(&paths.0, &paths.1, &options);
            let found = report.findings.iter().any(|finding| finding.fault == fault);
            assert!(
                found && !report.is_good(),
                "damage {number}, seed {seed}: no {fault:?} in\n{report}"
            );
            if let Some(oracle) = &oracle {
                let (agrees, text) = oracle_agrees(oracle, &paths.0, &paths.1);
                assert!(
                    !agrees,
                    "damage {number}, seed {seed}: the other judge finds nothing: {text}"
                );
            }
        }
    }
}

#[test]
fn masked_captures_need_lengths_and_right_checksums() {
    let folder = Folder::new();
    let original = capture(7, 20, complete);
    let original_path = folder.write("a.pcap", &original);
    let options = Options {
        action: Some(Action::Mask),
        ..Options::default()
    };
    let cut = hold(
        &original_path,
        &folder.write("b.pcap", &perfect::trim(&original)),
        &options,
    );
    assert!(cut.findings.iter().any(|finding| finding.fault == Fault::Form), "{cut}");

    let masked = folder.path("c.pcap");
    let arguments = ["file", "--action", "mask", "--format", "pcap", "-o"];
    let status = Command::new(env!("CARGO_BIN_EXE_trim"))
        .args(arguments)
        .arg(&masked)
        .arg(&original_path)
        .status();
    assert!(status.expect("trim runs").success());
    let report = hold(&original_path, &masked, &options);
    assert!(report.is_good(), "{report}");
    assert!(report.body.zero > 0 && report.body.gone == 0, "{report}");
}

#[test]
fn captures_of_two_points_are_paired_by_content() {
    let folder = Folder::new();
    let original = capture(3, 20, complete);
    let mut trimmed = perfect::trim(&original);
    for (index, frame) in trimmed.iter_mut().enumerate() {
        frame.time += 1_000 * (index as u64 % 7);
    }
    let missed = trimmed.remove(trimmed.len() / 2);
    trimmed.sort_by_key(|frame| perfect::layout(frame).map(|layout| layout.flow.high_port));
    let paths = (folder.write("a.pcap", &original), folder.write("b.pcap", &trimmed));
    let lenient = Options {
        matching: Matching::Content,
        ..Options::default()
    };
    let report = hold(&paths.0, &paths.1, &lenient);
    assert!(report.is_good(), "{report}");
    assert_eq!(
        (report.packets.missing, report.packets.surplus),
        (1, 0),
        "{missed:?}\n{report}"
    );
    let strict = hold(
        &paths.0,
        &paths.1,
        &Options {
            strict: true,
            ..lenient
        },
    );
    assert!(!strict.faithful, "{strict}");
}

#[test]
fn bodies_and_secrets_follow_the_options() {
    let folder = Folder::new();
    let original = folder.write("a.pcap", &capture(11, 30, complete));
    let trimmed = folder.path("b.pcapng");
    let arguments = [
        "file",
        "--body-keep",
        "20",
        "--redact",
        "Cookie",
        "--redact",
        "set-cookie",
        "-o",
    ];
    let status = Command::new(env!("CARGO_BIN_EXE_trim"))
        .args(arguments)
        .arg(&trimmed)
        .arg(&original)
        .status();
    assert!(status.expect("trim runs").success());
    let options = Options {
        body_keep: 20,
        redacted: vec!["cookie".to_owned(), "Set-Cookie".to_owned()],
        ..Options::default()
    };
    let report = hold(&original, &trimmed, &options);
    assert!(
        report.is_good() && report.body.kept > 0 && report.redacted.overwritten > 0,
        "{report}"
    );
    let unaware = hold(&original, &trimmed, &Options::default());
    assert!(!unaware.clean && unaware.header.lost > 0, "{unaware}");
    let unredacted = hold(&original, &original, &options);
    assert!(unredacted.redacted.readable > 0 && !unredacted.clean, "{unredacted}");
}

#[test]
fn unreadable_captures_exit_with_2_and_bad_ones_with_1() {
    let folder = Folder::new();
    let original = folder.write("a.pcap", &capture(5, 5, complete));
    let run = |trimmed: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trim"));
        let output = command.arg("verify").arg(&original).arg(trimmed).arg("--json").output();
        let output = output.expect("trim runs");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let (code, text) = run(&original);
    assert_eq!(code, Some(1), "{text}");
    let report: serde_json::Value = serde_json::from_str(&text).expect("one JSON object");
    assert_eq!((&report["faithful"], &report["clean"]), (&true.into(), &false.into()));
    assert_eq!(
        (&report["missing"], &report["header_bytes_lost"]),
        (&0.into(), &0.into())
    );
    assert!(report["body_bytes_leaked"].as_u64() > Some(0), "{text}");
    let nonsense = folder.path("nonsense");
    std::fs::write(&nonsense, "no capture at all").expect("a file can be written");
    assert_eq!(run(&nonsense).0, Some(2));
}
