//! Programs that must be the system's own: they come from the distribution, by `apt-get` where that is possible.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::cache::write_script;
use crate::command::{find, run, say};

/// A program that tests or the demo run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tool {
    /// Name of the program.
    pub program: &'static str,
    /// Debian's package that holds it.
    pub package: &'static str,
}

impl Tool {
    /// Switches the offloads of an interface.
    pub const ETHTOOL: Self = Self {
        program: "ethtool",
        package: "ethtool",
    };
    /// Makes namespaces, links and addresses.
    pub const IP: Self = Self {
        program: "ip",
        package: "iproute2",
    };
    /// Mirrors traffic.
    pub const TC: Self = Self {
        program: "tc",
        package: "iproute2",
    };
    /// Runs a program in a network namespace.
    pub const NSENTER: Self = Self {
        program: "nsenter",
        package: "util-linux",
    };
    /// The web server of the laboratory.
    pub const NGINX: Self = Self {
        program: "nginx",
        package: "nginx-light",
    };
    /// The web client of the laboratory.
    pub const CURL: Self = Self {
        program: "curl",
        package: "curl",
    };
    /// The independent witness of what was on the wire.
    pub const TCPDUMP: Self = Self {
        program: "tcpdump",
        package: "tcpdump",
    };
    /// Pins a peer of the benchmarks to a CPU.
    pub const TASKSET: Self = Self {
        program: "taskset",
        package: "util-linux",
    };
    /// A peer of the benchmarks.
    pub const DUMPCAP: Self = Self {
        program: "dumpcap",
        package: "wireshark-common",
    };
    /// A peer of the benchmarks.
    pub const NETSNIFF_NG: Self = Self {
        program: "netsniff-ng",
        package: "netsniff-ng",
    };
    /// A peer of the benchmarks.
    pub const EDITCAP: Self = Self {
        program: "editcap",
        package: "wireshark-common",
    };
    /// Counts instructions.
    pub const VALGRIND: Self = Self {
        program: "valgrind",
        package: "valgrind",
    };
    /// The receiver of alerts that others run.
    pub const ALERTMANAGER: Self = Self {
        program: "prometheus-alertmanager",
        package: "prometheus-alertmanager",
    };
    /// The browser that looks at the page.
    pub const CHROMIUM: Self = Self {
        program: "chromium",
        package: "chromium",
    };
    /// Gives a program a terminal.
    pub const SCRIPT: Self = Self {
        program: "script",
        package: "bsdutils",
    };
    /// Checks metrics and rules.
    pub const PROMTOOL: Self = Self {
        program: "promtool",
        package: "prometheus",
    };
    /// Scrapes metrics and evaluates queries.
    pub const PROMETHEUS: Self = Self {
        program: "prometheus",
        package: "prometheus",
    };
    /// The independent reader of what was written.
    pub const TSHARK: Self = Self {
        program: "tshark",
        package: "tshark",
    };
    /// Shows manual pages.
    pub const MAN: Self = Self {
        program: "man",
        package: "man-db",
    };
    /// Judges units.
    pub const SYSTEMD_ANALYZE: Self = Self {
        program: "systemd-analyze",
        package: "systemd",
    };

    /// What the laboratory needs.
    pub const LABORATORY: &'static [Self] = &[
        Self::ETHTOOL,
        Self::IP,
        Self::TC,
        Self::NSENTER,
        Self::NGINX,
        Self::CURL,
        Self::TCPDUMP,
    ];
    /// What the benchmarks need.
    pub const BENCHMARKS: &'static [Self] = &[
        Self::ETHTOOL,
        Self::IP,
        Self::NSENTER,
        Self::TASKSET,
        Self::TCPDUMP,
        Self::DUMPCAP,
        Self::NETSNIFF_NG,
        Self::EDITCAP,
        Self::TSHARK,
    ];
    /// What the whole test suite needs.
    pub const TESTS: &'static [Self] = &[
        Self::ETHTOOL,
        Self::IP,
        Self::TC,
        Self::NSENTER,
        Self::NGINX,
        Self::CURL,
        Self::TCPDUMP,
        Self::TSHARK,
        Self::ALERTMANAGER,
        Self::MAN,
        Self::SYSTEMD_ANALYZE,
        Self::CHROMIUM,
        Self::SCRIPT,
        Self::PROMTOOL,
        Self::PROMETHEUS,
    ];
}

/// Packages that bring a service, by its name.
const SERVICES: [(&str, &str); 3] = [
    (Tool::NGINX.package, "nginx"),
    (Tool::ALERTMANAGER.package, "prometheus-alertmanager"),
    (Tool::PROMETHEUS.package, "prometheus"),
];

