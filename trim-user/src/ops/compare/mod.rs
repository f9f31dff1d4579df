//! The same capture trimmed by several strategies: what each keeps, what each costs, and where they differ.
//!
//! A strategy's time is that of a worker on packets in memory: dissecting, judging, cutting and ordering them, without
//! reading a file or writing one. The strategies take turns ([`timing`]), so that whatever else the machine does meets
//! all of them. What they say is written down in a run of its own, which is not timed.

mod exemplars;
mod find;
mod report;
mod timing;

use std::path::PathBuf;

pub use exemplars::{Exemplars, SaveError};
pub use report::{ClassReport, Comparison, Exemplar, Report, StrategyReport};

use super::capture::Capture;
use super::tape::{self, Recorded};
use crate::shared::Lane;
use crate::trimmer::{Policy, Settings};

/// What is to be compared, and how it is trimmed.
pub struct Options {
    /// The strategies, at least one; the first is the reference that the others are compared with.
    pub strategies: Vec<Lane>,
    /// For the trimmers.
    pub settings: Settings,
    /// What is done with the bytes.
    pub policy: Policy,
    /// Where exemplars of differences are to be saved.
    pub save: Option<PathBuf>,
}

/// How far a comparison has come: steps done, of steps in all.
pub type Watch<'a> = &'a dyn Fn(u64, u64);

/// Compares strategies on one capture. `file` names it in the report.
///
/// # Errors
/// When exemplars cannot be saved.
pub fn compare(capture: &Capture, file: &str, options: &Options, watch: Watch<'_>) -> Result<Report, SaveError> {
    let exemplars = options.save.as_deref().map(Exemplars::create).transpose()?;
    let recorded: Vec<Recorded> = options
        .strategies
        .iter()
        .map(|&lane| tape::record(capture, lane, &options.settings, options.policy))
        .collect();
    let times = timing::measure(capture, options, watch);
    let mut report = Report::new(file, capture, &times);
    for ((&lane, recorded), time) in options.strategies.iter().zip(&recorded).zip(&times.fastest) {
        report
            .strategies
            .push(StrategyReport::new(lane, recorded, *time, &options.policy));
    }
    let Some((reference, others)) = recorded.split_first() else {
        return Ok(report);
    };
    for (other, &lane) in others.iter().zip(options.strategies.iter().skip(1)) {
        let lanes = [options.strategies[0], lane];
        let found = find::find(capture, &reference.tape, &other.tape, lanes);
        report.add(found);
    }
    if let Some(exemplars) = exemplars {
        exemplars.save(capture, &mut report.exemplars)?;
    }
    Ok(report)
}
