//! Where each held segment is.

use std::collections::VecDeque;

use crate::trimmer::pool::NONE;

#[derive(Clone, Copy, Debug)]
struct Entry {
    ticket: u64,
    flow: u32,
    direction: u8,
}

/// Held tickets in the order of their numbers, which is that of their arrival. A ticket that is given back leaves its
/// place for a while, so that neither end of the queue is ever searched for long.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    entries: VecDeque<Entry>,
    live: usize,
}

impl Tickets {
    /// `ticket` is held in this direction of this flow.
    pub(super) fn insert(&mut self, ticket: u64, flow: u32, direction: usize) {
        let entry = Entry {
            ticket,
            flow,
            direction: direction as u8,
        };
        let place = self.entries.partition_point(|known| known.ticket < ticket);
        self.entries.insert(place, entry);
        self.live += 1;
    }

    /// Where `ticket` is held.
    pub(super) fn find(&self, ticket: u64) -> Option<(u32, usize)> {
        let entry = self.entries.get(self.place(ticket)?)?;
        Some((entry.flow, usize::from(entry.direction)))
    }

    fn place(&self, ticket: u64) -> Option<usize> {
        let place = self.entries.binary_search_by_key(&ticket, |entry| entry.ticket).ok()?;
        self.entries
            .get(place)
            .is_some_and(|entry| entry.flow != NONE)
            .then_some(place)
    }

    /// `ticket` is held no more.
    pub(super) fn remove(&mut self, ticket: u64) {
        let Some(entry) = self.place(ticket).and_then(|place| self.entries.get_mut(place)) else {
            return;
        };
        entry.flow = NONE;
        self.live -= 1;
        while self.entries.pop_front_if(|entry| entry.flow == NONE).is_some() {}
        if self.entries.len() > 64 && self.live * 2 < self.entries.len() {
            self.entries.retain(|entry| entry.flow != NONE);
        }
    }

    /// The ticket that is held longest.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_are_found_until_they_are_given_back() {
        let mut tickets = Tickets::default();
        for ticket in (0..1000).rev() {
            tickets.insert(ticket, ticket as u32, (ticket % 2) as usize);
        }
        for ticket in (0..1000).filter(|ticket| ticket % 7 != 0) {
            tickets.remove(ticket);
            tickets.remove(ticket);
        }
        for ticket in 0..1000 {
            let expected = (ticket % 7 == 0).then_some((ticket as u32, (ticket % 2) as usize));
            assert_eq!(tickets.find(ticket), expected, "{ticket}");
        }
        assert_eq!(tickets.live, 143);
        assert!(tickets.entries.len() <= 286);
        tickets.remove(0);
        assert_eq!(tickets.oldest(), Some(7));
    }
}
