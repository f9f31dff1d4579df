//! `trim run` as an operator starts it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use trim_user::kernel::program;
use xtask::lab::{Folder, Namespace, Process, Span, require_root, skip};

/// The binary under test.
pub(crate) const TRIM: &str = env!("CARGO_BIN_EXE_trim");
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether a test of this file can run here; says why when not.
pub(crate) fn can_run(test: &str) -> bool {
    if !program::is_embedded() {
        skip(test, "this build has no eBPF object; `cargo xtask test` makes one");
        return false;
    }
    require_root(test)
}

/// What a killed capture leaves pinned in its network namespace, which has this number: taken away with the test.
struct Pins(u64);

impl Drop for Pins {
    fn drop(&mut self) {
        let own = format!("@{}", self.0);
        for entry in std::fs::read_dir("/sys/fs/bpf/trim").into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().ends_with(&own) {
                // Whoever ended in good order has done it.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// A running `trim run`.
pub(crate) struct Appliance {
    // Ends before its pins are taken away.
    process: Process,
    pins: Pins,
    socket: PathBuf,
    folder: Folder,
}

/// How it is configured; the rest is as by default.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) xdp_mode: &'static str,
    pub(crate) mode: &'static str,
    pub(crate) layout: &'static str,
    pub(crate) on_loss: &'static str,
    pub(crate) interfaces: &'static [&'static str],
    /// More keys of the section `capture`.
    pub(crate) capture: &'static str,
    /// More keys of the section `control`.
    pub(crate) control: &'static str,
    /// More of the configuration: it goes on in the list of alert channels. `FOLDER` is the folder of its files.
    pub(crate) more: &'static str,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            xdp_mode: "native",
            mode: "legacy",
            layout: "inline",
            on_loss: "pass",
            interfaces: &[Span::INTERFACE],
            capture: "",
            control: "",
            more: "",
        }
    }
}

impl Appliance {
    /// Starts it on the mirror and waits until it answers.
    pub(crate) fn start(namespace: &Namespace, setting: Setting) -> Self {
        Self::start_with(namespace, setting, &[])
    }

    /// Starts it with more in its environment.
    pub(crate) fn start_with(namespace: &Namespace, setting: Setting, environment: &[(&str, String)]) -> Self {
        Self::start_in(Folder::new("live").unwrap(), namespace, setting, environment)
    }

