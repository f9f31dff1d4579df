//! The reader: pulls bytes, steps the decoder, hands out events.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::blocks::{Blocks, Reading};
use super::decompress;
use super::error::{Fault, Place, ReadError};
use super::pcap::Pcap;
use super::pcapng::Pcapng;
use super::source::Source;
use super::step::{PacketStep, Skipped, Step};
use super::window::{Input, Window};
use super::{MAX_INTERFACE_TEXT, MAX_INTERFACES};
use crate::data::{Compression, Format, Interface, InterfaceStatistics, Record};

/// What a capture holds, in its order.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The description of an interface. It comes before the first packet of that interface.
    Interface {
        /// Its index over all sections of the file, from 0, without gaps.
        index: u32,
        /// The description.
        interface: &'a Interface,
    },
    /// Packet counts of an interface.
    Statistics {
        /// Index of the interface.
        interface: u32,
        /// The counts.
        statistics: InterfaceStatistics,
    },
    /// A packet.
    Packet(Record<'a>),
}

/// How far reading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Packets delivered.
    pub packets: u64,
    /// Offset in the (decompressed) stream of what comes next, bytes.
    pub offset: u64,
    /// Bytes taken from the file as it is stored; of [`CaptureReader::total_bytes`].
    pub consumed: u64,
}

/// What was passed over or changed while reading, for a line to the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// Decryption Secrets Blocks. They hold private keys and are never handed out.
    pub secrets_blocks: u64,
    /// Other blocks that are not about packets or interfaces, such as name resolution.
    pub other_blocks: u64,
    /// Packets whose time does not fit into 1970..2554 and was moved to the nearer end.
    pub times_clamped: u64,
}

enum Decoder {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

impl Decoder {
    fn sniff(start: &[u8]) -> Option<Self> {
        let magic = start.try_into().ok()?;
        if Pcapng::sniff(magic) {
            return Some(Self::Pcapng(Pcapng::new()));
        }
        Pcap::sniff(magic).map(Self::Pcap)
    }

    #[inline]
    fn step(&mut self, bytes: &[u8]) -> Result<Step, Fault> {
        match self {
            Self::Pcap(pcap) => pcap.step(bytes),
            Self::Pcapng(pcapng) => pcapng.step(bytes),
        }
    }
}

/// Streams the events of one capture file; memory does not grow with the file.
pub struct CaptureReader {
    name: String,
    compression: Compression,
    decoder: Decoder,
    window: Window,
    consumed: Arc<AtomicU64>,
    total: Option<u64>,
    interfaces: Vec<Interface>,
    interface_text: usize,
    packets: u64,
    notices: Notices,
    /// Bytes of the event handed out last.
    taken: usize,
    ended: bool,
}

impl CaptureReader {
    /// Opens a capture file; `-` is standard input.
    ///
    /// # Errors
    /// [`ReadError::Open`], [`ReadError::Empty`] or [`ReadError::NotACapture`].
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let source = Source::open(path).map_err(|source| ReadError::Open {
            name: path.display().to_string(),
            source,
        })?;
        Self::from_source(source)
    }

    /// Reads a capture from any stream; `name` is for messages.
    ///
    /// # Errors
    /// As [`CaptureReader::open`].
    pub fn from_stream(name: &str, stream: impl Read + Send + 'static) -> Result<Self, ReadError> {
        let source = Source::new(name.into(), Box::new(stream), None).map_err(|source| ReadError::Open {
            name: name.into(),
            source,
        })?;
        Self::from_source(source)
    }

    fn from_source(source: Source) -> Result<Self, ReadError> {
        let Source {
            name,
            start,
            bytes,
            consumed,
            total,
            file,
        } = source;
        let open_error = |source| ReadError::Open {
            name: name.clone(),
            source,
        };
        let compression = decompress::sniff(&start);
        let in_blocks = file
            .filter(|_| compression == Compression::None)
            .zip(total.and_then(Reading::of));
        let input = match in_blocks {
            Some((file, reading)) => {
                // The first bytes come once more.
                consumed.store(0, Ordering::Relaxed);
                Input::Blocks(Blocks::new(file, reading, Arc::clone(&consumed)).map_err(open_error)?)
            }
            None => Input::Stream(decompress::reader(compression, bytes).map_err(open_error)?),
        };
        let mut window = Window::new(input);
        window.fill(super::source::SNIFF).map_err(open_error)?;
        let start = &window.available()[..window.available().len().min(super::source::SNIFF)];
        if start.is_empty() {
            return Err(ReadError::Empty { name });
        }
        let Some(decoder) = Decoder::sniff(start) else {
            return Err(ReadError::NotACapture {
                name,
                start: start.to_vec(),
            });
        };
        Ok(Self {
            name,
            compression,
            decoder,
            window,
            consumed,
            total,
            interfaces: Vec::new(),
            interface_text: 0,
            packets: 0,
            notices: Notices::default(),
            taken: 0,
            ended: false,
        })
    }

