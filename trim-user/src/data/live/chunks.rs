//! The way of chunks from a worker to the writer and back.
//!
//! A fixed number of chunks goes round. A worker that gets none back waits: then its own queue fills, and packets are
//! dropped there and counted.

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::data::chunk::Chunk;

/// Chunks that go round between a worker and the writer.
pub(super) const CHUNKS: usize = 16;

/// The worker's end.
pub(super) struct ToWriter {
    out: Sender<Chunk>,
    back: Receiver<Chunk>,
    filling: Chunk,
}

/// The writer's end.
pub(super) struct FromWorker {
    pub(super) chunks: Receiver<Chunk>,
    done: Sender<Chunk>,
}

/// A way with all its chunks.
pub(super) fn way() -> (ToWriter, FromWorker) {
    let (out, chunks) = bounded(CHUNKS);
    let (done, back) = bounded(CHUNKS);
    for _ in 1..CHUNKS {
        // There is room for all of them.
        let _ = done.send(Chunk::default());
    }
    (
        ToWriter {
            out,
            back,
            filling: Chunk::default(),
        },
        FromWorker { chunks, done },
    )
}

impl ToWriter {
    /// The chunk to be filled.
    #[inline]
    pub(super) fn chunk(&mut self) -> &mut Chunk {
        &mut self.filling
    }

    /// Sends off the chunk, trimmed at this time, and waits for an empty one. False when the writer is gone.
    pub(super) fn send(&mut self, trimmed: u64) -> bool {
        if self.filling.is_empty() {
            return true;
        }
        let Ok(empty) = self.back.recv() else { return false };
        let mut full = std::mem::replace(&mut self.filling, empty);
        full.trimmed = trimmed;
        self.out.send(full).is_ok()
    }
}

impl FromWorker {
    /// Gives back a chunk that is written.
    pub(super) fn give_back(&self, mut chunk: Chunk) {
        chunk.clear();
        // There is room for every chunk; a worker that is gone needs none.
        let _ = self.done.send(chunk);
    }
}