    /// Starts it in a mount namespace of its own, in which its database lies alone on a small disk: see
    /// [`small_disk`](Self::small_disk). `options` are those of its mount.
    pub(crate) fn start_on_small_disk(namespace: &Namespace, setting: Setting, options: &str) -> Self {
        let folder = Folder::new("live").unwrap();
        let disk = folder.path().join("disk");
        std::fs::create_dir(&disk).unwrap();
        let mut command = namespace.command("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-euc"]);
        command.arg(format!(
            r#"mount -t tmpfs -o size=16m,{options} tmpfs "$0"; exec "$@" --set "control.database=$0/trim.db""#
        ));
        command.arg(disk).arg(TRIM);
        Self::start_by(command, namespace, folder, setting)
    }

    /// The small disk, as seen from outside of the mount namespace.
    pub(crate) fn small_disk(&self) -> PathBuf {
        let folder = self.folder.path().strip_prefix("/").unwrap();
        let root = PathBuf::from(format!("/proc/{}/root", self.process.id()));
        root.join(folder).join("disk")
    }

    /// Another one with the files of this one, which has to be dead.
    pub(crate) fn restart(self, namespace: &Namespace, setting: Setting) -> Self {
        // The next one is to find them.
        std::mem::forget(self.pins);
        Self::start_in(self.folder, namespace, setting, &[])
    }

    /// Starts it with its files in this folder.
    pub(crate) fn start_in(
        folder: Folder,
        namespace: &Namespace,
        setting: Setting,
        environment: &[(&str, String)],
    ) -> Self {
        let mut command = namespace.command(TRIM);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        Self::start_by(command, namespace, folder, setting)
    }

    /// `command` is `trim` without arguments, or what becomes that.
    fn start_by(mut command: Command, namespace: &Namespace, folder: Folder, setting: Setting) -> Self {
        let socket = folder.path().join("trim.sock");
        let file = folder.path().join("trim.yaml");
        std::fs::write(&file, configuration(setting, folder.path(), &socket)).unwrap();
        command.args(["run", "--json", "--config"]).arg(&file);
        let process = Process::start(command).unwrap();
        let mut appliance = Self {
            process,
            pins: Pins(std::fs::metadata(namespace.path()).unwrap().ino()),
            socket,
            folder,
        };
        let socket = appliance.socket.clone();
        let answers = |_: &str, _: &str| ask(&socket, &["status"]).is_ok();
        appliance.process.wait_ready(PATIENCE, answers).unwrap();
        appliance
    }

    /// What it answers to a command, as JSON.
    pub(crate) fn command(&self, words: &[&str]) -> Value {
        ask(&self.socket, words).unwrap()
    }

    /// Ends it and gives its closing summary.
    pub(crate) fn stop(&mut self) -> Value {
        self.command(&["stop"]);
        let (code, summary) = self.wait();
        assert_eq!(code, 0, "{summary}\n{}", self.process.stderr());
        summary
    }

    /// Waits until it ends, and gives its exit status and its closing summary.
    pub(crate) fn wait(&mut self) -> (i32, Value) {
        let status = self.process.wait(PATIENCE).unwrap();
        let (stdout, stderr) = (self.process.stdout(), self.process.stderr());
        let code = status.code().unwrap_or_else(|| panic!("{status}\n{stdout}\n{stderr}"));
        let last = stdout.lines().last().unwrap_or_else(|| panic!("no summary\n{stderr}"));
        (code, serde_json::from_str(last).unwrap())
    }

    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Where its captures are.
    pub(crate) fn captures(&self) -> PathBuf {
        self.folder.path().join("captures")
    }
}

fn configuration(setting: Setting, folder: &Path, socket: &Path) -> String {
    let Setting {
        xdp_mode,
        mode,
        layout,
        on_loss,
        interfaces,
        capture,
        control,
        more,
    } = setting;
    format!(
        "capture:\n  interfaces: [{interface}]\n  xdp_mode: {xdp_mode}\n  frames_per_queue: 32768\n  ring_size: 16384\n  \
         on_user_space_loss: {on_loss}\n{capture}strategy:\n  mode: {mode}\n  split_percent: 50\npipeline:\n  layout: {layout}\n  queue_batches: 1024\n\
         output:\n  directory: {folder}/captures\n  sync: false\ncontrol:\n  socket: {socket}\n  database: {folder}/trim.db\n{control}alerts:\n  directory: {folder}/alerts\n  channels:\n    log_file:\n      - {{name: log, path: {folder}/alerts.json}}\n{more}",
        more = more.replace("FOLDER", &folder.display().to_string()),
        interface = interfaces.join(", "),
        folder = folder.display(),
        socket = socket.display(),
    )
}

impl Appliance {
    /// A command that may be refused: its words then.
    pub(crate) fn try_command(&self, words: &[&str]) -> Result<Value, String> {
        ask(&self.socket, words)
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn ask(socket: &Path, words: &[&str]) -> Result<Value, String> {
    let output = Command::new(TRIM)
        .args(words)
        .args(["--json", "--socket"])
        .arg(socket)
        .output()
        .unwrap();
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Trims a capture with `trim file`.
pub(crate) fn trim_file(input: &Path, strategy: &str, output: &Path) {
    let done = Command::new(TRIM)
        .arg("file")
        .arg(input)
        .args(["--strategy", strategy, "-o"])
        .arg(output)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// What became of the packets has to come out even, and nothing may be lost in these tests.
#[track_caller]
pub(crate) fn assert_nothing_lost(summary: &Value) {
    assert_eq!(summary["balance"], 0, "{summary}");
    assert_eq!(summary["packets"]["lost"], 0, "{summary}");
    assert_eq!(summary["frames_leaked"], 0, "{summary}");
    assert_eq!(summary["packets"]["seen"], summary["packets"]["written"], "{summary}");
}
