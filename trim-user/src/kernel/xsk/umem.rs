//! The frame pool: memory cut into chunks of one size, into which the kernel puts packets.
//!
//! # Who owns a chunk
//! A chunk is in exactly one place: on the free list of its [`Queue`](super::Queue), in the fill ring, with the kernel,
//! in an RX ring, or handed out as a [`Frame`]. While it is handed out nobody else has its address: the kernel gives a
//! chunk back once for each time it got it (net/xdp/xsk_buff_pool.c), and it gets it again only after the frame was
//! recycled, which consumes the `Frame`. That is why the bytes can be borrowed from a `Frame` without further checks.

use std::mem::offset_of;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};

use trim_common::flow::Direction;
use trim_common::strategy::{Mode, Strategy};
use trim_common::tag::{PacketTag, TAG_SIZE, TAG_VERSION, flags};

use super::error::XskError;
use super::frame::{Frame, FrameAddress};
use super::memory::Mapping;
use super::settings::{HugePages, Settings};

/// The frame pool of one RX queue. Shared (by `Arc`) between the queue's owner and all who hold its frames.
///
/// Registering it with the kernel pins its pages: they are neither swapped out nor moved (`xdp_umem_pin_pages`,
/// net/xdp/xdp_umem.c).
#[derive(Debug)]
pub struct Umem {
    mapping: Mapping,
    settings: Settings,
    number: u16,
    huge: bool,
}

impl Umem {
    /// Maps a pool of zeroed frames.
    ///
    /// # Errors
    /// Too little memory, or no huge pages where they are required.
    pub(super) fn new(settings: Settings) -> Result<Self, XskError> {
        let (mapping, huge) = map_pool(settings)?;
        Ok(Self {
            mapping,
            settings,
            number: next_number()?,
            huge,
        })
    }

    /// What the pool was made with.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The number that every [`Frame`] of this pool carries.
    pub const fn number(&self) -> u16 {
        self.number
    }

    /// Whether the pool lies in huge pages.
    pub const fn is_huge(&self) -> bool {
        self.huge
    }

    /// The packet.
    ///
    /// # Panics
    /// When the frame is of another pool.
    #[inline]
    pub fn bytes<'a>(&'a self, frame: &'a Frame) -> &'a [u8] {
        let start = self.packet(frame);
        // SAFETY: the packet lies inside the mapping (`frame` checked its bounds when it made the descriptor) and this
        // pool lives for 'a. Nobody writes there: the chunk is handed out (see the module's text), and its only
        // descriptor is borrowed shared for 'a, which excludes `bytes_mut`.
        unsafe { slice::from_raw_parts(start.as_ptr(), frame.len()) }
    }

