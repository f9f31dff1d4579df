//! Child processes that do not outlive their guard.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::command::line;

/// How often something is looked at while waiting for it.
const PATIENCE: Duration = Duration::from_millis(10);

/// Waits until `condition` holds, at most `limit`; says whether it does.
pub fn wait_until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(PATIENCE);
    }
}

/// A running child with its output in files, so that it never blocks on a full pipe. Killed and reaped on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    line: String,
    stdout: File,
    stderr: File,
}

impl Process {
    /// Starts `command` without standard input.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Result<Self> {
        let (stdout, stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
        command
            .stdin(Stdio::null())
            .stdout(stdout.try_clone()?)
            .stderr(stderr.try_clone()?);
        let line = line(&command);
        let child = command.spawn().with_context(|| format!("cannot start `{line}`"))?;
        Ok(Self {
            child,
            line,
            stdout,
            stderr,
        })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to standard output so far.
    pub fn stdout(&self) -> String {
        contents(&self.stdout)
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        contents(&self.stderr)
    }

    /// Its status when it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends a signal; nothing happens when it has ended.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none()
            && let Some(pid) = Pid::from_raw(self.child.id().cast_signed())
        {
            // Not yet reaped, so the process id is still its own.
            let _ = kill_process(pid, signal);
        }
    }

    /// Waits for it to end.
    ///
    /// # Errors
    /// When it still runs after `limit`; the message ends with its standard error.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let mut status = None;
        wait_until(limit, || {
            status = self.ended();
            status.is_some()
        });
        status.with_context(|| format!("`{}` still runs after {limit:?}: {}", self.line, self.stderr().trim()))
    }

    /// Sends `signal` and waits for the end.
    ///
    /// # Errors
    /// As [`Process::wait`].
    pub fn stop(&mut self, signal: Signal, limit: Duration) -> Result<ExitStatus> {
        self.signal(signal);
        self.wait(limit)
    }

    /// Waits until `ready` holds of its standard output and error.
    ///
    /// # Errors
    /// When it ends first or `limit` passes; the message ends with its standard error.
    pub fn wait_ready(&mut self, limit: Duration, ready: impl Fn(&str, &str) -> bool) -> Result<()> {
        let mut ended = None;
        let is_ready = wait_until(limit, || {
            ended = self.ended();
            ended.is_some() || ready(&self.stdout(), &self.stderr())
        });
        match ended {
            Some(status) => bail!("`{}` ended ({status}): {}", self.line, self.stderr().trim()),
            None if !is_ready => bail!("`{}` is not ready after {limit:?}: {}", self.line, self.stderr().trim()),
            None => Ok(()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        // Nothing more can be done about a child that cannot be reaped.
        let _ = self.child.wait();
    }
}

/// Reads at offset 0 without moving the offset that the child shares for writing.
fn contents(file: &File) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 8192];
    loop {
        match file.read_at(&mut chunk, bytes.len() as u64) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start(command).unwrap()
    }

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn reading_the_output_does_not_disturb_the_writer() {
        let mut process = shell("echo one; read wait < /dev/null; sleep 0.2; echo two; echo bad >&2");
        process.wait_ready(LIMIT, |stdout, _| stdout == "one\n").unwrap();
        assert!(process.wait(LIMIT).unwrap().success());
        assert_eq!(
            (process.stdout().as_str(), process.stderr().as_str()),
            ("one\ntwo\n", "bad\n")
        );
    }

    #[test]
    fn a_process_that_ends_before_it_is_ready_is_reported_with_its_words() {
        let error = shell("echo no such device >&2; exit 4")
            .wait_ready(LIMIT, |out, _| out == "ready")
            .unwrap_err();
        assert!(error.to_string().contains("no such device"), "{error}");
    }

    #[test]
    fn a_process_ends_with_its_guard() {
        let process = shell("sleep 1000");
        let proc = std::path::PathBuf::from(format!("/proc/{}", process.id()));
        drop(process);
        assert!(!proc.exists());
    }
}
