//! Bounds-checked reads of the packet.

use core::arch::asm;
use core::ptr::{NonNull, addr_of_mut};

use aya_ebpf::programs::XdpContext;
use trim_common::frame::{Bytes, Frame, MAX_OFFSET};
use trim_common::headers::Tcp;

use crate::maps::SCRATCH;

/// Map memory of this CPU. The verifier takes what is read from a map for anything, whatever was written there before: a
/// way to make it forget how a value came about.
#[repr(C)]
pub struct Scratch {
    number: u32,
    tcp: Tcp,
}

/// The linear part of a packet. It becomes invalid when the packet is moved or resized.
pub struct FrameView {
    start: usize,
    end: usize,
    length: u32,
    scratch: NonNull<Scratch>,
}

impl FrameView {
    /// The packet as it stands now.
    #[inline(always)]
    pub fn of(ctx: &XdpContext) -> Option<Self> {
        let scratch = NonNull::new(SCRATCH.get_ptr_mut(0)?)?;
        let (start, end) = (opaque(ctx.data()), opaque(ctx.data_end()));
        Some(Self {
            start,
            end,
            length: opaque(end - start) as u32,
            scratch,
        })
    }

    /// The same segment, of which the verifier knows nothing.
    #[inline(always)]
    pub fn any_tcp(&self, tcp: &Tcp) -> &Tcp {
        // SAFETY: `scratch` points at this CPU's map value, and programs of one CPU do not interrupt each other.
        let mut slot = unsafe { addr_of_mut!((*self.scratch.as_ptr()).tcp) };
        // SAFETY: as above; the field is aligned.
        unsafe { slot.write(*tcp) };
        // SAFETY: moves a register to itself. Declared to touch memory, so that the compiler reads back what it wrote.
        unsafe { asm!("{0} = {0}", inout(reg) slot, options(nostack, preserves_flags)) };
        // SAFETY: `slot` is what it was, and holds the segment written above.
        unsafe { &*slot }
    }
}

impl Frame for FrameView {
    type Bytes<const N: usize> = PacketBytes;

    #[inline(always)]
    fn bytes<const N: usize>(&self, offset: u32) -> Option<PacketBytes> {
        // The verifier takes a variable offset only with a known maximum, and wants to see the register compared that is
        // then added: the compiler would compare a copy.
        let offset = opaque(offset as usize);
        if offset > MAX_OFFSET as usize {
            return None;
        }
        let from = self.start + offset;
        if from + N > self.end {
            return None;
        }
        Some(PacketBytes(from))
    }

    #[inline(always)]
    fn length(&self) -> u32 {
        self.length
    }

    #[inline(always)]
    fn any(&self, number: u32) -> u32 {
        // SAFETY: `scratch` points at this CPU's map value, and programs of one CPU do not interrupt each other.
        let slot = unsafe { addr_of_mut!((*self.scratch.as_ptr()).number) };
        // SAFETY: as above; the field is aligned.
        unsafe { slot.write_volatile(number) };
        // SAFETY: as above; written just now.
        unsafe { slot.read_volatile() }
    }

    #[inline(always)]
    fn rounds(&self, number: u32) -> u32 {
        opaque(number as usize) as u32
    }
}

/// Bytes of the packet whose bounds were checked.
///
/// Their fields are read in assembly: Rust would have to read a field that may stand at any address byte by byte, where
/// the machine, and the kernel's verifier with it, takes a whole word (`CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS`: x86-64,
/// arm64 and others). A field outside the bounds is refused by the verifier.
#[derive(Clone, Copy)]
pub struct PacketBytes(usize);

macro_rules! load {
    ($address:expr, $at:expr, $type:literal) => {{
        let value: u64;
        // SAFETY: reads memory that the verifier has to find within the packet.
        unsafe {
            asm!(
                concat!("{0} = *(", $type, " *)({1} + {2})"),
                out(reg) value,
                in(reg) $address,
                const $at,
                options(pure, readonly, nostack, preserves_flags)
            )
        };
        value
    }};
}

impl Bytes for PacketBytes {
    #[inline(always)]
    fn u8<const AT: usize>(self) -> u8 {
        load!(self.0, AT, "u8") as u8
    }

    #[inline(always)]
    fn u16<const AT: usize>(self) -> u16 {
        u16::from_be(load!(self.0, AT, "u16") as u16)
    }

    #[inline(always)]
    fn u32<const AT: usize>(self) -> u32 {
        u32::from_be(load!(self.0, AT, "u32") as u32)
    }

    #[inline(always)]
    fn u64<const AT: usize>(self) -> u64 {
        u64::from_be(load!(self.0, AT, "u64"))
    }
}

/// The same value, of which the compiler knows nothing.
///
/// `struct xdp_md` declares the packet's pointers as 32-bit fields, which the verifier widens. A compiler that knows of
/// the 32 bits computes with half registers, and the verifier then has no pointer any more. It takes an instruction, since the kernel refuses line
/// information (`--btf`) that names no instruction.
#[inline(always)]
fn opaque(mut value: usize) -> usize {
    // SAFETY: moves a register to itself.
    unsafe { asm!("{0} = {0}", inout(reg) value, options(pure, nomem, nostack, preserves_flags)) };
    value
}
