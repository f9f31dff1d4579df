//! Killed in the middle.

use std::process::Stdio;
use std::time::Duration;

use crate::*;

/// Starts a command and kills it after so long, if it lives so long.
fn kill_after(command: &mut Command, time: Duration) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(time);
    let _ = child.kill();
    child.wait().unwrap();
}

fn delays() -> impl Iterator<Item = Duration> {
    (0..24).map(|step| Duration::from_micros(1000 + 1500 * step))
}

#[test]
fn a_killed_backup_leaves_no_archive_that_is_not_whole() {
    let place = Place::new();
    let mut store = place.database();
    write(&mut store, 1..=300);
    for delay in delays() {
        let (config, folder) = (place.at("trim.yaml"), place.at("backups"));
        kill_after(
            trim("create")
                .arg("--config")
                .arg(config)
                .arg("--directory")
                .arg(folder),
            delay,
        );
    }
    let last = place.backup(&[]);
    assert_eq!(events(&store).len(), 300);
    let mut whole = 0;
    for entry in std::fs::read_dir(place.at("backups")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        assert!(
            name.ends_with(".tar.zst"),
            "the next backup removes what is unfinished: {name}"
        );
        assert!(verify(&entry.path()).status.success(), "{name}");
        whole += 1;
    }
    assert!(whole >= 1 && last.exists());
}

#[test]
fn a_killed_restore_leaves_each_file_whole_and_can_be_done_again() {
    let place = Place::new();
    let mut store = place.database();
    write(&mut store, 1..=300);
    let archive = place.backup(&[]);
    write(&mut store, 301..=301);
    drop(store);
    let configuration = std::fs::read(place.at("trim.yaml")).unwrap();
    for delay in delays() {
        std::fs::write(place.at("trim.yaml"), "older").unwrap();
        kill_after(trim("restore").arg(&archive), delay);
        let found = std::fs::read(place.at("trim.yaml")).unwrap();
        assert!(found == configuration || found == b"older");
        let numbers = events(&place.database()).len();
        assert!(numbers == 300 || numbers == 301, "{numbers}");
    }
    assert!(restore(&archive).status.success());
    assert_eq!(events(&place.database()).len(), 300);
    let left = std::fs::read_dir(place.folder.path()).unwrap().flatten();
    let mut left = left.map(|entry| entry.file_name().into_string().unwrap());
    assert!(left.all(|name| !name.contains("restoring")));
}
