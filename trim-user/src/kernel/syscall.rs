//! Safe wrappers of the few socket calls that the standard library lacks.

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// A value that the kernel may read from or write to as plain bytes.
///
/// # Safety
/// Every bit pattern is a valid value and the type has no padding that a caller would leak to the kernel.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: integers have no padding and no invalid values.
unsafe impl Plain for libc::c_int {}
// SAFETY: as above.
unsafe impl Plain for u32 {}

/// Turns the `-1` of a failed call into the error it left in `errno`.
pub(crate) fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// `socket(2)`, close-on-exec.
///
/// # Errors
/// Whatever the call reports.
pub(crate) fn socket(domain: libc::c_int, kind: libc::c_int, protocol: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: the call takes three integers and touches no memory of ours.
    let fd = check(unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: the call succeeded, so `fd` is open and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `setsockopt(2)` with one plain value.
///
/// # Errors
/// Whatever the call reports.
pub(crate) fn set_option<T: Plain>(
    fd: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: &T,
) -> io::Result<()> {
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: `value` is valid for reads of `length` bytes, its own size, for the duration of the call.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, std::ptr::from_ref(value).cast(), length) };
    check(result).map(|_| ())
}

/// `getsockopt(2)` for one plain value, whose whole size the kernel must fill.
///
/// # Errors
/// Whatever the call reports; `InvalidData` when the kernel knows an older, shorter form of the value.
pub(crate) fn option<T: Plain>(fd: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int) -> io::Result<T> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: `value` is valid for writes of `length` bytes, its own size, and `length` is a live local.
    let result = unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut length) };
    check(result)?;
    if length as usize != size_of::<T>() {
        let text = format!(
            "socket option {name} has {length} bytes here, {} expected",
            size_of::<T>()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    // SAFETY: zeroed before the call, and every bit pattern of a `Plain` type is a value.
    Ok(unsafe { value.assume_init() })
}

/// `bind(2)` to an address given as its C structure.
///
/// # Errors
/// Whatever the call reports.
pub(crate) fn bind<T: Plain>(fd: BorrowedFd<'_>, address: &T) -> io::Result<()> {
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: `address` is valid for reads of `length` bytes, its own size, for the duration of the call.
    let result = unsafe { libc::bind(fd.as_raw_fd(), std::ptr::from_ref(address).cast(), length) };
    check(result).map(|_| ())
}

/// `send(2)` of one datagram.
///
/// # Errors
/// Whatever the call reports; `WriteZero` when only a part was taken.
pub(crate) fn send(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: `bytes` is valid for reads of its length.
    let sent = unsafe { libc::send(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0) };
    match usize::try_from(sent) {
        Ok(length) if length == bytes.len() => Ok(()),
        Ok(_) => Err(io::ErrorKind::WriteZero.into()),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

/// `recv(2)` of one datagram with `flags`; returns its whole length (`MSG_TRUNC`), which may exceed the buffer.
///
/// # Errors
/// Whatever the call reports.
pub(crate) fn receive(fd: BorrowedFd<'_>, buffer: &mut [u8], flags: libc::c_int) -> io::Result<usize> {
    let flags = flags | libc::MSG_TRUNC;
    // SAFETY: `buffer` is valid for writes of its length.
    let length = unsafe { libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) };
    usize::try_from(length).map_err(|_| io::Error::last_os_error())
}

/// `ppoll(2)` with the signal mask left alone; the timeout is as fine as the kernel's timers. Returns how many entries
/// have events.
///
/// # Errors
/// Whatever the call reports, `Interrupted` among it.
pub(crate) fn poll(entries: &mut [libc::pollfd], timeout: Duration) -> io::Result<usize> {
    let limit = libc::timespec {
        tv_sec: timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    };
    let count = entries.len() as libc::nfds_t;
    // SAFETY: `entries` is valid for reads and writes of `count` elements, `limit` is a live local, and a null mask
    // means that none is installed.
    let ready = unsafe { libc::ppoll(entries.as_mut_ptr(), count, &raw const limit, std::ptr::null()) };
    check(ready).map(|count| count as usize)
}
