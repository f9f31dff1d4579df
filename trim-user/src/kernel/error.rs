//! What can go wrong between `trim` and the kernel's BPF side, and what to do about it.

use std::io;
use std::path::PathBuf;

use aya::maps::MapError;
use aya::programs::{ProgramError, xdp::XdpError};
use aya::util::KernelVersion;
use aya::{EbpfError, pin::PinError};

/// A failure to load, attach, pin or talk to the XDP program. Each message is one line with its remedy.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The binary was built by plain `cargo build`.
    #[error("this binary was built without the eBPF object: build it with `cargo xtask build`")]
    NoObject,
    /// The embedded object is damaged or from another version.
    #[error("the embedded eBPF object cannot be used: {reason}; build again with `cargo xtask build`")]
    BadObject {
        /// What is wrong with it.
        reason: String,
    },
    /// The kernel lacks something the program needs.
    #[error("Linux {running} is too old for the XDP program ({reason}): it needs Linux {needed} or newer")]
    KernelTooOld {
        /// The running kernel.
        running: String,
        /// The oldest kernel that will do.
        needed: &'static str,
        /// What the kernel said.
        reason: String,
    },
    /// The process may not do this.
    #[error(
        "no permission to {action}: {missing} missing; run as root or grant CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and \
         CAP_NET_RAW"
    )]
    MissingCapability {
        /// What was tried.
        action: &'static str,
        /// The capabilities that the process lacks.
        missing: String,
    },
    /// The verifier refused the program.
    #[error("the kernel's verifier refused the XDP program ({source}): {log}; please report this with `uname -r`")]
    Verifier {
        /// The end of the verifier's log, on one line.
        log: String,
        /// The error of the system call.
        source: io::Error,
    },
    /// There is no such interface.
    #[error("there is no interface `{interface}` in this network namespace; `trim interfaces` lists those there are")]
    NoInterface {
        /// The name asked for.
        interface: String,
    },
    /// The driver cannot run XDP programs itself.
    #[error(
        "the driver of `{interface}` refuses native XDP ({source}): set `xdp_mode: auto` or `generic`, lower the MTU, \
         or turn off LRO"
    )]
    NativeRefused {
        /// The interface.
        interface: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The interface cannot run XDP programs at all.
    #[error("`{interface}` refuses generic XDP ({source}): capture on another interface")]
    GenericRefused {
        /// The interface.
        interface: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Somebody else's XDP program is attached.
    #[error(
        "another XDP program is attached to `{interface}`: stop its owner (`ip link show dev {interface}` gives the \
         program's id, `ip link set dev {interface} xdp off` removes one without an owner)"
    )]
    OtherProgram {
        /// The interface.
        interface: String,
    },
    /// Another `trim` captures there.
    #[error("another trim captures on `{interface}` (it holds {path}): `trim stop` ends it")]
    AlreadyRunning {
        /// The interface.
        interface: String,
        /// The locked pin directory.
        path: PathBuf,
    },
    /// Attaching failed for another reason.
    #[error("cannot attach the XDP program to `{interface}`: {source}")]
    Attach {
        /// The interface.
        interface: String,
        /// What aya or the kernel said.
        source: Box<ProgramError>,
    },
    /// A map is missing or cannot be read or written.
    #[error("cannot {action} the BPF map {map}: {source}")]
    Map {
        /// The map's name.
        map: &'static str,
        /// What was tried.
        action: &'static str,
        /// What aya or the kernel said.
        source: Box<MapError>,
    },
    /// The pin directory cannot be used.
    #[error("cannot {action} {path}: {source}; set `capture.pin: false`, or mount a BPF file system there")]
    Pin {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// `BPF_PROG_TEST_RUN` failed.
    #[error("the kernel did not run the program on a test packet: {source}")]
    TestRun {
        /// What the kernel said.
        source: io::Error,
    },
    /// The program's log cannot be read.
    #[error("cannot read the XDP program's log: {reason}")]
    Events {
        /// What aya-log said.
        reason: String,
    },
}

