//! The configuration of a running capture is changed, kept, compared and taken back, while packets flow.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use trim_user::control::health::Moment;
use trim_user::control::store::Store;
use xtask::lab::{Client, Exchange, Folder, Link, Nginx, Signal, Site, Span, SpanOptions, wait_until};

use super::api::curl;
use super::appliance::{Appliance, Setting, assert_nothing_lost, can_run};
use super::equality::{capture, one_queue};

/// Puts something at the end of the configuration file.
fn append(appliance: &Appliance, more: &str) {
    let file = appliance.folder().join("trim.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text + more).unwrap();
}

fn replace(appliance: &Appliance, before: &str, after: &str) {
    let file = appliance.folder().join("trim.yaml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(before), "{text}");
    fs::write(&file, text.replace(before, after)).unwrap();
}

fn get(appliance: &Appliance, path: &str) -> Value {
    let (status, answer) = curl(appliance, &[], "GET", path, "").unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

fn warning_limit(appliance: &Appliance) -> f64 {
    let view = get(appliance, "/v1/rollout");
    view["plan"]["thresholds"]["errors"]["warning"].as_f64().unwrap()
}

/// What `trim` prints, and its exit code.
fn trim(words: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_trim")).args(words).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text)
}

fn history(appliance: &Appliance) -> Value {
    let database = appliance.folder().join("trim.db");
    let (code, text) = trim(&["config", "history", "--json", "--database", database.to_str().unwrap()]);
    assert_eq!(code, 0, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// The keys of a list of changes.
fn keys(changes: &Value) -> Vec<&str> {
    let changes = changes.as_array().unwrap();
    changes.iter().map(|change| change["key"].as_str().unwrap()).collect()
}

#[test]
fn alerts_thresholds_and_the_log_change_under_load_and_no_packet_is_lost() {
    if !can_run("alerts_thresholds_and_the_log_change_under_load_and_no_packet_is_lost") {
        return;
    }
    let captured = capture(Setting::default(), one_queue(false), |appliance| {
        assert!((warning_limit(appliance) - 0.05).abs() < 1e-9);
        let other = appliance.folder().join("other.json");
        replace(appliance, "alerts.json}", "other.json}");
        append(
            appliance,
            "  rules:\n    operator: {level: critical}\nhealth:\n  warning: {error_percent: 3}\nlogging:\n  level: error\n",
        );
        let done = appliance.command(&["config", "reload", "--reason", "tried here"]);
        assert_eq!(
            keys(&done["applied"]),
            [
                "alerts.channels.log_file[log].path",
                "alerts.rules.operator.level",
                "health.warning.error_percent",
                "logging.level"
            ]
        );
        assert_eq!(done["version"], 2, "{done}");
        let has_moved = || (warning_limit(appliance) - 0.03).abs() < 1e-9;
        assert!(wait_until(Duration::from_secs(5), has_moved));
        appliance.command(&[
            "alert",
            "send",
            "--level",
            "info",
            "--message",
            "sent to the other file",
        ]);
        let is_told = || fs::read_to_string(&other).is_ok_and(|text| text.contains("sent to the other file"));
        assert!(
            wait_until(Duration::from_secs(20), is_told),
            "the channel leads elsewhere now"
        );
        // And once more, so that a change in the middle of the traffic is not the only one.
        replace(appliance, "error_percent: 3", "error_percent: 4");
        replace(appliance, "level: error", "level: info");
        appliance.command(&["config", "reload"]);
    });
    assert_nothing_lost(&captured.summary);
}

#[test]
fn what_is_broken_or_needs_a_restart_is_refused_and_the_old_one_stays() {
    if !can_run("what_is_broken_or_needs_a_restart_is_refused_and_the_old_one_stays") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let nginx = Nginx::start(&span.server, Site::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, Setting::default());
    let file = appliance.folder().join("trim.yaml");
    let first = fs::read_to_string(&file).unwrap();
    let active = get(&appliance, "/v1/config");
    assert_eq!(active["keys"]["pipeline.layout"]["value"], "inline", "{active}");
    assert_eq!(active["who"], "start");

    // Broken: by request, and by a signal.
    let line = first.lines().count() + 2;
    append(&appliance, "health:\n  warning: {error_percent: 400}\n");
    let refused = appliance.try_command(&["config", "reload"]).unwrap_err();
    let place = format!("{}:{line}:28: health.warning.error_percent", file.display());
    assert!(
        refused.contains(&place) && refused.contains("from 0 to 100"),
        "{refused}"
    );
    appliance.process().signal(Signal::HUP);
    let is_told = |rule: &str| {
        let list = appliance.command(&["alert", "list"]);
        list["alerts"]
            .as_array()
            .unwrap()
            .iter()
            .any(|alert| alert["rule"] == rule)
    };
    assert!(wait_until(Duration::from_secs(10), || is_told("configuration")));
    let is_noted = || {
        let store = Store::read(&appliance.folder().join("trim.db")).unwrap();
        let events = store.events(Moment(0), Moment(u64::MAX / 2), 100).unwrap();
        events
            .iter()
            .any(|it| it.event.who == "SIGHUP" && it.event.what["refused"].to_string().contains(&place))
    };
    assert!(wait_until(Duration::from_secs(10), is_noted));
    assert_eq!(get(&appliance, "/v1/config"), active, "the last good one is active");

    // Some of it needs a restart.
    fs::write(
        &file,
        first.replace("layout: inline", "layout: threads") + "health:\n  warning: {error_percent: 3}\n",
    )
    .unwrap();
    let refused = appliance.try_command(&["config", "reload"]).unwrap_err();
    assert!(
        refused.contains("pipeline.layout") && !refused.contains("health.") && refused.contains("--apply-what-can"),
        "{refused}"
    );
    assert_eq!(get(&appliance, "/v1/config")["sha256"], active["sha256"]);
    let done = appliance.command(&["config", "reload", "--apply-what-can"]);
    assert_eq!(keys(&done["applied"]), ["health.warning.error_percent"]);
    assert_eq!(keys(&done["needs_restart"]), ["pipeline.layout"]);
    let now = get(&appliance, "/v1/config");
    assert_eq!(now["keys"]["pipeline.layout"]["value"], "inline");
    assert_eq!(now["keys"]["health.warning.error_percent"]["value"], 3);
    assert!(now["who"].as_str().unwrap().starts_with("uid 0, pid "), "{now}");

    let client = Client::new(&span.client, Link::Ipv4, Nginx::PORTS[0]).unwrap();
    client.run_all(&Exchange::SMALL).unwrap();
    drop(nginx);
    assert_nothing_lost(&appliance.stop());
}

/// Number, author and reason of each version.
fn authors(versions: &Value) -> Vec<(u64, &str, &str)> {
    versions.as_array().unwrap().iter().map(author).collect()
}

fn author(version: &Value) -> (u64, &str, &str) {
    let word = |key: &str| version[key].as_str().unwrap();
    (version["number"].as_u64().unwrap(), word("who"), word("why"))
}

// Long because each step starts from what the one before has made active.
#[test]
fn versions_are_kept_compared_and_taken_back() {
    if !can_run("versions_are_kept_compared_and_taken_back") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, Setting::default());
    let socket = appliance.folder().join("trim.sock").display().to_string();
    let file = appliance.folder().join("trim.yaml").display().to_string();
    let database = appliance.folder().join("trim.db").display().to_string();
    let verify = |more: &[&str]| {
        let words = [&["config", "verify-active", "--socket", &socket], more].concat();
        trim(&words)
    };
    assert_eq!(verify(&[]).0, 0);
    assert_eq!(verify(&["--config", &file]).0, 0);

    append(&appliance, "health:\n  warning: {error_percent: 3}\n");
    let (code, text) = verify(&["--config", &file]);
    assert!(
        code == 1 && text.contains("health.warning.error_percent: 5 -> 3"),
        "{code} {text}"
    );
    assert_eq!(verify(&[]).0, 1);
    appliance.process().signal(Signal::HUP);
    assert!(wait_until(Duration::from_secs(10), || verify(&[]).0 == 0));
    replace(&appliance, "error_percent: 3", "error_percent: 4");
    appliance.command(&["config", "reload", "--reason", "still too many"]);

    let versions = history(&appliance);
    let told = authors(&versions);
    assert_eq!((told[0], told[1]), ((1, "start", ""), (2, "SIGHUP", "")));
    assert!(
        told[2].1.starts_with("uid 0, pid ") && told[2].2 == "still too many",
        "{told:?}"
    );
    let (code, text) = trim(&["config", "diff", "2", "--database", &database]);
    assert_eq!(code, 1);
    assert!(
        text.contains("--- version 2\n+++ version 3\n")
            && text.contains("-health.warning.error_percent: 3\n+health.warning.error_percent: 4\n"),
        "{text}"
    );
    assert_eq!(
        trim(&["config", "diff", "3", "3", "--database", &database]),
        (0, String::new())
    );

    let done = appliance.command(&["config", "rollback", "1", "--reason", "it was good"]);
    assert_eq!(
        (keys(&done["applied"]), &done["version"]),
        (vec!["health.warning.error_percent"], &Value::from(4))
    );
    assert_eq!(
        keys(&done["files_differ"]),
        ["health.warning.error_percent"],
        "the file still says 4"
    );
    assert!(wait_until(Duration::from_secs(5), || (warning_limit(&appliance)
        - 0.05)
        .abs()
        < 1e-9));
    let versions = history(&appliance);
    assert_eq!(versions[3]["sha256"], versions[0]["sha256"]);
    assert_eq!(verify(&[]).0, 1);
    let refused = appliance
        .try_command(&["config", "rollback", "99", "--reason", "x"])
        .unwrap_err();
    assert!(refused.contains("no version 99"), "{refused}");
    appliance.stop();
}

#[test]
fn a_file_that_changes_is_noticed_where_that_is_wanted() {
    if !can_run("a_file_that_changes_is_noticed_where_that_is_wanted") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let setting = Setting {
        control: "  watch_config: true\n",
        ..Setting::default()
    };
    let mut appliance = Appliance::start(&span.appliance, setting);
    append(&appliance, "health:\n  warning: {error_percent: 3}\n");
    assert!(wait_until(Duration::from_secs(10), || (warning_limit(&appliance)
        - 0.03)
        .abs()
        < 1e-9));
    // Replaced as editors do it, and broken on the way.
    let file = appliance.folder().join("trim.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let beside = appliance.folder().join("trim.yaml.new");
    fs::write(&beside, text.replace("error_percent: 3", "error_percent: 4")).unwrap();
    fs::rename(&beside, &file).unwrap();
    assert!(wait_until(Duration::from_secs(10), || (warning_limit(&appliance)
        - 0.04)
        .abs()
        < 1e-9));
    // The database next to it changes all the time, and reading is no change: nothing is read anew without a reason.
    std::thread::sleep(Duration::from_secs(2));
    let store = Store::read(&appliance.folder().join("trim.db")).unwrap();
    let events = store.events(Moment(0), Moment(u64::MAX / 2), 100).unwrap();
    let reloads = events.iter().filter(|it| it.event.kind == "configuration").count();
    assert_eq!(reloads, 2, "{events:?}");
    assert_eq!(history(&appliance)[2]["who"], "file watch");
    appliance.stop();
}

/// Kubernetes lays a ConfigMap out as links through a link `..data`, and exchanges that one alone.
#[test]
fn a_config_map_that_changes_is_noticed() {
    if !can_run("a_config_map_that_changes_is_noticed") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let setting = Setting {
        control: "  watch_config: true\n",
        ..Setting::default()
    };
    let laid_out = Folder::new("live").unwrap();
    fs::create_dir(laid_out.path().join("..first")).unwrap();
    symlink("..first", laid_out.path().join("..data")).unwrap();
    symlink("..data/trim.yaml", laid_out.path().join("trim.yaml")).unwrap();
    let mut appliance = Appliance::start_in(laid_out, &span.appliance, setting, &[]);
    let folder = appliance.folder();
    assert!(folder.join("..first/trim.yaml").exists());
    let text = fs::read_to_string(folder.join("trim.yaml")).unwrap();
    fs::create_dir(folder.join("..second")).unwrap();
    fs::write(
        folder.join("..second/trim.yaml"),
        text + "health:\n  warning: {error_percent: 3}\n",
    )
    .unwrap();
    symlink("..second", folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    fs::remove_dir_all(folder.join("..first")).unwrap();
    let is_noticed = || (warning_limit(&appliance) - 0.03).abs() < 1e-9;
    assert!(wait_until(Duration::from_secs(10), is_noticed));
    appliance.stop();
}
