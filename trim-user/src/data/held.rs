//! Frames that wait for their labels, and the decided ones behind them: how packets keep their order.
//!
//! Entries leave strictly in the order in which they came, so their bytes live in pages that fill at one end and empty
//! at the other. Memory grows in pages up to what the budget admits and is reused afterwards.

use std::collections::VecDeque;

use super::record::Record;
use super::worker::Output;
use crate::packet::TcpLayout;
use crate::trimmer::Ticket;

/// Bytes of a page; a longer frame gets a page of its own.
const PAGE_BYTES: usize = 256 << 10;
/// What an entry costs beside its bytes, for the budget.
const ENTRY_BYTES: usize = size_of::<Entry>();

/// A queue of frames, some of which wait.
#[derive(Debug, Default)]
pub(super) struct HeldFrames {
    entries: VecDeque<Entry>,
    head: u64,
    pages: VecDeque<Page>,
    first_page: u64,
    spare: Vec<Page>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    lane: usize,
    interface: u32,
    time_ns: u64,
    original_length: u32,
    page: u64,
    offset: usize,
    length: usize,
    stored: usize,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Waiting(TcpLayout),
    Ready,
    Omitted,
}

#[derive(Debug)]
struct Page {
    bytes: Box<[u8]>,
    used: usize,
    entries: usize,
}

/// A waiting frame, for the one who decides it.
pub(super) struct Waiting<'a> {
    pub(super) lane: usize,
    pub(super) layout: TcpLayout,
    pub(super) data: &'a mut [u8],
}

impl HeldFrames {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Memory in use, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The oldest entry, which waits whenever the queue has been drained: its ticket, lane and capture time.
    pub(super) fn oldest(&self) -> Option<(Ticket, usize, u64)> {
        let entry = self.entries.front()?;
        Some((Ticket(self.head), entry.lane, entry.time_ns))
    }

    /// Appends a frame that waits for its labels. Tickets are consecutive while the queue is not empty.
    pub(super) fn push_waiting(&mut self, ticket: Ticket, lane: usize, frame: &Record<'_>, layout: TcpLayout) {
        self.push(ticket, lane, frame, State::Waiting(layout));
    }

    /// Appends a frame that is decided but stands behind one that is not.
    pub(super) fn push_ready(&mut self, ticket: Ticket, lane: usize, frame: &Record<'_>) {
        self.push(ticket, lane, frame, State::Ready);
    }

    /// Keeps the place of a frame that is left out, so that tickets stay consecutive.
    pub(super) fn push_omitted(&mut self, ticket: Ticket, lane: usize, frame: &Record<'_>) {
        self.push(ticket, lane, &Record { data: &[], ..*frame }, State::Omitted);
    }

    fn push(&mut self, ticket: Ticket, lane: usize, frame: &Record<'_>, state: State) {
        if self.entries.is_empty() {
            self.head = ticket.0;
        }
        debug_assert_eq!(
            self.head + self.entries.len() as u64,
            ticket.0,
            "tickets are consecutive"
        );
        let (page, offset) = self.place(frame.data);
        self.bytes += frame.data.len() + ENTRY_BYTES;
        self.entries.push_back(Entry {
            lane,
            interface: frame.interface,
            time_ns: frame.time_ns,
            original_length: frame.original_length,
            page,
            offset,
            length: frame.data.len(),
            stored: frame.data.len(),
            state,
        });
    }

    fn place(&mut self, data: &[u8]) -> (u64, usize) {
        let fits = self
            .pages
            .back()
            .is_some_and(|page| page.bytes.len() - page.used >= data.len());
        if !fits {
            let page = self.fresh_page(data.len());
            self.pages.push_back(page);
        }
        let number = self.first_page + self.pages.len() as u64 - 1;
        let page = self.pages.back_mut().expect("a page was just made sure of");
        let offset = page.used;
        page.bytes[offset..offset + data.len()].copy_from_slice(data);
        page.used += data.len();
        page.entries += 1;
        (number, offset)
    }

    fn fresh_page(&mut self, length: usize) -> Page {
        match self.spare.pop() {
            Some(page) if page.bytes.len() >= length => page,
            _ => Page {
                bytes: vec![0; length.max(PAGE_BYTES)].into_boxed_slice(),
                used: 0,
                entries: 0,
            },
        }
    }

