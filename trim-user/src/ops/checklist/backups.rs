//! Is there a backup, is it new, and is it sound?

use std::path::Path;
use std::time::Duration;

use super::{DAY, Period};
use crate::ops::backup::{self, BackupError, Listed};
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
    judge(age(&latest), &mut about);
    if period == Period::Weekly {
        verified(&latest, &mut about);
    }
}

/// Since it was made; of an encrypted one that cannot be opened here, since it was written.
fn age(latest: &Listed) -> Option<Duration> {
    match &latest.manifest {
        Some(manifest) => {
            let created = manifest.created.parse::<jiff::Timestamp>().ok()?;
            Some(jiff::Timestamp::now().duration_since(created).unsigned_abs())
        }
        None if latest.encrypted => {
            let written = std::fs::metadata(&latest.path).and_then(|metadata| metadata.modified());
            written.ok()?.elapsed().ok()
        }
        None => None,
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

fn verified(latest: &Listed, about: &mut About<'_>) {
    match backup::verify(&latest.path) {
        Ok(_) => about.ok("sound", latest.path.display().to_string()),
        // Whoever is not to read it need not have its identity.
        Err(error @ BackupError::Sealed(_)) if !error.is_unsound() => about.advise(
            "sound",
            error.to_string(),
            "whether it could be restored is not known here",
            format!(
                "`trim backup verify {} --identity FILE`, where the identity is",
                latest.path.display()
            ),
        ),
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
    use crate::control::alert::secret::Secret;
    use crate::ops::finding::Grade;
    use crate::sealed::{Lock, seal};

    #[test]
    fn one_that_only_others_can_open_is_judged_by_its_age() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = seal(b"x", &Lock::Passphrase(Secret::new("correct horse"))).unwrap();
        std::fs::write(
            folder.path().join("trim-backup-20260101T000000000Z.tar.zst.age"),
            sealed,
        )
        .unwrap();
        let mut report = Report::default();
        examine(folder.path(), Period::Weekly, &mut report);
        let grades: Vec<_> = report.findings.iter().map(|finding| finding.grade).collect();
        assert_eq!(grades, [Grade::Ok, Grade::Note], "{report:?}");
        assert!(report.findings[1].fix.contains("--identity"), "{report:?}");
    }

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
