//! One RX queue of an interface: a frame pool and one socket per strategy.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use trim_common::strategy::Strategy;

use super::audit::{Audit, ChunkSet};
use super::error::XskError;
use super::frame::{Frame, FrameAddress};
use super::rings::Producer;
use super::settings::Settings;
use super::socket::{Socket, XskMode};
use super::statistics::{QueueStatistics, SocketStatistics, StatisticsReader};
use super::umem::Umem;

/// One RX queue with its pool, its fill ring and its sockets. It has one owner: the thread that receives.
///
/// The order of things: attach the XDP program, open the queues, put their [`sockets`](Self::socket) into the steering
/// map, receive. To stop without losing what is already in the rings: detach the program, receive until the rings are
/// empty, drop the queues. Dropping a queue closes its sockets, which takes them out of the steering map; frames still
/// handed out stay readable through their [`Umem`].
#[derive(Debug)]
pub struct Queue {
    sockets: [Socket; Strategy::COUNT],
    fill: Producer<u64>,
    umem: Arc<Umem>,
    /// Chunks that are nowhere else. The last one in is the first one out, because it is the warmest in the cache.
    free: Vec<FrameAddress>,
    counts: Counts,
    mode: XskMode,
    refusal: Option<io::Error>,
    index: u32,
}

/// Frames that are not on the free list, counted as they come and go.
#[derive(Debug, Default)]
struct Counts {
    /// In the fill ring, with the kernel or in an RX ring.
    away: u64,
    handed_out: u64,
    rejected: u64,
}

impl Queue {
    /// Opens queue `index` of the interface with index `interface` and fills its fill ring. Needs CAP_NET_RAW (and
    /// CAP_IPC_LOCK or a sufficient limit of locked memory for the pool).
    ///
    /// A queue that was closed a moment ago is waited for, up to two seconds.
    ///
    /// # Errors
    /// See [`XskError`]; on error everything is released.
    pub fn open(interface: u32, index: u32, settings: Settings) -> Result<Self, XskError> {
        let umem = Arc::new(Umem::new(settings)?);
        let first = Socket::new(&settings)?;
        let fill = first.register(&umem)?;
        let bind = settings.options().bind;
        let refusal = first.bind_first(interface, index, bind)?;
        let mode = first.mode()?;
        let second = Socket::new(&settings)?;
        second.bind_shared(interface, index, bind, &first)?;
        // Reversed, so that frames are first used from the start of the pool on.
        let free = umem.addresses().rev().collect();
        let sockets = [first, second];
        let mut queue = Self {
            sockets,
            fill,
            umem,
            free,
            counts: Counts::default(),
            mode,
            refusal,
            index,
        };
        queue.refill();
        Ok(queue)
    }

    /// The number of the RX queue.
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Whether packets are copied.
    pub const fn mode(&self) -> XskMode {
        self.mode
    }

    /// Why zero-copy was refused, when it was asked for and copy is used instead.
    pub const fn zero_copy_refusal(&self) -> Option<&io::Error> {
        self.refusal.as_ref()
    }

    /// The pool, for reading packets wherever their frames go.
    pub const fn umem(&self) -> &Arc<Umem> {
        &self.umem
    }

