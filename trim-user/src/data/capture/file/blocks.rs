//! A file read in large blocks by several threads, delivered in its order.
//!
//! What reading from memory costs is the copy out of the page cache, which is more than what is done with the bytes
//! later. So helpers read ahead, and whoever wants the next block reads one itself while it is not there: every processor
//! copies, and none waits for another for long.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

/// Room in front of a block's bytes, for what is left of the block before.
pub(super) const HEADROOM: usize = 64 << 10;
/// Most threads that read ahead: a few saturate the memory.
const MOST_HELPERS: usize = 3;

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// Bytes of a block.
    pub(super) block: usize,
    /// Blocks in memory at once, at least two.
    pub(super) blocks: usize,
    /// Threads that read ahead.
    pub(super) helpers: usize,
}

impl Reading {
    /// What suits this process, for a file of so many bytes; `None` where one thread is as good.
    pub(super) fn of(length: u64) -> Option<Self> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let reading = Self {
            block: 512 << 10,
            blocks: 4,
            helpers: MOST_HELPERS.min(processors - 1),
        };
        (reading.helpers > 0 && length >= (reading.block * reading.blocks) as u64).then_some(reading)
    }
}

/// A piece of the file; its bytes stand behind [`HEADROOM`].
pub(super) struct Block {
    number: u64,
    pub(super) buffer: Vec<u8>,
    /// How many bytes there are; fewer than a whole block only at the end of the file or before an error.
    pub(super) length: usize,
    error: Option<io::Error>,
}

/// The blocks of one file.
pub(super) struct Blocks {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
    consumed: Arc<AtomicU64>,
    /// Number of the next block to hand out.
    next: u64,
    /// Whether the last block was handed out, and what comes behind it.
    is_over: bool,
    error: Option<io::Error>,
}

struct Shared {
    file: File,
    block: usize,
    state: Mutex<State>,
    change: Condvar,
}

struct State {
    /// Number of the next block that nobody reads yet.
    unclaimed: u64,
    ready: Vec<Block>,
    free: Vec<Vec<u8>>,
    /// Whether nothing is left to claim: the end of the file was seen, or nobody wants more.
    is_over: bool,
    /// Threads that wait for a change; telling nobody would be a system call as well.
    waiting: usize,
}

impl Blocks {
    /// Begins to read; `consumed` counts the bytes handed out.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn new(file: File, reading: Reading, consumed: Arc<AtomicU64>) -> io::Result<Self> {
        let free = (0..reading.blocks).map(|_| vec![0; HEADROOM + reading.block]);
        let shared = Arc::new(Shared {
            file,
            block: reading.block,
            state: Mutex::new(State {
                unclaimed: 0,
                ready: Vec::with_capacity(reading.blocks),
                free: free.collect(),
                is_over: false,
                waiting: 0,
            }),
            change: Condvar::new(),
        });
        let mut blocks = Self {
            shared,
            helpers: Vec::new(),
            consumed,
            next: 0,
            is_over: false,
            error: None,
        };
        for _ in 0..reading.helpers {
            let shared = Arc::clone(&blocks.shared);
            let helper = Builder::new().name("read".to_owned());
            blocks.helpers.push(helper.spawn(move || shared.help())?);
        }
        Ok(blocks)
    }

    /// The next block of the file; `None` at its end, and again after that.
    ///
    /// # Errors
    /// What reading reports, when everything in front of it has been handed out.
    pub(super) fn next(&mut self) -> io::Result<Option<Block>> {
        if self.is_over {
            return self.error.take().map_or(Ok(None), Err);
        }
        let mut block = self.shared.wait_for(self.next);
        self.next += 1;
        self.consumed.fetch_add(block.length as u64, Ordering::Relaxed);
        self.is_over = block.length < self.shared.block;
        self.error = block.error.take();
        if block.length == 0 {
            self.give_back(block.buffer);
            return self.error.take().map_or(Ok(None), Err);
        }
        Ok(Some(block))
    }

    /// Takes a buffer that is used no more.
    pub(super) fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.resize(HEADROOM + self.shared.block, 0);
        let mut state = self.shared.lock();
        state.free.push(buffer);
        self.shared.tell(&state);
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_over = true;
        self.shared.tell(&state);
        drop(state);
        for helper in self.helpers.drain(..) {
            // One that panicked has nothing left to do either.
            let _ = helper.join();
        }
    }
}

