//! `trim backup` on real files and a database that is being written: nothing is lost, and nothing unsound is restored.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests fail the test")]

mod create;
mod killed;
mod restore;
mod sealed;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use trim_user::control::health::Moment;
use trim_user::control::store::{Event, Store};

const TRIM: &str = env!("CARGO_BIN_EXE_trim");

/// An appliance's files, without an appliance.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let at = |name: &str| place.at(name).display().to_string();
        std::fs::create_dir_all(place.at("alerts")).unwrap();
        std::fs::create_dir_all(place.at("conf.d")).unwrap();
        std::fs::write(place.at("alerts/state.json"), "{}").unwrap();
        std::fs::write(place.at("conf.d/10-more.yaml"), "logging: {level: debug}\n").unwrap();
        std::fs::write(place.at("password"), "planted-secret\n").unwrap();
        let text = format!(
            "control:\n  socket: {}\n  database: {}\nalerts:\n  directory: {}\n  channels:\n    webhook:\n      - \
             {{name: hook, url: \"file:{}\"}}\n",
            at("trim.sock"),
            at("trim.db"),
            at("alerts"),
            at("password")
        );
        std::fs::write(place.at("trim.yaml"), text).unwrap();
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn database(&self) -> Store {
        Store::open(&self.at("trim.db")).unwrap()
    }

    /// Makes a backup and gives its path.
    fn backup(&self, more: &[&str]) -> PathBuf {
        let output = self.create(more);
        assert!(output.status.success(), "{output:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        answer["path"].as_str().unwrap().into()
    }

    fn create(&self, more: &[&str]) -> Output {
        let (config, folder) = (self.at("trim.yaml"), self.at("backups"));
        let mut command = trim("create");
        command
            .arg("--json")
            .arg("--config")
            .arg(config)
            .arg("--directory")
            .arg(folder);
        command.args(more).output().unwrap()
    }
}

fn trim(word: &str) -> Command {
    let mut command = Command::new(TRIM);
    command.args(["backup", word]);
    command
}

fn verify(archive: &Path) -> Output {
    trim("verify").arg(archive).output().unwrap()
}

fn restore(archive: &Path) -> Output {
    trim("restore").arg(archive).output().unwrap()
}

fn event(number: u64) -> Event {
    Event {
        at: Moment(number),
        kind: "test".to_owned(),
        who: "uid 0".to_owned(),
        why: "x".repeat(200),
        what: Value::Null,
    }
}

fn write(store: &mut Store, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        store.event(&event(number)).unwrap();
    }
}

/// The numbers of the events in a database.
fn events(store: &Store) -> Vec<u64> {
    let all = store.events(Moment(0), Moment(u64::MAX), usize::MAX >> 1).unwrap();
    all.into_iter().map(|event| event.number).collect()
}

/// Everything in an archive, in its order.
fn unpack(archive: &Path) -> Vec<(String, Vec<u8>)> {
    let decoder = zstd::stream::Decoder::new(std::fs::File::open(archive).unwrap()).unwrap();
    let mut archive = tar::Archive::new(decoder);
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    };
    archive.entries().unwrap().map(read).collect()
}

/// An archive of these files, made by other hands.
fn pack(archive: &Path, files: &[(String, Vec<u8>)]) {
    let file = std::fs::File::create(archive).unwrap();
    let mut builder = tar::Builder::new(zstd::stream::Encoder::new(file, 1).unwrap());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap();
}

/// The same archive with another manifest.
fn with_manifest(archive: &Path, edit: impl FnOnce(&mut Value)) {
    let mut files = unpack(archive);
    let mut manifest: Value = serde_json::from_slice(&files[0].1).unwrap();
    edit(&mut manifest);
    files[0].1 = serde_json::to_vec(&manifest).unwrap();
    pack(archive, &files);
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
