//! Secrets of a running capture are in files, used, and shown nowhere.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use age::secrecy::ExposeSecret as _;
use serde_json::Value;
use trim_user::ops::diag::Archive;
use trim_user::sealed::{self, Lock};
use xtask::lab::{Folder, Namespace, Span, SpanOptions, wait_until};

use super::api::curl;
use super::appliance::{Appliance, Setting, can_run};
use super::web::ask;

/// In every secret, so that one search finds any of them.
const PLANTED: &str = "hunter2";

fn write(path: &std::path::Path, text: impl AsRef<[u8]>) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Every file below a folder that has the secret in it.
fn leaks(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(leaks(&path));
        } else if let Ok(bytes) = fs::read(&path)
            && bytes.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

fn of_api(appliance: &Appliance) -> Vec<String> {
    let paths = [
        "/v1/config",
        "/v1/config/check",
        "/v1/status",
        "/v1/alerts",
        "/v1/health",
        "/v1/debug/memory",
    ];
    let ask = |path| {
        let (status, answer) = curl(appliance, &[], "GET", path, "").unwrap();
        assert_eq!(status, 200, "{path}: {answer}");
        answer.to_string()
    };
    paths.map(ask).into()
}

fn of_web(namespace: &Namespace) -> Vec<String> {
    let bearer = format!("Authorization: Bearer {PLANTED}-of-a-good-length\r\n");
    let ask = |path| {
        let (status, answer) = ask(namespace, 9620, path, &bearer).expect("it answers");
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    };
    ["/", "/metrics", "/readyz"].map(ask).into()
}

/// Every file of an archive for diagnosis.
fn of_archive(config: &Path, folder: &Path) -> Vec<String> {
    let mut collect = Command::new(env!("CARGO_BIN_EXE_trim"));
    collect.args([
        "diag",
        "collect",
        "--json",
        "--include-config",
        "--include-metrics",
        "--config",
    ]);
    let collected = collect.arg(config).arg("--output-dir").arg(folder).output().unwrap();
    let collected: Value = serde_json::from_slice(&collected.stdout).unwrap();
    let archive = Archive {
        path: collected["archive"].as_str().unwrap().into(),
    };
    let files = archive.read().unwrap().into_iter();
    files
        .map(|(name, bytes)| format!("{name}: {}", String::from_utf8_lossy(&bytes)))
        .collect()
}

// Long because every place where a secret may come out is looked at after one and the same run.
#[test]
fn a_planted_secret_is_used_and_is_in_no_log_answer_page_database_or_archive() {
    if !can_run("a_planted_secret_is_used_and_is_in_no_log_answer_page_database_or_archive") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let secrets = Folder::new("secrets").unwrap();
    let identity = age::x25519::Identity::generate();
    write(&secrets.path().join("identity"), identity.to_string().expose_secret());
    // Nobody listens there: the channel fails, and says why, in the log and in alerts.
    write(&secrets.path().join("url"), format!("http://127.0.0.1:9/{PLANTED}\n"));
    let lock = Lock::Recipients(vec![identity.to_public().to_string()]);
    let sealed = sealed::seal(format!("{PLANTED}-token").as_bytes(), &lock).unwrap();
    fs::write(secrets.path().join("token.age"), sealed).unwrap();
    let more = format!(
        "    webhook:\n      - {{name: hook, url: '${{file:{0}/url}}', token: '${{file:{0}/token.age}}'}}\n\
         web:\n  listen: 127.0.0.1:9620\n  token: env:WEB_TOKEN\nlogging:\n  level: debug\n",
        secrets.path().display()
    );
    let setting = Setting {
        more: more.leak(),
        ..Setting::default()
    };
    let environment = [
        (
            "TRIM_IDENTITY_FILE",
            secrets.path().join("identity").display().to_string(),
        ),
        ("WEB_TOKEN", format!("{PLANTED}-of-a-good-length")),
    ];
    let mut appliance = Appliance::start_with(&span.appliance, setting, &environment);
    appliance.command(&["alert", "send", "--level", "critical", "--message", "drill"]);
    let failure = || appliance.command(&["alert", "stats"])["channels"].to_string();
    let has_failed =
        || failure().contains("127.0.0.1:9") || failure().contains("hook\":{") && failure().contains("error");
    assert!(wait_until(Duration::from_secs(20), has_failed), "{}", failure());

    // A secret where a reference belongs is refused, and not repeated.
    let file = appliance.folder().join("trim.yaml");
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, good.replace("env:WEB_TOKEN", "hunter2-hunter2-hunter2")).unwrap();
    let refused = appliance.try_command(&["config", "reload"]).unwrap_err();
    assert!(refused.contains("web.token") && !refused.contains(PLANTED), "{refused}");
    fs::write(&file, good.replace("level: debug", "level: info")).unwrap();
    appliance.command(&["config", "reload"]);

    let mut answers = vec![failure()];
    answers.extend(of_api(&appliance));
    answers.extend(of_web(&span.appliance));
    assert!(answers[1].contains("token.age"), "references are shown: {}", answers[1]);
    answers.extend(of_archive(&file, &secrets.path().join("diag")));
    let summary = appliance.stop();
    answers.extend([
        summary.to_string(),
        appliance.process().stdout(),
        appliance.process().stderr(),
    ]);
    for answer in &answers {
        assert!(!answer.contains(PLANTED), "{answer}");
    }
    // Configuration, database, state and queue of alerts.
    assert_eq!(leaks(appliance.folder()), [""; 0]);
    assert!(!leaks(secrets.path()).is_empty(), "the search finds what is there");
}
