//! The end of a child process, with what it has used.

use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use super::syscall::check;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its status.
    pub status: ExitStatus,
    /// CPU time of all its threads, in user mode and in the kernel.
    pub cpu: Duration,
    /// Most memory that was resident at once, bytes. Linux counts from before `exec`, so it is never less than what this
    /// process had when it started the child.
    pub peak_rss: u64,
}

/// Waits for a child to end. Takes it, because its number is free for other processes afterwards.
///
/// # Errors
/// Whatever `wait4(2)` reports.
pub fn wait(child: Child) -> io::Result<Ended> {
    let pid = child.id().cast_signed();
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are valid for writes of their types for the duration of the call.
    while let Err(error) = check(unsafe { libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()) }) {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    // SAFETY: the type consists of integers, all of which were zeroed before the call wrote some of them.
    let usage = unsafe { usage.assume_init() };
    Ok(Ended {
        status: ExitStatus::from_raw(status),
        cpu: duration(usage.ru_utime) + duration(usage.ru_stime),
        peak_rss: usage.ru_maxrss.cast_unsigned() * 1024,
    })
}

/// The kernel gives times of use that are not negative.
fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec.cast_unsigned()) + Duration::from_micros(time.tv_usec.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_a_child_used_is_told_with_its_status() {
        let script = "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; exit 3";
        let child = Command::new("sh").args(["-c", script]).spawn().unwrap();
        let ended = wait(child).unwrap();
        assert_eq!(ended.status.code(), Some(3));
        assert!(ended.cpu > Duration::from_millis(1), "{ended:?}");
        assert!(ended.peak_rss > 100 << 10, "{ended:?}");
    }
}