    /// The socket of a strategy, for the steering map and for waiting.
    pub fn socket(&self, strategy: Strategy) -> BorrowedFd<'_> {
        self.sockets[strategy.index()].as_fd()
    }

    /// Takes up to `most` packets of a strategy, in the order of their arrival, and appends them to `frames`; returns
    /// how many. Does not allocate when `frames` has room for `most` more. No system call.
    #[inline]
    pub fn receive(&mut self, strategy: Strategy, most: usize, frames: &mut Vec<Frame>) -> usize {
        let before = frames.len();
        let umem = &self.umem;
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let taken = self.sockets[strategy.index()].rx.consume(most, |descriptor| {
            if let Some(frame) = umem.frame(descriptor.addr, descriptor.len) {
                frames.push(frame);
            }
        });
        let received = frames.len() - before;
        self.counts.away -= u64::from(taken);
        self.counts.handed_out += received as u64;
        self.counts.rejected += u64::from(taken) - received as u64;
        received
    }

    /// Takes frames back that nobody needs any more. The next [`refill`](Self::refill) gives them to the kernel.
    ///
    /// # Panics
    /// When a frame is of another queue's pool.
    #[inline]
    pub fn recycle(&mut self, frames: impl IntoIterator<Item = Frame>) {
        for frame in frames {
            let address = self.umem.address(&frame);
            self.counts.handed_out -= 1;
            // The list was made with room for every chunk, so this never allocates.
            self.free.push(address);
        }
    }

    /// Gives free frames to the kernel, as many as the fill ring takes; returns how many. A system call only when the
    /// driver asked to be woken.
    #[inline]
    pub fn refill(&mut self) -> usize {
        let most = u32::try_from(self.free.len()).unwrap_or(u32::MAX);
        let (free, umem) = (&mut self.free, &self.umem);
        let posted = self.fill.produce(most, || {
            let address = free.pop()?;
            umem.forget_tag(address);
            Some(u64::from(address.0))
        });
        self.counts.away += u64::from(posted);
        self.wake_if_needed();
        posted as usize
    }

    /// Whether a packet waits in one of the RX rings.
    #[inline]
    pub fn has_packets(&self) -> bool {
        self.sockets.iter().any(|socket| socket.rx.pending() > 0)
    }

    /// Whether packets are being lost, or the next ones may be, because they are taken too slowly: there is hardly room for
    /// them in an RX ring, or hardly a frame.
    #[inline]
    pub fn is_short(&self) -> bool {
        self.fill.is_nearly_empty() || self.sockets.iter().any(|socket| socket.rx.is_nearly_full())
    }

    /// Wakes the driver if it asked for it. Copy mode never asks.
    #[inline]
    pub(super) fn wake_if_needed(&self) {
        if self.fill.needs_wakeup() {
            let [first, ..] = &self.sockets;
            first.wake();
        }
    }

    /// The error that the kernel holds for this queue, once: `ENETDOWN` when the interface was removed. Such a queue
    /// never receives again; drop it and open a new one when the interface is back. An interface that is merely down
    /// is no error: packets come again when it is up.
    pub fn take_error(&self) -> Option<io::Error> {
        // Each socket keeps a copy of its own; all are asked, so that none is reported later.
        self.sockets
            .iter()
            .fold(None, |found, socket| socket.take_error().or(found))
    }

    /// The kernel's counters for this queue.
    ///
    /// # Errors
    /// Whatever `getsockopt(2)` reports.
    pub fn statistics(&self) -> Result<QueueStatistics, XskError> {
        let mut sockets = [SocketStatistics::default(); Strategy::COUNT];
        for (statistics, socket) in sockets.iter_mut().zip(&self.sockets) {
            *statistics = SocketStatistics::read(socket.as_fd()).map_err(|source| XskError::Statistics { source })?;
        }
        Ok(QueueStatistics {
            sockets,
            mode: self.mode,
        })
    }

    /// A reader of the same counters for another thread.
    ///
    /// # Errors
    /// No more descriptors.
    pub fn statistics_reader(&self) -> Result<StatisticsReader, XskError> {
        let [legacy, scanning] = &self.sockets;
        let duplicate = |socket: &Socket| socket.duplicate().map_err(|source| XskError::Statistics { source });
        Ok(StatisticsReader {
            sockets: [duplicate(legacy)?, duplicate(scanning)?],
            mode: self.mode,
        })
    }

    /// Where every frame is. Allocates; for tests, diagnosis and the end of a run.
    ///
    /// Exact while no packets arrive: the kernel publishes received packets before it says that it took their frames
    /// out of the fill ring (`xsk_flush`, net/xdp/xsk.c), so in between a frame may be seen in both.
    pub fn audit(&self) -> Audit {
        let umem = &self.umem;
        let mut chunks = ChunkSet::new(umem.settings().options().frame_count as usize);
        let (mut fill_ring, mut rx_rings) = (0, 0);
        for address in &self.free {
            chunks.insert(umem.chunk_of(address.0.into()));
        }
        for address in self.fill.pending_entries() {
            chunks.insert(umem.chunk_of(address));
            fill_ring += 1;
        }
        for descriptor in self.sockets.iter().flat_map(|socket| socket.rx.pending_entries()) {
            chunks.insert(umem.chunk_of(descriptor.addr));
            rx_rings += 1;
        }
        Audit {
            total: umem.settings().options().frame_count.into(),
            free: self.free.len() as u64,
            fill_ring,
            kernel: self.counts.away.saturating_sub(fill_ring + rx_rings),
            rx_rings,
            handed_out: self.counts.handed_out,
            rejected: self.counts.rejected,
            duplicated: chunks.repeated(),
        }
    }
}