/// The oldest kernel on which the program is meant to load: XDP links are older, `bpf_loop`-free bounded loops too,
/// but this is the oldest long-term kernel that is tested.
pub(super) const OLDEST_KERNEL: (KernelVersion, &str) = (KernelVersion::new(5, 15, 0), "5.15");

/// How much of the verifier's log goes into a message, bytes from its end.
const VERIFIER_LOG_TAIL: usize = 600;

impl KernelError {
    /// From an attempt to parse the object and make its maps.
    pub(super) fn from_load(error: EbpfError) -> Self {
        match error {
            EbpfError::MapError(MapError::CreateError { name, io_error }) => {
                let denied = is_denied(&io_error);
                refused_or_old("create BPF maps", denied, format!("map {name}: {io_error}"))
            }
            EbpfError::ProgramError(error) => Self::from_verification(error),
            other => Self::BadObject { reason: chain(&other) },
        }
    }

    /// From an attempt to load the program.
    pub(super) fn from_verification(error: ProgramError) -> Self {
        match error {
            ProgramError::LoadError { io_error, .. } if is_denied(&io_error) => denied("load BPF programs"),
            ProgramError::LoadError { io_error, verifier_log } => match too_old(&io_error.to_string()) {
                Some(error) => error,
                None => Self::Verifier {
                    log: tail(&verifier_log.to_string()),
                    source: io_error,
                },
            },
            other => Self::BadObject { reason: chain(&other) },
        }
    }

    /// From an attempt to attach in native or generic mode.
    pub(super) fn from_attach(interface: &str, native: bool, error: ProgramError) -> Self {
        let interface = interface.to_owned();
        match os_error(&error) {
            Some(libc::EBUSY | libc::EEXIST) => Self::OtherProgram { interface },
            Some(libc::ENODEV) => Self::NoInterface { interface },
            Some(libc::EPERM | libc::EACCES) => denied("attach XDP programs"),
            Some(code) if native => Self::NativeRefused {
                interface,
                source: io::Error::from_raw_os_error(code),
            },
            Some(code) => Self::GenericRefused {
                interface,
                source: io::Error::from_raw_os_error(code),
            },
            None => Self::Attach {
                interface,
                source: Box::new(error),
            },
        }
    }

    /// From an attempt to do something with a map.
    pub(super) fn map(map: &'static str, action: &'static str) -> impl FnOnce(MapError) -> Self {
        move |error| Self::Map {
            map,
            action,
            source: Box::new(error),
        }
    }

    /// From an attempt to pin something at `path`.
    pub(super) fn from_pin(path: PathBuf, error: PinError) -> Self {
        let source = match error {
            PinError::SyscallError(error) => error.io_error,
            other => io::Error::other(other),
        };
        Self::pin("pin to", path)(source)
    }

    /// From an attempt to do something with a file of the pin directory.
    pub(super) fn pin(action: &'static str, path: PathBuf) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Pin { action, path, source }
    }
}

fn is_denied(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES)) && !missing_capabilities().is_empty()
}

fn refused_or_old(action: &'static str, is_denied: bool, reason: String) -> KernelError {
    if is_denied {
        return denied(action);
    }
    too_old(&reason).unwrap_or(KernelError::BadObject { reason })
}

fn denied(action: &'static str) -> KernelError {
    let missing = missing_capabilities();
    let missing = if missing.is_empty() {
        "none of CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_NET_RAW, so a security module or \
         `kernel.unprivileged_bpf_disabled` may forbid it; capabilities"
            .to_owned()
    } else {
        missing.join(", ")
    };
    KernelError::MissingCapability { action, missing }
}

fn too_old(reason: &str) -> Option<KernelError> {
    let running = KernelVersion::current().ok()?;
    (running < OLDEST_KERNEL.0).then(|| KernelError::KernelTooOld {
        running: release(),
        needed: OLDEST_KERNEL.1,
        reason: reason.to_owned(),
    })
}

