//! Capture files in, one trimmed capture out: the same worker as a live capture, on the calling thread.

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::capture::file::{CaptureReader, Event, Position, ReadError};
use super::record::Record;
use super::sink::{Sink, SinkError, Summary};
use super::worker::{Output, Worker};
use crate::packet::LinkType;

/// Packets between two reports of progress.
const PROGRESS_EVERY: u64 = 1 << 14;

/// Why a capture could not be trimmed to its end.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// An input could not be read to its end; everything before is in the output.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The output could not be written; there is none.
    #[error(transparent)]
    Write(#[from] SinkError),
    /// The caller asked for it; there is no output.
    #[error("interrupted; there is no output")]
    Interrupted,
}

/// What came of it.
#[derive(Debug)]
pub struct Trimmed {
    /// What became of the packets.
    pub summary: Summary,
    /// Packets read.
    pub packets: u64,
    /// Captured bytes read.
    pub bytes: u64,
    /// The input that could not be read to its end, if there was one; inputs behind it are not read.
    pub damage: Option<ReadError>,
}

/// Reads `inputs` one after the other, trims them with lane `lane` of `worker` and writes them to `sink`. Flows go on
/// from one input to the next, so that the files of a rotation are one capture. `progress` is called now and then, and
/// may break off.
///
/// # Errors
/// When the first input is no capture at all, when the output fails, or when `progress` breaks off.
pub fn trim_files(
    inputs: &[PathBuf],
    worker: &mut Worker,
    lane: usize,
    sink: &mut dyn Sink,
    mut progress: impl FnMut(&CaptureReader, Position) -> ControlFlow<()>,
) -> Result<Trimmed, OfflineError> {
    let mut offline = Offline {
        worker,
        lane,
        links: Vec::new(),
        output: SinkOutput { sink, error: None },
        packets: 0,
        bytes: 0,
        is_interrupted: false,
    };
    let mut damage = None;
    for (number, path) in inputs.iter().enumerate() {
        let result = CaptureReader::open(path).and_then(|reader| offline.trim(reader, &mut progress));
        match result {
            Ok(()) if offline.is_interrupted => return Err(OfflineError::Interrupted),
            Ok(()) => offline.output.check()?,
            Err(error) if number == 0 && offline.links.is_empty() => return Err(error.into()),
            Err(error) => {
                damage = Some(error);
                break;
            }
        }
    }
    offline.worker.finish(&mut offline.output);
    offline.output.check()?;
    let Offline {
        output, packets, bytes, ..
    } = offline;
    Ok(Trimmed {
        summary: output.sink.finish()?,
        packets,
        bytes,
        damage,
    })
}

struct Offline<'a> {
    worker: &'a mut Worker,
    lane: usize,
    /// Link type of each interface of the output.
    links: Vec<LinkType>,
    output: SinkOutput<'a>,
    packets: u64,
    bytes: u64,
    is_interrupted: bool,
}

impl Offline<'_> {
    /// Trims one file. Ends early, without an error, when the output has failed or `progress` breaks off.
    fn trim(
        &mut self,
        mut reader: CaptureReader,
        progress: &mut impl FnMut(&CaptureReader, Position) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        // The interfaces of this file come behind those of the files before it.
        let first = self.links.len() as u32;
        while let Some(event) = reader.next_event()? {
            match event {
                Event::Packet(record) => self.packet(first, &record),
                Event::Interface { interface, .. } => {
                    self.links.push(interface.link_type);
                    let announced = self.output.sink.interface(interface);
                    self.output.note(announced.map(drop));
                }
                Event::Statistics { interface, statistics } => {
                    self.output.sink.statistics(first + interface, &statistics);
                }
            }
            if self.packets.is_multiple_of(PROGRESS_EVERY) {
                self.is_interrupted = progress(&reader, reader.position()).is_break();
            }
            if self.is_interrupted || self.output.error.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    #[inline]
    fn packet(&mut self, first: u32, record: &Record<'_>) {
        let interface = first + record.interface;
        // The reader describes an interface before its first packet.
        let Some(&link) = self.links.get(interface as usize) else {
            return;
        };
        self.packets += 1;
        self.bytes += record.data.len() as u64;
        let record = Record { interface, ..*record };
        self.worker.packet(self.lane, link, &record, &mut self.output);
    }
}

/// Hands packets to the sink and remembers the first error.
struct SinkOutput<'a> {
    sink: &'a mut dyn Sink,
    error: Option<SinkError>,
}

impl SinkOutput<'_> {
    #[inline]
    fn note(&mut self, result: Result<(), SinkError>) {
        if let Err(error) = result {
            self.error.get_or_insert(error);
        }
    }

    fn check(&mut self) -> Result<(), SinkError> {
        self.error.take().map_or(Ok(()), Err)
    }
}

impl Output for SinkOutput<'_> {
    #[inline]
    fn store(&mut self, _lane: usize, record: Record<'_>) {
        let result = self.sink.record(&record);
        self.note(result);
    }
}
