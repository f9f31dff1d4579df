//! Finishes files in the background: forcing a large file to the disk can take seconds, in which packets would be lost.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::super::chunk::ChunkFile;
use super::names::{FileName, Names};
use super::quota;
use super::volume::{rename_new, sync_folder};

/// What became of the files.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    pub(super) finished: u64,
    /// Files that keep the name of an unfinished one because something failed.
    pub(super) unfinished: u64,
    pub(super) deleted: u64,
    pub(super) last_file: Option<PathBuf>,
}

/// How files are finished.
#[derive(Clone, Copy, Debug)]
pub(super) struct FinishOptions {
    /// Force each file to the disk before it gets its name.
    pub(super) sync: bool,
    /// Most bytes of finished files.
    pub(super) quota: Option<u64>,
}

struct Job {
    file: ChunkFile,
    name: FileName,
}

/// A thread that takes complete files and gives them their names, in order.
pub(super) struct Finisher {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    report: Arc<Mutex<Report>>,
}

impl Finisher {
    pub(super) fn start(names: Names, options: FinishOptions) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let report = Arc::new(Mutex::new(Report::default()));
        let results = Arc::clone(&report);
        let thread = std::thread::Builder::new()
            .name("trim-finish".into())
            .spawn(move || run(&queue, &names, options, &results))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
            report,
        })
    }

    /// Takes over a complete file.
    pub(super) fn finish(&self, file: ChunkFile, name: FileName) {
        let sent = self
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.send(Job { file, name }).is_ok());
        if !sent {
            tracing::error!("the thread that finishes files has died; the file keeps the name of an unfinished one");
            lock(&self.report).unfinished += 1;
        }
    }

    /// What became of the files so far.
    pub(super) fn report(&self) -> Report {
        lock(&self.report).clone()
    }

    /// Waits until all files are finished.
    pub(super) fn close(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that finishes files panicked; some may keep the names of unfinished ones");
            lock(&self.report).unfinished += 1;
        }
    }
}

impl Drop for Finisher {
    fn drop(&mut self) {
        self.close();
    }
}

/// The report is plain numbers, whole at any moment, so a panic elsewhere does not spoil it.
fn lock(report: &Mutex<Report>) -> MutexGuard<'_, Report> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(queue: &Receiver<Job>, names: &Names, options: FinishOptions, report: &Mutex<Report>) {
    // The quota may have become smaller since the last run.
    keep_quota(names, options.quota, report);
    for Job { mut file, name } in queue {
        let part = names.path(&name.as_part());
        match complete(&mut file, name, names, options.sync) {
            Ok(path) => {
                tracing::info!(file = %path.display(), bytes = file.length(), "finished a capture file");
                let mut report = lock(report);
                report.finished += 1;
                report.last_file = Some(path);
            }
            Err(error) => {
                tracing::error!(file = %part.display(), %error, "cannot finish a capture file; it keeps this name");
                lock(report).unfinished += 1;
            }
        }
        keep_quota(names, options.quota, report);
    }
}

fn keep_quota(names: &Names, quota: Option<u64>, report: &Mutex<Report>) {
    match quota.map(|quota| quota::enforce(names, quota)) {
        Some(Ok(deleted)) => lock(report).deleted += deleted,
        Some(Err(error)) => tracing::error!(%error, "cannot delete old captures to keep the quota"),
        None => {}
    }
}

fn complete(file: &mut ChunkFile, name: FileName, names: &Names, sync: bool) -> io::Result<PathBuf> {
    if sync {
        file.sync()?;
    }
    let part = names.path(&name.as_part());
    let mut name = name.as_finished();
    let path = loop {
        let path = names.path(&name);
        match rename_new(&part, &path) {
            Ok(()) => break path,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => name = name.next(),
            Err(error) => return Err(error),
        }
    };
    if sync {
        sync_folder(&names.directory)?;
    }
    Ok(path)
}
