//! Receiving what is meant for others, as a SPAN port needs.

use std::os::fd::AsFd;

use super::error::NicError;
use crate::kernel::packet_socket::PacketSocket;
use crate::kernel::syscall::{self, Plain};

// SAFETY: a 32-bit and two 16-bit integers and eight bytes, 16 bytes without padding.
unsafe impl Plain for libc::packet_mreq {}

/// The interface is promiscuous as long as this value lives.
///
/// The kernel counts the sockets that ask for it and takes it back when the last one closes (packet(7)), so it ends with
/// the process however that ends, and another program's wish is not disturbed.
#[derive(Debug)]
pub struct Promiscuous {
    _socket: PacketSocket,
}

impl Promiscuous {
    /// Makes the interface with index `interface` promiscuous. Needs CAP_NET_RAW.
    ///
    /// # Errors
    /// The interface is gone or down, or the privilege is missing.
    pub fn set(interface: u32) -> Result<Self, NicError> {
        let failed = NicError::request("make an interface promiscuous");
        // Protocol 0: the socket itself receives nothing.
        let socket = PacketSocket::open(interface, 0).map_err(&failed)?;
        let request = libc::packet_mreq {
            mr_ifindex: interface.cast_signed(),
            mr_type: libc::PACKET_MR_PROMISC as u16,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        syscall::set_option(socket.as_fd(), libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
            .map_err(&failed)?;
        Ok(Self { _socket: socket })
    }
}
