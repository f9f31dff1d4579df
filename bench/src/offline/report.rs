//! What was measured. The fields are those of `--json` and of the files in `bench/record`.

use serde::Serialize;

use super::account::Account;
use super::capture::Content;
use super::program::Program;
use crate::machine::Machine;
use crate::median::median_by;
use crate::plan::Extent;
use crate::section::Section;
use crate::shown::Shown;
use crate::targets::Target;

/// A whole run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(super) scenario: &'static str,
    pub(super) extent: Extent,
    pub(super) machine: Machine,
    pub(super) captures: Vec<Capture>,
    /// Programs that are not installed, with the packages that hold them.
    pub(super) missing: Vec<String>,
}

/// One capture and what each program did with it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Capture {
    /// Its format.
    pub(super) format: &'static str,
    /// Its length, bytes.
    pub(super) file_bytes: u64,
    #[serde(flatten)]
    pub(super) content: Content,
    pub(super) rows: Vec<Row>,
    /// What the figures have to reach.
    pub(super) targets: Vec<Target>,
}

/// One program: its median round, and all of them.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub(super) program: &'static str,
    pub(super) setting: &'static str,
    /// Whether it must not lose a header byte.
    pub(super) is_ours: bool,
    /// The round with the median of `seconds`, whole: its figures belong together.
    pub(super) median: Round,
    pub(super) rounds: Vec<Round>,
    /// By the output of the last round; absent for what writes nothing.
    pub(super) account: Option<Account>,
}

/// One measurement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Round {
    /// From the start of the program to its end.
    pub(super) seconds: f64,
    /// Of the input.
    pub(super) bytes_per_second: f64,
    /// CPU time of all its threads, in user mode and in the kernel.
    pub(super) cpu_seconds: f64,
    pub(super) peak_rss_bytes: u64,
    /// Bytes written; absent for what writes nothing.
    pub(super) output_bytes: Option<u64>,
}

impl Row {
    /// # Panics
    /// Without a round.
    pub(super) fn new(program: Program, rounds: Vec<Round>, account: Option<Account>) -> Self {
        Self {
            program: program.name(),
            setting: program.setting(),
            is_ours: program.is_ours(),
            median: median_by(&rounds, |round| round.seconds).clone(),
            rounds,
            account,
        }
    }
}

impl Shown for Report {
    fn scenario(&self) -> &str {
        self.scenario
    }

    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn text(&self) -> String {
        super::table::text(self)
    }

    fn section(&self) -> Section {
        super::section::of(self)
    }

    /// Whether `trim` has lost no header byte and kept no body byte in mode `legacy`, and lost no header byte otherwise.
    fn is_sound(&self) -> bool {
        let rows = self.captures.iter().flat_map(|capture| &capture.rows);
        rows.filter(|row| row.is_ours).all(|row| {
            let is_exact = row.program == Program::Legacy.name();
            row.account
                .is_some_and(|account| account.header_bytes_lost == 0 && (!is_exact || account.body_bytes_kept == 0))
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn round(seconds: f64) -> Round {
        Round {
            seconds,
            bytes_per_second: 1e9 / seconds,
            cpu_seconds: seconds,
            peak_rss_bytes: 10 << 20,
            output_bytes: Some(1000),
        }
    }

    pub(in super::super) fn report(program: Program, account: Account) -> Report {
        let rows = vec![Row::new(program, vec![round(1.0)], Some(account))];
        Report {
            scenario: "offline",
            extent: Extent::Quick,
            machine: Machine::look(),
            captures: vec![Capture {
                format: "pcapng",
                file_bytes: 1_000_000_000,
                content: Content::default(),
                rows,
                targets: Vec::new(),
            }],
            missing: Vec::new(),
        }
    }

    fn account(header_bytes_lost: u64, body_bytes_kept: u64) -> Account {
        Account {
            header_bytes_lost,
            body_bytes_kept,
        }
    }

    #[test]
    fn a_header_byte_lost_by_trim_fails_the_run_and_one_lost_by_editcap_does_not() {
        let is_sound = |program, account| report(program, account).is_sound();
        assert!(is_sound(Program::Legacy, account(0, 0)));
        assert!(!is_sound(Program::Legacy, account(1, 0)));
        assert!(!is_sound(Program::Legacy, account(0, 1)));
        assert!(is_sound(Program::Scanning, account(0, 1)));
        assert!(!is_sound(Program::Scanning, account(1, 0)));
        assert!(is_sound(Program::Editcap, account(1, 1)));
    }
}
