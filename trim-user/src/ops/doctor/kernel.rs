//! The kernel: version, features, privileges, BPF file system, memory that may be locked.

use super::text::bytes;
use crate::config::Capture;
use crate::kernel::abilities::{Abilities, Offer};
use crate::kernel::pins::{self, BPF_FILE_SYSTEM};
use crate::ops::finding::{About, Report};

pub(super) fn examine(capture: &Capture, queues: u32, report: &mut Report) {
    let abilities = Abilities::probe();
    let mut about = report.about("kernel");
    judge(&abilities, &mut about);
    locked(&abilities, frames(capture, queues.max(1)), &mut about);
    if capture.pin {
        pinning(
            pins::is_mounted().ok(),
            abilities.missing_capabilities.is_empty(),
            &mut about,
        );
    }
}

/// Bytes of all frame pools.
pub(super) fn frames(capture: &Capture, queues: u32) -> u64 {
    u64::from(capture.frame_size) * u64::from(capture.frames_per_queue) * u64::from(queues)
}

fn judge(abilities: &Abilities, about: &mut About<'_>) {
    if abilities.is_recent {
        about.ok("version", format!("Linux {}", abilities.release));
    } else {
        about.fail(
            "version",
            format!("Linux {}", abilities.release),
            "the XDP program is not loaded by kernels this old",
            format!("install Linux {} or newer", abilities.oldest),
        );
    }
    privileges(&abilities.missing_capabilities, about);
    for (check, offer, option) in [
        ("xdp", abilities.xdp, "CONFIG_BPF_SYSCALL"),
        ("af_xdp", abilities.af_xdp, "CONFIG_XDP_SOCKETS"),
        ("socket maps", abilities.socket_maps, "CONFIG_XDP_SOCKETS"),
    ] {
        match offer {
            Offer::Yes => about.ok(check, "there"),
            Offer::No => about.fail(
                check,
                "not there",
                "live capture is made of it",
                format!("use a kernel with {option}=y"),
            ),
            Offer::Unknown => about.note(check, "unknown", "asking needs the capabilities that are missing"),
        }
    }
    if abilities.btf {
        about.ok("btf", "there (read in /sys)");
    } else {
        about.note(
            "btf",
            "not there (read in /sys)",
            "`trim` does without; `bpftool` shows less of its maps",
        );
    }
}

fn privileges(missing: &[&str], about: &mut About<'_>) {
    if missing.is_empty() {
        return about.ok("privileges", "CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_NET_RAW");
    }
    about.fail(
        "privileges",
        format!("{} missing", missing.join(", ")),
        "the XDP program is not loaded without them; this command sees less, too",
        "run as root, or grant them (systemd: `AmbientCapabilities=`)",
    );
}

fn locked(abilities: &Abilities, needed: u64, about: &mut About<'_>) {
    match abilities.lockable {
        None => about.ok("memlock", "unlimited"),
        Some(limit) if limit >= needed => about.ok("memlock", bytes(limit)),
        Some(limit) => about.fail(
            "memlock",
            format!(
                "{} may be locked, {} of frame pools are configured",
                bytes(limit),
                bytes(needed)
            ),
            "the kernel locks the frame pools in memory",
            "grant CAP_IPC_LOCK, or raise the limit (`ulimit -l unlimited`, systemd: `LimitMEMLOCK=infinity`)",
        ),
    }
}

fn pinning(is_mounted: Option<bool>, may_mount: bool, about: &mut About<'_>) {
    match is_mounted {
        Some(true) => about.ok("bpf file system", format!("mounted at {BPF_FILE_SYSTEM}")),
        _ if may_mount => about.note(
            "bpf file system",
            format!("not mounted at {BPF_FILE_SYSTEM}"),
            "`trim run` mounts it when it may, to keep the program in force should the daemon die",
        ),
        _ => about.warn(
            "bpf file system",
            format!("not mounted at {BPF_FILE_SYSTEM}, or out of sight"),
            "without it the XDP program ends with the daemon, however that ends",
            format!("mount -t bpf bpf {BPF_FILE_SYSTEM}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::finding::Grade;

    fn grades(abilities: &Abilities, needed: u64) -> Vec<(String, Grade)> {
        let mut report = Report::default();
        let mut about = report.about("kernel");
        judge(abilities, &mut about);
        locked(abilities, needed, &mut about);
        let bad = report.findings.into_iter().filter(|it| it.grade > Grade::Ok);
        bad.map(|finding| (finding.check, finding.grade)).collect()
    }

    fn good() -> Abilities {
        Abilities {
            release: "6.12.1".to_owned(),
            is_recent: true,
            oldest: "5.15",
            xdp: Offer::Yes,
            socket_maps: Offer::Yes,
            af_xdp: Offer::Yes,
            btf: true,
            missing_capabilities: Vec::new(),
            lockable: None,
        }
    }

    #[test]
    fn a_good_kernel_has_no_complaint_and_each_lack_its_own() {
        assert_eq!(grades(&good(), 1 << 30), []);
        let poor = Abilities {
            is_recent: false,
            af_xdp: Offer::No,
            xdp: Offer::Unknown,
            missing_capabilities: vec!["CAP_BPF"],
            lockable: Some(8 << 20),
            ..good()
        };
        let expected = [
            ("version", Grade::Failure),
            ("privileges", Grade::Failure),
            ("xdp", Grade::Note),
            ("af_xdp", Grade::Failure),
            ("memlock", Grade::Failure),
        ];
        assert_eq!(
            grades(&poor, 1 << 30),
            expected.map(|(check, grade)| (check.to_owned(), grade))
        );
        assert!(!grades(&poor, 8 << 20).iter().any(|(check, _)| check == "memlock"));
    }
}
