//! Two judges on generated captures, well trimmed and damaged: `trim verify`, and a program that is none of ours.
//!
//! `TRIM_ORACLE` names that program (default: `../shared/tools/http_oracle.py` beside the workspace); without it only
//! `trim verify` is asked, and the tests say so. `TRIM_CASES` sets the number of captures, `TRIM_SEED` the first one.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::capture::{Frame, frames, write_pcap};
use support::damage::DAMAGES;
use support::labelled::Truth;
use support::recipe::{Quirk, Recipe};
use support::rng::Rng;
use support::trimmed::trim;
use support::wire::Case;
use trim_user::ops::verify::{Options, Report, verify};
use trim_user::shared::Lane;
use trim_user::trimmer::{Action, Policy, Settings};

/// Connections in a capture: the other judge takes longer to start than to judge them.
const CONNECTIONS: u64 = 40;

fn oracle() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/tools/http_oracle.py");
    let path = std::env::var_os("TRIM_ORACLE").map_or(beside, PathBuf::from);
    if path.is_file() {
        return Some(path);
    }
    println!(
        "`trim verify` judges alone: there is no {}; TRIM_ORACLE names one",
        path.display()
    );
    None
}

fn captures(usual: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first: u64 = number("TRIM_SEED").unwrap_or(1000);
    first..first + number("TRIM_CASES").unwrap_or(usual)
}

/// Nothing is missing, and there is no HTTP inside tunnels: the other judge pairs by time what a client sends ahead
/// into a tunnel.
fn unambiguous(recipe: Recipe) -> Recipe {
    let complete = recipe.without(&Quirk::HIDING);
    match recipe.quirks.has(Quirk::Lookalike) {
        true => complete.without(&[Quirk::Switch]),
        false => complete,
    }
}

/// Nor does a copy, or the garbage of a probe, contradict the bytes before it: nobody can tell whether that was damaged.
fn undisputed(recipe: Recipe) -> Recipe {
    unambiguous(recipe).without(&[Quirk::Conflict, Quirk::Probes])
}

/// The connection of a recipe. What a client sends behind a request for a tunnel that nobody answers is undefined:
/// where that happens, there are no tunnels.
fn defined(recipe: Recipe) -> Case {
    let case = Case::of(recipe);
    let mut streams = case.dialogues.iter().flat_map(|dialogue| &dialogue.streams);
    match streams.any(|stream| stream.truth.contains(&Truth::Inside)) {
        true => Case::of(recipe.without(&[Quirk::Switch])),
        false => case,
    }
}

fn capture(seed: u64, change: impl Fn(Recipe) -> Recipe) -> Vec<Frame> {
    let recipes = (0..CONNECTIONS).map(|index| change(Recipe::of_seed(seed << 16 | index)));
    let cases: Vec<_> = recipes.map(defined).collect();
    frames(&cases, &mut Rng::new(seed))
}

/// Both judges' view of one pair of captures.
struct Judges {
    folder: tempfile::TempDir,
    oracle: Option<PathBuf>,
}

impl Judges {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            oracle: oracle(),
        }
    }

    /// What `trim verify` says, and what the other judge does, if there is one: whether all is well, and its words.
    fn ask(&self, original: &[Frame], trimmed: &[Frame]) -> (Report, Option<(bool, String)>) {
        let paths = ["a.pcap", "b.pcap"].map(|name| self.folder.path().join(name));
        write_pcap(&paths[0], original);
        write_pcap(&paths[1], trimmed);
        let report = verify(&paths[0], &paths[1], &Options::default()).expect("both captures are readable");
        let said = self.oracle.as_ref().map(|oracle| {
            let output = Command::new("python3").arg(oracle).arg("check").args(&paths).output();
            let output = output.expect("python3 runs");
            (
                output.status.success(),
                String::from_utf8_lossy(&output.stdout).into_owned(),
            )
        });
        (report, said)
    }
}

#[test]
fn both_judges_find_what_legacy_leaves_exact() {
    let judges = Judges::new();
    for seed in captures(6) {
        let original = capture(seed, unambiguous);
        for action in [Action::Cut, Action::Mask] {
            let policy = Policy {
                action,
                ..Policy::default()
            };
            let trimmed = trim(&original, Lane::Legacy, &Settings::default(), policy);
            let (report, said) = judges.ask(&original, &trimmed);
            assert!(report.is_good(), "capture {seed}, {action:?}:\n{report}");
            if let Some((good, text)) = said {
                assert!(good, "capture {seed}, {action:?}: {text}");
            }
        }
    }
}

/// Content that looks like a message is left out: `scanning` does not reassemble, and may take it for one behind
/// segments out of order.
#[test]
fn both_judges_agree_on_what_scanning_leaves_and_miss_no_header() {
    let judges = Judges::new();
    for seed in captures(6) {
        let original = capture(seed, |recipe| {
            recipe.without(&Quirk::HIDING).without(&[Quirk::Lookalike])
        });
        for lane in [Lane::Scanning, Lane::Auto] {
            let trimmed = trim(&original, lane, &Settings::default(), Policy::default());
            let (report, said) = judges.ask(&original, &trimmed);
            assert!(
                report.faithful && report.header.lost == 0,
                "capture {seed}, {lane:?}:\n{report}"
            );
            if let Some((good, text)) = said {
                assert_eq!(good, report.is_good(), "capture {seed}, {lane:?}: {text}\n{report}");
                assert!(
                    !text.contains("header over-trimmed"),
                    "capture {seed}, {lane:?}: {text}"
                );
            }
        }
    }
}

#[test]
fn both_judges_object_to_every_damage() {
    let judges = Judges::new();
    for seed in captures(2) {
        let original = capture(seed, undisputed);
        let trimmed = trim(&original, Lane::Legacy, &Settings::default(), Policy::default());
        for (number, (damage, fault)) in DAMAGES.into_iter().enumerate() {
            let mut damaged = trimmed.clone();
            damage(&original, &mut damaged, &mut Rng::new(seed << 8 | number as u64));
            let (report, said) = judges.ask(&original, &damaged);
            let named = report.findings.iter().any(|finding| finding.fault == fault);
            assert!(named && !report.is_good(), "capture {seed}: no {fault:?} in\n{report}");
            if let Some((good, text)) = said {
                assert!(
                    !good,
                    "capture {seed}, {fault:?}: the other judge finds nothing: {text}"
                );
            }
        }
    }
}
