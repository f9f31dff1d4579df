//! `cargo xtask test`: every test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};
use xtask::command::{cargo, output, run, say};
use xtask::lab::{Folder, SKIP_LOG, lacking_privilege};
use xtask::toolchain::{self, Tool};

/// Run every test; as root, or with CI=true, none may skip.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only tests whose name contains one of these words.
    filters: Vec<String>,
}

pub(crate) fn run_task(options: &Options) -> Result<()> {
    let lacking = lacking_privilege();
    let must_run_all = lacking.is_none() || env::var("CI").is_ok_and(|value| value == "true");
    match &lacking {
        None => toolchain::ensure_tools(Tool::TESTS)?,
        Some(lacking) => explain(lacking),
    }
    let object = toolchain::build_object()?;
    let folder = Folder::new("test")?;
    let skipped = folder.path().join("skipped");
    let prepare = |command: &mut Command| {
        command.env("TRIM_EBPF_OBJECT", &object).env(SKIP_LOG, &skipped);
        if must_run_all {
            command.env("TRIM_REQUIRE_ROOT", "1");
        }
    };
    if options.filters.is_empty() {
        say("running the examples in the documentation");
        let mut command = cargo();
        prepare(command.args(["test", "--quiet", "--doc"]));
        run(&mut command)?;
    }
    let mut command = runner(&options.filters);
    prepare(&mut command);
    let result = run(&mut command);
    list_skipped(&skipped)?;
    result
}

/// nextest where it is installed: it runs each test in a process of its own, in parallel over all binaries.
fn runner(filters: &[String]) -> Command {
    let mut command = cargo();
    if output(cargo().args(["nextest", "--version"])).is_ok() {
        say("running the tests with cargo nextest");
        command.args(["nextest", "run", "--no-fail-fast"]).args(filters);
    } else {
        say("running the tests with cargo test (cargo nextest is not installed; it would be quicker)");
        command
            .args(["test", "--no-fail-fast", "--lib", "--bins", "--tests", "--"])
            .args(filters);
    }
    command
}

fn explain(lacking: &str) {
    say(format!(
        "this process lacks {lacking}: run `sudo -E cargo xtask test` for every test"
    ));
    say("root is needed to make network namespaces and veth pairs, to load XDP programs and to open AF_XDP sockets");
    say("tests that need it are skipped and named at the end; all others run");
    let missing = toolchain::missing_tools(Tool::TESTS);
    if !missing.is_empty() {
        let programs: Vec<_> = missing.iter().map(|tool| tool.program).collect();
        say(format!("not installed, and only root could: {}", programs.join(" ")));
    }
}

fn list_skipped(log: &Path) -> Result<()> {
    let Ok(text) = fs::read_to_string(log) else {
        return Ok(());
    };
    let by_reason = by_reason(&text);
    let total: usize = by_reason.values().map(BTreeSet::len).sum();
    say(format!("{total} tests were skipped"));
    for (reason, tests) in by_reason {
        eprintln!("  {reason}:");
        tests.iter().for_each(|test| eprintln!("    {test}"));
    }
    fs::remove_file(log).with_context(|| format!("cannot remove {}", log.display()))
}

/// The skipped tests of each reason, from lines `skipped: TEST: REASON`.
fn by_reason(log: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut by_reason: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let lines = log.lines().filter_map(|line| line.strip_prefix("skipped: "));
    for (test, reason) in lines.filter_map(|line| line.split_once(": ")) {
        by_reason.entry(reason).or_default().insert(test);
    }
    by_reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_tests_are_listed_once_under_their_reason() {
        let by_reason =
            by_reason("skipped: b: no root: none\nskipped: a: no root: none\nskipped: a: no root: none\nother\n");
        let listed: Vec<_> = by_reason
            .into_iter()
            .map(|(reason, tests)| (reason, Vec::from_iter(tests)))
            .collect();
        assert_eq!(listed, [("no root: none", vec!["a", "b"])]);
    }
}
