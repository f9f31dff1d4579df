//! The demo with root: a live capture under load, with a switch and a rollback.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use xtask::command::say;
use xtask::lab::{Folder, Nginx, Site, Span, SpanOptions, Tcpdump, TcpdumpCounts};

use super::appliance::{Appliance, Summary};
use super::format::count;
use super::progress::Progress;
use super::report::{Report, Witness};
use super::traffic::{Clients, Traffic};
use super::verify;

/// How long each of [`PHASES`] lasts.
const PHASE: Duration = Duration::from_secs(11);
/// How often the progress line moves.
const TICK: Duration = Duration::from_millis(250);

/// What is said, and what `trim` is told, at the start of each part of the demo.
const PHASES: [(&str, &[&str]); 3] = [
    ("A/B test: half of the flows on each strategy", &[]),
    (
        "raising the share of `scanning` to 90%",
        &["switch", "--mode", "ab_test", "--split", "90"],
    ),
    (
        "rolling back to `legacy`, flows under way included",
        &["switch", "--mode", "legacy", "--immediate"],
    ),
];

/// Runs the demo; the trimmed capture goes to `results`, with `keep` also the untrimmed one and the log.
pub(super) fn run(trim: &Path, results: &Path, keep: bool) -> Result<Report> {
    say("making three network namespaces: web server, client, and the appliance on a mirror of their link");
    let span = Span::new(SpanOptions::default())?;
    let _nginx = Nginx::start(&span.server, Site::default())?;
    let mut appliance = Appliance::start(trim, &span.appliance, results)?;
    let folder = Folder::new("witness")?;
    let original = if keep {
        results.join("original.pcap")
    } else {
        folder.path().join("original.pcap")
    };
    let tcpdump = Tcpdump::start(&span.server, Span::MIRROR, &original)?;

    let start = Instant::now();
    let outcome = play(&span, &appliance);
    let seconds = start.elapsed().as_secs_f64();
    let counts = tcpdump.stop()?;
    let summary = appliance.stop();
    if keep {
        std::fs::write(results.join("trim.log"), appliance.log()).context("cannot keep the log of trim")?;
    }
    if outcome.is_err() || summary.is_err() {
        say(format!("the log of trim:\n{}", appliance.log().trim()));
    }
    outcome?;
    let summary = summary?;

    say("comparing the result with what tcpdump saw on the same mirror");
    let verdict = verify::compare(trim, &original, &summary.output, "content")?;
    Ok(assemble(summary, counts, verdict, span.mirror_losses()?, seconds))
}

/// Makes traffic and gives the commands, until all phases are over.
fn play(span: &Span, appliance: &Appliance) -> Result<()> {
    let traffic = Traffic::default();
    let progress = Progress::new(PHASE * PHASES.len() as u32);
    thread::scope(|scope| {
        let clients = traffic.start(scope, &span.client);
        let steered = steer(appliance, &traffic, &clients, &progress);
        traffic.stop();
        progress.event("letting the clients finish");
        let joined = clients.join();
        // What a client says is the cause of what the other one says.
        joined.and(steered)
    })
}

fn steer(appliance: &Appliance, traffic: &Traffic, clients: &Clients<'_>, progress: &Progress) -> Result<()> {
    let start = Instant::now();
    for (number, (text, command)) in PHASES.into_iter().enumerate() {
        progress.event(text);
        if !command.is_empty() {
            appliance.command(command)?;
        }
        let end = PHASE * (number as u32 + 1);
        while start.elapsed() < end {
            if clients.one_ended() {
                bail!("a client gave up");
            }
            let (seen, written) = appliance.packets().unwrap_or_default();
            let exchanges = count(traffic.exchanges());
            let text = format!(
                "{exchanges} exchanges, {} packets seen, {} written",
                count(seen),
                count(written)
            );
            progress.update(start.elapsed(), text);
            thread::sleep(TICK);
        }
    }
    Ok(())
}

fn assemble(
    summary: Summary,
    counts: TcpdumpCounts,
    verdict: verify::Verdict,
    mirror_losses: u64,
    seconds: f64,
) -> Report {
    let mut http = summary.http;
    http.header_bytes_lost = verdict.header_bytes_lost;
    Report {
        balance: summary.balance,
        packets: summary.packets,
        bytes: summary.bytes,
        http,
        strategies: summary.strategies,
        switch: summary.switch,
        xdp_mode: Some(summary.xdp_mode),
        xsk_mode: Some(summary.xsk_mode),
        output: summary.output.display().to_string(),
        witness: Witness {
            packets: counts.captured,
            dropped: counts.dropped,
            missing: verdict.missing,
            mirror_losses,
            body_bytes_leaked: verdict.body_bytes_leaked,
            unfaithful: verdict.unfaithful(),
        },
        seconds: Some(seconds),
    }
}
