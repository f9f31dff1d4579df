//! What stands in a peer's output, by what the script says should: header bytes that are missing, body bytes that are there.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use trim_user::data::capture::file::{CaptureReader, Event};

use crate::traffic::{HEADERS, Packet, Truth};

/// The sums over all packets of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Exam {
    /// Packets in the output.
    pub(crate) packets: u64,
    /// Packets that are none of the script's: damaged, or somebody else's.
    pub(crate) foreign: u64,
    /// Bytes of link, IP, TCP and HTTP headers and of framing that these packets had and the output has not.
    pub(crate) header_bytes_lost: u64,
    /// Bytes of bodies that stand in the output.
    pub(crate) body_bytes_leaked: u64,
}

impl Exam {
    /// Looks through a capture file.
    ///
    /// # Errors
    /// When it cannot be read to its end.
    pub(crate) fn of(file: &Path, truth: &Truth) -> Result<Self> {
        let mut exam = Self::default();
        let mut reader = CaptureReader::open(file)?;
        while let Some(event) = reader
            .next_event()
            .with_context(|| format!("cannot examine {}", file.display()))?
        {
            if let Event::Packet(record) = event {
                exam.packet(record.data, truth);
            }
        }
        Ok(exam)
    }

    fn packet(&mut self, captured: &[u8], truth: &Truth) {
        self.packets += 1;
        let Some((packet, kept)) = Packet::of(captured).and_then(|packet| Some((packet, truth.kept(&packet)?))) else {
            self.foreign += 1;
            return;
        };
        let whole = HEADERS + packet.payload as usize;
        let headers = HEADERS + kept as usize;
        self.header_bytes_lost += headers.saturating_sub(captured.len()) as u64;
        let bodies = captured.get(headers..captured.len().min(whole)).unwrap_or_default();
        // A body has no zeros (`filling`): those that stand there are written over it.
        self.body_bytes_leaked += bodies.iter().filter(|&&byte| byte != 0).count() as u64;
    }

    /// Both outputs together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            packets: self.packets + other.packets,
            foreign: self.foreign + other.foreign,
            header_bytes_lost: self.header_bytes_lost + other.header_bytes_lost,
            body_bytes_leaked: self.body_bytes_leaked + other.body_bytes_leaked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::{Play, api};

    #[test]
    fn whole_packets_leak_and_short_ones_lose() {
        let traffic = api(1);
        let mut play = Play::new(&traffic.script);
        let frames: Vec<_> = (0..4).map(|_| play.next_bytes()).collect();
        let exam = |length: usize| {
            let mut exam = Exam::default();
            for frame in &frames {
                exam.packet(&frame[..length.min(frame.len())], &traffic.truth);
            }
            exam
        };
        // The handshake, and one call whose body has 1024 bytes.
        assert_eq!(exam(1514).body_bytes_leaked, 1024);
        assert_eq!(exam(1514).header_bytes_lost, 0);
        let header = frames[3].len() - 1024;
        assert_eq!(
            exam(header),
            Exam {
                packets: 4,
                ..Exam::default()
            }
        );
        assert_eq!(exam(100).header_bytes_lost, header as u64 - 100);
        assert_eq!(exam(50).foreign, 4, "without its headers nobody knows what it was");
    }
}
