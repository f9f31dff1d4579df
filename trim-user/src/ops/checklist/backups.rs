//! Is there a backup, is it new, and is it sound?

use std::path::Path;
use std::time::Duration;

use super::{DAY, Period};
use crate::ops::backup;
use crate::ops::finding::{About, Report};

const SUBJECT: &str = "backup";
/// Older than this and the latest backup is worth a warning: a daily one was left out twice.
const OLDEST: Duration = Duration::from_secs(2 * 24 * 3600 + 3600);

pub(super) fn examine(folder: &Path, period: Period, report: &mut Report) {
    let mut about = report.about(SUBJECT);
    let latest = match backup::list(folder) {
        Ok(found) => found.into_iter().max_by(|one, other| one.path.cmp(&other.path)),
        Err(error) => return none(&error.to_string(), &mut about),
    };
    let Some(latest) = latest else {
        return none(&format!("none in {}", folder.display()), &mut about);
    };
    let created = latest
        .manifest
        .and_then(|it| it.created.parse::<jiff::Timestamp>().ok());
    let age = created.map(|created| jiff::Timestamp::now().duration_since(created).unsigned_abs());
    judge(age, &mut about);
    if period == Period::Weekly {
        verified(&latest.path, &mut about);
    }
}

fn none(found: &str, about: &mut About<'_>) {
    about.warn(
        "latest",
        found,
        "configuration and history would be lost with the disk",
        "`trim backup create`, each day",
    );
}

fn judge(age: Option<Duration>, about: &mut About<'_>) {
    let days = |age: Duration| age.as_secs_f64() / DAY.as_secs_f64();
    match age {
        Some(age) if age <= OLDEST => about.ok("latest", format!("{:.1} days old", days(age))),
        Some(age) => about.warn(
            "latest",
            format!("{:.1} days old", days(age)),
            "what happened since would be lost with the disk",
            "`trim backup create`, each day",
        ),
        None => about.fail(
            "latest",
            "it cannot be read",
            "a backup that cannot be read is none",
            "`trim backup list`, then `trim backup create`",
        ),
    }
}

fn verified(archive: &Path, about: &mut About<'_>) {
    match backup::verify(archive) {
        Ok(_) => about.ok("sound", archive.display().to_string()),
        Err(error) => about.fail(
            "sound",
            error.to_string(),
            "it could not be restored",
            "`trim backup create`, and look at the disk",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::finding::Grade;

    #[test]
    fn a_backup_is_too_old_when_two_days_were_left_out() {
        let grade = |age| {
            let mut report = Report::default();
            judge(age, &mut report.about(SUBJECT));
            report.findings[0].grade
        };
        assert_eq!(grade(Some(2 * DAY)), Grade::Ok);
        assert_eq!(grade(Some(3 * DAY)), Grade::Warning);
        assert_eq!(grade(None), Grade::Failure);
    }
}
