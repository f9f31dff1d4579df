//! Files of our own: `trim.log` is written; older ones are `trim-TIME.log`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::super::error::LoggingError;
use super::super::line::Line;
use super::super::settings::{LogFormat, Logging};
use super::{Sink, rendered};

/// The file that is written.
pub(in super::super) const CURRENT: &str = "trim.log";

/// Whether a file with this name is an older part of the log.
pub(in super::super) fn is_log(name: &str) -> bool {
    let time = name.strip_prefix("trim-").and_then(|rest| rest.strip_suffix(".log"));
    time.is_some_and(|time| time.starts_with(|c: char| c.is_ascii_digit()))
}

pub(super) struct Files {
    directory: PathBuf,
    format: LogFormat,
    rotate_bytes: u64,
    keep: usize,
    keep_time: Duration,
    file: File,
    length: u64,
    /// The last line is not whole.
    is_torn: bool,
}

impl Files {
    pub(super) fn open(settings: &Logging) -> Result<Self, LoggingError> {
        let directory = settings.directory.clone();
        let failed = |error| LoggingError::File {
            path: settings.directory.join(CURRENT),
            error,
        };
        fs::create_dir_all(&directory).map_err(failed)?;
        let file = open(&directory).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut files = Self {
            directory,
            format: settings.format,
            rotate_bytes: settings.rotate_bytes,
            keep: settings.keep,
            keep_time: settings.keep_time,
            file,
            length,
            // Whoever wrote it before may have been killed in the middle of a line.
            is_torn: length > 0,
        };
        if files.is_torn {
            files.is_torn = !ends_with_line_end(&settings.directory.join(CURRENT)).map_err(failed)?;
        }
        files.tidy(SystemTime::now());
        Ok(files)
    }

    /// Gives the file its final name and begins a new one.
    fn rotate(&mut self) -> io::Result<()> {
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S.%6fZ");
        fs::rename(
            self.directory.join(CURRENT),
            self.directory.join(format!("trim-{time}.log")),
        )?;
        self.file = open(&self.directory)?;
        self.length = 0;
        self.is_torn = false;
        self.tidy(SystemTime::now());
        Ok(())
    }

    /// Deletes what is too old or too much. What cannot be deleted is tried again at the next rotation.
    fn tidy(&self, now: SystemTime) {
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return;
        };
        let mut old: Vec<PathBuf> = entries
            .flatten()
            .filter(|entry| entry.file_name().to_str().is_some_and(is_log))
            .map(|entry| entry.path())
            .collect();
        // Names sort by time; the newest first.
        old.sort_unstable_by(|one, other| other.cmp(one));
        for (index, path) in old.iter().enumerate() {
            let age = fs::metadata(path).and_then(|it| it.modified()).ok();
            let is_too_old = age
                .and_then(|written| now.duration_since(written).ok())
                .is_some_and(|age| age > self.keep_time);
            if index >= self.keep || is_too_old {
                let _ = fs::remove_file(path);
            }
        }
    }
}

impl Sink for Files {
    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = rendered(line, self.format, false);
        if self.length > 0 && self.length + text.len() as u64 > self.rotate_bytes {
            self.rotate()?;
        }
        if self.is_torn {
            text.insert(0, '\n');
        }
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.length += written as u64;
                    rest = &rest[written..];
                    self.is_torn = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn complain(&mut self, error: &io::Error) {
        let path = self.directory.join(CURRENT);
        eprintln!(
            "trim: {} takes no log lines: {error}; they are counted until it does again",
            path.display()
        );
    }

    fn flush(&mut self) {
        // The system may refuse; the lines are in its cache, and the process ends.
        let _ = self.file.sync_data();
    }
}

/// Only the owner and the group may read it.
fn open(directory: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o640)
        .open(directory.join(CURRENT))
}

fn ends_with_line_end(path: &Path) -> io::Result<bool> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::super::super::line::Level;
    use super::*;

    fn settings(directory: &Path) -> Logging {
        Logging {
            directory: directory.into(),
            rotate_bytes: 300,
            keep: 3,
            ..Logging::default()
        }
    }

    fn line(number: usize) -> Line {
        Line::of_log(Level::Info, format!("line {number:04}"))
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn files_are_bounded_in_size_and_number() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("trim-notes.log"), "not ours").unwrap();
        let mut files = Files::open(&settings(folder.path())).unwrap();
        for number in 0..100 {
            files.write(&line(number)).unwrap();
        }
        let names = names(folder.path());
        assert_eq!(names.len(), 5, "{names:?}");
        assert!(names.contains(&"trim-notes.log".to_owned()));
        for name in &names {
            assert!(fs::metadata(folder.path().join(name)).unwrap().len() <= 300, "{name}");
        }
        let current = fs::read_to_string(folder.path().join(CURRENT)).unwrap();
        assert!(current.ends_with("line 0099\n"), "{current}");
    }

    #[test]
    fn old_files_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("trim-20200101T000000.000000Z.log");
        fs::write(&old, "old").unwrap();
        let files = Files::open(&settings(folder.path())).unwrap();
        assert!(old.exists());
        files.tidy(SystemTime::now() + Duration::from_secs(15 * 24 * 3600));
        assert!(!old.exists());
    }

    #[test]
    fn a_torn_line_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(CURRENT), "torn").unwrap();
        let mut files = Files::open(&settings(folder.path())).unwrap();
        files.write(&line(1)).unwrap();
        files.write(&line(2)).unwrap();
        let current = fs::read_to_string(folder.path().join(CURRENT)).unwrap();
        let lines: Vec<_> = current.lines().collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(lines[0], "torn");
    }

    #[test]
    fn a_folder_that_cannot_be_is_said() {
        let error = Files::open(&settings(Path::new("/proc/no"))).err().unwrap().to_string();
        assert!(error.contains("logging.directory"), "{error}");
    }

    #[test]
    fn a_full_disk_is_an_error_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/full", folder.path().join(CURRENT)).unwrap();
        let mut files = Files::open(&settings(folder.path())).unwrap();
        for number in 0..3 {
            assert_eq!(
                files.write(&line(number)).unwrap_err().kind(),
                io::ErrorKind::StorageFull
            );
        }
    }
}
