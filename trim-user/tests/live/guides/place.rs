//! An appliance with the paths of the documents: `/etc/trim`, `/var/lib/trim` and so on, in a mount namespace of its own,
//! so that nothing of it reaches the machine.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use xtask::lab::{Folder, Namespace, Process, wait_until};

/// Folders of the documents that are made.
const FOLDERS: &str = "/etc/trim /var/lib/trim /var/backups/trim /var/log/trim /run/trim";

/// A shell in the namespaces of the appliance, again and again.
pub(super) struct Place<'a> {
    network: &'a Namespace,
    /// Keeps the mount namespace there.
    holder: Process,
    // Behind the holder: its mounts go first.
    folder: Folder,
}

impl<'a> Place<'a> {
    /// Everything above the tree of this machine is in memory, and gone at the end.
    pub(super) fn new(network: &'a Namespace, configuration: &str) -> Self {
        let folder = Folder::new("guides").unwrap();
        let root = folder.path().display().to_string();
        let script = format!(
            "set -e; mount -t tmpfs none {root}; \
             for d in etc var run tmp; do mkdir -p {root}/$d.up {root}/$d.work; \
             mount -t overlay none -o lowerdir=/$d,upperdir={root}/$d.up,workdir={root}/$d.work /$d; done; \
             mount -t bpf none /sys/fs/bpf; mkdir -p {FOLDERS}; echo ready; exec sleep infinity"
        );
        let mut command = network.command("unshare");
        command
            .args(["--mount", "--propagation", "private", "sh", "-c"])
            .arg(script);
        let holder = Process::start(command).unwrap();
        let is_ready = wait_until(Duration::from_secs(10), || holder.stdout().contains("ready"));
        assert!(is_ready, "no mount namespace: {}", holder.stderr());
        let place = Self {
            network,
            holder,
            folder,
        };
        place.write("/etc/trim/trim.yaml", configuration);
        place
    }

    /// A file in it, mode 0600.
    pub(super) fn write(&self, path: &str, text: &str) {
        let copy = self.folder.path().with_extension("text");
        std::fs::write(&copy, text).unwrap();
        // The file is seen through the overlay of its folder.
        let done = self.shell(&format!("umask 077; cat > {path}"), Some(&copy));
        std::fs::remove_file(&copy).unwrap();
        assert!(
            done.status.success(),
            "{path}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    /// Runs a line as a user at the appliance would, with the program under test as `trim`.
    pub(super) fn shell(&self, line: &str, input: Option<&Path>) -> Output {
        let mut command = self.command(line);
        let input = input.map_or_else(Stdio::null, |path| std::fs::File::open(path).unwrap().into());
        command.stdin(input).output().unwrap()
    }

    /// Starts a line and leaves it running.
    pub(super) fn start(&self, line: &str) -> Process {
        Process::start(self.command(&format!("exec {line}"))).unwrap()
    }

    fn command(&self, line: &str) -> Command {
        let program = Path::new(super::super::appliance::TRIM).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id()))
            .arg(format!("--net={}", self.network.path().display()))
            .args(["--", "sh", "-c", line])
            .env("PATH", format!("{}:{path}", program.display()));
        command
    }
}
