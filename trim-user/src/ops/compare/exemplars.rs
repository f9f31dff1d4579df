//! Small captures of places where strategies differ.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::report::Exemplar;
use crate::data::sink::{FileSink, OutputFormat, Sink as _, SinkError};
use crate::data::{Compression, Format, Record};
use crate::ops::capture::Capture;

/// Packets of the flow that are saved in front of the one that shows the difference, beyond its first ones.
const BEFORE: usize = 32;
/// Packets of the flow that are saved from its beginning, because framing depends on how it began.
const FIRST: usize = 16;
/// Packets of the flow that are saved behind the one that shows the difference.
const BEHIND: usize = 8;
/// The text file.
const TEXT: &str = "differences.txt";

/// Why exemplars could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The directory cannot be made or read.
    #[error("cannot use {} for differences: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something already, which is not to be overwritten.
    #[error("{} is not empty: nothing is overwritten; name a new or an empty directory", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// A capture could not be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The text could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A directory for exemplars, which was empty when it was opened.
pub struct Exemplars {
    path: PathBuf,
}

impl Exemplars {
    /// Makes the directory if it is not there.
    ///
    /// # Errors
    /// When it cannot be made or read, or is not empty.
    pub fn create(path: &Path) -> Result<Self, SaveError> {
        let fail = |source| SaveError::Directory {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(path).map_err(fail)?;
        if fs::read_dir(path).map_err(fail)?.next().is_some() {
            return Err(SaveError::NotEmpty { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Saves the exemplars, and notes in each the name of its file. Writes nothing when there are none.
    pub(super) fn save(&self, capture: &Capture, exemplars: &mut [Exemplar]) -> Result<(), SaveError> {
        let mut text = String::new();
        for index in 0..exemplars.len() {
            let alike = |other: &&Exemplar| {
                other.class == exemplars[index].class && other.strategy == exemplars[index].strategy
            };
            let number = exemplars[..=index].iter().filter(alike).count();
            let exemplar = &mut exemplars[index];
            let name = format!("{}-{}-{number}.pcapng", exemplar.strategy, exemplar.class.name());
            let place = write_capture(capture, exemplar, &self.path.join(&name))?;
            line(&mut text, &name, exemplar, place);
            exemplar.file = Some(name);
        }
        if exemplars.is_empty() {
            return Ok(());
        }
        let path = self.path.join(TEXT);
        fs::write(&path, text).map_err(|source| SaveError::Text { path, source })
    }
}

fn line(text: &mut String, name: &str, exemplar: &Exemplar, place: usize) {
    let Exemplar {
        class,
        reference,
        reference_says,
        strategy,
        strategy_says,
        flow,
        packet,
        payload_from,
        payload_to,
        frame_from,
        frame_to,
        ..
    } = exemplar;
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{name}: {}: flow {flow}, packet {packet} ({place} in this file), payload bytes {payload_from}..{payload_to}, frame \
         bytes {frame_from}..{frame_to}: {reference} says {reference_says}, {strategy} says {strategy_says}",
        class.name()
    );
}

/// Writes the packets of the exemplar's flow around the difference; the number, from 1, of the one that shows it.
fn write_capture(capture: &Capture, exemplar: &Exemplar, path: &Path) -> Result<usize, SaveError> {
    let shown = exemplar.packet as usize - 1;
    let flow = capture.packets[shown].tcp().map(|layout| layout.flow);
    let of_flow: Vec<usize> = (0..capture.packets.len())
        .filter(|&index| capture.packets[index].tcp().map(|layout| layout.flow) == flow)
        .collect();
    let place = of_flow.partition_point(|&index| index < shown);
    let is_near = |&(nth, _): &(usize, &usize)| nth < FIRST || (nth + BEFORE >= place && nth <= place + BEHIND);
    let format = OutputFormat {
        format: Format::Pcapng,
        compression: Compression::None,
    };
    let mut sink = FileSink::create(path, &[], format)?;
    for interface in &capture.interfaces {
        sink.interface(interface)?;
    }
    let mut place_in_file = 0;
    for (written, (_, &index)) in of_flow.iter().enumerate().filter(is_near).enumerate() {
        let packet = &capture.packets[index];
        let record: Record<'_> = capture.record(packet);
        sink.record(&record)?;
        if index == shown {
            place_in_file = written + 1;
        }
    }
    sink.finish()?;
    Ok(place_in_file)
}