/// The kernel's release as `uname -r` prints it.
pub(super) fn release() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").map_or_else(|_| "?".to_owned(), |text| text.trim().to_owned())
}

/// The capabilities that the program needs and the calling thread lacks: each thread has its own (`CapEff` in proc_pid_status(5); numbers from
/// include/uapi/linux/capability.h).
pub(super) fn missing_capabilities() -> Vec<&'static str> {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    missing_in(&status)
}

fn missing_in(status: &str) -> Vec<&'static str> {
    const SYS_ADMIN: u64 = 1 << 21;
    const NEEDED: [(&str, u64); 4] = [
        ("CAP_BPF", 1 << 39 | SYS_ADMIN),
        ("CAP_PERFMON", 1 << 38 | SYS_ADMIN),
        ("CAP_NET_ADMIN", 1 << 12),
        ("CAP_NET_RAW", 1 << 13),
    ];
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(u64::MAX);
    let lacks = |(name, grants): (&'static str, u64)| (effective & grants == 0).then_some(name);
    NEEDED.into_iter().filter_map(lacks).collect()
}

/// The error number in an error of aya's attach call, by link or by netlink.
fn os_error(error: &ProgramError) -> Option<i32> {
    match error {
        ProgramError::SyscallError(error) => error.io_error.raw_os_error(),
        ProgramError::XdpError(XdpError::NetlinkError(error)) | ProgramError::NetlinkError(error) => {
            error.raw_os_error()
        }
        ProgramError::UnknownInterface { .. } => Some(libc::ENODEV),
        _ => None,
    }
}

/// The end of the verifier's log, on one line.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let joined = lines.join(" | ");
    let from = joined.len().saturating_sub(VERIFIER_LOG_TAIL);
    let from = (from..joined.len())
        .find(|at| joined.is_char_boundary(*at))
        .unwrap_or(from);
    joined[from..].to_owned()
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use aya::sys::SyscallError;

    use super::*;

    fn link_refused(code: i32) -> ProgramError {
        ProgramError::SyscallError(SyscallError {
            call: "bpf_link_create",
            io_error: io::Error::from_raw_os_error(code),
        })
    }

    #[test]
    fn each_way_of_refusing_an_attachment_has_its_own_message() {
        let message = |code, native| KernelError::from_attach("eth9", native, link_refused(code)).to_string();
        assert!(message(libc::EBUSY, true).contains("another XDP program is attached to `eth9`"));
        assert!(message(libc::EEXIST, false).contains("another XDP program"));
        assert!(message(libc::ENODEV, true).contains("no interface `eth9`"));
        assert!(message(libc::EOPNOTSUPP, true).contains("refuses native XDP"));
        assert!(message(libc::EOPNOTSUPP, false).contains("refuses generic XDP"));
        assert!(message(libc::EPERM, false).contains("no permission to attach XDP programs"));
    }

    #[test]
    fn every_message_is_one_line() {
        for code in [libc::EBUSY, libc::ENODEV, libc::EOPNOTSUPP, libc::EPERM] {
            let message = KernelError::from_attach("eth9", true, link_refused(code)).to_string();
            assert!(!message.contains('\n') && !message.contains("  "), "{message:?}");
        }
    }

    #[test]
    fn missing_capabilities_are_named() {
        assert_eq!(missing_in("Name:\tx\nCapEff:\t0000003fffffffff\n"), [] as [&str; 0]);
        assert_eq!(missing_in("CapEff:\t000000c000003000\n"), [] as [&str; 0]);
        assert_eq!(
            missing_in("CapEff:\t0000000000002000\n"),
            ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"]
        );
    }

    #[test]
    fn the_end_of_a_verifier_log_fits_on_a_line() {
        let log = "0: (b7) r0 = 1\n\n".repeat(100) + "R1 invalid mem access 'scalar'\nprocessed 7 insns\n";
        let tail = tail(&log);
        assert!(tail.len() <= VERIFIER_LOG_TAIL && !tail.contains('\n'));
        assert!(tail.ends_with("R1 invalid mem access 'scalar' | processed 7 insns"));
    }
}
