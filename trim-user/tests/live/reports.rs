//! The pages that are files, `trim report` and `trim diag report`, in a real browser.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use xtask::lab::{Browser, Namespace, Span, SpanOptions};

use super::appliance::{Appliance, TRIM, can_run};
use super::page::{assert_file_looks_well, browser};
use super::rollout::{at_half, setting, under_traffic};

/// Plots on the page that say that they have nothing to show, but for those that rightly have not: nothing went wrong here.
const EMPTY: &str = "[...document.querySelectorAll('svg')].filter(it => it.textContent.includes('nothing was measured')) \
     .map(it => it.querySelector('title').textContent)";
/// Plots with an axis of values that does not say in what.
const WITHOUT_UNIT: &str = "[...document.querySelectorAll('svg')].filter(it => it.querySelector('.grid') && \
     !it.querySelector('.unit')?.textContent).map(it => it.querySelector('title').textContent)";

/// Plots of lines, none of which joins two points.
const DOTS: &str = "[...document.querySelectorAll('svg')].filter(it => { \
     const lines = [...it.querySelectorAll('path.line')]; return lines.length > 0 && !lines.some(it => it.getAttribute('d').includes('L')); \
     }).map(it => it.querySelector('title').textContent)";

fn trim(namespace: &Namespace, appliance: &Appliance, words: &[&str]) {
    let output = namespace
        .command(TRIM)
        .args(words)
        .arg("--config")
        .arg(appliance.folder().join("trim.yaml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn assert_shows(browser: &mut Browser, page: &Path, name: &str, plots: u64) {
    assert_file_looks_well(browser, &format!("file://{}", page.display()), name);
    let drawn = browser.evaluate("document.querySelectorAll('svg').length").unwrap();
    assert_eq!(drawn, plots, "{name}");
    assert_eq!(browser.evaluate(EMPTY).unwrap(), json!([]), "{name}, empty");
    assert_eq!(browser.evaluate(DOTS).unwrap(), json!([]), "{name}, dots");
    assert_eq!(browser.evaluate(WITHOUT_UNIT).unwrap(), json!([]), "{name}, units");
}

#[test]
fn reports_look_well_on_a_desktop_and_a_phone() {
    if !can_run("reports_look_well_on_a_desktop_and_a_phone") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let mut appliance = Appliance::start(&span.appliance, setting("inline"));
    under_traffic(&span, || {
        at_half(&appliance);
        std::thread::sleep(Duration::from_secs(8));
        appliance.command(&["rollback", "--reason", "to be seen in the report"]);
        std::thread::sleep(Duration::from_secs(2));
    });
    let place = |name: &str| appliance.folder().join(name).display().to_string();
    let (report, archive, diagnosis) = (place("report.html"), place("diag"), place("diag.html"));
    let on = &span.appliance;
    trim(on, &appliance, &["report", "--period", "daily", "--output", &report]);
    trim(
        on,
        &appliance,
        &[
            "diag",
            "collect",
            "--include-config",
            "--include-metrics",
            "--output-dir",
            &archive,
        ],
    );
    let done = Command::new(TRIM)
        .args(["diag", "report", "--input-dir", &archive, "--output-file", &diagnosis])
        .output()
        .unwrap();
    // 1 says that something was found.
    assert!(matches!(done.status.code(), Some(0 | 1)), "{done:?}");
    let mut browser = browser(&span.appliance);
    assert_shows(&mut browser, report.as_ref(), "report", 8);
    assert_shows(&mut browser, diagnosis.as_ref(), "diagnosis", 10);
    appliance.stop();
}