/// Programs that are not here and could not be installed; shown, it tells the user what to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    programs: Vec<&'static str>,
    packages: Vec<&'static str>,
    reason: &'static str,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (programs, packages) = (self.programs.join(" "), self.packages.join(" "));
        write!(
            out,
            "missing programs: {programs} ({}). On Debian or Ubuntu run ",
            self.reason
        )?;
        write!(
            out,
            "`sudo apt-get install {packages}`; elsewhere install the packages that hold them"
        )
    }
}

impl std::error::Error for Missing {}

/// The tools that are not installed.
pub fn missing_tools(tools: &[Tool]) -> Vec<Tool> {
    tools
        .iter()
        .copied()
        .filter(|tool| find(tool.program).is_none())
        .collect()
}

/// Makes sure that `tools` are installed: as root on a Debian system by `apt-get`, after saying so.
///
/// # Errors
/// [`Missing`] when they are not installed and this process may not or cannot install them, else what `apt-get` said.
pub fn ensure_tools(tools: &[Tool]) -> Result<()> {
    let absent = missing_tools(tools);
    if absent.is_empty() {
        return Ok(());
    }
    let programs = absent.iter().map(|tool| tool.program).collect();
    let mut packages: Vec<_> = absent.iter().map(|tool| tool.package).collect();
    packages.sort_unstable();
    packages.dedup();
    let missing = |reason| Missing {
        programs,
        packages: packages.clone(),
        reason,
    };
    if find("apt-get").is_none() {
        return Err(missing("this system has no apt-get").into());
    }
    if !rustix::process::geteuid().is_root() {
        return Err(missing("installing them needs root").into());
    }
    install(&packages)
}

fn install(packages: &[&str]) -> Result<()> {
    say(format!(
        "installing Debian packages with apt-get: {}",
        packages.join(" ")
    ));
    let without_services = NoServiceStart::new()?;
    let attempt = || run(apt_get().args(["install", "--no-install-recommends"]).args(packages));
    if attempt().is_err() {
        say("fetching new package lists, then trying again");
        run(apt_get().arg("update"))?;
        attempt()?;
    }
    drop(without_services);
    for (package, service) in SERVICES {
        if packages.contains(&package) && find("systemctl").is_some() {
            say(format!(
                "disabling the {service} service of the package just installed: only the program is wanted"
            ));
            run(Command::new("systemctl").args(["--quiet", "disable", service]))?;
        }
    }
    Ok(())
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command
        .args(["-q", "-y", "-o", "DPkg::Lock::Timeout=120"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// While it lives, packages being installed do not start their services: nginx's would take port 80 of the host.
///
/// `invoke-rc.d` asks `/usr/sbin/policy-rc.d`, and status 101 forbids. A policy that is already there is put back.
struct NoServiceStart {
    policy: PathBuf,
    saved: Option<PathBuf>,
}

impl NoServiceStart {
    fn new() -> Result<Self> {
        Self::at(Path::new("/usr/sbin/policy-rc.d"))
    }

    fn at(policy: &Path) -> Result<Self> {
        let saved = policy.with_extension("d.before-trim");
        let saved = if policy.exists() {
            fs::rename(policy, &saved).with_context(|| format!("cannot move {} aside", policy.display()))?;
            Some(saved)
        } else {
            None
        };
        let guard = Self {
            policy: policy.to_owned(),
            saved,
        };
        write_script(policy, "#!/bin/sh\nexit 101\n")?;
        Ok(guard)
    }
}

impl Drop for NoServiceStart {
    fn drop(&mut self) {
        let result = match &self.saved {
            Some(saved) => fs::rename(saved, &self.policy),
            None => fs::remove_file(&self.policy),
        };
        if let Err(error) = result {
            say(format!("cannot restore {}: {error}", self.policy.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_reported_with_the_command_that_installs_it() {
        let missing = Missing {
            programs: vec!["nginx"],
            packages: vec!["nginx-light"],
            reason: "installing them needs root",
        };
        let text = missing.to_string();
        assert!(
            text.contains("missing programs: nginx") && text.contains("apt-get install nginx-light"),
            "{text}"
        );
    }

    #[test]
    fn services_stay_down_while_packages_are_installed_and_the_policy_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy-rc.d");
        let guard = NoServiceStart::at(&policy).unwrap();
        assert_eq!(Command::new(&policy).status().unwrap().code(), Some(101));
        drop(guard);
        assert!(!policy.exists());

        fs::write(&policy, "own").unwrap();
        drop(NoServiceStart::at(&policy).unwrap());
        assert_eq!(fs::read_to_string(&policy).unwrap(), "own");
    }
}
