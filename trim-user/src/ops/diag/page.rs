//! The page: one file, nothing from elsewhere, findings first.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::collected::Collected;
use super::findings::{Finding, findings};
use super::manifest::{Daemon, Part};
use super::plots::plots;
use crate::control::health::Moment;
use crate::control::rollout::Decision;
use crate::ops::html::{self, table};
use crate::plot::escape;

/// Lines of the log at the end of the page.
const LOG_LINES: usize = 200;
/// Events in the table.
const EVENTS: usize = 100;

/// The page of an archive.
pub fn page(collected: &Collected) -> String {
    let manifest = &collected.manifest;
    let mut html = html::begin(&format!("Diagnosis of {}", manifest.host));
    let _ = writeln!(
        html,
        "<p class=\"dim\">made {} by trim {}, over {} hours; {}</p>",
        time(Moment(manifest.made_at_ms)),
        escape(&manifest.version),
        manifest.hours,
        escape(&daemon(&manifest.daemon))
    );
    show_findings(&mut html, &findings(collected));
    html.push_str("<h2>Plots</h2>\n<div class=\"plots\">\n");
    for plot in plots(collected) {
        let _ = writeln!(html, "<div class=\"card\">{plot}</div>");
    }
    html.push_str("</div>\n");
    tables(&mut html, collected);
    html + html::END
}

fn daemon(daemon: &Daemon) -> String {
    match daemon {
        Daemon::Alive { pid } => format!("the daemon, process {pid}, answered"),
        Daemon::Hanging { pid: Some(pid), .. } => format!("the daemon, process {pid}, did not answer"),
        Daemon::Hanging { pid: None, .. } => "the daemon did not answer".to_owned(),
        Daemon::Dead { .. } => "no daemon was running".to_owned(),
    }
}

fn show_findings(html: &mut String, found: &[Finding]) {
    html.push_str("<h2>Findings</h2>\n");
    if found.is_empty() {
        html.push_str("<div class=\"card\">Nothing wrong was found in what was collected.</div>\n");
    }
    for finding in found {
        let severity = finding.severity.name();
        let _ = writeln!(
            html,
            "<div class=\"finding {severity}\" id=\"{name}\"><span class=\"word\">{severity}</span><h3>{}</h3>\
             <p class=\"dim\">{}{}</p><p>{}</p></div>",
            html::words(&finding.what),
            finding
                .since
                .map_or_else(String::new, |since| format!("since {}: ", time(since))),
            html::words(&finding.evidence),
            html::words(&finding.cure),
            name = finding.name,
        );
    }
}

/// A moment in UTC.
fn time(moment: Moment) -> String {
    let time = i64::try_from(moment.0)
        .ok()
        .and_then(|at| Timestamp::from_millisecond(at).ok());
    time.map_or_else(String::new, |time| time.strftime("%F %T UTC").to_string())
}

fn tables(html: &mut String, collected: &Collected) {
    if let Some(status) = &collected.status {
        let rows = status.kernel.iter().filter(|(_, count)| **count > 0);
        let rows = rows.map(|(name, count)| vec![name.clone(), count.to_string()]);
        table(
            html,
            "What the XDP program did with packets",
            &["reason", "packets"],
            rows,
        );
    }
    let rows = collected.interfaces.iter().map(|it| {
        let word = |answer: Option<bool>| {
            answer
                .map_or("unknown", |yes| if yes { "yes" } else { "no" })
                .to_owned()
        };
        vec![
            it.name.clone(),
            it.driver.clone().unwrap_or_else(|| "unknown".to_owned()),
            it.link.clone(),
            it.mtu.to_string(),
            it.queues.to_string(),
            it.xdp.clone(),
            word(it.native_xdp),
            word(it.rx_vlan_offload),
        ]
    });
    let heads = [
        "interface",
        "driver",
        "link",
        "MTU, bytes",
        "queues",
        "XDP",
        "native XDP",
        "VLAN offload",
    ];
    table(html, "Interfaces", &heads, rows);
    threads(html, collected);
    history(html, collected);
    parts(html, collected);
    let last = collected.log.len().saturating_sub(LOG_LINES);
    if !collected.log.is_empty() {
        let lines = escape_lines(&collected.log[last..]);
        let _ = writeln!(
            html,
            "<h2>End of the log</h2>\n<div class=\"card\"><pre>{lines}</pre></div>"
        );
    }
}

fn threads(html: &mut String, collected: &Collected) {
    let rows = collected.threads.iter().map(|it| {
        vec![
            it.name.clone(),
            it.state.clone(),
            format!("{:.1}", it.user_s),
            format!("{:.1}", it.system_s),
            it.processor.to_string(),
            it.waits_in.clone(),
        ]
    });
    let heads = ["thread", "state", "user, s", "system, s", "core", "waits in"];
    table(html, "Threads", &heads, rows);
}

fn history(html: &mut String, collected: &Collected) {
    let rows = collected.events.iter().rev().take(EVENTS).map(|it| {
        let event = &it.event;
        vec![time(event.at), event.kind.clone(), event.who.clone(), event.why.clone()]
    });
    table(html, "Latest events", &["when", "what", "who", "why"], rows);
    let rows = collected.decisions.iter().rev().take(EVENTS).map(|it| {
        let (decision, state) = (&it.decision, &it.decision.state);
        vec![
            time(it.at),
            chosen(decision),
            state.phase.name().replace('_', " "),
            decision.reasons.join("; "),
        ]
    });
    table(html, "Latest decisions", &["when", "decision", "phase", "why"], rows);
}

/// What was decided, in words such as `roll back`.
fn chosen(decision: &Decision) -> String {
    let chosen = serde_json::to_value(decision.chosen).unwrap_or_default();
    chosen.as_str().unwrap_or_default().replace('_', " ")
}

fn parts(html: &mut String, collected: &Collected) {
    let rows = collected.manifest.parts.iter().map(|(name, part)| {
        let state = match part {
            Part::Collected { bytes, without: None } => format!("{bytes} bytes"),
            Part::Collected {
                bytes,
                without: Some(without),
            } => format!("{bytes} bytes, without {without}"),
            Part::Missing { reason } => format!("missing: {reason}"),
            Part::NotAsked { flag } => format!("not asked for ({flag})"),
        };
        vec![name.clone(), state]
    });
    table(html, "The archive", &["part", "state"], rows);
}

fn escape_lines(lines: &[String]) -> String {
    lines.iter().map(|line| escape(line)).collect::<Vec<_>>().join("\n")
}
