//! Reads a log back.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use super::error::LoggingError;
use super::line::Level;
use super::sink::{CURRENT, is_log};

/// A line that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When, if it can be told.
    pub at: Option<Timestamp>,
    /// How serious, if it can be told.
    pub level: Option<Level>,
    /// The line as it stands.
    pub text: String,
}

/// Time and level of a line, whether text or JSON.
pub fn parse(line: &str) -> Entry {
    let (at, level) = if line.starts_with('{') {
        let value: Value = serde_json::from_str(line).unwrap_or_default();
        let word = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        (word("timestamp"), word("level"))
    } else {
        let mut words = line.split_whitespace().map(str::to_owned);
        (words.next(), words.next())
    };
    Entry {
        at: at.and_then(|at| at.parse().ok()),
        level: level.and_then(|level| Level::parse(&level).ok()),
        text: line.to_owned(),
    }
}

/// The files of a log, the oldest first.
#[derive(Debug)]
pub struct Files {
    directory: PathBuf,
    paths: Vec<PathBuf>,
}

impl Files {
    /// Those in this folder.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn find(directory: &Path) -> Result<Self, LoggingError> {
        let failed = |error| LoggingError::Read {
            path: directory.into(),
            error,
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry
                .file_name()
                .to_str()
                .is_some_and(|name| name == CURRENT || is_log(name))
            {
                paths.push(entry.path());
            }
        }
        // `trim-...` sorts before `trim.log`, and the older before the newer.
        paths.sort();
        Ok(Self {
            directory: directory.into(),
            paths,
        })
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Gives every line to `take`, and where to follow on. A file that is deleted meanwhile is left out.
    ///
    /// # Errors
    /// When a file cannot be read, or `take` fails.
    pub fn read<E: From<LoggingError>>(&self, take: &mut dyn FnMut(Entry) -> Result<(), E>) -> Result<Follow, E> {
        let mut follow = Follow {
            path: self.directory.join(CURRENT),
            file: None,
            started: String::new(),
        };
        for path in &self.paths {
            let file = match File::open(path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(unreadable(path, error).into()),
            };
            follow.file = Some(BufReader::new(file));
            follow.take_new(take)?;
            if path.file_name().is_none_or(|name| name != CURRENT) {
                follow.finish_file(take)?;
            }
        }
        Ok(follow)
    }
}

/// A place in a log that grows.
#[derive(Debug)]
pub struct Follow {
    path: PathBuf,
    file: Option<BufReader<File>>,
    /// The beginning of a line that is not whole yet.
    started: String,
}

impl Follow {
    /// Gives lines that have come since the last call to `take`; goes on to the next file when a new one was begun.
    ///
    /// # Errors
    /// When a file cannot be read, or `take` fails.
    pub fn more<E: From<LoggingError>>(&mut self, take: &mut dyn FnMut(Entry) -> Result<(), E>) -> Result<(), E> {
        self.take_new(take)?;
        let number = |metadata: io::Result<fs::Metadata>| metadata.ok().map(|it| (it.dev(), it.ino()));
        let current = number(fs::metadata(&self.path));
        let ours = self.file.as_ref().and_then(|file| number(file.get_ref().metadata()));
        if current.is_some() && current != ours {
            // Something may have come before it was renamed.
            self.take_new(take)?;
            self.finish_file(take)?;
            let file = File::open(&self.path).map_err(|error| unreadable(&self.path, error))?;
            self.file = Some(BufReader::new(file));
            self.take_new(take)?;
        }
        Ok(())
    }

    fn take_new<E: From<LoggingError>>(&mut self, take: &mut dyn FnMut(Entry) -> Result<(), E>) -> Result<(), E> {
        let Some(file) = &mut self.file else { return Ok(()) };
        loop {
            let mut bytes = Vec::new();
            // A line that never ends is no log.
            let read = file.by_ref().take(1 << 20).read_until(b'\n', &mut bytes);
            let read = read.map_err(|error| unreadable(&self.path, error))?;
            if read == 0 {
                return Ok(());
            }
            self.started.push_str(&String::from_utf8_lossy(&bytes));
            if self.started.ends_with('\n') || read == 1 << 20 {
                take(parse(self.started.trim_end()))?;
                self.started.clear();
            }
        }
    }

    fn finish_file<E: From<LoggingError>>(&mut self, take: &mut dyn FnMut(Entry) -> Result<(), E>) -> Result<(), E> {
        if !self.started.is_empty() {
            take(parse(&self.started))?;
            self.started.clear();
        }
        Ok(())
    }
}

fn unreadable(path: &Path, error: io::Error) -> LoggingError {
    LoggingError::Read {
        path: path.into(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(follow: &mut Follow) -> Vec<String> {
        let mut texts = Vec::new();
        let mut take = |entry: Entry| {
            texts.push(entry.text);
            Ok::<_, LoggingError>(())
        };
        follow.more(&mut take).unwrap();
        texts
    }

    #[test]
    fn both_forms_are_understood() {
        let text = parse("2026-01-02T03:04:05.000001Z  WARN trim: the link is lost");
        let json = parse(r#"{"timestamp":"2026-01-02T03:04:05.000001Z","level":"WARN","fields":{}}"#);
        assert_eq!(text.level, Some(Level::Warn));
        assert!(text.at.is_some());
        assert_eq!((json.at, json.level), (text.at, text.level));
        assert_eq!(parse("{broken").level, None);
    }

    #[test]
    fn a_log_is_followed_over_a_new_file_and_half_lines() {
        let folder = tempfile::tempdir().unwrap();
        let (current, old) = (folder.path().join(CURRENT), folder.path().join("trim-2026.log"));
        fs::write(&old, "a\n").unwrap();
        fs::write(&current, "b\nc").unwrap();
        let mut read = Vec::new();
        let mut take = |entry: Entry| {
            read.push(entry.text);
            Ok::<_, LoggingError>(())
        };
        let mut follow = Files::find(folder.path()).unwrap().read(&mut take).unwrap();
        assert_eq!(read, ["a", "b"]);
        fs::write(&current, "b\ncc\n").unwrap();
        assert_eq!(texts(&mut follow), ["cc"]);
        fs::rename(&current, folder.path().join("trim-2027.log")).unwrap();
        fs::write(&current, "d\n").unwrap();
        assert_eq!(texts(&mut follow), ["d"]);
    }
}
