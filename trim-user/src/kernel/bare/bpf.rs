//! The few commands of `bpf(2)` that the bare program needs.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::Hook;

// Commands, types and flags of include/uapi/linux/bpf.h and include/uapi/linux/if_link.h.
const MAP_CREATE: libc::c_long = 0;
const MAP_LOOKUP_ELEM: libc::c_long = 1;
const MAP_UPDATE_ELEM: libc::c_long = 2;
const PROG_LOAD: libc::c_long = 5;
const LINK_CREATE: libc::c_long = 28;
const PROG_TYPE_XDP: u32 = 6;
const ATTACH_TYPE_XDP: u32 = 37;
const XDP_FLAGS_SKB_MODE: u32 = 1 << 1;
const XDP_FLAGS_DRV_MODE: u32 = 1 << 2;
pub(super) const MAP_TYPE_ARRAY: u32 = 2;
pub(super) const MAP_TYPE_XSKMAP: u32 = 17;

/// What every command starts from: a zeroed block whose leading fields the command reads. All integers.
trait Attribute {}

#[repr(C)]
struct MapCreate {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
}

#[repr(C)]
struct MapElement {
    map: u32,
    _reserved: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
struct ProgramLoad {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
}

#[repr(C)]
struct LinkCreate {
    program: u32,
    interface: u32,
    attach_type: u32,
    flags: u32,
}

impl Attribute for MapCreate {}
impl Attribute for MapElement {}
impl Attribute for ProgramLoad {}
impl Attribute for LinkCreate {}

/// # Safety
/// Every pointer in the attribute is valid for what the command does with it, until the call returns.
unsafe fn bpf<T: Attribute>(command: libc::c_long, attribute: &T) -> io::Result<libc::c_int> {
    let attribute = std::ptr::from_ref(attribute);
    // SAFETY: the attribute is valid for reads of its size, and the caller vouches for the pointers in it.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attribute, size_of::<T>()) };
    libc::c_int::try_from(result)
        .ok()
        .filter(|&result| result >= 0)
        .ok_or_else(io::Error::last_os_error)
}

/// # Safety
/// As for [`bpf`]; the command returns a new descriptor.
unsafe fn bpf_open<T: Attribute>(command: libc::c_long, attribute: &T) -> io::Result<OwnedFd> {
    // SAFETY: the caller vouches for the attribute.
    let fd = unsafe { bpf(command, attribute) }?;
    // SAFETY: the command succeeded, so `fd` is a descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn pointer<T: ?Sized>(value: &T) -> u64 {
    std::ptr::from_ref(value).cast::<u8>().expose_provenance() as u64
}

/// A map with 32-bit keys.
pub(super) fn create_map(map_type: u32, value_size: u32, max_entries: u32) -> io::Result<OwnedFd> {
    let attribute = MapCreate {
        map_type,
        key_size: 4,
        value_size,
        max_entries,
    };
    // SAFETY: no pointers.
    unsafe { bpf_open(MAP_CREATE, &attribute) }
}

/// Writes one element of a map with 32-bit keys and values.
pub(super) fn update_u32(map: BorrowedFd<'_>, key: u32, value: u32) -> io::Result<()> {
    // SAFETY: the sizes are those that the map was made with.
    unsafe { update(map, &key, &value) }
}

/// Writes one element of a map.
///
/// # Safety
/// The map's keys are of type `K` and its values of type `V`.
pub(in crate::kernel) unsafe fn update<K: aya::Pod, V: aya::Pod>(
    map: BorrowedFd<'_>,
    key: &K,
    value: &V,
) -> io::Result<()> {
    let attribute = MapElement {
        map: map.as_raw_fd().cast_unsigned(),
        _reserved: 0,
        key: pointer(key),
        value: pointer(value),
        flags: 0,
    };
    // SAFETY: key and value are borrowed for the call and only read, and the caller vouches for their sizes.
    unsafe { bpf(MAP_UPDATE_ELEM, &attribute) }.map(|_| ())
}

/// Reads one element of a map with 32-bit keys and 64-bit values.
pub(super) fn lookup_u64(map: BorrowedFd<'_>, key: u32) -> io::Result<u64> {
    let mut value = 0_u64;
    let attribute = MapElement {
        map: map.as_raw_fd().cast_unsigned(),
        _reserved: 0,
        key: pointer(&key),
        value: (&raw mut value).expose_provenance() as u64,
        flags: 0,
    };
    // SAFETY: the key is a live local; the value is one too, written by nobody else, and 8 bytes is what the map holds.
    unsafe { bpf(MAP_LOOKUP_ELEM, &attribute) }?;
    Ok(value)
}

/// Loads an XDP program under the same licence terms as `trim`'s own.
pub(super) fn load_xdp(instructions: &[u64]) -> io::Result<OwnedFd> {
    let attribute = ProgramLoad {
        program_type: PROG_TYPE_XDP,
        instruction_count: instructions.len() as u32,
        instructions: pointer(instructions),
        license: pointer(c"Dual MIT/GPL"),
    };
    // SAFETY: the instructions and the licence outlive the call and are only read; their number is passed.
    unsafe { bpf_open(PROG_LOAD, &attribute) }
}

/// Attaches a program to an interface for as long as the returned link is open.
pub(super) fn attach_xdp(program: BorrowedFd<'_>, interface: u32, hook: Hook) -> io::Result<OwnedFd> {
    let flags = match hook {
        Hook::Native => XDP_FLAGS_DRV_MODE,
        Hook::Generic => XDP_FLAGS_SKB_MODE,
    };
    let attribute = LinkCreate {
        program: program.as_raw_fd().cast_unsigned(),
        interface,
        attach_type: ATTACH_TYPE_XDP,
        flags,
    };
    // SAFETY: no pointers.
    unsafe { bpf_open(LINK_CREATE, &attribute) }
}
