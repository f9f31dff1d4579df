//! Network namespaces that end with their owner.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::time::Duration;

use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process};

use super::cleanup::{Resource, register, release, unique};
use super::process::wait_until;
use crate::command::{output, run};

const FOLDER: &str = "/run/netns";
/// Namespaces made here are called `trim-PID-NUMBER-LABEL`; the process id tells whether the owner still lives.
const PREFIX: &str = "trim-";
/// How long the processes in a namespace may take to end by themselves, so that `trim` can finish its files.
const GRACE: Duration = Duration::from_secs(3);

/// A network namespace, removed on drop together with the processes still in it.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes a namespace with its loopback interface up. `label` becomes part of its name.
    ///
    /// The first call in a process removes what killed processes left behind.
    ///
    /// # Errors
    /// When `ip netns add` fails: without root, for one.
    pub fn new(label: &str) -> Result<Self> {
        static SWEEP: Once = Once::new();
        SWEEP.call_once(sweep);
        let name = format!("{PREFIX}{}-{}-{label}", std::process::id(), unique());
        register(Resource::Namespace(name.clone()));
        let namespace = Self { name };
        run(Command::new("ip").args(["netns", "add", &namespace.name]))?;
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// Its name, as `ip netns` shows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that stands for it, for `setns` and `nsenter --net=`.
    pub fn path(&self) -> PathBuf {
        Path::new(FOLDER).join(&self.name)
    }

    /// A command that runs `program` in this namespace.
    ///
    /// It is `nsenter` and not `ip netns exec`, because the latter mounts another `/sys` over the BPF file system. The
    /// process id of the child is that of `program`.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net={}", self.path().display()))
            .arg("--")
            .arg(program);
        command
    }

    /// Runs `ip ARGUMENTS` in this namespace; the arguments are separated by white space.
    ///
    /// # Errors
    /// When the command fails.
    pub fn ip(&self, arguments: &str) -> Result<String> {
        output(
            Command::new("ip")
                .args(["-n", &self.name])
                .args(arguments.split_whitespace()),
        )
    }

    /// Runs `tc ARGUMENTS` in this namespace; the arguments are separated by white space.
    ///
    /// # Errors
    /// When the command fails.
    pub fn tc(&self, arguments: &str) -> Result<String> {
        output(
            Command::new("tc")
                .args(["-n", &self.name])
                .args(arguments.split_whitespace()),
        )
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        release(&Resource::Namespace(std::mem::take(&mut self.name)));
    }
}

/// Ends the processes in the namespace and deletes it; its interfaces go with it.
pub(super) fn remove(name: &str) {
    if !Path::new(FOLDER).join(name).exists() {
        return;
    }
    signal_all(name, Signal::TERM);
    if !wait_until(GRACE, || processes(name).is_empty()) {
        signal_all(name, Signal::KILL);
    }
    if let Err(error) = output(Command::new("ip").args(["netns", "delete", name])) {
        eprintln!("cannot remove the network namespace {name}: {error:#}");
    }
}

fn signal_all(name: &str, signal: Signal) {
    for pid in processes(name) {
        // It may have ended since it was listed.
        let _ = kill_process(pid, signal);
    }
}

/// The processes in a namespace, but for this one: a thread of ours may have entered it.
fn processes(name: &str) -> Vec<Pid> {
    let listing = output(Command::new("ip").args(["netns", "pids", name])).unwrap_or_default();
    let own = std::process::id().cast_signed();
    let pids = listing.lines().filter_map(|line| line.trim().parse::<i32>().ok());
    pids.filter(|pid| *pid != own).filter_map(Pid::from_raw).collect()
}

/// Removes the namespaces whose owners died without a chance to do so.
fn sweep() {
    let Ok(entries) = fs::read_dir(FOLDER) else { return };
    for name in entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
    {
        if owner(&name).is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            remove(&name);
        }
    }
}

fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::require_root;
    use super::*;

    #[test]
    fn only_names_made_here_have_an_owner() {
        assert_eq!(owner("trim-123-0-server"), Some(123));
        assert_eq!(owner("trim-lab"), None);
        assert_eq!(owner("other-123-0-x"), None);
    }

    #[test]
    fn a_namespace_goes_with_its_guard_and_takes_its_processes_along() {
        if !require_root("a_namespace_goes_with_its_guard_and_takes_its_processes_along") {
            return;
        }
        let namespace = Namespace::new("drop").unwrap();
        let path = namespace.path();
        let mut sleeper = namespace.command("sleep").arg("1000").spawn().unwrap();
        assert!(wait_until(Duration::from_secs(5), || processes(namespace.name()).len() == 1));
        drop(namespace);
        assert!(!path.exists());
        assert!(!sleeper.wait().unwrap().success(), "the process was ended by a signal");
    }

    #[test]
    fn what_a_killed_owner_left_behind_is_swept() {
        if !require_root("what_a_killed_owner_left_behind_is_swept") {
            return;
        }
        let mut ended = Command::new("true").spawn().unwrap();
        let dead = ended.id();
        ended.wait().unwrap();
        let name = format!("{PREFIX}{dead}-0-orphan");
        run(Command::new("ip").args(["netns", "add", &name])).unwrap();
        sweep();
        assert!(!Path::new(FOLDER).join(&name).exists());
    }

    #[test]
    fn a_command_runs_in_the_namespace_and_not_outside() {
        if !require_root("a_command_runs_in_the_namespace_and_not_outside") {
            return;
        }
        let namespace = Namespace::new("inside").unwrap();
        namespace.ip("link add only_here type bridge").unwrap();
        let show = ["link", "show", "only_here"];
        assert!(output(namespace.command("ip").args(show)).is_ok());
        assert!(output(Command::new("ip").args(show)).is_err());
    }
}