    /// The packet, for changing it in place.
    ///
    /// # Panics
    /// When the frame is of another pool.
    #[inline]
    #[allow(
        clippy::mut_from_ref,
        reason = "the right to write comes from the exclusive borrow of the frame"
    )]
    pub fn bytes_mut<'a>(&'a self, frame: &'a mut Frame) -> &'a mut [u8] {
        let start = self.packet(frame);
        // SAFETY: inside the mapping as for `bytes`; nobody else reads or writes there, because the chunk is handed out
        // and its only descriptor is borrowed exclusively for 'a.
        unsafe { slice::from_raw_parts_mut(start.as_ptr(), frame.len()) }
    }

    /// The tag that the XDP program put in front of the packet, or `None` when it put none there.
    ///
    /// The kernel does not say whether a packet came with metadata, and without it the bytes in front are whatever an
    /// earlier packet left. So the version byte at the place of the tag is cleared each time a chunk goes back to the
    /// kernel ([`forget_tag`](Self::forget_tag)); a valid version found there was written for this packet. That place is
    /// the same for every packet of the pool: copy mode and zero-copy drivers start packets right behind the headroom
    /// (`xp_alloc`, net/xdp/xsk_buff_pool.c), and a packet that a program moved with `bpf_xdp_adjust_head` has no tag
    /// as far as we are concerned. Some zero-copy drivers put time stamps of their own into the headroom, hence the
    /// fields must also make sense.
    ///
    /// # Panics
    /// When the frame is of another pool.
    #[inline]
    pub fn tag(&self, frame: &Frame) -> Option<PacketTag> {
        let packet = self.packet(frame);
        if frame.offset() & (self.settings.options().frame_size - 1) != self.settings.packet_offset() {
            return None;
        }
        // SAFETY: the packet starts `packet_offset` >= 256 bytes behind the start of its chunk, so the TAG_SIZE bytes in
        // front of it are in the same chunk.
        let place = unsafe { packet.sub(TAG_SIZE) }.cast::<PacketTag>();
        // SAFETY: the chunk is handed out, and its only descriptor is borrowed shared, so nobody writes there. Any bytes
        // are a value of `PacketTag`, which is all integers.
        let tag = unsafe { place.read_unaligned() };
        is_sensible(&tag, frame.len()).then_some(tag)
    }

    /// Makes sure that no tag of an earlier packet is found in a chunk that is about to go to the kernel.
    ///
    /// The caller owns the chunk (it took it from its free list), which is what makes the write sound.
    #[inline]
    pub(super) fn forget_tag(&self, address: FrameAddress) {
        let version = self.settings.packet_offset() as usize - TAG_SIZE + offset_of!(PacketTag, version);
        // SAFETY: addresses on the free list are starts of chunks inside the mapping, and `version` is less than the
        // packet offset, which is less than the chunk's size.
        let place = unsafe { self.mapping.start().add(address.0 as usize + version) };
        // SAFETY: inside the mapping as argued; the chunk is neither with the kernel nor handed out, so nobody else
        // reads or writes it.
        unsafe { place.write(0) };
    }

    /// The descriptor of a packet that the kernel says is at `offset` (as in `xdp_desc`), if that lies inside one chunk.
    ///
    /// Called once for each descriptor taken from an RX ring, which makes the `Frame` the chunk's only owner.
    #[inline]
    pub(super) fn frame(&self, offset: u64, length: u32) -> Option<Frame> {
        let frame_size = self.settings.options().frame_size;
        let start = u32::try_from(offset)
            .ok()
            .filter(|_| offset < self.settings.pool_bytes() as u64)?;
        let inside = start & (frame_size - 1);
        let fits = inside >= TAG_SIZE as u32 && length <= frame_size - inside;
        // A chunk has at most 4096 bytes, so a length that fits also fits into 16 bits.
        fits.then(|| Frame::new(self.number, start, length as u16))
    }

    /// The chunk that a frame's packet lies in.
    ///
    /// # Panics
    /// When the frame is of another pool.
    #[inline]
    pub(super) fn address(&self, frame: &Frame) -> FrameAddress {
        assert_eq!(frame.pool(), self.number, "the frame belongs to another pool");
        FrameAddress(frame.offset() & !(self.settings.options().frame_size - 1))
    }

    /// The chunk that a place inside the pool belongs to.
    pub(super) fn chunk_of(&self, offset: u64) -> u64 {
        offset / u64::from(self.settings.options().frame_size)
    }

    /// Every chunk, in order.
    pub(super) fn addresses(&self) -> impl DoubleEndedIterator<Item = FrameAddress> + use<> {
        let frame_size = self.settings.options().frame_size;
        (0..self.settings.options().frame_count).map(move |index| FrameAddress(index * frame_size))
    }

    /// Where the pool starts in this process, for registering it.
    pub(super) fn start(&self) -> u64 {
        self.mapping.start().as_ptr().expose_provenance() as u64
    }

    #[inline]
    fn packet(&self, frame: &Frame) -> NonNull<u8> {
        assert_eq!(frame.pool(), self.number, "the frame belongs to another pool");
        // SAFETY: a descriptor with this pool's number was made by `Self::frame`, which checked that the packet lies in
        // the first `pool_bytes` of the mapping.
        unsafe { self.mapping.start().add(frame.offset() as usize) }
    }
}

/// Whether the fields of a tag can belong to a packet of which `length` bytes are present.
#[inline]
fn is_sensible(tag: &PacketTag, length: usize) -> bool {
    tag.version == TAG_VERSION
        && Strategy::from_index(tag.strategy).is_some()
        && tag.direction <= Direction::Down as u8
        && Mode::from_number(tag.mode).is_some()
        && tag.original_length as usize >= length
        && (tag.flags & flags::TCP == 0
            || (tag.l3_offset < tag.l4_offset
                && tag.l4_offset < tag.payload_offset
                && usize::from(tag.payload_offset) <= length))
}

fn map_pool(settings: Settings) -> Result<(Mapping, bool), XskError> {
    let bytes = settings.pool_bytes();
    let normal = || {
        let failed = |source| XskError::Memory {
            bytes,
            pages: "normal pages",
            remedy: "lower frames_per_queue or give the machine more memory",
            source,
        };
        Mapping::anonymous(bytes, false)
            .map(|mapping| (mapping, false))
            .map_err(failed)
    };
    let huge = || Mapping::anonymous(bytes, true).map(|mapping| (mapping, true));
    match settings.options().huge_pages {
        HugePages::Never => normal(),
        HugePages::Auto => huge().or_else(|_| normal()),
        HugePages::Always => huge().map_err(|source| XskError::Memory {
            bytes,
            pages: "2 MiB pages",
            remedy: "reserve more of them (`sysctl vm.nr_hugepages`) or set huge_pages to auto",
            source,
        }),
    }
}

