//! What a running capture never asks the kernel for, refused by the kernel (seccomp(2)).
//!
//! A list of what is refused, not of what is allowed: allocator, runtime, database and C library choose their calls by
//! version and machine, and one that was forgotten would end a capture in the field. Refused is what an intruder would
//! go on with: other programs and processes, mounts, namespaces, identities, loading code into the kernel.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// Why calls are not refused.
#[derive(Debug, thiserror::Error)]
pub enum SeccompError {
    /// The filter could not be made.
    #[error("no filter for this machine: {0}")]
    Filter(#[from] BackendError),
    /// The kernel did not take it.
    #[error("{0}")]
    Refused(#[from] seccompiler::Error),
}

/// Calls that are refused whatever they are asked to do.
const NEVER: &[libc::c_long] = &[
    // Other programs, and the memory of other processes.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Code in the kernel, and what watches it.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    // Its operations pass by this filter.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // File systems, and files past their paths.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_mknodat,
    libc::SYS_fanotify_init,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    // Namespaces and identities.
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_personality,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // The machine.
    libc::SYS_reboot,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_vhangup,
];

/// More of them, which one architecture alone has.
#[cfg(target_arch = "x86_64")]
const NEVER_HERE: &[libc::c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_mknod,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_kexec_file_load,
];
#[cfg(not(target_arch = "x86_64"))]
const NEVER_HERE: &[libc::c_long] = &[];

/// Commands of `bpf(2)` (include/uapi/linux/bpf.h) on maps that are open: counters are read, strategies are switched, and
/// the lease is renewed by them. All others are refused.
const BPF_COMMANDS: [u64; 10] = [
    1,  // BPF_MAP_LOOKUP_ELEM
    2,  // BPF_MAP_UPDATE_ELEM
    3,  // BPF_MAP_DELETE_ELEM
    4,  // BPF_MAP_GET_NEXT_KEY
    15, // BPF_OBJ_GET_INFO_BY_FD
    21, // BPF_MAP_LOOKUP_AND_DELETE_ELEM
    24, // BPF_MAP_LOOKUP_BATCH
    25, // BPF_MAP_LOOKUP_AND_DELETE_BATCH
    26, // BPF_MAP_UPDATE_BATCH
    27, // BPF_MAP_DELETE_BATCH
];

/// Sockets that are opened while a capture runs: control, alerts and the listener, and questions about links. AF_XDP and
/// AF_PACKET sockets are open by then.
const FAMILIES: [libc::c_int; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Refuses to the calling thread, and to those it starts from now on, what a running capture never asks for.
///
/// # Errors
/// When the kernel has no seccomp, or what confines the process already forbids it.
pub fn refuse_calls() -> Result<(), SeccompError> {
    // `clone3` hides its flags from filters. As if the kernel had none, the C library uses `clone` in its place. Loaded
    // first, as the second filter stands in the way of nothing that it needs.
    let hidden = Rules::from([(libc::SYS_clone3, Vec::new())]);
    seccompiler::apply_filter(&program(hidden, libc::ENOSYS)?)?;
    seccompiler::apply_filter(&program(refused()?, libc::EPERM)?)?;
    Ok(())
}

fn program(rules: Rules, errno: libc::c_int) -> Result<BpfProgram, BackendError> {
    let answer = SeccompAction::Errno(errno.unsigned_abs());
    // Calls of another architecture (32 bits) end the process: their numbers mean something else.
    SeccompFilter::new(
        with_x32(rules),
        SeccompAction::Allow,
        answer,
        TargetArch::try_from(ARCH)?,
    )?
    .try_into()
}

fn refused() -> Result<Rules, BackendError> {
    let mut rules: Rules = NEVER.iter().chain(NEVER_HERE).map(|&call| (call, Vec::new())).collect();
    let families = FAMILIES.map(|family| u64::from(family.unsigned_abs()));
    rules.insert(libc::SYS_bpf, vec![none_of(&BPF_COMMANDS)?]);
    rules.insert(libc::SYS_socket, vec![none_of(&families)?]);
    // Without this flag it makes a process. Namespaces cannot be had together with it, but for some.
    let thread = libc::CLONE_THREAD.unsigned_abs().into();
    let process = condition(SeccompCmpOp::MaskedEq(thread), 0)?;
    let mut clone = vec![SeccompRule::new(vec![process])?];
    for namespace in NAMESPACES {
        let flag = u64::from(namespace.unsigned_abs());
        clone.push(SeccompRule::new(vec![condition(SeccompCmpOp::MaskedEq(flag), flag)?])?);
    }
    rules.insert(libc::SYS_clone, clone);
    Ok(rules)
}

const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// Matches when the first argument is none of these.
fn none_of(values: &[u64]) -> Result<SeccompRule, BackendError> {
    let others = values.iter().map(|&value| condition(SeccompCmpOp::Ne, value));
    SeccompRule::new(others.collect::<Result<_, _>>()?)
}

/// About the first argument, of which the kernel reads 32 bits.
fn condition(operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(0, SeccompCmpArgLen::Dword, operator, value)
}

/// The same again by the numbers of x32, which x86_64 kernels that have it take for calls of the same architecture
/// (arch/x86/entry/syscalls/syscall_64.tbl).
#[cfg(target_arch = "x86_64")]
fn with_x32(rules: Rules) -> Rules {
    const X32: i64 = 0x4000_0000;
    /// What has other numbers there: execve, ptrace, kexec_load, process_vm_readv, process_vm_writev, execveat.
    const OTHERS: [(i64, i64); 6] = [
        (libc::SYS_execve, 520),
        (libc::SYS_ptrace, 521),
        (libc::SYS_kexec_load, 528),
        (libc::SYS_process_vm_readv, 539),
        (libc::SYS_process_vm_writev, 540),
        (libc::SYS_execveat, 545),
    ];
    let number = |call: i64| {
        OTHERS
            .iter()
            .find(|(usual, _)| *usual == call)
            .map_or(call, |(_, here)| *here)
    };
    let again: Vec<_> = rules
        .iter()
        .map(|(&call, rules)| (number(call) | X32, rules.clone()))
        .collect();
    rules.into_iter().chain(again).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn with_x32(rules: Rules) -> Rules {
    rules
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::thread;

    use super::*;
    use crate::kernel::syscall;

    /// Calls with arguments that are no good for anything: what lets them through answers with another error.
    fn errno(call: libc::c_long, first: libc::c_long) -> i32 {
        // SAFETY: -1 is no address, descriptor or identity that anything could be done with.
        let result = unsafe { libc::syscall(call, first, -1, -1, -1, -1, -1) };
        if result == -1 {
            io::Error::last_os_error().raw_os_error().unwrap_or(0)
        } else {
            0
        }
    }

    /// Seccomp binds the thread, which ends here, and not the test.
    fn confined<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        let thread = thread::spawn(|| {
            refuse_calls().expect("seccomp works here");
            let status = std::fs::read_to_string("/proc/thread-self/status").expect("it is a thread");
            assert!(status.contains("Seccomp:\t2"), "{status}");
            work()
        });
        thread.join().expect("it ends well")
    }

    #[test]
    fn what_a_capture_never_needs_is_refused() {
        let errors = confined(|| {
            let calls = NEVER.iter().chain(NEVER_HERE);
            calls.map(|&call| (call, errno(call, -1))).collect::<Vec<_>>()
        });
        for (call, error) in errors {
            assert_eq!(error, libc::EPERM, "system call {call}");
        }
    }

    #[test]
    fn without_it_the_same_calls_fail_otherwise() {
        for call in [
            libc::SYS_execve,
            libc::SYS_ptrace,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_userfaultfd,
        ] {
            assert_ne!(errno(call, -1), libc::EPERM, "system call {call}");
        }
    }

    #[test]
    fn bpf_is_for_maps_that_are_open() {
        let errors = confined(|| (0..40).map(|command| errno(libc::SYS_bpf, command)).collect::<Vec<_>>());
        for (command, error) in (0_u64..).zip(errors) {
            // A size of attributes that is too large, which the kernel says before it looks at the command.
            let expected = if BPF_COMMANDS.contains(&command) {
                libc::E2BIG
            } else {
                libc::EPERM
            };
            assert_eq!(error, expected, "command {command}");
        }
    }

    #[test]
    fn sockets_are_for_people_and_not_for_packets() {
        let open = |family| {
            syscall::socket(family, libc::SOCK_DGRAM, 0)
                .map(drop)
                .map_err(|error| error.raw_os_error())
        };
        let (packets, others) = confined(move || {
            let packets = [libc::AF_PACKET, libc::AF_XDP, libc::AF_VSOCK, libc::AF_ALG].map(open);
            (packets, FAMILIES.map(open))
        });
        assert_eq!(packets, [Err(Some(libc::EPERM)); 4]);
        assert_eq!(others, [Ok(()); 4]);
    }

    #[test]
    fn threads_can_be_started_and_processes_cannot() {
        let (thread, process) = confined(|| {
            let thread = thread::spawn(|| errno(libc::SYS_execve, -1)).join();
            (
                thread.expect("it ends well"),
                std::process::Command::new("true").status(),
            )
        });
        assert_eq!(thread, libc::EPERM, "a thread inherits what binds its parent");
        assert_eq!(process.expect_err("no process").raw_os_error(), Some(libc::EPERM));
    }
}
