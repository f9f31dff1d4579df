//! Is the running capture on its configuration as it stands in files?

use crate::control::client::Client;
use crate::control::configuration::Change;
use crate::ops::finding::{About, Report};

pub(super) fn examine(client: &Client, report: &mut Report) {
    let mut about = report.about("configuration");
    match client.check_configuration() {
        Ok(checked) => judge(&checked.changes, &mut about),
        // A daemon that does not answer is said by the capture; this one says why its files cannot be read.
        Err(error) if client.status().is_ok() => about.fail(
            "files",
            error.to_string(),
            "the next start would fail",
            "`trim config validate`",
        ),
        Err(_) => {}
    }
}

fn judge(changes: &[Change], about: &mut About<'_>) {
    if changes.is_empty() {
        return about.ok("active", "as it stands in files");
    }
    let keys: Vec<&str> = changes.iter().map(|change| change.key.as_str()).collect();
    about.warn(
        "active",
        format!("differs in {}", keys.join(", ")),
        "after the next start it would be another",
        "`trim config verify-active`, then `trim config reload`",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::finding::Grade;

    #[test]
    fn a_key_that_is_not_in_force_is_named() {
        let change = Change {
            key: "health.forecast".to_owned(),
            active: "1d".to_owned(),
            wanted: "2d".to_owned(),
            origin: None,
            needs_restart: false,
        };
        let mut report = Report::default();
        judge(&[change], &mut report.about("configuration"));
        assert_eq!(report.findings[0].grade, Grade::Warning);
        assert!(report.findings[0].found.contains("health.forecast"));
        judge(&[], &mut report.about("configuration"));
        assert_eq!(report.findings[1].grade, Grade::Ok);
    }
}
