//! Who is at the other end of a unix socket, beyond what SO_PEERCRED says.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use super::syscall::check;

/// So many groups are asked for at first; most users are in fewer.
const USUAL: usize = 32;

/// The supplementary groups that the peer of a connected unix socket had when it connected (SO_PEERGROUPS, socket(7)).
///
/// # Errors
/// Whatever the kernel reports, as for a socket that is not connected.
pub fn supplementary_groups(socket: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    let mut groups = vec![0_u32; USUAL];
    loop {
        let room = std::mem::size_of_val(groups.as_slice());
        let mut length = room as libc::socklen_t;
        // SAFETY: `groups` is valid for writes of `length` bytes, its own size, and `length` is a live local; any bytes are
        // valid numbers.
        let result = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let count = length as usize / size_of::<u32>();
        match check(result) {
            Ok(_) => {
                groups.truncate(count);
                return Ok(groups);
            }
            // There are more: the kernel says how many (net/core/sock.c, sk_getsockopt).
            Err(error) if error.raw_os_error() == Some(libc::ERANGE) && count > groups.len() => groups.resize(count, 0),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_peer_that_is_this_process_has_the_groups_of_this_process() {
        let (one, _other) = UnixStream::pair().unwrap();
        let mut groups = supplementary_groups(one.as_fd()).unwrap();
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("Groups:")).unwrap();
        let mut expected: Vec<u32> = line.split_whitespace().map(|it| it.parse().unwrap()).collect();
        groups.sort_unstable();
        expected.sort_unstable();
        assert_eq!(groups, expected);
    }
}
