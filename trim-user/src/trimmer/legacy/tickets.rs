//! Where each held segment is.

use std::collections::VecDeque;

use crate::trimmer::pool::NONE;

/// Entries on each side of where a ticket is expected: they share a few cache lines.
const NEAR: usize = 8;

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
        if self.entries.back().is_none_or(|last| last.ticket < ticket) {
            self.entries.push_back(entry);
        } else {
            let place = self.entries.partition_point(|known| known.ticket < ticket);
            self.entries.insert(place, entry);
        }
        self.live += 1;
    }

    /// Where `ticket` is held.
    pub(super) fn find(&self, ticket: u64) -> Option<(u32, usize)> {
        let entry = self.entries.get(self.place(ticket)?)?;
        Some((entry.flow, usize::from(entry.direction)))
    }

    fn place(&self, ticket: u64) -> Option<usize> {
        let (from, to) = self.around(ticket)?;
        let place = self.first_from(from, to, ticket);
        let entry = self.entries.get(place)?;
        (entry.ticket == ticket && entry.flow != NONE).then_some(place)
    }

    /// A short range in which `ticket` stands, if anywhere. Tickets are numbered as they come, so that its place is nearly
    /// proportional to its number: among a million of them that spares a search twenty reads of memory that is in no cache.
    fn around(&self, ticket: u64) -> Option<(usize, usize)> {
        let (first, last) = (self.entries.front()?.ticket, self.entries.back()?.ticket);
        if !(first..=last).contains(&ticket) {
            return None;
        }
        let most = self.entries.len() - 1;
        let share = u128::from(ticket - first) * most as u128 / u128::from((last - first).max(1));
        let guess = (share as usize).min(most);
        let mut reach = NEAR;
        loop {
            let (from, to) = (guess.saturating_sub(reach), (guess + reach).min(most));
            let is_behind = self.entries.get(from).is_some_and(|entry| entry.ticket <= ticket);
            let is_before = self.entries.get(to).is_some_and(|entry| entry.ticket >= ticket);
            if is_behind && is_before {
                return Some((from, to + 1));
            }
            reach *= 4;
        }
    }

    /// The first place from `from` on, below `to`, whose ticket is not below `ticket`.
    fn first_from(&self, mut from: usize, mut to: usize, ticket: u64) -> usize {
        while from < to {
            let middle = from.midpoint(to);
            if self.entries.get(middle).is_some_and(|entry| entry.ticket < ticket) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
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

    #[test]
    fn a_ticket_is_found_wherever_it_stands_among_unevenly_spaced_ones() {
        let mut tickets = Tickets::default();
        let held: Vec<u64> = (0..500).map(|index: u64| index.pow(3) / 50 + index).collect();
        held.iter().for_each(|&ticket| tickets.insert(ticket, ticket as u32, 0));
        for ticket in 0..=held[499] + 10 {
            let expected = held.binary_search(&ticket).is_ok().then_some((ticket as u32, 0));
            assert_eq!(tickets.find(ticket), expected, "{ticket}");
        }
    }
}
