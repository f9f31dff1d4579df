//! `trim diag` while a daemon lives, hangs, and is dead: the fault that was planted is named, and no secret leaves.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use trim_user::ops::diag::Archive;
use xtask::lab::{Namespace, Signal};

use super::appliance::{Setting, can_run};
use super::rollout::{REHEARSAL, fault, setting};

const TRIM: &str = env!("CARGO_BIN_EXE_trim");
const PATIENCE: Duration = Duration::from_secs(30);
const SECRET: &str = "hunter2";

/// Nobody listens at port 9 of a new namespace.
const PLANTED: &str = "    webhook:
      - {name: pager, url: \"http://127.0.0.1:9/\", limit: 1000}
logging:
  to: file
  directory: FOLDER/log
# The password: hunter2, and the address was http://127.0.0.1:9/?token=hunter2
";

struct Diagnosis<'a> {
    namespace: &'a Namespace,
    folder: &'a Path,
}

impl Diagnosis<'_> {
    fn trim(&self, arguments: &[&str]) -> Output {
        self.namespace.command(TRIM).args(arguments).output().unwrap()
    }

    /// Collects, and gives the manifest and the archive.
    fn collect(&self) -> (Value, Archive) {
        let (config, output) = (self.folder.join("trim.yaml"), self.folder.join("diag"));
        let _ = std::fs::remove_dir_all(&output);
        let collected = self.trim(&[
            "diag",
            "collect",
            "--json",
            "--include-config",
            "--include-metrics",
            "--last-hours",
            "1",
            "--config",
            config.to_str().unwrap(),
            "--output-dir",
            output.to_str().unwrap(),
        ]);
        let said = String::from_utf8_lossy(&collected.stderr);
        assert!(collected.status.success(), "{said}");
        let answer: Value = serde_json::from_slice(&collected.stdout).unwrap();
        let path = PathBuf::from(answer["archive"].as_str().unwrap());
        (answer["manifest"].clone(), Archive { path })
    }

    /// The names of what is found, and the page.
    fn report(&self) -> (Vec<String>, String) {
        let page = self.folder.join("diag.html");
        let output = self.folder.join("diag");
        let report = self.trim(&[
            "diag",
            "report",
            "--json",
            "--input-dir",
            output.to_str().unwrap(),
            "--output-file",
            page.to_str().unwrap(),
        ]);
        let found: Vec<Value> = serde_json::from_slice(&report.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&report.stderr)));
        let names = found.iter().map(|it| it["name"].as_str().unwrap().to_owned());
        (names.collect(), std::fs::read_to_string(page).unwrap())
    }
}

#[track_caller]
fn assert_no_secret(archive: &Archive, page: &str) {
    let members = archive.read().unwrap();
    assert!(members.len() > 15, "{:?}", members.keys());
    for (name, bytes) in &members {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(SECRET), "{name}: {text}");
    }
    assert!(!page.contains(SECRET));
    for part in ["<script", "<link", "<img", "src=", "@import", "url("] {
        assert!(!page.contains(part), "the page loads something by {part}");
    }
}

fn wait_dead(namespace: &Namespace, folder: &Path) {
    let end = Instant::now() + PATIENCE;
    let status = || {
        let socket = folder.join("trim.sock");
        let mut command: Command = namespace.command(TRIM);
        command.args(["status", "--socket"]).arg(socket).output().unwrap()
    };
    while status().status.success() {
        assert!(Instant::now() < end);
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_planted_fault_is_named_whether_the_daemon_lives_hangs_or_is_dead() {
    if !can_run("a_planted_fault_is_named_whether_the_daemon_lives_hangs_or_is_dead") {
        return;
    }
    let setting = Setting {
        more: format!("{PLANTED}{REHEARSAL}").leak(),
        ..setting("inline")
    };
    let (span, mut appliance) = fault(setting, &["--panics", "20"], "errors");
    let reason = format!("--reason=password={SECRET}");
    appliance.try_command(&["rollback", &reason]).unwrap();
    let folder = appliance.folder().to_owned();
    let diagnosis = Diagnosis {
        namespace: &span.appliance,
        folder: &folder,
    };

    let (manifest, archive) = diagnosis.collect();
    assert_eq!(manifest["daemon"]["state"], "alive", "{manifest:#}");
    let missing = |manifest: &Value| {
        let parts = manifest["parts"].as_object().unwrap();
        let missing = parts.iter().filter(|(_, part)| part["is"] == "missing");
        missing.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(missing(&manifest), [""; 0], "{manifest:#}");
    let (found, page) = diagnosis.report();
    for name in ["rolled_back", "scanning_panics", "alerts_undelivered"] {
        assert!(found.iter().any(|it| it == name), "{name}: {found:?}");
    }
    assert_no_secret(&archive, &page);

    appliance.process().signal(Signal::STOP);
    let (manifest, archive) = diagnosis.collect();
    assert_eq!(manifest["daemon"]["state"], "hanging", "{manifest:#}");
    assert!(manifest["daemon"]["pid"].as_u64().is_some(), "{manifest:#}");
    let (found, page) = diagnosis.report();
    for name in ["daemon_hangs", "rolled_back", "scanning_panics"] {
        assert!(found.iter().any(|it| it == name), "{name}: {found:?}");
    }
    assert_no_secret(&archive, &page);

    appliance.process().signal(Signal::KILL);
    appliance.process().wait(PATIENCE).unwrap();
    wait_dead(&span.appliance, &folder);
    let (manifest, archive) = diagnosis.collect();
    assert_eq!(manifest["daemon"]["state"], "dead", "{manifest:#}");
    assert_eq!(manifest["parts"]["kernel_maps.json"]["is"], "collected", "{manifest:#}");
    let (found, page) = diagnosis.report();
    for name in ["daemon_dead", "rolled_back", "scanning_panics"] {
        assert!(found.iter().any(|it| it == name), "{name}: {found:?}");
    }
    assert_no_secret(&archive, &page);
}
