//! What a process takes from itself when it no longer needs it: capabilities, and the file system.
//!
//! Both hold for the calling thread and for those it starts afterwards.

use std::fs;
use std::io;
use std::path::PathBuf;

use aya::util::KernelVersion;
use caps::{CapSet, Capability, CapsHashSet};
use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
    path_beneath_rules,
};

use super::seccomp::SeccompError;

/// The newest rights of Landlock that are asked for; an older kernel gives those it knows.
const NEWEST: ABI = ABI::V5;

/// Why a process keeps more than it should.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// Capabilities could not be dropped.
    #[error("cannot drop capabilities: {0}; `security.drop_capabilities: off` goes on with them")]
    Capabilities(#[from] caps::errors::CapsError),
    /// `no_new_privs` could not be set.
    #[error("cannot forbid new privileges (PR_SET_NO_NEW_PRIVS): {0}")]
    NoNewPrivileges(io::Error),
    /// Landlock could not be put in force.
    #[error(
        "Landlock is not in force: {0}; it needs Linux 5.13 with `landlock` among its security modules (`lsm=`), or \
         `security.landlock: off`"
    )]
    Landlock(#[from] landlock::RulesetError),
    /// System calls could not be refused.
    #[error("seccomp is not in force: {0}; it needs a kernel with CONFIG_SECCOMP_FILTER, or `security.seccomp: off`")]
    Seccomp(#[from] SeccompError),
}

/// Files that a confined process may use; everything beneath a folder is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// May be read and listed.
    pub read: Vec<PathBuf>,
    /// May be read, written, made, renamed and removed.
    pub write: Vec<PathBuf>,
}

/// Gives up every capability but those that [`steady_capabilities`] names, and the right to get any back.
///
/// # Errors
/// When the kernel refuses, which leaves the rest as it was.
pub fn drop_capabilities(keep: &[Capability]) -> Result<(), ConfineError> {
    forbid_new_privileges()?;
    let held = caps::read(None, CapSet::Permitted)?;
    let keep: CapsHashSet = keep
        .iter()
        .copied()
        .filter(|capability| held.contains(capability))
        .collect();
    let none = CapsHashSet::new();
    caps::set(None, CapSet::Ambient, &none)?;
    caps::set(None, CapSet::Inheritable, &none)?;
    caps::set(None, CapSet::Effective, &keep)?;
    caps::set(None, CapSet::Permitted, &keep)?;
    Ok(())
}

/// The capabilities that a running capture needs: none, but for two cases.
///
/// Packets, counters, switches and the lease go through descriptors that are open; taking the program off is closing
/// one, and so is leaving promiscuous mode. Pins are removed by their owner.
///
/// - Before Linux 5.19 `kernel.unprivileged_bpf_disabled` forbids even reading a map that is open without CAP_BPF.
/// - root without CAP_DAC_OVERRIDE may not write to folders of others, such as those of the user `trim`;
///   `foreign_files` says that there are such.
pub fn steady_capabilities(foreign_files: bool) -> Vec<Capability> {
    let mut keep = Vec::new();
    let is_restricted =
        fs::read_to_string("/proc/sys/kernel/unprivileged_bpf_disabled").is_ok_and(|value| value.trim() != "0");
    if is_restricted && KernelVersion::current().is_ok_and(|running| running < KernelVersion::new(5, 19, 0)) {
        keep.push(Capability::CAP_BPF);
    }
    if foreign_files {
        keep.push(Capability::CAP_DAC_OVERRIDE);
    }
    keep
}

/// Lets the calling thread use `places` and no other file, and start no program. Files that are open stay usable.
/// Whether every right is handled that this version of `trim` knows.
///
/// # Errors
/// When the kernel has no Landlock, or it is off.
pub fn restrict_files(places: &Places) -> Result<bool, ConfineError> {
    let all = AccessFs::from_all(NEWEST);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    // Writing includes renaming between folders; starting a program is granted nowhere.
    let write = all & !AccessFs::Execute;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .create()?
        // What is not there cannot be granted: `path_beneath_rules` leaves it out.
        .add_rules(path_beneath_rules(&places.read, read))?
        .add_rules(path_beneath_rules(&places.write, write))?
        .restrict_self()?;
    Ok(status.ruleset == landlock::RulesetStatus::FullyEnforced)
}

fn forbid_new_privileges() -> Result<(), ConfineError> {
    // SAFETY: this request takes numbers only.
    let result = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    if result == 0 {
        Ok(())
    } else {
        Err(ConfineError::NoNewPrivileges(io::Error::last_os_error()))
    }
}
