//! An interface that is taken away.

use std::time::Duration;

use serde_json::Value;
use trim_user::data::capture::file::{CaptureReader, Event};
use xtask::lab::{Client, Exchange, Link, Nginx, Site, Span, SpanOptions, VethOptions, VethPair};

use super::appliance::{Appliance, Setting, can_run};

/// The exit status of a capture that lost an interface: `Exit::Environment`.
const ENVIRONMENT: i32 = 3;
/// Long enough for the appliance to notice a queue without an interface.
const NOTICED: Duration = Duration::from_millis(500);

fn browse(span: &Span) {
    let nginx = Nginx::start(
        &span.server,
        Site {
            download_bytes: 1_000_000,
        },
    )
    .unwrap();
    let client = Client::new(&span.client, Link::Ipv4, Nginx::PORTS[0]).unwrap();
    client.run_all(&Exchange::SMALL).unwrap();
    drop(nginx);
}

/// Everything seen is in a finished file, and the loss is named.
fn assert_good_end(code: i32, summary: &Value) {
    assert_eq!(code, ENVIRONMENT, "{summary}");
    assert_eq!(summary["balance"], 0, "{summary}");
    assert_eq!(summary["frames_leaked"], 0, "{summary}");
    let errors = summary["errors"].to_string();
    assert!(errors.contains("was the interface removed?"), "{errors}");
    let output = std::path::Path::new(summary["output"].as_str().unwrap());
    let mut reader = CaptureReader::open(output).unwrap();
    let mut packets = 0;
    while let Some(event) = reader.next_event().unwrap() {
        packets += u64::from(matches!(event, Event::Packet(_)));
    }
    assert_eq!(summary["packets"]["written"], packets);
}

#[test]
fn a_capture_whose_only_interface_is_removed_finishes_its_files_and_ends() {
    if !can_run("a_capture_whose_only_interface_is_removed_finishes_its_files_and_ends") {
        return;
    }
    for layout in ["inline", "threads"] {
        let span = Span::new(SpanOptions::default()).unwrap();
        let mut appliance = Appliance::start(
            &span.appliance,
            Setting {
                layout,
                ..Setting::default()
            },
        );
        browse(&span);
        span.server.ip(&format!("link delete {}", Span::MIRROR)).unwrap();
        let (code, summary) = appliance.wait();
        assert!(summary["packets"]["written"].as_u64().unwrap() > 50, "{summary}");
        assert_good_end(code, &summary);
    }
}

#[test]
fn a_capture_goes_on_with_the_interfaces_that_are_left() {
    if !can_run("a_capture_goes_on_with_the_interfaces_that_are_left") {
        return;
    }
    for layout in ["inline", "threads"] {
        let span = Span::new(SpanOptions::default()).unwrap();
        VethPair::silent((&span.server, "m1"), (&span.appliance, "p1"), VethOptions::default()).unwrap();
        let mut appliance = Appliance::start(
            &span.appliance,
            Setting {
                layout,
                interfaces: &["p1", Span::INTERFACE],
                ..Setting::default()
            },
        );
        span.server.ip("link delete m1").unwrap();
        std::thread::sleep(NOTICED);
        browse(&span);
        appliance.command(&["stop"]);
        let (code, summary) = appliance.wait();
        assert!(summary["packets"]["written"].as_u64().unwrap() > 50, "{summary}");
        assert_eq!(summary["packets"]["written"], summary["packets"]["seen"]);
        assert_good_end(code, &summary);
    }
}
