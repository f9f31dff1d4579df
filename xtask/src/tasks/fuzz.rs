//! `cargo xtask fuzz`: the fuzz targets of `trim-user/fuzz`, one after the other.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use xtask::command::{line, run, say};
use xtask::toolchain::Fuzzer;
use xtask::workspace;

/// Longest time that one input may take, seconds, and most memory, MiB.
const BOUNDS: [&str; 2] = ["-timeout=20", "-rss_limit_mb=2048"];

/// Run the fuzz targets and say what came of each. What they find lies in the target directory; the inputs are kept
/// there too, so that the next run goes on from them.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this target; may be given several times.
    #[arg(long)]
    target: Vec<String>,
    /// How long each target runs, seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

/// What came of one target.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    executions: u64,
    per_second: u64,
    /// Edges of the control flow that were reached.
    edges: u64,
    /// Inputs that each reached something new.
    inputs: u64,
}

pub(crate) fn run_task(options: &Options) -> Result<()> {
    let targets = chosen(&targets()?, &options.target)?;
    let fuzzer = Fuzzer::find()?;
    let work = workspace::target_dir().join("fuzz");
    share_versions()?;
    say(format!(
        "building {} fuzz targets with {}",
        targets.len(),
        fuzzer.version
    ));
    for target in &targets {
        run(with_folders(&mut fuzzer.command(), "build", &work).arg(target))
            .context("the fuzz targets do not build")?;
    }
    println!(
        "{}",
        row(["target", "executions", "exec/s", "edges", "inputs", "crashes"])
    );
    let mut crashed = Vec::new();
    for target in &targets {
        let (outcome, crash) = fuzz(&fuzzer, target, options.seconds, &work)?;
        println!("{}", outcome.row(target, crash.is_some()));
        crashed.extend(crash);
    }
    ensure!(crashed.is_empty(), "{}", crashed.join("\n"));
    Ok(())
}

fn folder() -> PathBuf {
    workspace::root().join("trim-user/fuzz")
}

/// The targets there are, sorted.
fn targets() -> Result<Vec<String>> {
    let folder = folder().join("fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut targets: Vec<_> = entries
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    targets.sort();
    Ok(targets)
}

fn chosen(all: &[String], wanted: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        bail!("there is no fuzz target `{unknown}`; there are {}", all.join(" "));
    }
    let is_wanted = |name: &&String| wanted.is_empty() || wanted.contains(name);
    Ok(all.iter().filter(is_wanted).cloned().collect())
}

/// The fuzz crate is a workspace of its own, and is built with the versions of the product's lock file.
fn share_versions() -> Result<()> {
    let (from, to) = (workspace::root().join("Cargo.lock"), folder().join("Cargo.lock"));
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    let is_current = changed(&to).is_ok_and(|copied| changed(&from).is_ok_and(|original| original <= copied));
    if !is_current {
        fs::copy(&from, &to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}

fn with_folders<'c>(command: &'c mut Command, verb: &str, work: &Path) -> &'c mut Command {
    command
        .arg(verb)
        .arg("--fuzz-dir")
        .arg(folder())
        .arg("--target-dir")
        .arg(work.join("build"))
}

