//! What the parser needs of a frame: bounds checked once for a whole header, then fields read without a check.

/// The farthest offset that is read, bytes. The kernel's verifier wants a constant bound, and no sane header chain
/// comes near it.
pub const MAX_OFFSET: u32 = 2047;

/// Bytes that can be read at an offset, or not.
pub trait Frame {
    /// `N` bytes of the frame.
    type Bytes<const N: usize>: Bytes;

    /// The `N` bytes from `offset` on; `None` when they are not all there or `offset` is beyond [`MAX_OFFSET`].
    fn bytes<const N: usize>(&self, offset: u32) -> Option<Self::Bytes<N>>;

    /// Length of the frame, bytes.
    fn length(&self) -> u32;

    /// The same number. The XDP program hides from the verifier here how the number came about: there are thousands of
    /// ways through the headers, and the verifier would follow everything behind once for each.
    #[inline(always)]
    fn any(&self, number: u32) -> u32 {
        number
    }

    /// The same number. The XDP program hides it from the compiler here, which otherwise unrolls each loop of so many
    /// rounds into so many copies.
    #[inline(always)]
    fn rounds(&self, number: u32) -> u32 {
        number
    }
}

/// Big-endian integers within some bytes.
///
/// `AT` is the offset of the integer's first byte, and the integer must lie within the bytes; it is a constant in every
/// use, and one that does not fit is found by the first test that gets there.
pub trait Bytes: Copy {
    /// One byte.
    fn u8<const AT: usize>(self) -> u8;
    /// Two bytes.
    fn u16<const AT: usize>(self) -> u16;
    /// Four bytes.
    fn u32<const AT: usize>(self) -> u32;
    /// Eight bytes.
    fn u64<const AT: usize>(self) -> u64;
}

impl Frame for [u8] {
    type Bytes<const N: usize> = [u8; N];

    #[inline]
    fn bytes<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        if offset > MAX_OFFSET {
            return None;
        }
        self.get(offset as usize..)?.first_chunk().copied()
    }

    #[inline]
    fn length(&self) -> u32 {
        self.len() as u32
    }
}

/// The `M` bytes from `AT` on.
///
/// # Panics
/// When they do not lie within the array.
#[inline]
fn part<const N: usize, const AT: usize, const M: usize>(bytes: &[u8; N]) -> [u8; M] {
    core::array::from_fn(|index| bytes[AT + index])
}

impl<const N: usize> Bytes for [u8; N] {
    #[inline]
    fn u8<const AT: usize>(self) -> u8 {
        self[AT]
    }

    #[inline]
    fn u16<const AT: usize>(self) -> u16 {
        u16::from_be_bytes(part::<N, AT, 2>(&self))
    }

    #[inline]
    fn u32<const AT: usize>(self) -> u32 {
        u32::from_be_bytes(part::<N, AT, 4>(&self))
    }

    #[inline]
    fn u64<const AT: usize>(self) -> u64 {
        u64::from_be_bytes(part::<N, AT, 8>(&self))
    }
}