/// Numbers are never used twice, so a frame of a closed pool can never be taken for one of a later pool.
fn next_number() -> Result<u16, XskError> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let taken = NEXT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
        (next <= u32::from(u16::MAX)).then_some(next + 1)
    });
    taken
        .ok()
        .and_then(|number| u16::try_from(number).ok())
        .ok_or(XskError::TooManyPools)
}

#[cfg(test)]
impl Umem {
    /// A pool that no kernel knows, with room for `frames` packets.
    pub(crate) fn for_test(frames: u32) -> Self {
        let options = super::Options {
            frame_count: frames.next_power_of_two().max(4),
            huge_pages: HugePages::Never,
            ..super::Options::default()
        };
        Self::new(options.check(1500).unwrap()).unwrap()
    }

    /// Puts a packet into chunk `number`, as the kernel would; each chunk is to be used once.
    pub(crate) fn put_for_test(&self, number: u32, packet: &[u8]) -> Frame {
        let offset = u64::from(number * self.settings.options().frame_size + self.settings.packet_offset());
        let mut frame = self.frame(offset, packet.len() as u32).unwrap();
        self.bytes_mut(&mut frame).copy_from_slice(packet);
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::xsk::Options;

    fn pool() -> Umem {
        let options = Options {
            frame_count: 4,
            huge_pages: HugePages::Never,
            ..Options::default()
        };
        Umem::new(options.check(1500).unwrap()).unwrap()
    }

    fn write_tag(pool: &Umem, chunk: u64, tag: PacketTag) {
        let start = chunk * 2048 + 256 - TAG_SIZE as u64;
        let mut place = pool.frame(start, TAG_SIZE as u32).unwrap();
        // SAFETY: `PacketTag` has no padding, so all of its bytes are initialised.
        let bytes = unsafe { slice::from_raw_parts((&raw const tag).cast::<u8>(), TAG_SIZE) };
        pool.bytes_mut(&mut place).copy_from_slice(bytes);
    }

    const TAG: PacketTag = PacketTag {
        kernel_time: 7,
        original_length: 60,
        flow_hash: 0,
        generation: 0,
        flags: 0,
        l3_offset: 0,
        l4_offset: 0,
        payload_offset: 0,
        version: TAG_VERSION,
        strategy: 1,
        direction: 0,
        mode: 3,
    };

    #[test]
    fn descriptors_outside_the_pool_or_across_chunks_are_refused() {
        let pool = pool();
        assert!(pool.frame(256, 1792).is_some());
        assert!(pool.frame(256, 1793).is_none(), "runs into the next chunk");
        assert!(pool.frame(4 * 2048, 60).is_none(), "behind the pool");
        assert!(pool.frame(1 << 32, 60).is_none(), "far behind the pool");
        assert!(pool.frame(2048 + 16, 60).is_none(), "no room for a tag in front");
    }

    #[test]
    fn bytes_written_are_read_back_from_the_same_packet_only() {
        let pool = pool();
        let (mut one, two) = (pool.frame(256, 4).unwrap(), pool.frame(2048 + 256, 4).unwrap());
        pool.bytes_mut(&mut one).copy_from_slice(b"abcd");
        assert_eq!(pool.bytes(&one), b"abcd");
        assert_eq!(pool.bytes(&two), [0; 4]);
    }

    #[test]
    fn a_tag_is_found_until_the_chunk_goes_back_to_the_kernel() {
        let pool = pool();
        write_tag(&pool, 1, TAG);
        let frame = pool.frame(2048 + 256, 60).unwrap();
        assert_eq!(pool.tag(&frame), Some(TAG));
        pool.forget_tag(pool.address(&frame));
        assert_eq!(pool.tag(&frame), None);
    }

    #[test]
    fn bytes_that_only_look_like_a_tag_are_none() {
        let pool = pool();
        let frame = pool.frame(256, 60).unwrap();
        for wrong in [
            PacketTag {
                version: TAG_VERSION + 1,
                ..TAG
            },
            PacketTag { strategy: 2, ..TAG },
            PacketTag { direction: 2, ..TAG },
            PacketTag { mode: 5, ..TAG },
            PacketTag {
                original_length: 59,
                ..TAG
            },
            PacketTag {
                flags: flags::TCP,
                l3_offset: 14,
                l4_offset: 34,
                payload_offset: 61,
                ..TAG
            },
        ] {
            write_tag(&pool, 0, wrong);
            assert_eq!(pool.tag(&frame), None, "{wrong:?}");
        }
        let moved = pool.frame(256 + 8, 52).unwrap();
        write_tag(&pool, 0, TAG);
        assert_eq!(pool.tag(&moved), None, "a moved packet has no tag");
    }

    #[test]
    #[should_panic(expected = "another pool")]
    fn a_frame_of_another_pool_opens_nothing() {
        let frame = pool().frame(256, 60).unwrap();
        let _ = pool().bytes(&frame).len();
    }
}
