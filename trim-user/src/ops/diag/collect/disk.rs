//! What the disk tells: configuration, database, log.

use std::collections::VecDeque;
use std::fs;
use std::process::Command;

use jiff::Timestamp;

use super::{Collecting, settings};
use crate::control::health::Moment;
use crate::control::store::{Resolution, Sample, Store, StoreError, Which};
use crate::telemetry::logging::{Entry, Files, LogTo, Logging, LoggingError};

/// Up to so many hours every sample is taken, beyond them the sums of minutes.
const HOURS_OF_SAMPLES: u64 = 2;
/// Most events and decisions.
const MOST: usize = 10_000;
/// Most bytes of the log; the oldest lines are left out.
const LOG_BYTES: usize = 32 << 20;

pub(super) fn collect(collecting: &mut Collecting<'_>) {
    configuration(collecting);
    database(collecting);
    log(collecting);
}

fn configuration(collecting: &mut Collecting<'_>) {
    if collecting.wanted.config {
        let text = fs::read_to_string(&collecting.sources.config);
        let text = text.map_err(|error| format!("{}: {error}", collecting.sources.config.display()));
        collecting.text("config.yaml", text, None);
    } else {
        collecting.not_asked("config.yaml", "--include-config");
    }
    if let Err(reason) = &collecting.sources.settings {
        let reason = reason.clone();
        collecting.missing("settings", reason);
    }
}

fn database(collecting: &mut Collecting<'_>) {
    let store =
        settings(collecting).and_then(|config| Store::read(&config.database).map_err(|error| error.to_string()));
    let (from, to) = (collecting.from(), collecting.now);
    let ask = |store: &Result<Store, String>| store.as_ref().map_err(Clone::clone).map(|_| ());
    let events = ask(&store).and_then(|()| {
        let store = store.as_ref().map_err(Clone::clone)?;
        store.events(from, to, MOST).map_err(|error| error.to_string())
    });
    collecting.lines("events.jsonl", events, None);
    let decisions = store.as_ref().map_err(Clone::clone).and_then(|store| {
        let all = store
            .decisions(Which::Notable(MOST))
            .map_err(|error| error.to_string())?;
        Ok(all.into_iter().filter(|decision| decision.at >= from).collect())
    });
    let routine = "decisions that changed nothing; `trim rollout history` shows them".to_owned();
    collecting.lines::<_, String>("decisions.jsonl", decisions, Some(routine));
    if !collecting.wanted.metrics {
        return collecting.not_asked("samples.jsonl", "--include-metrics");
    }
    let samples = store
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|store| samples(store, from, to).map_err(|error| error.to_string()));
    let without = match &samples {
        Ok((_, Resolution::Minutes)) => Some(format!(
            "single samples, which `--last-hours {HOURS_OF_SAMPLES}` gives: these are sums of minutes"
        )),
        _ => None,
    };
    collecting.lines("samples.jsonl", samples.map(|(samples, _)| samples), without);
}

/// Every sample where all there are lie within some hours, else the sums of minutes.
fn samples(store: &Store, from: Moment, to: Moment) -> Result<(Vec<Sample>, Resolution), StoreError> {
    let recent = Moment(to.0.saturating_sub(HOURS_OF_SAMPLES * 3_600_000));
    let is_recent = recent <= from || store.samples(from, recent, Resolution::Minutes)?.is_empty();
    let resolution = match is_recent {
        true => Resolution::Samples,
        false => Resolution::Minutes,
    };
    Ok((store.samples(from, to, resolution)?, resolution))
}

fn log(collecting: &mut Collecting<'_>) {
    let name = "log.txt";
    let logging = match settings(collecting) {
        Ok(config) => &config.logging,
        Err(reason) => return collecting.missing(name, reason),
    };
    match logging.to {
        LogTo::Stderr => collecting.missing(
            name,
            "the daemon logs to standard error, which is kept by whoever started it (`journalctl -u trim` under systemd)",
        ),
        LogTo::Journald => {
            let text = journal(collecting.from().0);
            collecting.text(name, text, None);
        }
        LogTo::File => match file(logging, collecting.from().0) {
            Ok((text, left_out)) => {
                let without = (left_out > 0).then(|| format!("the {left_out} oldest lines, for their size"));
                collecting.text(name, Ok::<_, String>(text), without);
            }
            Err(error) => collecting.missing(name, error.to_string()),
        },
    }
}

fn file(logging: &Logging, from_ms: u64) -> Result<(String, u64), LoggingError> {
    let from = i64::try_from(from_ms)
        .ok()
        .and_then(|at| Timestamp::from_millisecond(at).ok());
    let (mut lines, mut bytes, mut left_out) = (VecDeque::new(), 0, 0);
    let mut is_wanted = false;
    let mut take = |entry: Entry| -> Result<(), LoggingError> {
        is_wanted = entry.at.map_or(is_wanted, |at| from.is_none_or(|from| at >= from));
        if is_wanted {
            bytes += entry.text.len() + 1;
            lines.push_back(entry.text);
        }
        while bytes > LOG_BYTES {
            bytes -= lines.pop_front().map_or(bytes, |line: String| line.len() + 1);
            left_out += 1;
        }
        Ok(())
    };
    Files::find(&logging.directory)?.read(&mut take)?;
    let mut text = String::with_capacity(bytes);
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    Ok((text, left_out))
}

fn journal(from_ms: u64) -> Result<String, String> {
    let since = format!("--since=@{}", from_ms / 1000);
    let output = Command::new("journalctl")
        .args(["--identifier=trim", "--output=short-iso", "--no-pager", &since])
        .output()
        .map_err(|error| format!("journalctl cannot be run: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("journalctl: {}", String::from_utf8_lossy(&output.stderr)))
    }
}
