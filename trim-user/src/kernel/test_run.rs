//! Runs a loaded program on packets of our own (`BPF_PROG_TEST_RUN`, net/bpf/test_run.c): for tests, and as the
//! benchmark's source of traffic.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use aya::programs::{ProgramError, TestRun as _, TestRunAttrs, TestRunOptions, Xdp};
use trim_common::tag::{PacketTag, TAG_SIZE};

use super::error::KernelError;
use super::program::Program;
use super::syscall;

/// Shortest frame that the kernel takes, bytes (`ETH_HLEN`).
pub const FRAME_MIN: usize = 14;
/// Longest frame that fits into one buffer, bytes: a page less the headroom and the room for `skb_shared_info`.
pub const FRAME_MAX: usize = 3400;

/// `struct xdp_md` (include/uapi/linux/bpf.h) as test runs take and give it: offsets in place of pointers.
const CONTEXT_SIZE: usize = 24;

/// What an XDP program can answer (`enum xdp_action`, include/uapi/linux/bpf.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Dropped with an error.
    Aborted,
    /// Dropped.
    Drop,
    /// Given to the network stack.
    Pass,
    /// Sent back out of the interface.
    Transmit,
    /// Sent to a socket or another interface.
    Redirect,
    /// None of these.
    Unknown(u32),
}

impl From<u32> for Action {
    fn from(number: u32) -> Self {
        match number {
            0 => Self::Aborted,
            1 => Self::Drop,
            2 => Self::Pass,
            3 => Self::Transmit,
            4 => Self::Redirect,
            other => Self::Unknown(other),
        }
    }
}

/// Where a test packet pretends to come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Index of the interface; 0 for the loopback interface.
    pub interface: u32,
    /// RX queue; the interface must have it.
    pub queue: u32,
    /// How many bytes at the beginning of the input are metadata that somebody else put in front of the frame: a
    /// multiple of 4, at most 32.
    pub metadata: u32,
}

/// What the program did with a test packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Its answer.
    pub action: Action,
    /// The metadata in front of the packet.
    pub metadata: Vec<u8>,
    /// The packet as the program left it.
    pub frame: Vec<u8>,
}

impl Ran {
    /// The tag, when the metadata is one.
    pub fn tag(&self) -> Option<PacketTag> {
        PacketTag::from_bytes(self.metadata.as_slice().try_into().ok()?)
    }
}

impl Program {
    /// Runs the capture program once on `frame` ([`FRAME_MIN`]`..=`[`FRAME_MAX`] bytes). Counters and flow table change
    /// as with real traffic; the packet goes nowhere.
    pub fn test_run(&mut self, frame: &[u8], arrival: Arrival) -> Result<Ran, KernelError> {
        let context = context_of(frame.len() as u32, arrival);
        let mut left = vec![0; frame.len() + TAG_SIZE];
        let mut left_context = [0; CONTEXT_SIZE];
        let options = TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut left),
            ctx_in: Some(&context),
            ctx_out: Some(&mut left_context),
            ..TestRunOptions::new()
        };
        let result = self.xdp()?.test_run(options).map_err(failed)?;
        left.truncate(result.data_size_out as usize);
        let [a, b, c, d, ..] = left_context;
        let metadata_length = u32::from_ne_bytes([a, b, c, d]) as usize;
        let frame = left.split_off(metadata_length.min(left.len()));
        Ok(Ran {
            action: result.return_value.into(),
            metadata: left,
            frame,
        })
    }
}

/// Runs `program` `repeat` times on real copies of `frame` (`BPF_F_TEST_XDP_LIVE_FRAMES`, Linux 5.18): what the program
/// redirects goes there. `batch` frames (at most 256) are redirected together. Returns the mean time per frame.
pub(super) fn run_live(program: &Xdp, frame: &[u8], repeat: u32, batch: u32) -> Result<Duration, KernelError> {
    let options = TestRunOptions {
        data_in: Some(frame),
        repeat,
        attrs: TestRunAttrs::new().xdp_live_frames(batch),
        ..TestRunOptions::new()
    };
    Ok(program.test_run(options).map_err(failed)?.duration)
}

fn context_of(length: u32, arrival: Arrival) -> [u8; CONTEXT_SIZE] {
    let mut context = [0; CONTEXT_SIZE];
    // data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex
    let fields = [arrival.metadata, length, 0, arrival.interface, arrival.queue, 0];
    for (place, field) in context.chunks_exact_mut(4).zip(fields) {
        place.copy_from_slice(&field.to_ne_bytes());
    }
    context
}

fn failed(error: ProgramError) -> KernelError {
    let source = match error {
        ProgramError::SyscallError(error) => error.io_error,
        other => io::Error::other(other),
    };
    KernelError::TestRun { source }
}

/// An AF_XDP socket bound to nothing: enough to stand in the socket map while the program is only test-run.
///
/// # Errors
/// Whatever `socket(2)` reports.
pub fn unbound_socket() -> io::Result<OwnedFd> {
    syscall::socket(libc::AF_XDP, libc::SOCK_RAW, 0)
}