    /// The frame with this ticket, if it waits.
    pub(super) fn waiting(&mut self, ticket: Ticket) -> Option<Waiting<'_>> {
        let index = usize::try_from(ticket.0.checked_sub(self.head)?).ok()?;
        let entry = self.entries.get(index)?;
        let State::Waiting(layout) = entry.state else {
            return None;
        };
        let page = self.pages.get_mut((entry.page - self.first_page) as usize)?;
        let data = page.bytes.get_mut(entry.offset..entry.offset + entry.length)?;
        Some(Waiting {
            lane: entry.lane,
            layout,
            data,
        })
    }

    /// Settles a waiting frame: `stored` of its bytes are stored, or none of it when `None`.
    pub(super) fn settle(&mut self, ticket: Ticket, stored: Option<usize>) {
        let index = ticket.0.wrapping_sub(self.head) as usize;
        let Some(entry) = self.entries.get_mut(index) else {
            return;
        };
        entry.stored = stored.unwrap_or(0).min(entry.length);
        entry.state = if stored.is_some() { State::Ready } else { State::Omitted };
    }

    /// The tickets that wait in one lane, oldest first.
    pub(super) fn waiting_in(&self, lane: usize) -> Vec<Ticket> {
        let waits = |entry: &Entry| entry.lane == lane && matches!(entry.state, State::Waiting(_));
        (self.head..)
            .zip(&self.entries)
            .filter(|(_, entry)| waits(entry))
            .map(|(ticket, _)| Ticket(ticket))
            .collect()
    }

    /// Sends off everything in front of the oldest frame that waits.
    pub(super) fn drain(&mut self, output: &mut impl Output) {
        while let Some(entry) = self.entries.front() {
            match entry.state {
                State::Waiting(_) => return,
                State::Ready => {
                    let page = &self.pages[(entry.page - self.first_page) as usize];
                    let frame = Record {
                        interface: entry.interface,
                        time_ns: entry.time_ns,
                        original_length: entry.original_length,
                        data: &page.bytes[entry.offset..entry.offset + entry.stored],
                    };
                    output.store(entry.lane, frame);
                }
                State::Omitted => {}
            }
            self.pop();
        }
    }

    fn pop(&mut self) {
        let Some(entry) = self.entries.pop_front() else { return };
        self.head += 1;
        self.bytes -= if entry.length == 0 {
            ENTRY_BYTES
        } else {
            entry.length + ENTRY_BYTES
        };
        self.pages[(entry.page - self.first_page) as usize].entries -= 1;
        while self.pages.front().is_some_and(|page| page.entries == 0) {
            let Some(mut page) = self.pages.pop_front() else { return };
            self.first_page += 1;
            page.used = 0;
            if page.bytes.len() == PAGE_BYTES {
                self.spare.push(page);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Dissection, LinkType, dissect};

    #[derive(Default)]
    struct Stored(Vec<(usize, Vec<u8>)>);

    impl Output for Stored {
        fn store(&mut self, lane: usize, frame: Record<'_>) {
            self.0.push((lane, frame.data.to_vec()));
        }
    }

    fn frame(data: &[u8]) -> Record<'_> {
        Record {
            interface: 0,
            time_ns: 1,
            original_length: data.len() as u32,
            data,
        }
    }

    fn some_layout() -> TcpLayout {
        let mut ip = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        ip.extend([0, 80, 0, 81, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0, 0, 0, 0, 0, 0, 0]);
        let Dissection::Tcp(layout) = dissect(LinkType::RAW, &ip, 40) else {
            panic!("a TCP segment")
        };
        layout
    }

    #[test]
    fn nothing_overtakes_a_waiting_frame() {
        let mut held = HeldFrames::default();
        let mut stored = Stored::default();
        held.push_waiting(Ticket(7), 0, &frame(b"first"), some_layout());
        held.push_ready(Ticket(8), 1, &frame(b"second"));
        held.push_omitted(Ticket(9), 1, &frame(b"third"));
        held.push_ready(Ticket(10), 0, &frame(b"fourth"));
        held.drain(&mut stored);
        assert!(stored.0.is_empty());
        assert!(held.waiting(Ticket(8)).is_none());
        assert_eq!(
            held.waiting(Ticket(7)).map(|waiting| waiting.data.to_vec()),
            Some(b"first".to_vec())
        );
        held.settle(Ticket(7), Some(2));
        held.drain(&mut stored);
        assert_eq!(
            stored.0,
            [(0, b"fi".to_vec()), (1, b"second".to_vec()), (0, b"fourth".to_vec())]
        );
        assert!(held.is_empty());
        assert_eq!(held.bytes(), 0);
    }

    #[test]
    fn pages_are_reused_and_long_frames_fit() {
        let mut held = HeldFrames::default();
        let mut stored = Stored::default();
        let long = vec![7; PAGE_BYTES + 1];
        for round in 0..50u64 {
            held.push_waiting(Ticket(3 * round), 0, &frame(&[1; 1000]), some_layout());
            held.push_ready(Ticket(3 * round + 1), 0, &frame(&long));
            held.push_ready(Ticket(3 * round + 2), 0, &frame(&[2; 1000]));
            held.settle(Ticket(3 * round), Some(1000));
            held.drain(&mut stored);
        }
        assert_eq!(stored.0.len(), 150);
        assert_eq!(stored.0[148].1.len(), PAGE_BYTES + 1);
        assert!(held.spare.len() <= 2, "{} spare pages", held.spare.len());
    }
}
