//! What was found, what it means, and what to do.

use serde::{Deserialize, Serialize};

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// As it should be.
    Ok,
    /// Good to know; also what could not be read.
    Note,
    /// It works, but worse than it could.
    Warning,
    /// It does not work, or packets are lost for certain.
    Failure,
}

impl Grade {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Whose, such as `kernel`, `backup`, or the name of an interface.
    pub subject: String,
    /// What was looked at, such as `mtu`.
    pub check: String,
    /// How serious it is.
    pub grade: Grade,
    /// What was read, with units.
    pub found: String,
    /// Why it matters; empty when it is as it should be.
    pub why: String,
    /// The command that mends it, or what to do when no command does; empty when there is nothing to mend.
    pub fix: String,
}

/// Everything that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// In the order of looking.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing fails.
    pub fn is_fit(&self) -> bool {
        self.count(Grade::Failure) == 0
    }

    /// How many findings have this grade.
    pub fn count(&self, grade: Grade) -> usize {
        self.findings.iter().filter(|finding| finding.grade == grade).count()
    }

    /// Adds what another report found.
    pub(super) fn take(&mut self, findings: impl Iterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    /// Brings what is about one subject together, the subjects in the order in which they were first looked at.
    pub(super) fn group(&mut self) {
        let mut subjects: Vec<String> = Vec::new();
        for finding in &self.findings {
            if !subjects.contains(&finding.subject) {
                subjects.push(finding.subject.clone());
            }
        }
        self.findings
            .sort_by_key(|finding| subjects.iter().position(|subject| *subject == finding.subject));
    }

    /// For findings about `subject`.
    pub(super) fn about<'a>(&'a mut self, subject: &'a str) -> About<'a> {
        About { report: self, subject }
    }
}

/// Adds findings about one subject.
pub(super) struct About<'a> {
    report: &'a mut Report,
    subject: &'a str,
}

impl About<'_> {
    fn add(&mut self, grade: Grade, check: &str, words: [String; 3]) {
        let [found, why, fix] = words;
        self.report.findings.push(Finding {
            subject: self.subject.to_owned(),
            check: check.to_owned(),
            grade,
            found,
            why,
            fix,
        });
    }

    /// It is as it should be.
    pub(super) fn ok(&mut self, check: &str, found: impl Into<String>) {
        self.add(Grade::Ok, check, [found.into(), String::new(), String::new()]);
    }

    /// Good to know.
    pub(super) fn note(&mut self, check: &str, found: impl Into<String>, why: impl Into<String>) {
        self.add(Grade::Note, check, [found.into(), why.into(), String::new()]);
    }

    /// A note with something that can be done about it.
    pub(super) fn advise(
        &mut self,
        check: &str,
        found: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(Grade::Note, check, [found.into(), why.into(), fix.into()]);
    }

    /// It works, but worse than it could.
    pub(super) fn warn(
        &mut self,
        check: &str,
        found: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(Grade::Warning, check, [found.into(), why.into(), fix.into()]);
    }

    /// It does not work.
    pub(super) fn fail(
        &mut self,
        check: &str,
        found: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(Grade::Failure, check, [found.into(), why.into(), fix.into()]);
    }
}
