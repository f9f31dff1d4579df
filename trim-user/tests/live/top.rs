//! `trim top` in a real terminal, on a running capture.

use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use xtask::lab::{Span, SpanOptions, wait_until};

use super::appliance::{Appliance, Setting, can_run};
use super::rollout::{REHEARSAL, at_half, under_traffic};

const TRIM: &str = env!("CARGO_BIN_EXE_trim");
const PATIENCE: Duration = Duration::from_secs(60);
const ROWS: NonZeroU16 = NonZeroU16::new(24).unwrap();
const COLUMNS: NonZeroU16 = NonZeroU16::new(80).unwrap();

/// `trim top` behind a terminal that script(1) makes.
struct Top {
    script: Child,
    keys: ChildStdin,
    /// Words are looked for on the screen: of a changed picture only the cells that differ are sent.
    terminal: Arc<Mutex<vt100::Parser>>,
}

impl Top {
    fn start(socket: &Path) -> Self {
        let command = format!(
            "stty rows {ROWS} cols {COLUMNS}; exec {TRIM} top --socket {}",
            socket.display()
        );
        let mut script = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let terminal = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let (mut pipe, theirs) = (script.stdout.take().unwrap(), Arc::clone(&terminal));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut bytes) {
                theirs.lock().unwrap().process(&bytes[..count]);
            }
        });
        let keys = script.stdin.take().unwrap();
        Self { script, keys, terminal }
    }

    /// What is on the screen.
    fn text(&self) -> String {
        self.terminal.lock().unwrap().screen().contents()
    }

    /// Whether it draws on the alternate screen, which leaves what was there before.
    fn draws(&self) -> bool {
        self.terminal.lock().unwrap().screen().alternate_screen()
    }

    #[track_caller]
    fn wait_for(&self, word: &str) {
        let shows = wait_until(PATIENCE, || self.text().contains(word));
        assert!(shows, "`{word}` does not come:\n{}", self.text());
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits for its end, with the terminal as it was.
    #[track_caller]
    fn assert_ends_well(&mut self) {
        let mut status = None;
        wait_until(PATIENCE, || {
            status = self.script.try_wait().unwrap();
            status.is_some()
        });
        assert!(
            status.is_some_and(|status| status.success()),
            "{status:?}\n{}",
            self.text()
        );
        assert!(wait_until(PATIENCE, || !self.draws()), "{}", self.text());
    }
}

impl Drop for Top {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

#[test]
fn top_shows_a_capture_takes_it_back_and_outlives_it() {
    if !can_run("top_shows_a_capture_takes_it_back_and_outlives_it") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    let setting = Setting {
        more: REHEARSAL,
        ..Setting::default()
    };
    let mut appliance = Appliance::start(&span.appliance, setting);
    let socket = appliance.folder().join("trim.sock");
    let mut top = under_traffic(&span, || {
        at_half(&appliance);
        let mut top = Top::start(&socket);
        for word in ["Throughput", "balance", "strategy_selection", "paused", "p95"] {
            top.wait_for(word);
        }
        top.press("r");
        top.wait_for("Take all traffic back to legacy?");
        top.press("no\r");
        top.wait_for("not rolled back");
        assert_ne!(appliance.command(&["status"])["mode"], "legacy");
        top.press("rrollback\r");
        top.wait_for("confirmed in trim top");
        top
    });
    assert_eq!(appliance.command(&["status"])["mode"], "legacy");
    let view = appliance.command(&["rollout", "status"]);
    assert_eq!(view["state"]["status"], "rolled_back", "{view}");
    appliance.stop();
    top.wait_for("NO ANSWER, trying again");
    top.press("q");
    top.assert_ends_well();
}

#[test]
fn top_puts_the_terminal_back_when_it_is_told_to_end() {
    let nobody = std::env::temp_dir().join("trim-nobody-listens.sock");
    for signal in ["TERM", "HUP"] {
        let mut top = Top::start(&nobody);
        top.wait_for("NO ANSWER, trying again");
        assert!(top.draws());
        // script(1) has one child, which has become trim.
        let children = format!("/proc/{0}/task/{0}/children", top.script.id());
        let child = std::fs::read_to_string(children).unwrap();
        let sent = Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(child.trim())
            .status()
            .unwrap();
        assert!(sent.success());
        top.assert_ends_well();
    }
    let mut top = Top::start(&nobody);
    top.wait_for("NO ANSWER, trying again");
    top.press("\x03");
    top.assert_ends_well();
}

#[test]
fn without_a_terminal_top_names_what_to_use() {
    let done = Command::new(TRIM).arg("top").stdin(Stdio::null()).output().unwrap();
    let words = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(2), "{words}");
    assert!(words.contains("trim status"), "{words}");
}
