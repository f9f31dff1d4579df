//! Two strategies at once, and changes between them under traffic.

use serde_json::Value;

use super::appliance::{Setting, can_run};
use super::equality::{assert_each_flow_equals_one_of, capture, one_queue};

#[test]
fn in_an_ab_test_each_flow_is_what_one_of_the_strategies_makes_of_it() {
    if !can_run("in_an_ab_test_each_flow_is_what_one_of_the_strategies_makes_of_it") {
        return;
    }
    for layout in ["inline", "threads"] {
        let setting = Setting {
            mode: "ab_test",
            layout,
            ..Setting::default()
        };
        let captured = capture(setting, one_queue(false), |_| {});
        let flows = |strategy: &str| captured.summary["strategies"][strategy]["flows"].as_u64().unwrap();
        assert!(flows("legacy") > 0 && flows("scanning") > 0, "{}", captured.summary);
        assert_each_flow_equals_one_of(&captured, &["legacy", "scanning"]);
    }
}

#[test]
fn switches_under_traffic_lose_no_packet_and_take_less_than_their_bound() {
    if !can_run("switches_under_traffic_lose_no_packet_and_take_less_than_their_bound") {
        return;
    }
    let setting = Setting {
        mode: "ab_test",
        ..Setting::default()
    };
    let captured = capture(setting, one_queue(false), |appliance| {
        let pause = || std::thread::sleep(std::time::Duration::from_millis(300));
        for words in [
            ["switch", "--mode", "ab_test", "--split", "90"].as_slice(),
            &["switch", "--mode", "legacy", "--immediate"],
            &["switch", "--mode", "scanning", "--immediate"],
            &["switch", "--mode", "comparison", "--drain"],
            &["switch", "--mode", "auto", "--immediate"],
            &["switch", "--mode", "legacy", "--immediate"],
        ] {
            pause();
            let done = appliance.command(words);
            assert!(done["switch"]["microseconds"].as_f64().unwrap() > 0.0, "{done}");
        }
    });
    assert_eq!(captured.summary["generation"], 4);
    assert_eq!(captured.summary["mode"], "legacy");
}

#[test]
fn a_body_under_way_still_goes_when_its_flow_changes_hands() {
    if !can_run("a_body_under_way_still_goes_when_its_flow_changes_hands") {
        return;
    }
    let setting = Setting {
        // Of a flow that two trimmers look at nothing is promised.
        more: "health: {shadowed_percent: 0}\n",
        ..Setting::default()
    };
    let captured = capture(setting, one_queue(false), |appliance| {
        for mode in ["scanning", "legacy"].iter().cycle().take(20) {
            std::thread::sleep(std::time::Duration::from_millis(50));
            appliance.command(&["switch", "--mode", mode, "--immediate"]);
        }
    });
    let summary = &captured.summary;
    let number = |place: &str| summary.pointer(place).and_then(Value::as_u64).unwrap();
    assert!(number("/kernel/flow_reassigned") > 0, "{summary}");
    assert!(number("/http/body_bytes_cut") > 15_000_000, "{summary}");
    // Of short messages and of the last packets of long ones.
    assert!(number("/http/undecided_bytes") < 200_000, "{summary}");
}
