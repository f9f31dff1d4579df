//! What a program has kept, by its output and what is known of its input.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use trim_user::data::capture::file::{CaptureReader, Event};

use super::capture::Frame;

/// The unit of time in which pcap is written, unless asked otherwise, nanoseconds.
const PCAP_TIME: u64 = 1000;

/// What is wrong with an output: with a perfect one both are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Account {
    /// Bytes of link, IP, TCP and HTTP headers that are not in it.
    pub(super) header_bytes_lost: u64,
    /// Bytes of message bodies that are in it.
    pub(super) body_bytes_kept: u64,
}

impl Account {
    /// Compares an output with the frames of its input.
    ///
    /// # Errors
    /// When it cannot be read, or does not hold the beginning of each frame, in their order and with their lengths.
    pub(super) fn of(output: &Path, truth: impl Iterator<Item = Frame>) -> Result<Self> {
        let mut reader = CaptureReader::open(output)?;
        let mut account = Self::default();
        let mut truth = truth.enumerate();
        while let Some(event) = reader.next_event()? {
            let Event::Packet(packet) = event else { continue };
            let (number, frame) = truth.next().context("it holds more packets than its input")?;
            ensure!(
                frame.bytes.starts_with(packet.data)
                    && packet.original_length as usize == frame.bytes.len()
                    && packet.time_ns / PCAP_TIME == frame.time_ns / PCAP_TIME,
                "packet {} is not the one of the input",
                number + 1
            );
            account.frame(&frame, packet.data.len());
        }
        ensure!(truth.next().is_none(), "it holds fewer packets than its input");
        Ok(account)
    }

    fn frame(&mut self, frame: &Frame, kept: usize) {
        self.header_bytes_lost += frame.headers.saturating_sub(kept) as u64;
        self.body_bytes_kept += kept.saturating_sub(frame.headers) as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use trim_user::data::Format;
    use xtask::lab::Folder;

    use super::super::capture::{Content, Frames, write};
    use super::*;

    const SIZE: usize = 4 << 20;

    fn frame() -> Frame {
        Frame {
            time_ns: 1,
            bytes: vec![7; 200],
            headers: 150,
        }
    }

    #[test]
    fn what_is_missing_of_headers_and_left_of_bodies_is_counted() {
        let account = |kept| {
            let mut account = Account::default();
            account.frame(&frame(), kept);
            (account.header_bytes_lost, account.body_bytes_kept)
        };
        assert_eq!(account(150), (0, 0));
        assert_eq!(account(128), (22, 0));
        assert_eq!(account(200), (0, 50));
    }

    #[test]
    fn a_whole_capture_keeps_all_its_bodies_and_another_one_is_refused() {
        let folder = Folder::new("account").unwrap();
        let (path, content) = write(folder.path(), Format::Pcapng, SIZE).unwrap();
        let account = Account::of(&path, Frames::new(SIZE)).unwrap();
        assert_eq!(
            (account.header_bytes_lost, account.body_bytes_kept),
            (0, content.body_bytes)
        );
        assert_ne!(content, Content::default());

        assert!(Account::of(&path, Frames::new(SIZE * 2)).is_err(), "fewer packets");
        assert!(Account::of(&path, Frames::new(SIZE / 2)).is_err(), "more packets");
        let mut bytes = fs::read(&path).unwrap();
        *bytes.iter_mut().rev().nth(500).unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
        let error = Account::of(&path, Frames::new(SIZE)).unwrap_err();
        assert!(error.to_string().contains("is not the one of the input"), "{error:#}");
    }
}
