//! What the running kernel offers, and what this process may do with it.

use std::io;

use aya::maps::MapType;
use aya::programs::ProgramType;
use aya::sys::{is_map_supported, is_program_supported};
use aya::util::KernelVersion;

use super::error::{self, OLDEST_KERNEL};
use super::syscall::socket;

/// The kernel's own description of its types, for programs that adapt to it.
const BTF: &str = "/sys/kernel/btf/vmlinux";
/// Bit of `CAP_IPC_LOCK` (include/uapi/linux/capability.h).
const IPC_LOCK: u32 = 14;

/// Whether something is there; `Unknown` when asking needs a privilege that this process lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It is.
    Yes,
    /// The kernel was built without it, or is too old.
    No,
    /// This process may not ask.
    Unknown,
}

/// What the kernel offers and the process may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// The kernel's release, as `uname -r` prints it.
    pub release: String,
    /// Whether it is recent enough for the XDP program.
    pub is_recent: bool,
    /// The oldest kernel that is.
    pub oldest: &'static str,
    /// XDP programs.
    pub xdp: Offer,
    /// Maps of AF_XDP sockets.
    pub socket_maps: Offer,
    /// AF_XDP sockets.
    pub af_xdp: Offer,
    /// The kernel describes its types.
    pub btf: bool,
    /// Capabilities that a capture needs and this process lacks.
    pub missing_capabilities: Vec<&'static str>,
    /// Most memory this process may lock, bytes; `None` is no limit, which `CAP_IPC_LOCK` gives too.
    pub lockable: Option<u64>,
}

impl Abilities {
    /// Asks the kernel. Loads probe programs of a few instructions, which go at once.
    pub fn probe() -> Self {
        let current = KernelVersion::current();
        let missing_capabilities = error::missing_capabilities();
        // Without them the kernel refuses probes as it refuses programs, which says nothing about what it offers.
        let probed = |answer| {
            if missing_capabilities.is_empty() {
                offer(answer)
            } else {
                Offer::Unknown
            }
        };
        Self {
            release: error::release(),
            // What cannot be read is not held against it: loading the program will tell.
            is_recent: current.map_or(true, |version| version >= OLDEST_KERNEL.0),
            oldest: OLDEST_KERNEL.1,
            xdp: probed(is_program_supported(ProgramType::Xdp).ok()),
            socket_maps: probed(is_map_supported(MapType::XskMap).ok()),
            af_xdp: sockets(),
            btf: std::path::Path::new(BTF).exists(),
            lockable: lockable(),
            missing_capabilities,
        }
    }
}

const fn offer(answer: Option<bool>) -> Offer {
    match answer {
        Some(true) => Offer::Yes,
        Some(false) => Offer::No,
        None => Offer::Unknown,
    }
}

fn sockets() -> Offer {
    match socket(libc::AF_XDP, libc::SOCK_RAW, 0) {
        Ok(_) => Offer::Yes,
        Err(error) => of_refusal(&error),
    }
}

fn of_refusal(error: &io::Error) -> Offer {
    match error.raw_os_error() {
        Some(libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT) => Offer::No,
        _ => Offer::Unknown,
    }
}

fn lockable() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if may_lock(&status) {
        return None;
    }
    rustix::process::getrlimit(rustix::process::Resource::Memlock).current
}

fn may_lock(status: &str) -> bool {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let mask = effective.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> IPC_LOCK & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_for_want_of_privilege_says_nothing_about_the_kernel() {
        let refused = |code| of_refusal(&io::Error::from_raw_os_error(code));
        assert_eq!(refused(libc::EAFNOSUPPORT), Offer::No);
        assert_eq!(refused(libc::EPERM), Offer::Unknown);
    }

    #[test]
    fn the_capability_to_lock_memory_is_bit_14() {
        assert!(may_lock("CapEff:\t0000000000004000\n"));
        assert!(!may_lock("CapEff:\t0000000000002000\n"));
        assert!(!may_lock(""));
    }
}
