//! The least XDP programs: one that feeds AF_XDP sockets, without parsing and without a flow table, in two dozen
//! instructions, and one that only counts and drops.
//!
//! They show what AF_XDP and the driver can do, apart from `trim`'s own program: the tests of [`xsk`](super::xsk) rest on it, and
//! benchmarks use them for the ceilings they compare with. They are put together here, so they need neither the eBPF
//! compiler nor the object that holds `trim`'s program.

pub(in crate::kernel) mod bpf;
mod program;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use trim_common::strategy::Strategy;

/// Where an XDP program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// In the driver.
    Native,
    /// In the network core, on socket buffers.
    Generic,
}

/// The bare program did not load or attach.
#[derive(Debug, thiserror::Error)]
#[error("bare XDP program: bpf({call}) failed: {source}")]
pub struct BareError {
    /// The command of `bpf(2)`.
    pub call: &'static str,
    /// What the system said.
    pub source: io::Error,
}

/// The program, attached to one interface until this value is dropped.
///
/// A packet goes to the socket of its RX queue and of the strategy whose index is the low bit of the last byte of its
/// destination MAC address. Where no socket is, it passes on to the network stack.
#[derive(Debug)]
pub struct BareRedirect {
    sockets: OwnedFd,
    attached: Attached,
}

impl BareRedirect {
    /// Loads the program for up to `queues` RX queues and attaches it to the interface with index `interface`. With
    /// `tag` it puts a [`PacketTag`](trim_common::tag::PacketTag) in front of each packet. Needs CAP_BPF (or
    /// CAP_SYS_ADMIN), CAP_PERFMON and CAP_NET_ADMIN.
    ///
    /// # Errors
    /// The call that failed; `EOPNOTSUPP` when the driver has no native XDP, `EBUSY` when there is a program already.
    pub fn attach(interface: u32, queues: u32, hook: Hook, tag: bool) -> Result<Self, BareError> {
        let slots = queues * Strategy::COUNT as u32;
        let sockets = bpf::create_map(bpf::MAP_TYPE_XSKMAP, 4, slots).map_err(named("MAP_CREATE"))?;
        let attached = Attached::new(interface, hook, |count| {
            program::assemble(sockets.as_raw_fd(), count, tag)
        })?;
        Ok(Self { sockets, attached })
    }

    /// Puts a socket into its place.
    ///
    /// # Errors
    /// The queue is beyond those asked for, or the socket is not bound.
    pub fn set_socket(&self, queue: u32, strategy: Strategy, socket: BorrowedFd<'_>) -> Result<(), BareError> {
        let slot = queue * Strategy::COUNT as u32 + strategy.index() as u32;
        bpf::update_u32(self.sockets.as_fd(), slot, socket.as_raw_fd().cast_unsigned())
            .map_err(named("MAP_UPDATE_ELEM"))
    }

    /// Packets the program has seen since it was loaded, from a whole Ethernet header on. Each was redirected if its
    /// socket was in place.
    ///
    /// # Errors
    /// The map cannot be read.
    pub fn seen(&self) -> Result<u64, BareError> {
        self.attached.seen()
    }
}

/// A program that counts packets and drops them, attached to one interface until this value is dropped.
#[derive(Debug)]
pub struct BareDrop(Attached);

impl BareDrop {
    /// Loads the program and attaches it to the interface with index `interface`. Needs what [`BareRedirect::attach`]
    /// does.
    ///
    /// # Errors
    /// Those of [`BareRedirect::attach`].
    pub fn attach(interface: u32, hook: Hook) -> Result<Self, BareError> {
        Attached::new(interface, hook, program::assemble_drop).map(Self)
    }

    /// Packets dropped since it was loaded.
    ///
    /// # Errors
    /// The map cannot be read.
    pub fn dropped(&self) -> Result<u64, BareError> {
        self.0.seen()
    }
}

/// A program on its interface, and the map in which it counts.
#[derive(Debug)]
struct Attached {
    count: OwnedFd,
    _link: OwnedFd,
}

impl Attached {
    /// `assemble` is given the descriptor of an array with one `u64`.
    fn new(interface: u32, hook: Hook, assemble: impl FnOnce(RawFd) -> Vec<u64>) -> Result<Self, BareError> {
        let count = bpf::create_map(bpf::MAP_TYPE_ARRAY, 8, 1).map_err(named("MAP_CREATE"))?;
        let program = bpf::load_xdp(&assemble(count.as_raw_fd())).map_err(named("PROG_LOAD"))?;
        let link = bpf::attach_xdp(program.as_fd(), interface, hook).map_err(named("LINK_CREATE"))?;
        Ok(Self { count, _link: link })
    }

    fn seen(&self) -> Result<u64, BareError> {
        bpf::lookup_u64(self.count.as_fd(), 0).map_err(named("MAP_LOOKUP_ELEM"))
    }
}

fn named(call: &'static str) -> impl Fn(io::Error) -> BareError {
    move |source| BareError { call, source }
}
