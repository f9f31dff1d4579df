//! The daemon, its rollout, its alerts, its database, its log.

use crate::control::health::Moment;
use crate::ops::diag::collected::Collected;
use crate::ops::diag::manifest::{Daemon, Part};
use crate::telemetry::logging::{Level, parse};

use super::{Finding, Severity};

/// A thread that stands still for longer is named, seconds.
const STALL: f64 = 30.0;

pub(super) fn find(collected: &Collected, found: &mut Vec<Finding>) {
    daemon(collected, found);
    lease(collected, found);
    stalls(collected, found);
    rollbacks(collected, found);
    alerts(collected, found);
    log(collected, found);
    archive(collected, found);
}

fn daemon(collected: &Collected, found: &mut Vec<Finding>) {
    match &collected.manifest.daemon {
        Daemon::Alive { .. } => {}
        Daemon::Hanging { pid, reason } => found.push(Finding::new(
            "daemon_hangs",
            Severity::Critical,
            "the daemon listens and does not answer",
            format!("process {}: {reason}", pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string())),
            "The kernel sends all traffic to legacy when the lease ends. The threads below show where it hangs; `trim rollback --direct` works without it, then restart it",
        )),
        Daemon::Dead { reason } => found.push(Finding::new(
            "daemon_dead",
            Severity::Critical,
            "no daemon was running when this was collected",
            reason.clone(),
            "The end of the log says how it ended; start it again. What it left pinned in the kernel is taken over",
        )),
    }
    if let Some(status) = &collected.status
        && status.version != collected.manifest.version
    {
        found.push(Finding::new(
            "version_mismatch",
            Severity::Warning,
            format!(
                "the daemon is version {}, the command that asked it {}",
                status.version, collected.manifest.version
            ),
            "the versions that both say of themselves",
            "Restart the daemon after an update",
        ));
    }
}

fn lease(collected: &Collected, found: &mut Vec<Finding>) {
    let from_maps = collected.maps.iter().filter_map(|map| map.counters.get("lease_stale"));
    let from_status = collected
        .status
        .iter()
        .filter_map(|status| status.kernel.get("lease_stale"));
    let stale = from_maps.chain(from_status).copied().max().unwrap_or(0);
    if stale > 0 {
        found.push(Finding::new(
            "lease_expired",
            Severity::Critical,
            format!("the lease ran out: {stale} packets went to legacy by the kernel's own decision"),
            "the XDP program's counter lease_stale, since it was attached",
            "The daemon hung, was killed, or its data path stood still for longer than `capture.lease`. See for stalled threads and restarts; if the machine is only busy, lengthen the lease",
        ));
    }
}

fn stalls(collected: &Collected, found: &mut Vec<Finding>) {
    let mut named: Vec<&str> = Vec::new();
    for sample in &collected.samples {
        for thread in sample.evidence.threads.iter().filter(|thread| thread.stalled_s > STALL) {
            if named.contains(&thread.name.as_str()) {
                continue;
            }
            named.push(&thread.name);
            let finding = Finding::new(
                "thread_stalled",
                Severity::Critical,
                format!(
                    "the thread {} made no progress for {:.0} s",
                    thread.name, thread.stalled_s
                ),
                format!("{} batches waited in front of it", thread.waiting),
                "A trimmer that does not come back, or a disk that does not answer. `threads.json` says what it did when this was collected (R runs, D waits for a device)",
            );
            found.push(finding.since(Some(sample.at)));
        }
    }
}

