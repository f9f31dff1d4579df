//! Every command of the deployment guide and of the operations manual, on a running appliance with traffic.

mod document;
mod place;

use std::time::{Duration, Instant};

use serde_json::Value;
use xtask::lab::{Process, Span, SpanOptions};

use self::document::{Command, commands};
use self::place::Place;
use super::appliance::can_run;
use super::rollout::under_traffic;

/// As long as the slowest machine may take for what takes seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// Fourteen days in seconds; limits that depend on how busy this machine is are out of the way.
const CONFIGURATION: &str = "capture: {interfaces: [span0]}
output: {sync: false}
alerts:
  channels:
    log_file:
      - {name: log, path: /var/log/trim/alerts.json}
logging: {to: file, directory: /var/log/trim}
health:
  sample_interval: 200ms
  shadowed_percent: 40
  fewest_packets: 40
  warning: {cpu_percent: 100, disk_percent: 100, memory_percent: 97, slow_down_percent: 400, latency_p95: 1m, loss_percent: 100}
  critical: {cpu_percent: 100, disk_percent: 100, memory_percent: 98, slow_down_percent: 800, latency_p95: 1m, loss_percent: 100}
rollout:
  baseline: {duration: 1s}
  ab_test: {percent: 30, duration: 1s}
  gradual: {percents: [50, 75], duration: 1s}
  full: {duration: 1s}
  cleanup: {duration: 1s}
  bake: 500ms
  fewest_flows: 10
  cool_down: 1s
  step_back_after: 1m
  rollback: {slow_down_percent: 1000}
";

/// Commands that answer a question: 1 is the answer "no", which this machine may well deserve.
const QUESTIONS: [&str; 5] = [
    "trim doctor",
    "trim health",
    "trim check",
    "trim config validate",
    "trim diag report",
];

#[test]
fn the_chinese_guides_have_the_same_commands() {
    for name in ["deployment.md", "operations.md"] {
        let texts = |name: &str| commands(name).into_iter().map(|it| it.text).collect::<Vec<_>>();
        assert_eq!(texts(name), texts(&format!("zh/{name}")), "{name}");
    }
}

#[test]
fn every_command_of_the_guides_does_what_it_says() {
    if !can_run("every_command_of_the_guides_does_what_it_says") {
        return;
    }
    let span = Span::new(SpanOptions::default()).unwrap();
    span.appliance
        .ip(&format!("link set {} down", Span::INTERFACE))
        .unwrap();
    span.appliance
        .ip(&format!("link set {} name span0", Span::INTERFACE))
        .unwrap();
    span.appliance.ip("link set span0 up").unwrap();
    let place = Place::new(&span.appliance, CONFIGURATION);
    let mut session = Session {
        place: &place,
        daemon: None,
        advanced: 0,
    };
    under_traffic(&span, || {
        for guide in ["deployment.md", "operations.md"] {
            for command in commands(guide) {
                session.run(guide, &command);
            }
        }
    });
    session.end();
}

/// Somebody who works through the guides.
struct Session<'a> {
    place: &'a Place<'a>,
    daemon: Option<Process>,
    /// Gates that were agreed to.
    advanced: usize,
}

impl Session<'_> {
    fn run(&mut self, guide: &str, command: &Command) {
        let text = command.text.as_str();
        if text == "systemctl enable --now trim" {
            // No systemd runs here: this is what its unit starts.
            return self.start();
        }
        self.wait_before(text);
        let done = self.place.shell(text, None);
        let (out, error) = (
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr),
        );
        let code = done.status.code();
        let is_question = QUESTIONS.iter().any(|question| text.starts_with(question));
        assert!(
            code == Some(0) || (is_question && code == Some(1) && !out.is_empty()),
            "docs/{guide}:{}: `{text}` ended with {code:?}\n{out}\n{error}\ndaemon: {}",
            command.line,
            self.daemon.as_ref().map(Process::stderr).unwrap_or_default()
        );
        assert!(!error.contains("panicked"), "docs/{guide}:{}: {error}", command.line);
    }

    fn start(&mut self) {
        let daemon = self.place.start("trim run --config /etc/trim/trim.yaml");
        self.daemon = Some(daemon);
        self.wait("an answer", || self.ask("trim status --json").is_some());
    }

    /// The guides tell what has to have happened before some commands.
    fn wait_before(&mut self, text: &str) {
        if text.starts_with("trim rollout pause") {
            self.wait_for_rollout("gradual rollout", |state| state["phase"] == "gradual_rollout");
        } else if text.starts_with("trim rollout advance") {
            let phase = ["gradual_rollout", "full_migration"][self.advanced];
            self.advanced += 1;
            self.wait_for_rollout(phase, |state| {
                state["phase"] == phase && !state["waiting_for"].is_null()
            });
        } else if text == "trim rollout replay" && self.advanced == 2 {
            self.advanced += 1;
            self.wait_for_rollout("the end", |state| state["status"] == "completed");
        }
    }

    fn wait_for_rollout(&self, what: &str, wanted: impl Fn(&Value) -> bool) {
        self.wait(what, || {
            let view = self.ask("trim rollout status --json");
            view.is_some_and(|view| wanted(&view["state"]))
        });
    }

    fn wait(&self, what: &str, holds: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds() {
            let (status, daemon) = (
                self.ask("trim rollout status --json"),
                self.daemon.as_ref().map(Process::stderr),
            );
            assert!(
                Instant::now() < end,
                "{what} did not come: {status:#?}\n{}",
                daemon.unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn ask(&self, line: &str) -> Option<Value> {
        let done = self.place.shell(line, None);
        serde_json::from_slice(&done.stdout).ok()
    }

    fn end(mut self) {
        let status = self.ask("trim status --json").expect("the daemon still answers");
        assert_eq!(
            (&status["mode"], &status["packets"]["lost"]),
            (&"legacy".into(), &0.into()),
            "{status:#}"
        );
        assert!(self.place.shell("trim stop", None).status.success());
        let ended = self.daemon.take().map(|mut daemon| daemon.wait(PATIENCE).unwrap());
        assert!(ended.is_some_and(|status| status.success()));
    }
}
