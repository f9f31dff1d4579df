//! Captures from files: `trim file` beside other programs that read a whole capture, everything in memory.

mod account;
mod capture;
mod program;
mod report;
mod section;
mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use trim_user::data::Format;

use account::Account;
use capture::Frames;
use program::Program;
pub(crate) use report::Report;
use report::{Capture, Round, Row};

use crate::machine::Machine;
use crate::measure::{ensure_free, folder_in_memory};
use crate::plan::Extent;
use crate::targets::{Target, at_least, at_most};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Size {
    /// Frame bytes of the capture.
    bytes: usize,
    rounds: usize,
}

/// Measures all programs on the same capture in each format.
pub(crate) fn run(trim: &Path, extent: Extent) -> Result<Report> {
    let (bytes, rounds) = match extent {
        Extent::Smoke => (8 << 20, 1),
        Extent::Quick => (256 << 20, 5),
        Extent::Full => (1 << 30, 7),
    };
    let machine = Machine::look();
    // The capture and a whole copy of it; no file format adds an eighth to full-size frames.
    ensure_free(2 * (bytes + bytes / 8) as u64)?;
    let (programs, missing) = available();
    let captures = [Format::Pcapng, Format::Pcap].map(|format| {
        let mut capture = measure(trim, &programs, format, Size { bytes, rounds })?;
        if extent != Extent::Smoke {
            capture.targets = targets(&capture.rows);
        }
        Ok(capture)
    });
    Ok(Report {
        scenario: "offline",
        extent,
        machine,
        captures: captures.into_iter().collect::<Result<_>>()?,
        missing,
    })
}

/// The programs that are installed, and what to say of the others.
fn available() -> (Vec<Program>, Vec<String>) {
    let mut missing = Vec::new();
    let mut programs = Program::ALL.to_vec();
    programs.retain(|program| {
        let tool = program.missing();
        missing.extend(tool.map(|tool| format!("{}, in Debian's package {}", program.name(), tool.package)));
        tool.is_none()
    });
    (programs, missing)
}

fn measure(trim: &Path, programs: &[Program], format: Format, size: Size) -> Result<Capture> {
    let folder = folder_in_memory()?;
    let (input, content) = capture::write(folder.path(), format, size.bytes)?;
    let file_bytes = fs::metadata(&input)?.len();
    Program::Cat.run(trim, format, &input, &folder.path().join("once"))?;
    let mut rounds: Vec<Vec<Round>> = programs.iter().map(|_| Vec::new()).collect();
    let mut accounts = vec![None; programs.len()];
    for number in 1..=size.rounds {
        for (index, program) in programs.iter().enumerate() {
            let output = folder.path().join("out");
            let round = program.run(trim, format, &input, &output)?;
            eprintln!(
                "bench: offline, {}, round {number} of {}, {}: {:.3} s",
                format.extension(),
                size.rounds,
                program.name(),
                round.seconds
            );
            rounds[index].push(round);
            if number == size.rounds && program.writes() {
                let account = Account::of(&output, Frames::new(size.bytes));
                accounts[index] = Some(account.with_context(|| format!("the output of {} is wrong", program.name()))?);
            }
            // Whoever comes next shall not gain by pages that are there already.
            fs::remove_file(&output).or_else(|error| if program.writes() { Err(error) } else { Ok(()) })?;
        }
    }
    let rows = programs.iter().zip(rounds).zip(accounts);
    let rows: Vec<_> = rows
        .map(|((program, rounds), account)| Row::new(*program, rounds, account))
        .collect();
    Ok(Capture {
        format: format.extension(),
        file_bytes,
        content,
        rows,
        targets: Vec::new(),
    })
}

/// The demands, as far as the rows that they compare are there. `trim` in its mode `legacy`, which `trim file` has unless
/// told otherwise.
fn targets(rows: &[Row]) -> Vec<Target> {
    let seconds = |name: &str| Some(rows.iter().find(|row| row.program == name)?.median.seconds);
    let by = |name: &str| Some(seconds(name)? / seconds("trim legacy")?);
    let of_cat = seconds("trim legacy").and_then(|trim| Some(trim / seconds("cat")?));
    [
        at_least("times as fast as editcap -s 128", by("editcap -s 128"), 3.0),
        at_least("times as fast as tshark -w", by("tshark -w"), 20.0),
        at_most("times the time of cat", of_cat, 2.0),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::report::tests::round;
    use super::*;

    #[test]
    fn demands_compare_legacy_with_each_of_the_others() {
        let rows = [
            (Program::Legacy, 2.0),
            (Program::Scanning, 1.0),
            (Program::Editcap, 6.0),
            (Program::Tshark, 30.0),
            (Program::Cat, 0.5),
        ];
        let rows = rows.map(|(program, seconds)| Row::new(program, vec![round(seconds)], None));
        let measured: Vec<_> = targets(&rows)
            .iter()
            .map(|target| (target.measured, target.holds))
            .collect();
        assert_eq!(measured, [(3.0, true), (15.0, false), (4.0, false)]);
        assert_eq!(targets(&rows[..2]), []);
    }
}