fn rollbacks(collected: &Collected, found: &mut Vec<Finding>) {
    let from_view = collected.view.iter().flat_map(|view| &view.state.rollbacks);
    let last = collected
        .decisions
        .last()
        .map(|decision| &decision.decision.state.rollbacks);
    let mut rollbacks: Vec<_> = from_view.chain(last.into_iter().flatten()).collect();
    rollbacks.sort_by_key(|rollback| rollback.at);
    rollbacks.dedup();
    for rollback in rollbacks {
        let (severity, who) = match rollback.trigger {
            Some(trigger) => (Severity::Critical, format!("by itself: {}", trigger.name())),
            None => (Severity::Info, "by a person".to_owned()),
        };
        let finding = Finding::new(
            "rolled_back",
            severity,
            format!("all traffic was taken back to legacy, {who}"),
            format!(
                "{}; the rollout was in phase {}",
                rollback.reason,
                rollback.phase.name()
            ),
            "`trim rollout history` shows the evidence. Mend the reason before `trim rollout start`",
        );
        found.push(finding.since(Some(rollback.at)));
    }
}

fn alerts(collected: &Collected, found: &mut Vec<Finding>) {
    let channels = collected
        .alert_statistics
        .iter()
        .flat_map(|statistics| &statistics.channels);
    for (name, channel) in channels {
        let undelivered = channel.refused + channel.dropped;
        if undelivered == 0 && channel.last_error.is_none() {
            continue;
        }
        let severity = if undelivered > 0 {
            Severity::Critical
        } else {
            Severity::Warning
        };
        found.push(Finding::new(
            "alerts_undelivered",
            severity,
            format!("alerts do not arrive by the channel {name}"),
            format!(
                "{} given up, {} without room, {} waiting, {} of {} delivered; {}",
                channel.refused,
                channel.dropped,
                channel.waiting,
                channel.delivered,
                channel.messages,
                channel.last_error.as_deref().unwrap_or("the last attempt succeeded")
            ),
            "`trim alert test` tries each channel and says what is wrong with it",
        ));
    }
}

/// Log lines with a meaning of their own, and how often something went wrong otherwise.
fn log(collected: &Collected, found: &mut Vec<Finding>) {
    let time = |line: &str| {
        let at = parse(line).at?;
        u64::try_from(at.as_millisecond()).ok().map(Moment)
    };
    let with = |words: &'static str| collected.log.iter().filter(move |line| line.contains(words));
    let failing = [
        "the database cannot be written",
        "an entry of the database is given up",
        "a new database is begun",
    ];
    if let Some(line) = failing.iter().find_map(|words| with(words).next()) {
        let finding = Finding::new(
            "database_failing",
            Severity::Critical,
            "the database could not be written",
            line.clone(),
            "Decisions are acted upon all the same, and stored when the disk takes them; samples of that time are lost. Look at the room, mode and owner of `control.database`",
        );
        found.push(finding.since(time(line)));
    }
    if let Some(line) = with("log lines were dropped")
        .chain(with("log lines could not be written"))
        .next()
    {
        let finding = Finding::new(
            "log_lost",
            Severity::Warning,
            "log lines were lost",
            line.clone(),
            "Raise `logging.queue`, lower `logging.level`, or make room on the disk of the log",
        );
        found.push(finding.since(time(line)));
    }
    let errors: Vec<&String> = collected
        .log
        .iter()
        .filter(|line| parse(line).level == Some(Level::Error))
        .collect();
    if let (Some(first), Some(last)) = (errors.first(), errors.last()) {
        let finding = Finding::new(
            "log_errors",
            Severity::Info,
            format!("the log has {} lines of level error", errors.len()),
            format!("the last one: {last}"),
            "`log.txt` in the archive has all of them",
        );
        found.push(finding.since(time(first)));
    }
}

fn archive(collected: &Collected, found: &mut Vec<Finding>) {
    let missing = collected.manifest.parts.iter().filter_map(|(name, part)| match part {
        Part::Missing { reason } => Some(format!("{name} ({reason})")),
        Part::Collected { .. } | Part::NotAsked { .. } => None,
    });
    let missing: Vec<String> = missing.chain(collected.damaged.iter().cloned()).collect();
    if !missing.is_empty() {
        found.push(Finding::new(
            "incomplete",
            Severity::Info,
            match missing.len() {
                1 => "1 part could not be collected".to_owned(),
                count => format!("{count} parts could not be collected"),
            },
            missing.join("; "),
            "What is said above is said without them",
        ));
    }
}
