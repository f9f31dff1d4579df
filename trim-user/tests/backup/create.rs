//! What is in a backup, and what tells a sound one from another.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::*;

#[test]
fn a_backup_of_a_database_that_is_being_written_is_one_moment_of_it() {
    let place = Place::new();
    let mut store = place.database();
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                written.store(store.event(&event(1)).unwrap(), Ordering::Release);
            }
        });
        for round in 0..5 {
            while written.load(Ordering::Acquire) <= round * 50 {
                std::thread::yield_now();
            }
            let before = written.load(Ordering::Acquire);
            let archive = place.backup(&[]);
            let after = written.load(Ordering::Acquire) + 1;
            let output = verify(&archive);
            assert!(output.status.success(), "{output:?}");
            let root = place.at("elsewhere");
            let restored = trim("restore").arg(&archive).arg("--root").arg(&root).output().unwrap();
            assert!(restored.status.success(), "{restored:?}");
            let database = root.join(place.at("trim.db").strip_prefix("/").unwrap());
            let numbers = events(&Store::open(&database).unwrap());
            let last = numbers.len() as u64;
            assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
            assert!((before..=after).contains(&last), "{before} {last} {after}");
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn secrets_are_in_a_backup_only_when_they_are_asked_for() {
    let place = Place::new();
    drop(place.database());
    let holds_secret = |archive: &Path| {
        unpack(archive)
            .iter()
            .any(|(_, content)| content.windows(14).any(|bytes| bytes == b"planted-secret"))
    };
    let without = place.backup(&[]);
    assert!(!holds_secret(&without));
    let manifest = &unpack(&without)[0].1;
    assert!(String::from_utf8_lossy(manifest).contains("left_out"));
    let output = place.create(&["--include-secrets"]);
    assert!(stderr(&output).contains("CONTAINS SECRETS"), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let with = PathBuf::from(answer["path"].as_str().unwrap());
    assert!(holds_secret(&with));
    for archive in [with, without] {
        assert_eq!(std::fs::metadata(archive).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn configuration_files_of_every_layer_and_the_state_of_alerts_are_in_it() {
    let place = Place::new();
    let archive = place.backup(&[]);
    let names: Vec<String> = unpack(&archive).into_iter().map(|(name, _)| name).collect();
    // There was no database yet.
    assert_eq!(
        names,
        ["manifest.json", "00-trim.yaml", "01-10-more.yaml", "02-state.json"]
    );
    assert!(verify(&archive).status.success());
}

#[test]
fn only_so_many_backups_are_kept() {
    let place = Place::new();
    let all: Vec<PathBuf> = (0..5).map(|_| place.backup(&["--keep", "3"])).collect();
    let listed = trim("list")
        .arg("--json")
        .arg("--directory")
        .arg(place.at("backups"))
        .output()
        .unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let listed: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        listed,
        all[2..].iter().map(|path| path.to_str().unwrap()).collect::<Vec<_>>()
    );
}

#[test]
fn a_changed_byte_a_missing_file_and_a_missing_end_are_found() {
    let place = Place::new();
    let mut store = place.database();
    write(&mut store, 1..=49);
    let archive = place.backup(&[]);
    let good = std::fs::read(&archive).unwrap();
    for at in (0..good.len()).step_by(good.len() / 40) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        std::fs::write(&archive, bad).unwrap();
        assert_eq!(verify(&archive).status.code(), Some(1), "byte {at}");
    }
    for length in [0, 10, good.len() / 2, good.len() - 1] {
        std::fs::write(&archive, &good[..length]).unwrap();
        let output = verify(&archive);
        assert_eq!(output.status.code(), Some(1), "{length}: {output:?}");
        assert!(stderr(&output).contains("is no sound backup"), "{output:?}");
    }
    std::fs::write(&archive, &good).unwrap();
    let files = unpack(&archive);
    let mut changed = files.clone();
    changed[1].1[0] ^= 1;
    for (what, files) in [
        ("has been changed", changed),
        ("is missing", files[..files.len() - 1].to_vec()),
        (
            "there is more in it",
            [&files[..], &[("x".to_owned(), vec![])]].concat(),
        ),
        ("does not begin with a manifest", files[1..].to_vec()),
    ] {
        pack(&archive, &files);
        let output = verify(&archive);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(stderr(&output).contains(what), "{what}: {output:?}");
    }
}

#[test]
fn a_damaged_database_is_not_backed_up_as_if_it_were_sound() {
    let place = Place::new();
    let mut store = place.database();
    write(&mut store, 1..=499);
    drop(store);
    let mut bytes = std::fs::read(place.at("trim.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0x5a);
    std::fs::write(place.at("trim.db"), bytes).unwrap();
    let output = place.create(&[]);
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("is damaged") || stderr(&output).contains("malformed"),
        "{output:?}"
    );
    assert_eq!(
        std::fs::read_dir(place.at("backups")).unwrap().count(),
        0,
        "nothing half made is left"
    );
}
