//! The log in systemd's journal, read by `journalctl`.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use serde_json::Value;

use super::{LogsArgs, Wanted, print};
use crate::cli::Exit;
use crate::telemetry::logging::{Entry, Level};

/// Prints what is wanted.
pub(super) fn show(args: &LogsArgs, wanted: &Wanted<'_>) -> anyhow::Result<Exit> {
    let mut command = Command::new("journalctl");
    command.args(["--identifier=trim", "--output=json", "--all", "--no-pager"]);
    if let Some(from) = wanted.from {
        command.arg(format!("--since=@{}", from.as_second()));
    }
    if args.follow {
        command.args(["--follow", "--lines=all"]);
    }
    let child = command.stdout(Stdio::piped()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "the daemon logs to systemd's journal, and `journalctl`, which reads it, is not installed here: \
             install systemd, or set `logging.to: file`"
        ),
        Err(error) => return Err(error).context("cannot run journalctl"),
    };
    let lines = child.stdout.take().context("journalctl has no output")?;
    for line in BufReader::new(lines).lines() {
        let entry = entry(&line.context("cannot read from journalctl")?);
        if wanted.has(&entry, false)
            && let Err(error) = print(&entry, args.json)
        {
            // Nobody reads any more, so nobody needs journalctl.
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
    }
    let status = child.wait().context("cannot wait for journalctl")?;
    if !status.success() {
        bail!("journalctl failed ({status}): what it says stands above");
    }
    Ok(Exit::Good)
}

/// One object of journalctl's output as a line of ours.
fn entry(line: &str) -> Entry {
    let value: Value = serde_json::from_str(line).unwrap_or_default();
    let word = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let at = word("__REALTIME_TIMESTAMP").parse().ok();
    let at = at.and_then(|microseconds| Timestamp::from_microsecond(microseconds).ok());
    let level = Level::parse(word("TRIM_LEVEL")).ok();
    let (name, target) = (level.map_or("-", Level::name), word("TRIM_TARGET"));
    let mut text = format!(
        "{} {name:>5} {target}: {}",
        at.map(|at| format!("{at:.6}")).unwrap_or_default(),
        word("MESSAGE").escape_debug()
    );
    for (name, value) in value.as_object().into_iter().flatten() {
        if let (Some(name), Some(value)) = (name.strip_prefix("TRIM_F_"), value.as_str()) {
            text = format!("{text} {}={value:?}", name.to_lowercase());
        }
    }
    Entry { at, level, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_the_journal_becomes_a_line() {
        let line = r#"{"__REALTIME_TIMESTAMP":"1700000000000000","TRIM_LEVEL":"WARN","TRIM_TARGET":"trim","MESSAGE":"the link is lost","TRIM_F_STATE":"down"}"#;
        let entry = entry(line);
        assert_eq!(entry.level, Some(Level::Warn));
        assert_eq!(
            entry.text,
            "2023-11-14T22:13:20.000000Z  WARN trim: the link is lost state=\"down\""
        );
    }
}
