//! The loop that watches, decides and acts.
//!
//! It has a thread of its own: neither requests nor alerts nor the database can hold it up for long. A decision is stored
//! before it is acted upon, and acted upon even when it cannot be stored: a rollback needs neither disk nor network.

mod announcer;
mod forecaster;
mod view;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use trim_common::strategy::{Mode, Split};

pub use announcer::Announcer;
pub use forecaster::{Forecaster, Growth};
pub use view::View;

use super::api::mode_by_name;
use super::appliance::Appliance;
use super::collect::{Collector, KernelSide};
use super::health::{Evidence, Moment, Window};
use super::rollout::{Action, Command, Decision, Input, Move, Observation, Plan, Request, State, Status, decide};
use super::store::{Entry, Event, EventLog, Keeper, Standing};
use super::switch::{Promised, Reach};
use crate::config::Watching;
use crate::kernel::clock;

/// Samples that health is judged by.
const WINDOW: usize = 12;
/// Requests that may wait.
const ORDERS: usize = 16;
/// How long the end waits for what is still to be written.
const LAST_WRITES: Duration = Duration::from_secs(1);
/// How soon a stop is noticed.
const LONGEST_NAP: Duration = Duration::from_millis(100);

/// What the operator is made of.
pub struct Parts {
    /// The capture it watches.
    pub appliance: Arc<Mutex<Appliance>>,
    /// Where evidence comes from.
    pub collector: Collector,
    /// What a rollout is to do.
    pub plan: Plan,
    /// How often to look.
    pub watching: Watching,
    /// Makes out what is to come.
    pub forecaster: Forecaster,
    /// Keeps what is seen and decided.
    pub keeper: Keeper,
    /// What an earlier process left.
    pub standing: Option<Standing>,
    /// The mode that it left in the kernel, when it was killed. A rollback that could not be stored is seen by it.
    pub inherited: Option<Mode>,
    /// Who tells people.
    pub announcer: Box<dyn Announcer>,
    /// Puts what configured `legacy` aside.
    pub archive: Box<dyn FnMut() -> std::io::Result<()> + Send>,
}

/// A person's request and where its answer goes.
type Order = (Command, Sender<Decision>);

/// What a running operator goes by that can be changed: the plan, and how often to look.
type Settings = (Plan, Duration);

/// A running operator.
pub struct Operator {
    orders: Sender<Order>,
    settings: Arc<Mutex<Option<Settings>>>,
    view: Arc<Mutex<View>>,
    log: EventLog,
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

/// What requests need of the operator.
#[derive(Clone)]
pub struct Desk {
    orders: Sender<Order>,
    settings: Arc<Mutex<Option<Settings>>>,
    view: Arc<Mutex<View>>,
}

impl Desk {
    /// Gives a command and waits for what was decided; `None` when the operator does not answer in time.
    pub fn command(&self, command: Command, patience: Duration) -> Option<Decision> {
        let (answer, answered) = bounded(1);
        self.orders.send_timeout((command, answer), patience).ok()?;
        answered.recv_timeout(patience).ok()
    }

    /// Has it go by another plan and look in other intervals, within a tenth of a second. The steps of a rollout have to be as they
    /// were.
    pub fn reconfigure(&self, plan: Plan, interval: Duration) {
        *lock(&self.settings) = Some((plan, interval));
    }

