//! What drivers say about themselves through `SIOCETHTOOL` (include/uapi/linux/ethtool.h).

use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, OwnedFd};

use super::error::NicError;
use super::link::text;
use crate::kernel::syscall::{check, socket};

const SIOCETHTOOL: libc::c_ulong = 0x8946;
const GET_DRIVER_INFO: u32 = 0x03;
const GET_RINGS: u32 = 0x10;
const GET_FLAGS: u32 = 0x25;
const GET_GRO: u32 = 0x2b;
const GET_CHANNELS: u32 = 0x3c;
const FLAG_RX_VLAN: u32 = 1 << 8;
const FLAG_LRO: u32 = 1 << 15;

/// A command block of `SIOCETHTOOL`: it starts with the command, and the kernel fills in the rest.
///
/// # Safety
/// `repr(C)`, all integers or arrays of them, and as large as the kernel's structure for every command it is used with.
pub(super) unsafe trait Command: Copy {}

#[repr(C)]
#[derive(Clone, Copy)]
struct DriverInfo {
    command: u32,
    driver: [u8; 32],
    version: [u8; 32],
    firmware: [u8; 32],
    bus: [u8; 32],
    _rest: [u8; 32 + 12 + 5 * 4],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Value {
    command: u32,
    data: u32,
}

/// `struct ethtool_channels` and `struct ethtool_ringparam`: the command and eight counts.
#[repr(C)]
#[derive(Clone, Copy)]
struct Counts {
    command: u32,
    values: [u32; 8],
}

const _: () = assert!(size_of::<DriverInfo>() == 196);

// SAFETY: `struct ethtool_drvinfo`, 196 bytes as asserted.
unsafe impl Command for DriverInfo {}
// SAFETY: `struct ethtool_value`, 8 bytes.
unsafe impl Command for Value {}
// SAFETY: `struct ethtool_channels` and `struct ethtool_ringparam`, 36 bytes each.
unsafe impl Command for Counts {}

/// RX queues of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// RX queues in use: those that only receive and the combined ones.
    pub rx: u32,
    /// RX queues that can be set (`ethtool -L`).
    pub most: u32,
}

/// Entries of a device's own receive ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingSize {
    /// In use.
    pub rx: u32,
    /// The most that can be set (`ethtool -G`).
    pub most: u32,
}

/// Offloads that change what a capture sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offloads {
    /// The device takes VLAN tags out of received packets, which hides them from XDP.
    pub rx_vlan: bool,
    /// The kernel merges received segments (after native XDP, before generic XDP on some drivers).
    pub gro: bool,
    /// The device merges received segments.
    pub lro: bool,
}

/// Asks the driver of one interface. What a driver does not offer is `None`.
#[derive(Debug)]
pub struct Ethtool {
    fd: OwnedFd,
    name: [libc::c_char; libc::IFNAMSIZ],
}

impl Ethtool {
    /// Prepares questions about the interface called `name`.
    ///
    /// # Errors
    /// The name is longer than 15 bytes or contains a zero byte, or no socket is to be had.
    pub fn open(name: &str) -> Result<Self, NicError> {
        let mut bytes = [0; libc::IFNAMSIZ];
        if name.len() >= bytes.len() || name.contains('\0') {
            return Err(NicError::Unknown {
                name: name.into(),
                source: io::ErrorKind::InvalidInput.into(),
            });
        }
        for (to, from) in bytes.iter_mut().zip(name.bytes()) {
            *to = from as libc::c_char;
        }
        let fd =
            socket(libc::AF_INET, libc::SOCK_DGRAM, 0).map_err(NicError::request("open a socket to ask a driver"))?;
        Ok(Self { fd, name: bytes })
    }

    /// The name of the driver.
    ///
    /// # Errors
    /// The interface is gone, for one.
    pub fn driver(&self) -> Result<Option<String>, NicError> {
        // SAFETY: integers and arrays of them, for which zero is a value.
        let info = DriverInfo {
            command: GET_DRIVER_INFO,
            ..unsafe { zeroed() }
        };
        Ok(self.ask(info)?.map(|info| text(&info.driver)))
    }

    /// The number of RX queues.
    ///
    /// # Errors
    /// As for [`driver`](Self::driver).
    pub fn channels(&self) -> Result<Option<Channels>, NicError> {
        // max_rx, max_tx, max_other, max_combined, then the same four in use.
        let answer = self.ask(Counts {
            command: GET_CHANNELS,
            values: [0; 8],
        })?;
        Ok(answer.map(
            |Counts {
                 values: [max_rx, _, _, max_combined, rx, _, _, combined],
                 ..
             }| Channels {
                rx: rx + combined,
                most: max_rx + max_combined,
            },
        ))
    }

    /// The size of the device's receive rings.
    ///
    /// # Errors
    /// As for [`driver`](Self::driver).
    pub fn rings(&self) -> Result<Option<RingSize>, NicError> {
        // rx_max, rx_mini_max, rx_jumbo_max, tx_max, then the same four in use.
        let answer = self.ask(Counts {
            command: GET_RINGS,
            values: [0; 8],
        })?;
        Ok(answer.map(
            |Counts {
                 values: [most, _, _, _, rx, _, _, _],
                 ..
             }| RingSize { rx, most },
        ))
    }

    /// The offloads that matter to a capture.
    ///
    /// # Errors
    /// As for [`driver`](Self::driver).
    pub fn offloads(&self) -> Result<Option<Offloads>, NicError> {
        let flags = self.ask(Value {
            command: GET_FLAGS,
            data: 0,
        })?;
        let gro = self.ask(Value {
            command: GET_GRO,
            data: 0,
        })?;
        Ok(flags.zip(gro).map(|(flags, gro)| Offloads {
            rx_vlan: flags.data & FLAG_RX_VLAN != 0,
            lro: flags.data & FLAG_LRO != 0,
            gro: gro.data != 0,
        }))
    }

    /// Where the device is: for a PCI device its address, such as `0000:03:00.0`.
    ///
    /// # Errors
    /// As for [`driver`](Self::driver).
    pub fn bus(&self) -> Result<Option<String>, NicError> {
        // SAFETY: integers and arrays of them, for which zero is a value.
        let info = DriverInfo {
            command: GET_DRIVER_INFO,
            ..unsafe { zeroed() }
        };
        let bus = self.ask(info)?.map(|info| text(&info.bus));
        Ok(bus.filter(|bus| !bus.is_empty()))
    }

    pub(super) fn ask<T: Command>(&self, mut command: T) -> Result<Option<T>, NicError> {
        // SAFETY: integers, arrays and a union of plain data, for which zero is a value.
        let mut request: libc::ifreq = unsafe { zeroed() };
        request.ifr_name = self.name;
        request.ifr_ifru.ifru_data = (&raw mut command).cast();
        // SAFETY: the request is a live local whose data pointer leads to `command`, which is as large as the kernel's
        // structure for this command (see `Command`).
        let result = unsafe { libc::ioctl(self.fd.as_raw_fd(), SIOCETHTOOL, &raw mut request) };
        match check(result) {
            Ok(_) => Ok(Some(command)),
            Err(error) if matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP)) => Ok(None),
            Err(source) => Err(NicError::Request {
                action: "ask a driver about itself",
                source,
            }),
        }
    }
}
