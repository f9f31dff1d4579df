//! Every committed input of the fuzz targets, on stable Rust: the seeds in `fuzz/corpus`, and in `fuzz/cases` what
//! fuzzing has found before.

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "a crate of its own for the fuzzer")]
mod targets;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

/// Runs a target on all its inputs and names those that fail.
fn replay(name: &str, target: fn(&[u8])) {
    let mut count = 0;
    let mut failed = Vec::new();
    for folder in ["corpus", "cases"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz")
            .join(folder)
            .join(name);
        let Ok(entries) = fs::read_dir(&folder) else {
            assert_eq!(
                folder.parent().and_then(Path::file_name),
                Some("cases".as_ref()),
                "{folder:?} is missing"
            );
            continue;
        };
        for entry in entries {
            let path = entry.expect("the folder can be listed").path();
            let input = fs::read(&path).expect("the input can be read");
            count += 1;
            if catch_unwind(|| target(&input)).is_err() {
                failed.push(path.display().to_string());
            }
        }
    }
    assert!(count >= 8, "{name} has only {count} inputs");
    assert!(failed.is_empty(), "{name} fails on {}", failed.join(" "));
}

#[test]
fn the_capture_reader_stands_every_committed_input() {
    replay("capture_reader", targets::capture_reader::run);
}

#[test]
fn header_views_stand_every_committed_input() {
    replay("header_views", targets::header_views::run);
}

#[test]
fn framing_stands_every_committed_input() {
    replay("framing", targets::framing::run);
}

#[test]
fn legacy_stands_every_committed_input() {
    replay("legacy", targets::legacy::run);
}

#[test]
fn scanning_stands_every_committed_input() {
    replay("scanning", targets::scanning::run);
}

#[test]
fn the_worker_stands_every_committed_input() {
    replay("worker", targets::worker::run);
}
