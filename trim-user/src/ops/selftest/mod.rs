//! The built-in self-test of the trimmers.
//!
//! Connections made by hand ([`cases`]) go through a worker as captured packets would, and every byte that comes out is
//! held against what must become of it ([`judge`]). Generated connections ([`generated`]) follow, from a seed.

mod cases;
mod frame;
pub mod generated;
mod judge;
mod script;

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;

use crate::data::worker::MakeTrimmer;
use crate::trimmer::Settings;
use generated::check::{Patience, compare, run};
use generated::demand::Standard;
use generated::recipe::Recipe;
use generated::wire::Case as GeneratedCase;

/// Most failures of generated connections that are told.
const MOST_TOLD: usize = 5;

/// Makes trimmers with these settings.
pub type Maker<'m> = &'m dyn Fn(&Settings) -> MakeTrimmer;

/// How much a trimmer promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// No header byte is lost and no body byte stays.
    Exact,
    /// No header byte is lost; bodies may stay where only reassembly could tell.
    Streaming,
}

/// Generated connections to be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The seed of the first; the others follow.
    pub seed: u64,
    /// How many.
    pub count: u64,
}

/// The outcome of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseReport {
    /// Its name.
    pub case: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// The trimmer did what it must.
    pub passed: bool,
    /// What was expected and what came instead; empty when it passed.
    pub detail: String,
}

/// A generated connection that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GeneratedFailure {
    /// Its seed.
    pub seed: u64,
    /// What was expected and what came instead.
    pub detail: String,
}

/// The outcome of generated connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GeneratedReport {
    /// The seed of the first.
    pub seed: u64,
    /// How many there were.
    pub count: u64,
    /// How many failed.
    pub failed: u64,
    /// The first of them.
    pub failures: Vec<GeneratedFailure>,
}

/// The outcome of a self-test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Everything passed.
    pub passed: bool,
    /// The cases made by hand.
    pub cases: Vec<CaseReport>,
    /// Generated connections; `None` when there were none.
    pub generated: Option<GeneratedReport>,
}

/// Tests the trimmers of `make`. `watch` is told how many connections are done, and of how many.
pub fn validate(make: Maker<'_>, promise: Promise, generated: Option<Generated>, watch: &dyn Fn(u64, u64)) -> Report {
    let cases: Vec<CaseReport> = cases::all()
        .iter()
        .map(|case| {
            let strict = promise == Promise::Exact || !case.needs_reassembly;
            let outcome = judge::judge(case, make(&case.settings), strict);
            CaseReport {
                case: case.name,
                about: case.about,
                passed: outcome.is_ok(),
                detail: outcome.err().unwrap_or_default(),
            }
        })
        .collect();
    let generated = generated.map(|generated| try_generated(make, promise, generated, watch));
    let generated_passed = generated.as_ref().is_none_or(|report| report.failed == 0);
    Report {
        passed: generated_passed && cases.iter().all(|case| case.passed),
        cases,
        generated,
    }
}

fn try_generated(make: Maker<'_>, promise: Promise, plan: Generated, watch: &dyn Fn(u64, u64)) -> GeneratedReport {
    let mut report = GeneratedReport {
        seed: plan.seed,
        count: plan.count,
        failed: 0,
        failures: Vec::new(),
    };
    for done in 0..plan.count {
        let seed = plan.seed.wrapping_add(done);
        // A panic is a failure like any other; the worker would survive it.
        let outcome = catch_unwind(AssertUnwindSafe(|| try_seed(make, promise, seed)));
        if let Err(detail) = outcome.unwrap_or_else(|_panic| Err("the trimmer panicked".to_owned())) {
            report.failed += 1;
            if report.failures.len() < MOST_TOLD {
                report.failures.push(GeneratedFailure { seed, detail });
            }
        }
        watch(done + 1, plan.count);
    }
    report
}

fn try_seed(make: Maker<'_>, promise: Promise, seed: u64) -> Result<(), String> {
    let case = GeneratedCase::of(Recipe::of_seed(seed));
    let mut trimmer = make(&Settings::default())();
    let answers = run(trimmer.as_mut(), &case, Patience::Endless)?;
    let (standard, exact) = match promise {
        Promise::Exact => (Standard::Reassembling, true),
        Promise::Streaming => (Standard::Streaming, false),
    };
    compare(&case, &answers, standard, exact).map(drop)
}