    /// What it knows.
    pub fn view(&self) -> View {
        lock(&self.view).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Operator {
    /// Starts it: what was under way goes on where it was.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(parts: Parts) -> std::io::Result<Self> {
        let (orders, ordered) = bounded(ORDERS);
        let (stop, stopped) = bounded(1);
        let view = Arc::new(Mutex::new(View::new(&parts.plan)));
        let log = parts.keeper.log();
        let settings = Arc::default();
        let work = Work::new(parts, Arc::clone(&view), Arc::clone(&settings));
        let thread = std::thread::Builder::new()
            .name("operator".to_owned())
            .spawn(move || work.run(&ordered, &stopped))?;
        Ok(Self {
            orders,
            settings,
            view,
            log,
            stop,
            thread: Some(thread),
        })
    }

    /// For requests.
    pub fn desk(&self) -> Desk {
        Desk {
            orders: self.orders.clone(),
            settings: Arc::clone(&self.settings),
            view: Arc::clone(&self.view),
        }
    }
}

impl Operator {
    /// Where what happens is noted.
    pub fn log(&self) -> EventLog {
        self.log.clone()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // A full channel means that it was told already.
        let _ = self.stop.try_send(());
        if let Some(thread) = self.thread.take() {
            // A panic was printed where it happened.
            let _ = thread.join();
        }
    }
}

struct Work {
    parts: Parts,
    plan: Arc<Plan>,
    view: Arc<Mutex<View>>,
    settings: Arc<Mutex<Option<Settings>>>,
    state: State,
    window: Window,
}

impl Work {
    fn new(parts: Parts, view: Arc<Mutex<View>>, settings: Arc<Mutex<Option<Settings>>>) -> Self {
        Self {
            plan: Arc::new(parts.plan.clone()),
            parts,
            view,
            settings,
            state: State::default(),
            window: Window::new(WINDOW),
        }
    }

