//! Merges streams that are each in order of time into one, as far as that is certain.
//!
//! An item may leave when no stream can still deliver an earlier one: every other stream either shows its next item or
//! has promised, by its watermark, that nothing earlier will come. A stream that breaks its promise is not held against
//! it: the item leaves at once, late.

use std::collections::VecDeque;

/// Something with a place in time.
pub trait Timed {
    /// Nanoseconds on the clock that all merged streams share.
    fn time(&self) -> u64;
}

/// The streams and what is known of each.
#[derive(Debug)]
pub struct Merge<T> {
    streams: Vec<Stream<T>>,
    released: u64,
    late: u64,
}

#[derive(Debug)]
struct Stream<T> {
    items: VecDeque<T>,
    watermark: u64,
}

/// Items of one stream that may leave now, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The stream.
    pub stream: usize,
    /// The run ends in front of the first item later than this.
    until: u64,
}

impl<T: Timed> Merge<T> {
    /// No items yet; each stream has room for `capacity` items before it grows.
    pub fn new(streams: usize, capacity: usize) -> Self {
        let stream = || Stream {
            items: VecDeque::with_capacity(capacity),
            watermark: 0,
        };
        Self {
            streams: (0..streams).map(|_| stream()).collect(),
            released: 0,
            late: 0,
        }
    }

    /// Appends the next item of a stream.
    #[inline]
    pub fn push(&mut self, stream: usize, item: T) {
        self.streams[stream].items.push_back(item);
    }

    /// A promise that the stream's items from now on are not earlier than `time`. A watermark never goes back.
    #[inline]
    pub fn promise(&mut self, stream: usize, time: u64) {
        let watermark = &mut self.streams[stream].watermark;
        *watermark = (*watermark).max(time);
    }

    /// The next run of items that may leave; `None` when it has to be waited for.
    #[inline]
    pub fn next_run(&self) -> Option<Run> {
        let (stream, first) = self
            .streams
            .iter()
            .enumerate()
            .filter_map(|(index, stream)| Some((index, stream.items.front()?.time())))
            .min_by_key(|&(_, time)| time)?;
        let others = self.streams.iter().enumerate().filter(|&(index, _)| index != stream);
        let until = others
            .map(|(_, other)| other.items.front().map_or(other.watermark, Timed::time))
            .min()
            .unwrap_or(u64::MAX);
        (first <= until || first < self.released).then_some(Run {
            stream,
            until: until.max(first),
        })
    }

    /// The next item of a run; `None` at its end.
    #[inline]
    pub fn next_of(&mut self, run: Run) -> Option<T> {
        let items = &mut self.streams[run.stream].items;
        if items.front()?.time() > run.until {
            return None;
        }
        let item = items.pop_front()?;
        self.late += u64::from(item.time() < self.released);
        self.released = self.released.max(item.time());
        Some(item)
    }

    /// How many items wait.
    pub fn waiting(&self) -> usize {
        self.streams.iter().map(|stream| stream.items.len()).sum()
    }

    /// Time of the oldest item that waits.
    pub fn oldest(&self) -> Option<u64> {
        self.streams
            .iter()
            .filter_map(|stream| stream.items.front())
            .map(Timed::time)
            .min()
    }

    /// Whether no item of this stream waits.
    pub fn is_empty(&self, stream: usize) -> bool {
        self.streams[stream].items.is_empty()
    }

    /// Time of the newest item of the stream that has the most: up to there everything leaves when patience ends.
    pub fn newest_of_longest(&self) -> Option<u64> {
        self.streams
            .iter()
            .max_by_key(|stream| stream.items.len())?
            .items
            .back()
            .map(Timed::time)
    }

    /// Items that left behind a later one.
    pub fn late(&self) -> u64 {
        self.late
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Timed for u64 {
        fn time(&self) -> u64 {
            *self
        }
    }

    fn take_all(merge: &mut Merge<u64>) -> Vec<u64> {
        let mut taken = Vec::new();
        while let Some(run) = merge.next_run() {
            while let Some(item) = merge.next_of(run) {
                taken.push(item);
            }
        }
        taken
    }

    #[test]
    fn an_item_waits_for_every_stream_that_might_be_earlier() {
        let mut merge = Merge::new(2, 4);
        merge.push(0, 5);
        assert!(take_all(&mut merge).is_empty());
        merge.promise(1, 4);
        assert!(take_all(&mut merge).is_empty());
        merge.promise(1, 5);
        assert_eq!(take_all(&mut merge), [5]);
    }

    #[test]
    fn a_broken_promise_delays_nothing_and_is_counted() {
        let mut merge = Merge::new(2, 4);
        merge.push(0, 10);
        merge.promise(1, 10);
        assert_eq!(take_all(&mut merge), [10]);
        merge.push(1, 7);
        assert_eq!(take_all(&mut merge), [7]);
        assert_eq!(merge.late(), 1);
    }

    proptest! {
        #[test]
        fn streams_in_order_merge_into_one_in_order(mut streams in prop::collection::vec(prop::collection::vec(0u64..50, 0..40), 1..5)) {
            let mut merge = Merge::new(streams.len(), 0);
            let mut taken = Vec::new();
            let longest = streams.iter().map(Vec::len).max().unwrap_or(0);
            for stream in &mut streams {
                stream.sort_unstable();
            }
            for round in 0..longest {
                for (index, stream) in streams.iter().enumerate() {
                    match stream.get(round) {
                        Some(&item) => merge.push(index, item),
                        None => merge.promise(index, u64::MAX),
                    }
                }
                taken.extend(take_all(&mut merge));
            }
            for index in 0..streams.len() {
                merge.promise(index, u64::MAX);
            }
            taken.extend(take_all(&mut merge));
            let mut expected = streams.concat();
            expected.sort_unstable();
            prop_assert_eq!(taken, expected);
            prop_assert_eq!(merge.late(), 0);
        }
    }
}
