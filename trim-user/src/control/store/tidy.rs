//! The old makes room for the new: a few rows with each sample, so that it never takes long.

use std::time::Duration;

use rusqlite::{Transaction, params};

use super::file::time;
use super::resolution::Resolution;
use crate::control::health::Moment;

/// At most so many rows of a kind leave at once. One comes with each sample, so more than one has to be able to leave.
const STEP: u32 = 64;
/// Decisions that changed nothing are kept for so long. A trigger of the schema refuses to delete younger ones.
pub(super) const ROUTINE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Deletes some of what is older than it is kept.
pub(super) fn tidy(transaction: &Transaction<'_>, now: Moment) -> rusqlite::Result<()> {
    let before = |kept: Duration| time(Moment(now.0.saturating_sub(kept.as_millis() as u64)));
    transaction
        .prepare_cached(
            "DELETE FROM samples WHERE number IN (SELECT number FROM samples WHERE at < ? ORDER BY at LIMIT ?)",
        )?
        .execute(params![before(Resolution::Samples.kept()), STEP])?;
    for resolution in [Resolution::Minutes, Resolution::Hours] {
        let seconds = resolution.interval().as_secs() as i64;
        transaction
            .prepare_cached(
                "DELETE FROM aggregates WHERE seconds = ?1 AND begins IN
                 (SELECT begins FROM aggregates WHERE seconds = ?1 AND at < ?2 ORDER BY begins LIMIT ?3)",
            )?
            .execute(params![seconds, before(resolution.kept()), STEP])?;
    }
    // The trigger counts from the latest decision, which a clock that was set back may have left in the future.
    transaction
        .prepare_cached(
            "DELETE FROM decisions WHERE sequence IN (
                 SELECT sequence FROM decisions
                 WHERE routine = 1 AND at < min(?1, (SELECT max(at) FROM decisions) - ?2)
                 ORDER BY at LIMIT ?3)",
        )?
        .execute(params![before(ROUTINE), ROUTINE.as_millis() as i64, STEP])?;
    Ok(())
}