    /// The next event; `None` at the end of the file, and again after that.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] or [`ReadError::Input`], once, when everything in front of it has been handed out;
    /// after an error the capture is at its end.
    #[inline]
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, ReadError> {
        while !self.ended {
            self.window.consume(std::mem::take(&mut self.taken));
            match self.decoder.step(self.window.available()) {
                Ok(Step::Packet(packet)) => return Ok(Some(self.packet(packet))),
                Ok(Step::Need(wanted)) => self.fill(wanted)?,
                Ok(Step::Skip { length, kind }) => self.skip(length, kind),
                Ok(Step::Interface { length, interface }) => return self.interface(length, *interface).map(Some),
                Ok(Step::Statistics {
                    length,
                    interface,
                    statistics,
                }) => {
                    self.taken = length;
                    return Ok(Some(Event::Statistics {
                        interface,
                        statistics: *statistics,
                    }));
                }
                Err(fault) => return Err(self.damaged(fault)),
            }
        }
        Ok(None)
    }

    /// How far reading has come.
    pub fn position(&self) -> Position {
        Position {
            packets: self.packets,
            offset: self.window.offset() + self.taken as u64,
            consumed: self.consumed.load(Ordering::Relaxed),
        }
    }

    /// Size of the file as it is stored, bytes; `None` for pipes.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total
    }

    /// The interfaces described so far.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// What was passed over or changed so far.
    pub fn notices(&self) -> Notices {
        self.notices
    }

    /// The format of the file.
    pub fn format(&self) -> Format {
        match self.decoder {
            Decoder::Pcap(_) => Format::Pcap,
            Decoder::Pcapng(_) => Format::Pcapng,
        }
    }

    /// The compression of the file.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    #[inline]
    fn packet(&mut self, packet: PacketStep) -> Event<'_> {
        self.taken = packet.length;
        self.packets += 1;
        self.notices.times_clamped += u64::from(packet.time_clamped);
        Event::Packet(Record {
            interface: packet.interface,
            time_ns: packet.time_ns,
            original_length: packet.original_length,
            data: &self.window.available()[packet.data],
        })
    }

    fn interface(&mut self, length: usize, interface: Interface) -> Result<Event<'_>, ReadError> {
        self.interface_text += length;
        if self.interfaces.len() == MAX_INTERFACES || self.interface_text > MAX_INTERFACE_TEXT {
            return Err(self.damaged(Fault::TooManyInterfaces));
        }
        self.taken = length;
        let index = self.interfaces.len();
        self.interfaces.push(interface);
        Ok(Event::Interface {
            index: index as u32,
            interface: &self.interfaces[index],
        })
    }

    fn skip(&mut self, length: usize, kind: Skipped) {
        self.taken = length;
        match kind {
            Skipped::Structure => {}
            Skipped::Secrets => self.notices.secrets_blocks += 1,
            Skipped::Other => self.notices.other_blocks += 1,
        }
    }

    /// Gets `wanted` bytes to hand; at a clean end of the file, notes that.
    #[cold]
    fn fill(&mut self, wanted: usize) -> Result<(), ReadError> {
        match self.window.fill(wanted) {
            Ok(true) => Ok(()),
            Ok(false) => match self.window.available().len() {
                0 => {
                    self.ended = true;
                    Ok(())
                }
                have => Err(self.damaged(Fault::CutOff { have, need: wanted })),
            },
            Err(source) => {
                self.ended = true;
                Err(ReadError::Input {
                    place: self.place(),
                    source,
                })
            }
        }
    }

    #[cold]
    fn damaged(&mut self, fault: Fault) -> ReadError {
        self.ended = true;
        ReadError::Damaged {
            place: self.place(),
            fault,
        }
    }

    fn place(&self) -> Place {
        Place {
            name: self.name.clone(),
            packet: self.packets + 1,
            offset: self.window.offset(),
            decompressed: self.compression != Compression::None,
        }
    }
}

impl std::fmt::Debug for CaptureReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("CaptureReader")
            .field("name", &self.name)
            .field("position", &self.position())
            .finish()
    }
}