/// Runs one target; with it, what to tell when it crashed.
fn fuzz(fuzzer: &Fuzzer, target: &str, seconds: u64, work: &Path) -> Result<(Outcome, Option<String>)> {
    let (corpus, artifacts) = (work.join("corpus").join(target), work.join("artifacts").join(target));
    for folder in [&corpus, &artifacts] {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let log = work.join(format!("{target}.log"));
    let file = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
    let mut command = fuzzer.command();
    with_folders(&mut command, "run", work).arg(target).arg(&corpus);
    let committed = ["corpus", "cases"].map(|kind| folder().join(kind).join(target));
    command.args(committed.iter().filter(|folder| folder.is_dir()));
    command.arg("--").args(BOUNDS).arg("-print_final_stats=1");
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    say(format!("{target}: {seconds} s, log in {}", log.display()));
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .status()
        .with_context(|| format!("cannot start `{}`", line(&command)))?;
    let text = fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
    let text = String::from_utf8_lossy(&text);
    let crash = (!status.success()).then(|| complaint(target, &text, &log));
    Ok((Outcome::of(&text), crash))
}

/// What the target said when it ended, and where the input lies.
fn complaint(target: &str, log: &str, path: &Path) -> String {
    let tells =
        |line: &&str| line.contains("panicked at") || line.contains("ERROR:") || line.contains("Test unit written");
    let mut lines = Vec::new();
    let mut rest = log.lines();
    while let Some(found) = rest.by_ref().find(tells) {
        lines.push(found.trim().to_owned());
        if found.contains("panicked at") {
            lines.extend(rest.next().map(|message| message.trim().to_owned()));
        }
    }
    format!("{target} crashed, see {}: {}", path.display(), lines.join("; "))
}

impl Outcome {
    /// Reads the end of libFuzzer's log.
    fn of(log: &str) -> Self {
        let statistic = |name: &str| {
            let value = log.lines().rev().find_map(|line| line.strip_prefix(name));
            value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
        };
        let progress = |name: &str| {
            let after = log
                .lines()
                .rev()
                .find_map(|line| line.split_once(name))
                .map(|(_, after)| after.trim_start());
            let word = after.and_then(|after| after.split([' ', '/']).next());
            word.and_then(|word| word.parse().ok()).unwrap_or(0)
        };
        Self {
            executions: statistic("stat::number_of_executed_units:"),
            per_second: statistic("stat::average_exec_per_sec:"),
            edges: progress(" cov:"),
            inputs: progress(" corp:"),
        }
    }

    fn row(&self, target: &str, crashed: bool) -> String {
        let numbers = [self.executions, self.per_second, self.edges, self.inputs].map(|number| number.to_string());
        let [executions, per_second, edges, inputs] = &numbers;
        row([
            target,
            executions,
            per_second,
            edges,
            inputs,
            if crashed { "1" } else { "0" },
        ])
    }
}

fn row(cells: [&str; 6]) -> String {
    let [target, executions, per_second, edges, inputs, crashes] = cells;
    format!("{target:<16}{executions:>12}{per_second:>9}{edges:>8}{inputs:>8}{crashes:>9}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "#8192\tpulse  cov: 901 ft: 1500 corp: 77/9Kb lim: 120 exec/s: 4096 rss: 60Mb\n\
                       #9000\tDONE   cov: 912 ft: 1511 corp: 79/9Kb lim: 120 exec/s: 4500 rss: 60Mb\n\
                       stat::number_of_executed_units: 9000\nstat::average_exec_per_sec:     4500\n";

    #[test]
    fn the_figures_of_a_run_are_read_from_its_log() {
        let expected = Outcome {
            executions: 9000,
            per_second: 4500,
            edges: 912,
            inputs: 79,
        };
        assert_eq!(Outcome::of(LOG), expected);
        assert_eq!(Outcome::of("nothing of the kind"), Outcome::default());
    }

    #[test]
    fn a_crash_is_told_with_its_message_and_its_input() {
        let log = "thread '<unnamed>' panicked at src/framing.rs:9:5:\nthe end of the block\nnote: x\n\
                   ==1== ERROR: libFuzzer: deadly signal\nTest unit written to a/crash-1\n";
        let text = complaint("framing", log, Path::new("framing.log"));
        assert!(
            text.contains("the end of the block") && text.contains("a/crash-1"),
            "{text}"
        );
    }

    #[test]
    fn an_unknown_target_is_refused_with_the_known_ones() {
        let all = ["one".to_owned(), "two".to_owned()];
        assert_eq!(chosen(&all, &[]).unwrap(), all);
        assert_eq!(chosen(&all, &["two".to_owned()]).unwrap(), ["two"]);
        let error = chosen(&all, &["three".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`three`") && error.contains("one two"), "{error}");
    }
}
