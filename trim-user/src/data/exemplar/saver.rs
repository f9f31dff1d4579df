//! Writes exemplars, away from the packet path.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::{Exemplar, ExemplarSettings};
use crate::data::sink::{FileSink, OutputFormat, Sink as _, SinkError};
use crate::data::{Compression, Format, Interface, Record};
use crate::packet::LinkType;
use crate::shared::ExemplarBoard;
use crate::trimmer::Class;

/// Only the owner reads what was captured.
const FILE_MODE: u32 = 0o600;
/// Likewise for the folder.
const FOLDER_MODE: u32 = 0o700;
/// What each exemplar is about, a line each.
const TEXT: &str = "differences.txt";

/// A thread's work: writes what comes until nobody sends any more.
pub struct Saver {
    settings: ExemplarSettings,
    /// First part of the names: when the capture began.
    stamp: String,
    board: Arc<ExemplarBoard>,
    numbers: [u32; Class::COUNT],
    has_warned: bool,
}

impl Saver {
    /// Makes nothing yet: the folder comes with the first exemplar.
    pub fn new(settings: ExemplarSettings, board: Arc<ExemplarBoard>) -> Self {
        let now = jiff::Timestamp::now();
        Self {
            settings,
            stamp: now.strftime("%Y%m%dT%H%M%SZ").to_string(),
            board,
            numbers: [0; Class::COUNT],
            has_warned: false,
        }
    }

    /// Writes until the last sender is gone. What cannot be written is counted, and said once.
    pub fn run(mut self, exemplars: &Receiver<Exemplar>) {
        for exemplar in exemplars {
            match self.save(&exemplar) {
                Ok(path) => {
                    self.board.saved.add(1);
                    tracing::info!(class = exemplar.class.name(), file = %path.display(), "saved an exemplar of a difference");
                }
                Err(error) => {
                    self.board.lost.add(1);
                    self.warn(&error);
                }
            }
        }
    }

    fn warn(&mut self, error: &SaveError) {
        if !std::mem::replace(&mut self.has_warned, true) {
            tracing::warn!(%error, "an exemplar of a difference is not saved; further ones that fail are only counted");
        }
    }

    fn save(&mut self, exemplar: &Exemplar) -> Result<PathBuf, SaveError> {
        let folder = &self.settings.directory;
        let failed = |source| SaveError::Folder {
            path: folder.clone(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(folder)
            .map_err(failed)?;
        let size: usize = exemplar.packets.iter().map(|packet| packet.data.len()).sum();
        if bytes_in(folder).map_err(failed)? + size as u64 > self.settings.bytes {
            return Err(SaveError::Full {
                path: folder.clone(),
                bytes: self.settings.bytes,
            });
        }
        let number = &mut self.numbers[exemplar.class.index()];
        *number += 1;
        let name = format!("{}-{}-{number}.pcapng", self.stamp, exemplar.class.name());
        let path = folder.join(&name);
        write_capture(&path, exemplar)?;
        append_line(&folder.join(TEXT), &name, exemplar).map_err(failed)?;
        Ok(path)
    }
}

/// Why an exemplar could not be saved.
#[derive(Debug, thiserror::Error)]
enum SaveError {
    #[error("cannot use {} for differences (`comparison.directory`): {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("{} holds as much as it may ({bytes} bytes, `comparison.size`): move files away", path.display())]
    Full { path: PathBuf, bytes: u64 },
    #[error(transparent)]
    Sink(#[from] SinkError),
}

fn bytes_in(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

fn write_capture(path: &Path, exemplar: &Exemplar) -> Result<(), SinkError> {
    let format = OutputFormat {
        format: Format::Pcapng,
        compression: Compression::None,
    };
    let mut sink = FileSink::create_with_mode(path, &[], format, FILE_MODE)?;
    let interface = sink.interface(&Interface::new(LinkType::ETHERNET))?;
    for packet in &exemplar.packets {
        sink.record(&Record {
            interface,
            time_ns: packet.time_ns,
            original_length: packet.original_length,
            data: &packet.data,
        })?;
    }
    sink.finish().map(drop)
}

fn append_line(path: &Path, name: &str, exemplar: &Exemplar) -> io::Result<()> {
    let mut line = String::new();
    let Exemplar {
        class,
        exact_says,
        fast_says,
        payload_from,
        payload_to,
        shown,
        packets,
    } = exemplar;
    // Writing to a string cannot fail.
    let _ = writeln!(
        line,
        "{name}: {}: packet {} of {} in this file, payload bytes {payload_from}..{payload_to}: legacy says {}, scanning \
         says {}",
        class.name(),
        shown + 1,
        packets.len(),
        exact_says.name(),
        fast_says.name()
    );
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(FILE_MODE)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    file.write_all(line.as_bytes())
}
