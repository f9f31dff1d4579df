//! The table of known flows: bounded, seeded, least recently used first out.

use std::hash::{BuildHasher, RandomState};

use trim_common::flow::FlowKey;

use super::pool::{NONE, Pool};

/// Most flows a table can be asked for.
const MOST_FLOWS: usize = 1 << 28;

/// Flows by key, each with a value. A flow is named by a number that stays valid until it is removed.
///
/// Chained hashing with the links inside the entries: an insertion or removal costs the same whether the table is
/// empty or full, nothing is ever moved or rehashed. The seed is random, so that nobody outside can aim at a chain.
#[derive(Debug)]
pub(super) struct FlowTable<T> {
    seed: u64,
    /// Number of the first flow of each chain, plus one; zero is none, so that untouched buckets cost no memory.
    buckets: Vec<u32>,
    entries: Pool<Entry<T>>,
    newest: u32,
    oldest: u32,
    last: u32,
    most: usize,
    /// Uses between two moves of one flow to the front: exact order for small tables, no cost for busy flows of
    /// large ones.
    slack: u64,
    uses: u64,
}

#[derive(Debug)]
struct Entry<T> {
    key: FlowKey,
    chain: u32,
    newer: u32,
    older: u32,
    moved: u64,
    value: T,
}

impl<T> FlowTable<T> {
    /// A table for at most `most` flows (at least 1).
    pub(super) fn new(most: usize) -> Self {
        let most = most.clamp(1, MOST_FLOWS);
        Self {
            seed: RandomState::new().hash_one(most),
            buckets: vec![0; most.next_power_of_two()],
            entries: Pool::new(),
            newest: NONE,
            oldest: NONE,
            last: NONE,
            most,
            slack: most as u64 / 16,
            uses: 0,
        }
    }

    /// How many flows there are.
    pub(super) fn len(&self) -> usize {
        self.entries.used()
    }

    /// Whether a flow must be removed before the next is inserted.
    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.most
    }

    /// The flow used least recently (to within a sixteenth of the table's size in uses).
    pub(super) fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// The value of a flow.
    #[inline]
    pub(super) fn get_mut(&mut self, flow: u32) -> &mut T {
        &mut self.entries.get_mut(flow).value
    }

    /// The flow with this key, marked as used.
    #[inline]
    pub(super) fn find(&mut self, key: &FlowKey) -> Option<u32> {
        self.uses += 1;
        let found = if self.last != NONE && self.entries.get(self.last).key == *key {
            self.last
        } else {
            self.search(key)?
        };
        self.last = found;
        if self.uses - self.entries.get(found).moved > self.slack {
            self.unlink(found);
            self.link_newest(found);
        }
        Some(found)
    }

    fn search(&self, key: &FlowKey) -> Option<u32> {
        let mut link = self.buckets[self.bucket(key)];
        while link != 0 {
            let entry = self.entries.get(link - 1);
            if entry.key == *key {
                return Some(link - 1);
            }
            link = entry.chain;
        }
        None
    }

    #[inline]
    fn bucket(&self, key: &FlowKey) -> usize {
        key.hash(self.seed) as usize & (self.buckets.len() - 1)
    }

    /// Adds a flow that is not in the table.
    pub(super) fn insert(&mut self, key: FlowKey, value: T) -> u32 {
        debug_assert!(!self.is_full() && self.search(&key).is_none());
        let bucket = self.bucket(&key);
        let flow = self.entries.insert(Entry {
            key,
            chain: self.buckets[bucket],
            newer: NONE,
            older: NONE,
            moved: 0,
            value,
        });
        self.buckets[bucket] = flow + 1;
        self.link_newest(flow);
        self.last = flow;
        flow
    }

    /// Removes a flow; its value stays in place until another flow takes it.
    pub(super) fn remove(&mut self, flow: u32) {
        let Entry { key, chain, .. } = *self.entries.get(flow);
        let bucket = self.bucket(&key);
        let mut link = self.buckets[bucket];
        if link == flow + 1 {
            self.buckets[bucket] = chain;
        }
        while link != 0 {
            let entry = self.entries.get_mut(link - 1);
            if entry.chain == flow + 1 {
                entry.chain = chain;
            }
            link = entry.chain;
        }
        self.unlink(flow);
        self.entries.free(flow);
        if self.last == flow {
            self.last = NONE;
        }
    }

    fn unlink(&mut self, flow: u32) {
        let Entry { newer, older, .. } = *self.entries.get(flow);
        match newer {
            NONE => self.newest = older,
            _ => self.entries.get_mut(newer).older = older,
        }
        match older {
            NONE => self.oldest = newer,
            _ => self.entries.get_mut(older).newer = newer,
        }
    }

    fn link_newest(&mut self, flow: u32) {
        let second = self.newest;
        let uses = self.uses;
        let entry = self.entries.get_mut(flow);
        (entry.newer, entry.older, entry.moved) = (NONE, second, uses);
        match second {
            NONE => self.oldest = flow,
            _ => self.entries.get_mut(second).newer = flow,
        }
        self.newest = flow;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(port: u16) -> FlowKey {
        FlowKey::new([1; 16], port, [2; 16], 80).0
    }

    #[test]
    fn flows_are_found_until_they_are_removed() {
        let mut table = FlowTable::new(512);
        let flows: Vec<u32> = (0..512_u16).map(|port| table.insert(key(port), port)).collect();
        assert!(table.is_full());
        for port in (0..512_u16).step_by(3) {
            table.remove(flows[usize::from(port)]);
        }
        for port in 0..512_u16 {
            let expected = (port % 3 != 0).then(|| flows[usize::from(port)]);
            assert_eq!(table.find(&key(port)), expected, "{port}");
        }
        assert_eq!(table.len(), 341);
    }

    #[test]
    fn a_small_table_gives_up_the_least_recently_used_flow() {
        let mut table = FlowTable::new(3);
        let [a, b, c] = [1, 2, 3].map(|port| table.insert(key(port), ()));
        assert_eq!(table.oldest(), Some(a));
        assert_eq!(table.find(&key(1)), Some(a));
        assert_eq!(table.find(&key(1)), Some(a));
        assert_eq!(table.oldest(), Some(b));
        table.remove(b);
        assert_eq!(table.oldest(), Some(c));
        table.remove(c);
        table.remove(a);
        assert_eq!((table.oldest(), table.len()), (None, 0));
        let again = table.insert(key(2), ());
        assert_eq!((table.oldest(), table.find(&key(2))), (Some(again), Some(again)));
    }

    #[test]
    fn a_large_table_spares_busy_flows() {
        let mut table = FlowTable::new(1600);
        let flows: Vec<u32> = (0..1000).map(|port| table.insert(key(port), ())).collect();
        for _ in 0..150 {
            table.find(&key(0));
        }
        assert_ne!(table.oldest(), Some(flows[0]));
    }
}
