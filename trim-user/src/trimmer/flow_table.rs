//! The table of known flows: bounded, seeded, least recently used first out.

use std::hash::{BuildHasher, RandomState};

use trim_common::flow::FlowKey;

use super::pool::{NONE, Pool};

/// Most flows a table can be asked for.
const MOST_FLOWS: usize = 1 << 28;
/// Buckets of an empty table.
const FIRST_BUCKETS: usize = 64;
/// Buckets per flow, so that few chains have a second member.
const BUCKETS_PER_FLOW: usize = 2;

/// Flows by key, each with a value. A flow is named by a number that stays valid until it is removed.
///
/// Linear hashing (Litwin 1980) with the links inside the entries: buckets come into use one by one as flows come, so
/// that few flows have few buckets, close together in the cache, and no insertion ever pays for more than two chains. The
/// seed is random, so that nobody outside can aim at a chain.
#[derive(Debug)]
pub(super) struct FlowTable<T> {
    seed: Seed,
    /// Number of the first flow of each chain, plus one; zero is none, so that untouched buckets cost no memory.
    buckets: Vec<u32>,
    /// How many buckets are in use.
    open: usize,
    entries: Pool<Entry<T>>,
    newest: u32,
    oldest: u32,
    last: u32,
    most: usize,
    /// Uses between two moves of one flow to the front: exact order for small tables, no cost for busy flows of
    /// large ones. A flow that is used once in `most - slack` uses is never the oldest of a full table.
    slack: u64,
    uses: u64,
}

/// The key and the links share the first cache line, the value begins with the second.
#[derive(Debug)]
#[repr(C, align(64))]
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
        let buckets = (most * BUCKETS_PER_FLOW).next_power_of_two().max(FIRST_BUCKETS);
        Self {
            seed: Seed::random(),
            buckets: vec![0; buckets],
            open: FIRST_BUCKETS,
            entries: Pool::new(),
            newest: NONE,
            oldest: NONE,
            last: NONE,
            most,
            slack: most as u64 / 4,
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

    /// The flow used least recently (to within a quarter of the table's size in uses).
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
            self.move_to_front(found);
        }
        Some(found)
    }

    #[inline]
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

    /// The bucket of a key: as many bits of its hash as number all buckets in use; where that bucket is not in use
    /// yet, one bit less.
    #[inline]
    fn bucket(&self, key: &FlowKey) -> usize {
        let mask = self.open.next_power_of_two() - 1;
        let bucket = self.seed.hash(key) as usize & mask;
        if bucket < self.open {
            bucket
        } else {
            bucket & (mask >> 1)
        }
    }

    /// Adds a flow that is not in the table.
    pub(super) fn insert(&mut self, key: FlowKey, value: T) -> u32 {
        debug_assert!(!self.is_full() && self.search(&key).is_none());
        for _ in 0..BUCKETS_PER_FLOW {
            if self.open < self.buckets.len() && self.open < (self.len() + 1) * BUCKETS_PER_FLOW {
                self.open_bucket();
            }
        }
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

    /// Takes one more bucket into use: some of the flows that shared a bucket until now move there.
    fn open_bucket(&mut self) {
        let opened = self.open;
        let shared = opened - (opened + 1).next_power_of_two() / 2;
        self.open += 1;
        let mut link = std::mem::take(&mut self.buckets[shared]);
        while link != 0 {
            let Entry { key, chain: next, .. } = *self.entries.get(link - 1);
            let bucket = self.bucket(&key);
            self.entries.get_mut(link - 1).chain = self.buckets[bucket];
            self.buckets[bucket] = link;
            link = next;
        }
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

    #[inline(never)]
    fn move_to_front(&mut self, flow: u32) {
        self.unlink(flow);
        self.link_newest(flow);
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

/// Random words under which keys are hashed.
#[derive(Clone, Copy, Debug)]
struct Seed([u64; 5]);

impl Seed {
    fn random() -> Self {
        let state = RandomState::new();
        Self([1, 2, 3, 4, 5].map(|word: u64| state.hash_one(word)))
    }

    /// Every half of an address is masked by a secret word, and pairs are multiplied to 128 bits of which the halves are
    /// joined (as in wyhash). The two products do not wait for each other, which a mix of word after word would.
    #[inline]
    fn hash(&self, key: &FlowKey) -> u64 {
        let Self([a, b, c, d, e]) = *self;
        let (low_a, low_b) = words(&key.low_address);
        let (high_a, high_b) = words(&key.high_address);
        let ports = u64::from(key.low_port) << 16 | u64::from(key.high_port);
        let low = folded_product(low_a ^ a, low_b ^ b);
        let high = folded_product(high_a ^ c, high_b ^ d);
        folded_product(low ^ ports ^ e, high ^ a)
    }
}

#[inline]
fn words(address: &[u8; 16]) -> (u64, u64) {
    let word = u128::from_ne_bytes(*address);
    ((word >> 64) as u64, word as u64)
}

#[inline]
fn folded_product(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product >> 64) as u64 ^ product as u64
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
    fn chains_stay_short_while_flows_come_and_go() {
        let mut table = FlowTable::new(1 << 15);
        let longest = |table: &FlowTable<()>| {
            let member = |link: u32| (link != 0).then_some(link);
            let chain = |&first: &u32| {
                std::iter::successors(member(first), |link| member(table.entries.get(link - 1).chain)).count()
            };
            table.buckets.iter().map(chain).max()
        };
        for port in 0..u16::MAX {
            if table.is_full() {
                table.remove(table.oldest().unwrap());
            }
            table.insert(key(port), ());
        }
        assert_eq!((table.len(), table.open), (1 << 15, 1 << 16));
        assert!(longest(&table) < Some(16), "{:?}", longest(&table));
        for port in 0..u16::MAX {
            let is_there = table.find(&key(port)).is_some();
            assert_eq!(is_there, port >= u16::MAX - (1 << 15), "{port}");
        }
    }

    #[test]
    fn few_flows_have_few_buckets() {
        let mut table = FlowTable::new(1 << 20);
        for port in 0..1000 {
            table.insert(key(port), ());
        }
        assert_eq!(table.open, 2000);
        assert!(table.buckets[2000..].iter().all(|&first| first == 0));
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
        for _ in 0..450 {
            table.find(&key(0));
        }
        assert_ne!(table.oldest(), Some(flows[0]));
    }
}