impl Shared {
    /// A thread that panicked while it held the lock has left nothing half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change.
    fn wait<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.waiting += 1;
        let mut state = self.change.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state
    }

    /// Says that something has changed.
    fn tell(&self, state: &State) {
        if state.waiting > 0 {
            self.change.notify_all();
        }
    }

    /// Reads ahead as long as there are buffers.
    fn help(&self) {
        let mut state = self.lock();
        while !state.is_over {
            state = match state.claim() {
                Some(block) => self.read(state, block),
                None => self.wait(state),
            };
        }
    }

    /// The block with this number, which was not handed out yet. Reads others in the meantime.
    fn wait_for(&self, number: u64) -> Block {
        let mut state = self.lock();
        loop {
            if let Some(at) = state.ready.iter().position(|block| block.number == number) {
                return state.ready.swap_remove(at);
            }
            state = match state.claim() {
                Some(block) => self.read(state, block),
                None => self.wait(state),
            };
        }
    }

    /// Reads a claimed block, without the lock meanwhile.
    fn read<'a>(&'a self, state: MutexGuard<'a, State>, mut block: Block) -> MutexGuard<'a, State> {
        drop(state);
        let offset = block.number * self.block as u64;
        while block.length < self.block {
            let room = &mut block.buffer[HEADROOM + block.length..HEADROOM + self.block];
            match self.file.read_at(room, offset + block.length as u64) {
                Ok(0) => break,
                Ok(count) => block.length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    block.error = Some(error);
                    break;
                }
            }
        }
        let mut state = self.lock();
        state.is_over |= block.length < self.block;
        state.ready.push(block);
        self.tell(&state);
        state
    }
}

impl State {
    /// The next block to read, where there is one and a buffer for it.
    fn claim(&mut self) -> Option<Block> {
        if self.is_over {
            return None;
        }
        let buffer = self.free.pop()?;
        let number = self.unclaimed;
        self.unclaimed += 1;
        Some(Block {
            number,
            buffer,
            length: 0,
            error: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|n| (n % 251) as u8).collect()
    }

    const READING: Reading = Reading {
        block: 1000,
        blocks: 3,
        helpers: 2,
    };

    fn read(file: File, reading: Reading) -> (Vec<u8>, u64, io::Result<()>) {
        let consumed = Arc::new(AtomicU64::new(0));
        let mut blocks = Blocks::new(file, reading, Arc::clone(&consumed)).unwrap();
        let mut all = Vec::new();
        let end = loop {
            match blocks.next() {
                Ok(Some(block)) => {
                    all.extend_from_slice(&block.buffer[HEADROOM..HEADROOM + block.length]);
                    blocks.give_back(block.buffer);
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        assert!(matches!(blocks.next(), Ok(None)), "nothing comes behind the end");
        (all, consumed.load(Ordering::Relaxed), end)
    }

    #[test]
    fn a_file_comes_out_as_it_is_whatever_its_length_and_the_threads() {
        for length in [0, 1, 999, 1000, 1001, 2000, 100_000, 100_001] {
            let bytes = bytes(length);
            for helpers in 0..4 {
                let (all, consumed, end) = read(file(&bytes), Reading { helpers, ..READING });
                assert!(all == bytes && end.is_ok(), "{length} bytes, {helpers} helpers");
                assert_eq!(consumed, length as u64);
            }
        }
    }

    #[test]
    fn what_stands_before_an_error_comes_before_it() {
        // A folder can be opened, and reading it fails.
        let (all, _, end) = read(File::open(".").unwrap(), READING);
        assert!(all.is_empty());
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn a_reader_that_leaves_early_ends_its_helpers() {
        let mut blocks = Blocks::new(file(&bytes(100_000)), READING, Arc::default()).unwrap();
        let first = blocks.next().unwrap().unwrap();
        assert_eq!(first.length, 1000);
        let shared = Arc::clone(&blocks.shared);
        drop(blocks);
        assert_eq!(Arc::strong_count(&shared), 1);
    }
}
