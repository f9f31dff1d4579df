//! What was decided, and would it be decided again?

use std::path::Path;

use super::Period;
use crate::control::health::Moment;
use crate::control::rollout::{State, Status};
use crate::control::store::{Replayed, Store, StoreError, Which};
use crate::ops::finding::{About, Report};

const SUBJECT: &str = "rollout";

pub(super) fn examine(database: &Path, period: Period, report: &mut Report) {
    let mut about = report.about(SUBJECT);
    let now = Moment(jiff::Timestamp::now().as_millisecond().unsigned_abs());
    if let Err(error) = read(database, period, now, &mut about) {
        about.warn(
            "database",
            format!("{}: {error}", database.display()),
            "what was decided cannot be told",
            "name the right configuration with `--config`, or run it as the daemon's user",
        );
    }
}

fn read(database: &Path, period: Period, now: Moment, about: &mut About<'_>) -> Result<(), StoreError> {
    let store = Store::read(database)?;
    match store.decisions(Which::Latest(1))?.pop() {
        Some(latest) => judge(&latest.decision.state, period, now, about),
        None => about.ok("state", "no rollout was started"),
    }
    if period == Period::Weekly {
        replayed(&store.replay(Which::All)?, about);
    }
    Ok(())
}

fn judge(state: &State, period: Period, now: Moment, about: &mut About<'_>) {
    let found = format!("{} in {}", state.status.name(), state.phase.name());
    match (state.status, &state.paused) {
        (Status::Paused, Some(reason)) => about.warn(
            "state",
            found,
            reason.as_str(),
            "`trim rollout status`, then `trim rollout resume` or `trim rollout abort`",
        ),
        _ => about.ok("state", found),
    }
    if state.is_locked {
        about.fail(
            "lock",
            "too many rollbacks within a day",
            "no rollout may start before somebody has found out why",
            "`trim rollout history`; when the cause is gone, `trim rollout unlock`",
        );
    }
    for rollback in state.rollbacks.iter().filter(|it| now.since(it.at) <= period.length()) {
        about.warn(
            "rollback",
            format!("{} in {}", rollback.reason, rollback.phase.name()),
            "something was wrong with scanning",
            "`trim rollout history`, `trim diag report`",
        );
    }
}

fn replayed(replayed: &Replayed, about: &mut About<'_>) {
    match replayed.differences.len() {
        0 => about.ok(
            "replay",
            format!("{} decisions come out as they did", replayed.decisions),
        ),
        differing => about.fail(
            "replay",
            format!("{differing} of {} decisions come out otherwise", replayed.decisions),
            "what is on record does not explain what was done",
            "`trim rollout replay` lists them; report it with `trim diag collect`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::rollout::{Phase, Rollback};
    use crate::ops::finding::Grade;

    const HOUR: u64 = 3_600_000;

    fn findings(state: &State, period: Period) -> Vec<(String, Grade)> {
        let mut report = Report::default();
        judge(state, period, Moment(100 * HOUR), &mut report.about(SUBJECT));
        report.findings.into_iter().map(|it| (it.check, it.grade)).collect()
    }

    #[test]
    fn a_rollback_is_told_for_as_long_as_the_list_looks_back() {
        let mut state = State::default();
        state.rollbacks.push(Rollback {
            at: Moment(50 * HOUR),
            trigger: None,
            reason: "by hand".to_owned(),
            phase: Phase::AbTest,
        });
        let rollback = ("rollback".to_owned(), Grade::Warning);
        assert!(!findings(&state, Period::Daily).contains(&rollback));
        assert!(findings(&state, Period::Weekly).contains(&rollback));
    }

    #[test]
    fn a_lock_fails_the_list() {
        let state = State {
            is_locked: true,
            ..State::default()
        };
        assert!(findings(&state, Period::Daily).contains(&("lock".to_owned(), Grade::Failure)));
    }
}
