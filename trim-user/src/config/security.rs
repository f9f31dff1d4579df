//! The section `security`: what the daemon takes from itself before its first packet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Check;
use super::place::Key;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SecuritySection {
    /// Give up every capability that a running capture does not need.
    drop_capabilities: Key<Protection>,
    /// Confine the running capture to its own files by Landlock, and let it start no program.
    landlock: Key<Protection>,
    /// Let the kernel refuse system calls that a running capture never makes, such as those that start programs, mount
    /// file systems or load code into the kernel.
    seccomp: Key<Protection>,
}

/// Whether the daemon protects the machine from itself in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Where it can be had; what cannot is said once.
    Auto,
    /// Or the capture does not start.
    Require,
    /// No.
    Off,
}

/// What the daemon takes from itself before its first packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Security {
    /// Capabilities.
    pub drop_capabilities: Protection,
    /// Files outside its own, and starting programs.
    pub landlock: Protection,
    /// System calls that a running capture never makes.
    pub seccomp: Protection,
}

pub(super) fn resolve(check: &mut Check, raw: &SecuritySection) -> Security {
    let mut protection = |key: &str, given| check.choice(&format!("security.{key}"), given, Protection::Auto);
    Security {
        drop_capabilities: protection("drop_capabilities", &raw.drop_capabilities),
        landlock: protection("landlock", &raw.landlock),
        seccomp: protection("seccomp", &raw.seccomp),
    }
}
