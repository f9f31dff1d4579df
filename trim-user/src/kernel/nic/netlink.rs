//! Netlink messages: building requests and walking through answers (include/uapi/linux/netlink.h).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::kernel::syscall::{self, Plain};

// SAFETY: two 16-bit and two 32-bit integers, 12 bytes, no implicit padding.
unsafe impl Plain for libc::sockaddr_nl {}

/// Length of `struct nlmsghdr`, bytes.
const HEADER: usize = 16;
/// Length of `struct nlattr`, bytes.
const ATTRIBUTE_HEADER: usize = 4;
/// `NLA_TYPE_MASK`: the flags for nested and big-endian attributes taken away.
const TYPE_MASK: u16 = 0x3fff;
/// A dump fills at most this per datagram (`NLMSG_GOODSIZE` and `max_recvmsg_len`, net/netlink/af_netlink.c).
const BUFFER: usize = 32 << 10;

/// A netlink socket of one protocol.
#[derive(Debug)]
pub(super) struct Netlink {
    fd: OwnedFd,
    buffer: Box<[u8]>,
    sequence: u32,
}

/// One message of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) sequence: u32,
    pub(super) body: &'a [u8],
}

impl Netlink {
    /// Opens a socket that also receives the multicast `groups` (a bit mask).
    pub(super) fn open(protocol: libc::c_int, groups: u32) -> io::Result<Self> {
        let fd = syscall::socket(libc::AF_NETLINK, libc::SOCK_RAW, protocol)?;
        // SAFETY: every field is an integer, for which zero is a value.
        let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
        address.nl_family = libc::AF_NETLINK as u16;
        address.nl_groups = groups;
        syscall::bind(fd.as_fd(), &address)?;
        Ok(Self {
            fd,
            buffer: vec![0; BUFFER].into(),
            sequence: 0,
        })
    }

    /// Sends a request and hands every message of the answer to `visit`.
    pub(super) fn ask(
        &mut self,
        kind: u16,
        flags: libc::c_int,
        body: &[u8],
        mut visit: impl FnMut(Message<'_>),
    ) -> io::Result<()> {
        self.sequence += 1;
        let sequence = self.sequence;
        // Every request asks for an acknowledgement, so that there always is a last message; dumps end with one anyway.
        let request = encode(kind, flags | libc::NLM_F_REQUEST | libc::NLM_F_ACK, sequence, body);
        syscall::send(self.fd.as_fd(), &request)?;
        loop {
            let length = self.receive(0)?;
            let ours = messages(&self.buffer[..length]).filter(|message| message.sequence == sequence);
            for message in ours {
                match i32::from(message.kind) {
                    libc::NLMSG_DONE => return Ok(()),
                    libc::NLMSG_ERROR => return outcome(message.body),
                    _ => visit(message),
                }
            }
        }
    }

    /// Hands the messages of one datagram that the kernel sent by itself to `visit`; `false` when there is none now.
    pub(super) fn poll(&mut self, visit: impl FnMut(Message<'_>)) -> io::Result<bool> {
        match self.receive(libc::MSG_DONTWAIT) {
            Ok(length) => {
                messages(&self.buffer[..length]).for_each(visit);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn receive(&mut self, flags: libc::c_int) -> io::Result<usize> {
        let length = syscall::receive(self.fd.as_fd(), &mut self.buffer, flags)?;
        if length > self.buffer.len() {
            return Err(io::Error::other(format!(
                "netlink message of {length} bytes does not fit"
            )));
        }
        Ok(length)
    }
}

impl AsFd for Netlink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn encode(kind: u16, flags: libc::c_int, sequence: u32, body: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend_from_slice(&((HEADER + body.len()) as u32).to_ne_bytes());
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(&(flags as u16).to_ne_bytes());
    message.extend_from_slice(&sequence.to_ne_bytes());
    message.extend_from_slice(&0_u32.to_ne_bytes());
    message.extend_from_slice(body);
    message
}

/// The body of NLMSG_ERROR starts with a negated errno, 0 for an acknowledgement.
fn outcome(body: &[u8]) -> io::Result<()> {
    match number::<4>(body, 0).map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(code.wrapping_neg())),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The messages of a datagram, up to the first damaged one.
pub(super) fn messages(mut rest: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = u32::from_ne_bytes(number(rest, 0)?) as usize;
        let kind = u16::from_ne_bytes(number(rest, 4)?);
        let sequence = u32::from_ne_bytes(number(rest, 8)?);
        let body = rest.get(HEADER..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message { kind, sequence, body })
    })
}

/// The attributes of a message or of a nested attribute, type and value, up to the first damaged one.
pub(super) fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = u16::from_ne_bytes(number(rest, 0)?) as usize;
        let kind = u16::from_ne_bytes(number(rest, 2)?) & TYPE_MASK;
        let value = rest.get(ATTRIBUTE_HEADER..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// Appends an attribute.
pub(super) fn put_attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend_from_slice(&((ATTRIBUTE_HEADER + value.len()) as u16).to_ne_bytes());
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

/// `N` bytes at `offset`, if they are there.
pub(super) fn number<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk::<N>().copied()
}

/// A value of 1, 2, 4 or 8 bytes in host order.
pub(super) fn unsigned(value: &[u8]) -> Option<u64> {
    match *value {
        [a] => Some(a.into()),
        [a, b] => Some(u16::from_ne_bytes([a, b]).into()),
        [a, b, c, d] => Some(u32::from_ne_bytes([a, b, c, d]).into()),
        _ => <[u8; 8]>::try_from(value).ok().map(u64::from_ne_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut body = vec![1, 2, 3, 4];
        put_attribute(&mut body, 3, b"abc");
        put_attribute(&mut body, 0x8000 | 4, &7_u32.to_ne_bytes());
        let mut bytes = encode(16, libc::NLM_F_DUMP, 9, &body);
        bytes.extend(encode(17, 0, 9, &[]));
        let found: Vec<_> = messages(&bytes).collect();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].kind, found[0].sequence, found[1].kind), (16, 9, 17));
        let inside: Vec<_> = attributes(&found[0].body[4..]).collect();
        assert_eq!(inside, [(3, &b"abc"[..]), (4, &7_u32.to_ne_bytes()[..])]);
    }

    #[test]
    fn a_damaged_length_ends_the_walk() {
        for length in [0_u32, 4, 15, 4000, u32::MAX] {
            let mut bytes = encode(16, 0, 1, &[0; 8]);
            bytes[..4].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(messages(&bytes).count(), 0, "{length}");
        }
        for length in [0_u16, 3, 900] {
            let mut bytes = Vec::new();
            put_attribute(&mut bytes, 1, &[0; 4]);
            bytes[..2].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(attributes(&bytes).count(), 0, "{length}");
        }
    }
}
