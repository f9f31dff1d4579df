//! A raw AF_PACKET socket: sends and receives whole frames on one interface, as tests and load generators need.

use std::io;
use std::mem::zeroed;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use super::syscall::{self, Plain};

// SAFETY: integers and an array of bytes, laid out without padding (packet(7): 2+2+4+2+1+1+8 bytes).
unsafe impl Plain for libc::sockaddr_ll {}

/// Every protocol, in host byte order.
pub const EVERY_PROTOCOL: u16 = libc::ETH_P_ALL as u16;

/// A raw socket bound to one interface.
#[derive(Debug)]
pub struct PacketSocket {
    fd: OwnedFd,
}

impl PacketSocket {
    /// Opens a socket on the interface with index `interface`; it receives frames of the given Ethernet protocol (host
    /// byte order, [`EVERY_PROTOCOL`]), or none when that is 0. Needs CAP_NET_RAW.
    ///
    /// # Errors
    /// Whatever `socket(2)` or `bind(2)` reports.
    pub fn open(interface: u32, protocol: u16) -> io::Result<Self> {
        // The socket starts with protocol 0, so that nothing from other interfaces slips in before `bind`.
        let fd = syscall::socket(libc::AF_PACKET, libc::SOCK_RAW, 0)?;
        // SAFETY: every field of the structure is an integer or an array of them, for which zero is a value.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = protocol.to_be();
        address.sll_ifindex = interface.cast_signed();
        syscall::bind(fd.as_fd(), &address)?;
        Ok(Self { fd })
    }

    /// Sends one frame, from its destination MAC address on. Blocks while the socket's send buffer is full.
    ///
    /// # Errors
    /// Whatever `send(2)` reports; `ENETDOWN` when the interface is down.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        syscall::send(self.fd.as_fd(), frame)
    }

    /// Waits at most `timeout` for a frame and returns its length (`None` when none came). A frame longer than the
    /// buffer is cut; the length returned is its whole one.
    ///
    /// # Errors
    /// Whatever `poll(2)` or `recv(2)` reports.
    pub fn receive(&self, buffer: &mut [u8], timeout: Duration) -> io::Result<Option<usize>> {
        let mut entry = [libc::pollfd {
            fd: self.fd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        }];
        if syscall::poll(&mut entry, timeout)? == 0 {
            return Ok(None);
        }
        syscall::receive(self.fd.as_fd(), buffer, libc::MSG_DONTWAIT).map(Some)
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
