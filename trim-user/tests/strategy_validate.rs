//! `trim strategy validate` as a user calls it, and proof that it can fail.

use std::process::{Command, Output};

use serde_json::Value;
use trim_common::strategy::Strategy;
use trim_user::data::worker::MakeTrimmer;
use trim_user::ops::selftest::{Generated, Promise, Report, validate};
use trim_user::trimmer::{Judgement, Label, Labels, Late, Legacy, Segment, Settings, Statistics, Ticket, Trimmer};

fn trim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trim"))
        .args(["strategy", "validate"])
        .args(arguments)
        .output()
        .expect("trim starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn both_strategies_pass_every_case_and_say_so() {
    for strategy in ["legacy", "scanning"] {
        let told = trim(&["--strategy", strategy, "--quick"]);
        assert_eq!(told.status.code(), Some(0), "{}", text(&told.stdout));
        assert!(text(&told.stdout).contains("PASS  pipelining"));
        assert!(!text(&told.stdout).contains("generated"));
    }
}

#[test]
fn generated_connections_come_from_the_seed_that_is_printed() {
    let told = trim(&["--strategy", "legacy", "--seed", "0x2a", "--json"]);
    assert_eq!(told.status.code(), Some(0), "{}", text(&told.stdout));
    let report: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!(
        (&report["strategy"], &report["passed"]),
        (&"legacy".into(), &true.into())
    );
    assert_eq!(
        (&report["generated"]["seed"], &report["generated"]["failed"]),
        (&42.into(), &0.into())
    );
    assert!(report["generated"]["count"].as_u64() > Some(1000));
    assert!(report["cases"].as_array().is_some_and(|cases| cases.len() > 50));
}

#[test]
fn bad_usage_is_named() {
    for (arguments, word) in [
        (&[][..], "--strategy"),
        (&["--strategy", "auto"], "auto"),
        (&["--strategy", "legacy", "--seed", "x"], "`x` is no seed"),
        (
            &["--strategy", "legacy", "--seed", "1", "--quick"],
            "cannot be used with",
        ),
    ] {
        let told = trim(arguments);
        assert_eq!(told.status.code(), Some(2));
        assert!(text(&told.stderr).contains(word), "{}", text(&told.stderr));
    }
}

/// Legacy with a fault.
struct Broken {
    inner: Legacy,
    fault: fn(&Labels) -> Labels,
}

struct BrokenLate<'a>(&'a mut dyn Late, fn(&Labels) -> Labels);

impl Late for BrokenLate<'_> {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        self.0.decide(ticket, &self.1(labels));
    }
}

impl Trimmer for Broken {
    fn strategy(&self) -> Strategy {
        Strategy::Legacy
    }

    fn judge(&mut self, ticket: Ticket, segment: &Segment<'_>, labels: &mut Labels, late: &mut dyn Late) -> Judgement {
        let judgement = self
            .inner
            .judge(ticket, segment, labels, &mut BrokenLate(late, self.fault));
        *labels = (self.fault)(labels);
        judgement
    }

    fn release(&mut self, ticket: Ticket, late: &mut dyn Late) {
        self.inner.release(ticket, &mut BrokenLate(late, self.fault));
    }

    fn finish(&mut self, late: &mut dyn Late) {
        self.inner.finish(&mut BrokenLate(late, self.fault));
    }

    fn statistics(&self) -> &Statistics {
        self.inner.statistics()
    }
}

fn outcome(fault: fn(&Labels) -> Labels) -> Report {
    let make = |settings: &Settings| -> MakeTrimmer {
        let settings = settings.clone();
        Box::new(move || {
            Box::new(Broken {
                inner: Legacy::new(&settings),
                fault,
            })
        })
    };
    let generated = Generated { seed: 1, count: 200 };
    validate(&make, Promise::Exact, Some(generated), &|_, _| {})
}

/// Bodies begin one byte early.
fn early(labels: &Labels) -> Labels {
    let mut moved = Labels::new();
    let spans: Vec<_> = labels.iter().collect();
    for (index, &(_, to, label)) in spans.iter().enumerate() {
        let next_is_body = spans.get(index + 1).is_some_and(|next| next.2 == Label::Body);
        moved.fill_to(to - u32::from(next_is_body), label);
    }
    moved
}

/// Trailers are taken for content.
fn no_trailers(labels: &Labels) -> Labels {
    let mut changed = Labels::new();
    for (from, to, label) in labels.iter() {
        changed.push(to - from, if label == Label::Trailer { Label::Body } else { label });
    }
    changed
}

/// Every body is kept.
fn keeps_all(labels: &Labels) -> Labels {
    let mut changed = Labels::new();
    changed.fill_to(labels.covered(), Label::Unsure);
    changed
}

#[test]
fn a_trimmer_that_is_broken_fails() {
    assert!(outcome(Labels::clone).passed);
    for (fault, case) in [
        (early as fn(&Labels) -> Labels, "exchange"),
        (no_trailers, "chunked"),
        (keeps_all, "until-close"),
    ] {
        let report = outcome(fault);
        let failed = report
            .cases
            .iter()
            .find(|report| report.case == case)
            .expect("the case");
        assert!(!report.passed && !failed.passed);
        assert!(failed.detail.contains("expected"), "{}", failed.detail);
        assert!(
            report
                .generated
                .is_some_and(|generated| generated.failed > 0 && !generated.failures.is_empty())
        );
    }
}
