//! Alerts of a running capture.

use std::time::Duration;

use serde_json::Value;
use xtask::lab::{Span, SpanOptions, wait_until};

use super::appliance::{Appliance, Setting, can_run};

fn alert(appliance: &Appliance, rule: &str) -> Option<Value> {
    let list = appliance.command(&["alert", "list"]);
    let alerts = list["alerts"].as_array().unwrap().clone();
    alerts.into_iter().find(|alert| alert["rule"] == rule)
}

#[test]
fn a_lost_link_is_an_alert_and_operators_can_send_acknowledge_and_silence() {
    if !can_run("a_lost_link_is_an_alert_and_operators_can_send_acknowledge_and_silence") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, Setting::default());
    assert!(alert(&appliance, "link_lost").is_none());

    appliance.command(&[
        "alert",
        "send",
        "--level",
        "WARNING",
        "--message",
        "cables are being changed",
    ]);
    let sent = alert(&appliance, "operator").unwrap();
    assert_eq!(
        (sent["level"].as_str(), sent["event"].as_bool()),
        (Some("warning"), Some(true))
    );

    let silence = appliance.command(&[
        "alert",
        "silence",
        "rule=link_lost",
        "--for",
        "1h",
        "--comment",
        "cables",
    ]);
    span.server.ip(&format!("link set {} down", Span::MIRROR)).unwrap();
    let fires = || alert(&appliance, "link_lost").is_some_and(|alert| alert["state"] == "firing");
    assert!(wait_until(Duration::from_secs(30), fires));
    let lost = alert(&appliance, "link_lost").unwrap();
    assert_eq!(
        (lost["muted"].as_str(), lost["level"].as_str()),
        (Some("silenced"), Some("critical"))
    );
    assert_eq!(lost["labels"]["interface"], Span::INTERFACE);

    let number = silence["id"].to_string();
    appliance.command(&["alert", "silence", "--end", &number]);
    appliance.command(&["alert", "ack", lost["id"].as_str().unwrap()]);
    let lost = alert(&appliance, "link_lost").unwrap();
    assert!(
        lost["muted"].is_null() && lost["acknowledged"]["by"].is_string(),
        "{lost}"
    );
    let statistics = appliance.command(&["alert", "stats"]);
    assert_eq!(statistics["rules"]["link_lost"]["fired"], 1, "{statistics}");
    appliance.stop();
}
