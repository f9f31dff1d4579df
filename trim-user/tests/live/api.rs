//! The daemon's API: it answers as it is described, refuses strangers, and notes who asked for what.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trim_user::control::health::Moment;
use trim_user::control::store::Store;
use xtask::lab::{Span, SpanOptions};

use super::appliance::{Appliance, Setting, can_run};

/// The user and group `nobody`.
const NOBODY: &str = "65534";
/// The group `daemon`, which every Debian has.
const DAEMON: &str = "1";

/// What curl gets: the status and the body. The words in front of it say as whom it runs.
pub(crate) fn curl(
    appliance: &Appliance,
    before: &[&str],
    method: &str,
    path: &str,
    body: &str,
) -> Option<(u16, Value)> {
    let mut words = before.to_vec();
    let url = format!("http://trim{path}");
    words.extend(["curl", "--silent", "--write-out", "\n%{http_code}", "--request", method]);
    if !body.is_empty() {
        words.extend(["--header", "content-type: application/json", "--data", body]);
    }
    let output = Command::new(words[0])
        .args(&words[1..])
        .arg("--unix-socket")
        .arg(appliance.folder().join("trim.sock"))
        .arg(url)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n')?;
    let status = status.parse().ok().filter(|&status| status != 0)?;
    Some((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

/// Objects may have no members but those that are described.
fn close(schema: &mut Value) {
    if let Value::Object(members) = schema {
        if members.contains_key("properties") {
            members.entry("additionalProperties").or_insert(json!(false));
        }
        members.values_mut().for_each(close);
    } else if let Value::Array(items) = schema {
        items.iter_mut().for_each(close);
    }
}

#[track_caller]
fn assert_described(document: &Value, method: &str, path: &str, status: u16, answer: &Value) {
    let responses = &document["paths"][path][method]["responses"];
    let response = responses.get(status.to_string()).unwrap_or(&responses["default"]);
    let schema = &response["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{method} {path} describes no answer {status}");
    let mut whole = json!({ "components": document["components"], "allOf": [schema] });
    close(&mut whole["components"]);
    let validator = jsonschema::validator_for(&whole).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(answer)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{method} {path}: {errors:#?}\n{answer:#}");
}

#[test]
fn answers_are_as_the_openapi_document_says() {
    if !can_run("answers_are_as_the_openapi_document_says") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let setting = Setting {
        more: "health:\n  sample_interval: 200ms\n",
        ..Setting::default()
    };
    let mut appliance = Appliance::start(&span.appliance, setting);
    let get = |path: &str| curl(&appliance, &[], "GET", path, "").unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    while get("/v1/health").1["health"].is_null() && Instant::now() < end {
        thread::sleep(Duration::from_millis(100));
    }
    let (_, document) = get("/v1/openapi.json");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 12, "{:?}", paths.keys());
    for path in paths.keys().filter(|path| paths[*path].get("get").is_some()) {
        let (status, answer) = get(path);
        assert_eq!(status, 200, "{path}");
        assert_described(&document, "get", path, status, &answer);
    }
    for (path, body, expected) in [
        (
            "/v1/switch",
            r#"{"mode": "ab_test", "split_percent": 25, "reason": "test"}"#,
            200,
        ),
        ("/v1/switch", r#"{"mode": "no such mode"}"#, 400),
        ("/v1/rotate", "", 200),
        (
            "/v1/alerts",
            r#"{"level": "info", "message": "test", "by": "test"}"#,
            200,
        ),
        (
            "/v1/alerts/silence",
            r#"{"matchers": "rule=cpu", "seconds": 60, "by": "test"}"#,
            200,
        ),
        ("/v1/alerts/unsilence", r#"{"id": 1000, "by": "test"}"#, 404),
        (
            "/v1/alerts/acknowledge",
            r#"{"id": "0123456789abcdef", "by": "test"}"#,
            404,
        ),
        ("/v1/rollout", r#"{"request": "start", "reason": "test"}"#, 200),
        ("/v1/rollout", r#"{"request": "unlock", "reason": "test"}"#, 409),
        ("/v1/faults", r#"{"panics": 0.1}"#, 403),
        ("/v1/config/reload", r#"{"reason": "test"}"#, 200),
        ("/v1/config/rollback", r#"{"version": 1, "reason": "test"}"#, 200),
        ("/v1/config/rollback", r#"{"version": 99, "reason": "test"}"#, 404),
    ] {
        let (status, answer) = curl(&appliance, &[], "POST", path, body).unwrap();
        assert_eq!(status, expected, "{path} {body}: {answer}");
        assert_described(&document, "post", path, status, &answer);
    }
    let (_, alerts) = get("/v1/alerts");
    assert_described(&document, "get", "/v1/alerts", 200, &alerts);
    appliance.stop();
}

#[test]
fn strangers_are_refused_and_members_of_the_group_are_not() {
    if !can_run("strangers_are_refused_and_members_of_the_group_are_not") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let setting = Setting {
        control: "  group: daemon\n",
        ..Setting::default()
    };
    let mut appliance = Appliance::start(&span.appliance, setting);
    fs::set_permissions(appliance.folder(), Permissions::from_mode(0o755)).unwrap();
    let socket = appliance.folder().join("trim.sock");
    let metadata = fs::metadata(&socket).unwrap();
    assert_eq!(
        (metadata.mode() & 0o777, metadata.gid().to_string().as_str()),
        (0o660, DAEMON)
    );
    let stranger = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"];
    let member = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--groups", DAEMON];
    let ask = |whom: &[&str]| curl(&appliance, whom, "POST", "/v1/rotate", "");
    assert_eq!(ask(&stranger), None, "the mode of the file keeps strangers out");
    assert_eq!(ask(&member).unwrap().0, 200);
    // Somebody has opened the file to all: the daemon itself looks who asks.
    fs::set_permissions(&socket, Permissions::from_mode(0o666)).unwrap();
    let (status, answer) = ask(&stranger).unwrap();
    assert_eq!(status, 403, "{answer}");
    let words = answer["error"].as_str().unwrap();
    assert!(
        words.contains("uid 65534") && words.contains("control.group"),
        "{words}"
    );
    assert_eq!(ask(&member).unwrap().0, 200);
    appliance.stop();
}

#[test]
fn every_request_that_changes_something_is_in_the_event_log() {
    if !can_run("every_request_that_changes_something_is_in_the_event_log") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, Setting::default());
    appliance.command(&["switch", "--mode", "auto", "--reason", "switched here"]);
    appliance.command(&["rotate", "--reason", "rotated here"]);
    appliance.command(&["alert", "send", "--level", "info", "--message", "sent here"]);
    appliance.command(&[
        "alert",
        "silence",
        "rule=cpu",
        "--for",
        "1m",
        "--comment",
        "silenced here",
    ]);
    appliance.command(&["rollout", "start", "--reason", "started here"]);
    appliance.command(&["rollback", "--notify-ops", "--reason", "rolled back here"]);
    // A refused one too.
    appliance.try_command(&["rehearse", "--panics", "1"]).unwrap_err();
    appliance.stop();
    let store = Store::read(&appliance.folder().join("trim.db")).unwrap();
    let events = store.events(Moment(0), Moment(u64::MAX / 2), 100).unwrap();
    let requests: Vec<_> = events
        .iter()
        .filter(|it| it.event.kind == "request")
        .map(|it| {
            assert!(it.event.who.starts_with("uid 0, pid "), "{it:?}");
            let path = it.event.what["path"].as_str().unwrap().to_owned();
            (path, it.event.why.as_str(), it.event.what["status"].as_u64().unwrap())
        })
        .collect();
    let expected = [
        ("/v1/switch", "switched here", 200),
        ("/v1/rotate", "rotated here", 200),
        ("/v1/alerts", "sent here", 200),
        ("/v1/alerts/silence", "silenced here", 200),
        ("/v1/rollout", "started here", 200),
        ("/v1/rollout", "rolled back here", 200),
        ("/v1/faults", "", 403),
        ("/v1/stop", "no reason given", 200),
    ];
    assert_eq!(
        requests,
        expected.map(|(path, why, status)| (path.to_owned(), why, status))
    );
}