    fn run(mut self, ordered: &Receiver<Order>, stopped: &Receiver<()>) {
        self.resume();
        let mut due = Instant::now() + self.parts.watching.interval;
        while stopped.try_recv().is_err() {
            let nap = due.saturating_duration_since(Instant::now()).min(LONGEST_NAP);
            match ordered.recv_timeout(nap) {
                Ok((command, answer)) => {
                    let decision = self.decide(Input::Command(command));
                    // Whoever asked may have gone.
                    let _ = answer.try_send(decision);
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let settings = lock(&self.settings).take();
            if let Some(settings) = settings {
                self.reconfigure(settings);
                due = due.min(Instant::now() + self.parts.watching.interval);
            }
            if Instant::now() >= due {
                due += self.parts.watching.interval;
                due = due.max(Instant::now());
                self.look();
            }
        }
        // Who asked for the end stands in the log, if the disk takes it.
        if !self.parts.keeper.finish(LAST_WRITES) {
            tracing::error!("not everything could be written to the database before the end");
        }
    }

    fn reconfigure(&mut self, (plan, interval): Settings) {
        self.parts.watching.interval = interval;
        self.plan = Arc::new(plan.clone());
        lock(&self.view).plan = plan;
    }

    /// Takes up what a predecessor left: its state, and the actions that it stored and may not have done.
    fn resume(&mut self) {
        let Some(standing) = self.parts.standing.take() else {
            return;
        };
        self.state = standing.state;
        let is_on_its_way = self.state.is_under_way() || self.state.status == Status::Completed;
        if is_on_its_way {
            let step = *self.state.current_step(&self.plan);
            tracing::info!(
                phase = self.state.phase.name(),
                share = step.share,
                "the rollout goes on where it was"
            );
            if step.share > 0.0 && self.parts.inherited == Some(Mode::Legacy) {
                self.roll_back_for("an earlier process", "it left the policy in the kernel at legacy");
            } else {
                self.switch(step.mode(), step.share, Reach::Drain);
            }
        }
        for pending in standing.pending {
            self.act(&pending.action);
            self.parts.keeper.acted_on_pending(pending.sequence);
        }
        let view = &self.view;
        lock(view).state = self.state.clone();
    }

    fn look(&mut self) {
        let kernel = match lock(&self.parts.appliance).kernel_side() {
            Ok(kernel) => kernel,
            Err(error) => {
                tracing::error!(%error, "no evidence: the kernel's counters cannot be read");
                return;
            }
        };
        self.notice_strangers(&kernel);
        let Some(sample) = self.parts.collector.sample(&kernel) else {
            return;
        };
        self.window.push(sample.clone());
        let window = self.window.sum();
        let observation = Observation {
            sample,
            window,
            outlook: self.parts.forecaster.latest(),
        };
        self.decide(Input::Observation(Box::new(observation)));
    }

    /// Somebody may have written the policy map past us: `trim rollback` does when the daemon hangs.
    fn notice_strangers(&mut self, kernel: &KernelSide) {
        let is_exposed = matches!(
            self.state.status,
            Status::InProgress | Status::Paused | Status::Completed
        ) && self.state.current_step(&self.plan).share > 0.0;
        if is_exposed && kernel.mode == Mode::Legacy {
            self.roll_back_for("another process", "the policy in the kernel was set to legacy");
        }
    }

    fn roll_back_for(&mut self, who: &str, reason: &str) {
        self.decide(Input::Command(Command {
            request: Request::Rollback(Reach::Immediate),
            who: who.to_owned(),
            reason: reason.to_owned(),
        }));
    }

    /// Decides, has it kept, acts.
    fn decide(&mut self, input: Input) -> Decision {
        let now = Moment(clock::realtime() / 1_000_000);
        let decision = decide(&self.plan, &self.state, &input, now);
        if let (Input::Observation(observation), Some(health)) = (&input, &decision.health) {
            self.parts.keeper.sample(&observation.sample, health);
            self.parts
                .announcer
                .conditions(&observation.window, &self.plan.thresholds);
        }
        let ticket = self.parts.keeper.decided(Entry {
            at: now,
            plan: Arc::clone(&self.plan),
            before: self.state.clone(),
            input: input.clone(),
            decision: decision.clone(),
        });
        decision.actions.iter().for_each(|action| self.act(action));
        if !decision.actions.is_empty() {
            self.parts.keeper.acted(&ticket);
        }
        self.log(now, &input, &decision);
        self.tell(&decision);
        self.state = decision.state.clone();
        self.publish(&input, &decision);
        decision
    }

    /// Who asked for what, and why, stands in the event log.
    fn log(&self, at: Moment, input: &Input, decision: &Decision) {
        if let Input::Command(command) = input {
            self.parts.keeper.event(Event {
                at,
                kind: "rollout_command".to_owned(),
                who: command.who.clone(),
                why: command.reason.clone(),
                what: serde_json::json!({
                    "request": command.request,
                    "decision": decision.chosen,
                    "reasons": decision.reasons,
                }),
            });
        }
    }

    /// Notes a decision in the log, but not again with every sample for as long as it stays the same.
    fn tell(&self, decision: &Decision) {
        let is_new = lock(&self.view).reasons != decision.reasons;
        if is_new && !matches!(decision.chosen, Move::Watch | Move::Hold) {
            tracing::info!(
                decision = ?decision.chosen,
                status = decision.state.status.name(),
                phase = decision.state.phase.name(),
                reasons = decision.reasons.join("; "),
                "decided"
            );
        }
    }

    fn publish(&self, input: &Input, decision: &Decision) {
        let mut view = lock(&self.view);
        view.state = decision.state.clone();
        view.reasons.clone_from(&decision.reasons);
        view.database = self.parts.keeper.condition();
        if let Input::Observation(observation) = input {
            let Observation { window, outlook, .. } = observation.as_ref();
            view.outlook.clone_from(outlook);
            view.evidence = Some(Evidence::clone(window));
            view.health.clone_from(&decision.health);
        }
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Switch { mode, share, reach } => match mode_by_name(mode) {
                Ok(mode) => self.switch(mode, *share, *reach),
                Err(error) => tracing::error!(error, "a stored action is not understood"),
            },
            Action::Notify {
                importance,
                rule,
                summary,
            } => self.parts.announcer.event(*importance, rule, summary),
            Action::Archive => {
                if let Err(error) = (self.parts.archive)() {
                    tracing::error!(%error, "the configuration of legacy cannot be archived");
                }
            }
        }
    }

    fn switch(&self, mode: Mode, share: f64, reach: Reach) {
        let split = Split::from_basis_points((share * 10_000.0).round() as u32);
        if let Err(error) = lock(&self.parts.appliance).switch(mode, Some(split), reach, Promised::Withdrawn) {
            tracing::error!(%error, mode = mode.name(), "the switch failed");
        }
    }
}
