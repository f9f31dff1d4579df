//! A file of JSON lines, rotated by size.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::SendError;

/// A log file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFileSettings {
    /// The file.
    pub path: PathBuf,
    /// It is moved to `PATH.1` before it grows over this many bytes.
    pub max_bytes: u64,
    /// How many moved files are kept: `PATH.1` (the newest) to `PATH.N`.
    pub keep: u32,
}

/// Appends a line for each value.
pub(super) fn append(settings: &LogFileSettings, lines: &[Value]) -> Result<(), SendError> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    write(settings, text.as_bytes())
        .map_err(|error| SendError::passing(format!("cannot write {}: {error}", settings.path.display())))
}

fn write(settings: &LogFileSettings, text: &[u8]) -> io::Result<()> {
    if let Some(folder) = settings.path.parent() {
        fs::create_dir_all(folder)?;
    }
    let size = fs::metadata(&settings.path).map_or(0, |metadata| metadata.len());
    if size > 0 && size + text.len() as u64 > settings.max_bytes {
        rotate(&settings.path, settings.keep)?;
    }
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(&settings.path)?;
    let before = file.metadata()?.len();
    file.write_all(text).inspect_err(|_| {
        // A full disk leaves no half line; the message is written again as a whole.
        let _ = file.set_len(before);
    })
}

fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    if keep == 0 {
        return fs::remove_file(path);
    }
    for number in (1..keep).rev() {
        match fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, numbered(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_rotated_by_size_and_only_so_many_kept() {
        let folder = tempfile::tempdir().unwrap();
        let settings = LogFileSettings {
            path: folder.path().join("sub/alerts.log"),
            max_bytes: 20,
            keep: 2,
        };
        for number in 0..9 {
            append(&settings, &[serde_json::json!({ "n": number })]).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join("sub").join(name)).unwrap();
        assert_eq!(read("alerts.log"), "{\"n\":8}\n");
        assert_eq!(read("alerts.log.1"), "{\"n\":6}\n{\"n\":7}\n");
        assert_eq!(read("alerts.log.2"), "{\"n\":4}\n{\"n\":5}\n");
        assert_eq!(fs::read_dir(folder.path().join("sub")).unwrap().count(), 3);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let settings = LogFileSettings {
            path: folder.path().to_owned(),
            max_bytes: 1 << 20,
            keep: 1,
        };
        let error = append(&settings, &[Value::Null]).unwrap_err();
        assert!(
            !error.is_final && error.reason.contains(&folder.path().display().to_string()),
            "{error}"
        );
    }
}
