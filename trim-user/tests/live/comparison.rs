//! Mode `comparison` on real traffic: differences are counted, and a few are saved.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use xtask::lab::{Client, Exchange, Link, Nginx, Site, Span, SpanOptions, wait_until};

use super::appliance::{Appliance, Setting, assert_nothing_lost, can_run};

const MORE: &str = "health: {sample_interval: 1s}\nrollout: {allow_faults: true}\n";

/// tshark's list of the packets of a capture.
fn tshark(file: &Path) -> String {
    let read = Command::new("tshark").arg("-r").arg(file).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    String::from_utf8(read.stdout).unwrap()
}

#[test]
fn differences_are_saved_as_captures_without_bodies() {
    if !can_run("differences_are_saved_as_captures_without_bodies") {
        return;
    }
    for layout in ["inline", "threads"] {
        let folder = xtask::lab::Folder::new("differences").unwrap();
        let more = format!(
            "{MORE}comparison: {{exemplars: 2, directory: {}/saved}}\n",
            folder.path().display()
        );
        let span = Span::new(SpanOptions::default()).unwrap();
        let setting = Setting {
            mode: "comparison",
            layout,
            more: more.leak(),
            ..Setting::default()
        };
        let mut appliance = Appliance::start(&span.appliance, setting);
        appliance.command(&["rehearse", "--wrong", "50"]);
        let site = Site {
            download_bytes: 100_000,
        };
        let _nginx = Nginx::start(&span.server, site).unwrap();
        let client = Client::new(&span.client, Link::ALL[0], Nginx::PORTS[0]).unwrap();
        let saved = || {
            appliance.command(&["status"])["files"]["exemplars_saved"]
                .as_u64()
                .unwrap()
        };
        let all_there = wait_until(Duration::from_secs(60), || {
            client.run_all(&Exchange::SMALL).unwrap();
            saved() >= 2
        });
        assert!(all_there, "{}", appliance.command(&["status"]));
        let summary = appliance.stop();
        assert_nothing_lost(&summary);
        assert!(
            summary["strategies"]["comparison"]["differences"]["header_bytes_lost"].as_u64() > Some(0),
            "{summary}"
        );
        let saved = folder.path().join("saved");
        let text = std::fs::read_to_string(saved.join("differences.txt")).unwrap();
        assert!(text.contains(": header_lost: "), "{text}");
        for line in text.lines() {
            let file = saved.join(line.split_once(": ").unwrap().0);
            assert!(
                tshark(&file).contains("TCP") || tshark(&file).contains("HTTP"),
                "{}",
                file.display()
            );
            assert_no_page(&std::fs::read(&file).unwrap(), &file);
        }
    }
}

/// What the pages of the laboratory's server are made of.
const PAGE: &[u8] = b"quick brown fox";

fn assert_no_page(data: &[u8], file: &Path) {
    let found = memchr::memmem::find(data, PAGE);
    assert!(found.is_none(), "a page is in {}", file.display());
}
