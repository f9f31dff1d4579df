//! The real Alertmanager takes our alerts, and tells others of them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use trim_user::control::alert::channel::{Address, ChannelKind, ChannelSettings, HttpSettings};
use trim_user::control::alert::engine::News;
use trim_user::control::alert::{Level, Notice, Time};
use xtask::command::find;
use xtask::lab::{Process, skip, wait_until};
use xtask::toolchain::Tool;

use crate::things::{HOSTILE, channel, message, send};
use crate::web::Web;

const PATIENCE: Duration = Duration::from_secs(30);

fn get(port: u16, path: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nhost: x\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    serde_json::from_str(text.split_once("\r\n\r\n")?.1).ok()
}

/// The alerts that fire there now, by severity.
fn severities(port: u16) -> Vec<String> {
    let alerts = get(port, "/api/v2/alerts").unwrap_or_default();
    let names = alerts.as_array().into_iter().flatten();
    let mut names: Vec<String> = names
        .map(|alert| alert["labels"]["severity"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn start(folder: &std::path::Path, web: &Web) -> (Process, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = folder.join("alertmanager.yml");
    let receiver = web.url("/am");
    std::fs::write(
        &file,
        format!(
            "route:\n  receiver: probe\n  group_by: [alertname]\n  group_wait: 10ms\n  group_interval: 100ms\n\
             receivers:\n  - name: probe\n    webhook_configs:\n      - url: {receiver}\n        send_resolved: true\n"
        ),
    )
    .unwrap();
    let mut command = Command::new(find(Tool::ALERTMANAGER.program).unwrap());
    command.arg(format!("--config.file={}", file.display()));
    command.arg(format!("--storage.path={}", folder.join("data").display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    command.arg("--cluster.listen-address=");
    let mut process = Process::start(command).unwrap();
    process
        .wait_ready(PATIENCE, |_, _| get(port, "/api/v2/status").is_some())
        .unwrap();
    (process, port)
}

fn to(port: u16) -> ChannelSettings {
    let server = HttpSettings {
        url: Address::Open(format!("http://127.0.0.1:{port}/")),
        token: None,
        ca_file: None,
    };
    let lasts = Duration::from_secs(3600);
    channel("am", ChannelKind::Alertmanager { server, lasts })
}

#[test]
fn alertmanager_sees_an_alert_begin_get_worse_and_end() {
    if find(Tool::ALERTMANAGER.program).is_none() {
        skip(
            "alertmanager_sees_an_alert_begin_get_worse_and_end",
            "prometheus-alertmanager is not installed",
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let web = Web::start([]);
    let (_process, port) = start(folder.path(), &web);
    let channel = to(port);
    let notice = |level| {
        Notice::new(level, "memory", HOSTILE)
            .label("a-strange.label", HOSTILE)
            .measured(81.5, Some(80.0))
    };
    let now = Time::now();
    let told = |level, news, seconds| {
        let mut told = message(notice(level));
        told.at = now.plus(Duration::from_secs(seconds));
        told.items[0].since = now;
        told.items[0].news = news;
        told.items[0].ended = (news == News::Resolved).then_some(told.at);
        told
    };

    send(&channel, &told(Level::Warning, News::Fired, 0)).unwrap();
    assert!(
        wait_until(PATIENCE, || severities(port) == ["warning"]),
        "{:?}",
        severities(port)
    );
    let request = &web.wait(1)[0];
    let alert = &request.body["alerts"][0];
    assert_eq!(
        (alert["status"].as_str(), alert["annotations"]["summary"].as_str()),
        (Some("firing"), Some(HOSTILE))
    );
    assert_eq!(alert["labels"]["a_strange_label"], HOSTILE);
    assert_eq!(
        (alert["labels"]["job"].as_str(), alert["annotations"]["value"].as_str()),
        (Some("trim"), Some("81.5"))
    );

    send(&channel, &told(Level::Critical, News::Escalated, 0)).unwrap();
    assert!(
        wait_until(PATIENCE, || severities(port) == ["critical"]),
        "{:?}",
        severities(port)
    );

    send(&channel, &told(Level::Critical, News::Resolved, 0)).unwrap();
    assert!(
        wait_until(PATIENCE, || severities(port).is_empty()),
        "{:?}",
        severities(port)
    );
    let is_over = || {
        web.requests()
            .last()
            .is_some_and(|request| request.body["status"] == "resolved")
    };
    assert!(wait_until(PATIENCE, is_over), "its receivers are told of the end");
}
