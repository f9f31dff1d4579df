//! Takes everything that can be had.

mod daemon;
mod disk;
mod machine;

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::DiagError;
use super::archive::{Archive, Members};
use super::manifest::{FORMAT, Manifest, Part};
use crate::config::Config;
use crate::control::health::Moment;
use crate::telemetry::logging::Redactor;

/// Where things are.
#[derive(Debug)]
pub struct Sources {
    /// The daemon's socket.
    pub socket: PathBuf,
    /// Its configuration file.
    pub config: PathBuf,
    /// What that says, or why it cannot be had.
    pub settings: Result<Box<Config>, String>,
}

/// What is asked for besides what is always taken.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The configuration, without its secrets.
    pub config: bool,
    /// Samples and histograms.
    pub metrics: bool,
    /// Hours of samples, events and log lines.
    pub hours: u64,
}

/// Collects, and writes an archive into `folder`. `step` is told what is looked at.
///
/// # Errors
/// When the archive cannot be written. What cannot be collected is no error: the manifest says so.
pub fn collect(
    sources: &Sources,
    wanted: Wanted,
    folder: &std::path::Path,
    step: &dyn Fn(&str),
) -> Result<(Archive, Manifest), DiagError> {
    let now = Timestamp::now();
    let mut collecting = Collecting::new(sources, wanted, now);
    step("daemon");
    let daemon = daemon::collect(&mut collecting);
    step("machine");
    machine::collect(&mut collecting, &daemon);
    step("files");
    disk::collect(&mut collecting);
    let host = crate::control::alert::host_name();
    let manifest = Manifest {
        format: FORMAT,
        made_at: now.to_string(),
        made_at_ms: collecting.now.0,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: host.clone(),
        hours: wanted.hours,
        daemon,
        parts: collecting.parts.into_iter().collect(),
    };
    step("archive");
    let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    // A host's name has no place to put a path into, but nobody promises that.
    let host = host.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
    let label = format!("{host}-{}", now.strftime("%Y%m%dT%H%M%SZ"));
    Ok((Archive::write(folder, &label, &text, &collecting.members)?, manifest))
}

/// What was collected so far. Secrets are taken out of everything that comes in.
struct Collecting<'a> {
    sources: &'a Sources,
    wanted: Wanted,
    now: Moment,
    redactor: Redactor,
    members: Members,
    parts: Vec<(String, Part)>,
}

impl<'a> Collecting<'a> {
    fn new(sources: &'a Sources, wanted: Wanted, now: Timestamp) -> Self {
        let none: [String; 0] = [];
        let (patterns, names) = match &sources.settings {
            Ok(config) => (&config.logging.redact[..], &config.logging.redact_fields[..]),
            Err(_) => (&none[..], &none[..]),
        };
        // The configuration was checked; without it, what is always hidden stays hidden.
        let redactor = Redactor::new(patterns, names).or_else(|_| Redactor::new(&none, &none));
        Self {
            sources,
            wanted,
            now: Moment(u64::try_from(now.as_millisecond()).unwrap_or(0)),
            redactor: redactor.expect("the built-in patterns are tested"),
            members: Members::new(),
            parts: Vec::new(),
        }
    }

    fn from(&self) -> Moment {
        Moment(self.now.0.saturating_sub(self.wanted.hours * 3_600_000))
    }

    fn json<T: Serialize, E: ToString>(&mut self, name: &str, value: Result<T, E>) {
        match value
            .map_err(|error| error.to_string())
            .and_then(|value| self.redacted(&value))
        {
            Ok(value) => self.bytes(name, value.to_string().into_bytes(), None),
            Err(reason) => self.missing(name, reason),
        }
    }

    /// One JSON value a line.
    fn lines<T: Serialize, E: ToString>(&mut self, name: &str, values: Result<Vec<T>, E>, without: Option<String>) {
        let mut text = String::new();
        let values = values.map_err(|error| error.to_string());
        let written = values.and_then(|values| {
            for value in &values {
                text.push_str(&self.redacted(value)?.to_string());
                text.push('\n');
            }
            Ok(())
        });
        match written {
            Ok(()) => self.bytes(name, text.into_bytes(), without),
            Err(reason) => self.missing(name, reason),
        }
    }

    fn text(&mut self, name: &str, text: Result<String, impl ToString>, without: Option<String>) {
        match text {
            Ok(text) => {
                let text = self.redactor.text(&text);
                self.bytes(name, text.into_bytes(), without);
            }
            Err(error) => self.missing(name, error.to_string()),
        }
    }

    fn bytes(&mut self, name: &str, bytes: Vec<u8>, without: Option<String>) {
        let part = Part::Collected {
            bytes: bytes.len() as u64,
            without,
        };
        self.parts.push((name.to_owned(), part));
        self.members.insert(name.to_owned(), bytes);
    }

    fn missing(&mut self, name: &str, reason: impl Into<String>) {
        let reason = self.redactor.text(&reason.into());
        self.parts.push((name.to_owned(), Part::Missing { reason }));
    }

    fn not_asked(&mut self, name: &str, flag: &str) {
        let flag = flag.to_owned();
        self.parts.push((name.to_owned(), Part::NotAsked { flag }));
    }

    fn redacted<T: Serialize>(&self, value: &T) -> Result<Value, String> {
        let mut value = serde_json::to_value(value).map_err(|error| error.to_string())?;
        self.redactor.json(&mut value);
        Ok(value)
    }
}

/// Where something stands that only the configuration tells.
fn settings<'a>(collecting: &Collecting<'a>) -> Result<&'a Config, String> {
    collecting
        .sources
        .settings
        .as_deref()
        .map_err(|reason| format!("where it is stands in the configuration, which cannot be had: {reason}"))
}
