//! File names of a rotating sink: `PREFIX-20251122T142900Z-000001.pcapng.zst`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::compress::OutputFormat;

/// What is behind the name of a file that is being written.
pub(super) const PART: &str = "part";

/// Marks files whose writer died before it could finish them; stands in front of the extension.
const RECOVERED: &str = "recovered";

/// Extensions of all outputs, so that the quota also covers files from before a change of format.
const EXTENSIONS: [&str; 6] = ["pcap", "pcap.gz", "pcap.zst", "pcapng", "pcapng.gz", "pcapng.zst"];

/// The names of one sink's files.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) directory: PathBuf,
    prefix: String,
    extension: String,
}

/// What a file name of this sink says; ordered by age.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileName {
    time: String,
    sequence: u64,
    recovered: bool,
    extension: String,
    /// Still being written, or left behind by a writer that died.
    pub(super) part: bool,
}

impl Names {
    pub(super) fn new(directory: &Path, prefix: &str, format: OutputFormat) -> Self {
        Self {
            directory: directory.to_owned(),
            prefix: prefix.to_owned(),
            extension: format.extension(),
        }
    }

    /// The name of the finished file with this number, begun at `time`.
    pub(super) fn name(&self, time: SystemTime, sequence: u64) -> FileName {
        let time = jiff::Timestamp::try_from(time).unwrap_or_default();
        FileName {
            time: time.strftime("%Y%m%dT%H%M%SZ").to_string(),
            sequence,
            recovered: false,
            extension: self.extension.clone(),
            part: false,
        }
    }

    /// Where a file of this name is.
    pub(super) fn path(&self, name: &FileName) -> PathBuf {
        let FileName {
            time,
            sequence,
            extension,
            ..
        } = name;
        let recovered = if name.recovered {
            format!(".{RECOVERED}")
        } else {
            String::new()
        };
        let part = if name.part { format!(".{PART}") } else { String::new() };
        self.directory.join(format!(
            "{}-{time}-{sequence:06}{recovered}.{extension}{part}",
            self.prefix
        ))
    }

    /// Reads a file name; `None` when it is not one of this sink's.
    pub(super) fn parse(&self, name: &OsStr) -> Option<FileName> {
        let rest = name.to_str()?.strip_prefix(&self.prefix)?.strip_prefix('-')?;
        let (time, rest) = rest.split_once('-')?;
        let (sequence, rest) = rest.split_once('.')?;
        let (rest, part) = match rest.strip_suffix(PART).and_then(|rest| rest.strip_suffix('.')) {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (extension, recovered) = match rest.strip_prefix(RECOVERED).and_then(|rest| rest.strip_prefix('.')) {
            Some(extension) => (extension, true),
            None => (rest, false),
        };
        let ours = is_time(time) && is_sequence(sequence) && EXTENSIONS.contains(&extension);
        ours.then(|| {
            Some(FileName {
                time: time.to_owned(),
                sequence: sequence.parse().ok()?,
                recovered,
                extension: extension.to_owned(),
                part,
            })
        })?
    }

    /// This sink's files in the folder, oldest first, with their sizes in bytes.
    pub(super) fn list(&self) -> std::io::Result<Vec<(FileName, u64)>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            let Some(name) = self.parse(&entry.file_name()) else {
                continue;
            };
            // A file that went away in the meantime is none of ours any more.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_file() {
                files.push((name, metadata.len()));
            }
        }
        files.sort();
        Ok(files)
    }
}

impl FileName {
    /// The name while the file is being written.
    pub(super) fn as_part(&self) -> Self {
        Self {
            part: true,
            ..self.clone()
        }
    }

    /// The name of a finished file.
    pub(super) fn as_finished(&self) -> Self {
        Self {
            part: false,
            ..self.clone()
        }
    }

    /// The name of a file that its writer could not finish.
    pub(super) fn as_recovered(&self) -> Self {
        Self {
            part: false,
            recovered: true,
            ..self.clone()
        }
    }

    /// The same with the next number.
    pub(super) fn next(&self) -> Self {
        Self {
            sequence: self.sequence + 1,
            ..self.clone()
        }
    }

    /// The running number.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }
}

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 16
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 => *byte == b'T',
            15 => *byte == b'Z',
            _ => byte.is_ascii_digit(),
        })
}

fn is_sequence(text: &str) -> bool {
    text.len() >= 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::data::{Compression, Format};

    fn names() -> Names {
        let format = OutputFormat {
            format: Format::Pcapng,
            compression: Compression::Zstd,
        };
        Names::new(Path::new("/captures"), "edge-1", format)
    }

    #[test]
    fn a_name_holds_prefix_time_and_number_and_is_read_back() {
        let name = names().name(SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_821_740), 42);
        let path = names().path(&name);
        assert_eq!(path, Path::new("/captures/edge-1-20251122T142900Z-000042.pcapng.zst"));
        for name in [name.clone(), name.as_part(), name.as_recovered()] {
            let path = names().path(&name);
            assert_eq!(
                names().parse(path.file_name().unwrap()),
                Some(name),
                "{}",
                path.display()
            );
        }
    }

    #[test]
    fn names_of_others_are_not_ours() {
        for foreign in [
            "edge-20251122T142900Z-000042.pcapng.zst",
            "edge-1-x-20251122T142900Z-000042.pcapng",
            "edge-1-20251122T142900-000042.pcapng",
            "edge-1-20251122T142900Z-42.pcapng",
            "edge-1-20251122T142900Z-000042.pcapng.zst.bak",
            "edge-1-20251122T142900Z-000042.txt",
            "edge-1-20251122T142900Z-000042",
            "edge-1.pcapng",
        ] {
            assert_eq!(names().parse(OsStr::new(foreign)), None, "{foreign}");
        }
    }

    #[test]
    fn older_files_come_first() {
        let parse = |text: &str| names().parse(OsStr::new(text)).unwrap();
        let old = parse("edge-1-20251122T142900Z-000042.pcapng");
        let later = parse("edge-1-20251122T142901Z-000001.pcap.gz");
        let latest = parse("edge-1-20251122T142901Z-1000000.pcapng");
        assert!(old < later && later < latest);
    }
}
