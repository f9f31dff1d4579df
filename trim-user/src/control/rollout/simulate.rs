//! A rehearsal: the real decisions on invented evidence, faster than time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use trim_common::strategy::Mode;

use super::command::{Command, Request};
use super::decide::{Action, Decision, Input, Move, Observation, decide};
use super::plan::Plan;
use super::state::State;
use crate::control::health::{
    Arm, Errors, Evidence, Latency, Moment, Outlook, Packets, Resources, Shadow, Target, Thread, Window,
};

/// An invented course of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// Seed of the noise; the same seed gives the same course.
    pub seed: u64,
    /// Time between samples, seconds.
    pub sample_seconds: f64,
    /// How long it goes on, hours.
    pub hours: f64,
    /// Whether a person agrees whenever one is asked.
    pub approve: bool,
    /// How things are when nothing else is said.
    pub traffic: Traffic,
    /// What happens.
    pub changes: Vec<Change>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            seed: 1,
            sample_seconds: 5.0,
            hours: 15.0 * 24.0,
            approve: true,
            traffic: Traffic::default(),
            changes: Vec::new(),
        }
    }
}

/// Traffic and machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Traffic {
    /// New flows per second.
    pub flows_per_second: f64,
    /// Packets of each.
    pub packets_per_flow: f64,
    /// How `legacy` does.
    pub legacy: Behaviour,
    /// How `scanning` does.
    pub scanning: Behaviour,
    /// Share of flows that go to `scanning` although they should not, or do not although they should; 0 to 1.
    pub misrouted: f64,
    /// Memory of the machine in use, share.
    pub memory_share: f64,
    /// Packets lost, share.
    pub loss_share: f64,
    /// How long a thread has been stuck, seconds.
    pub stalled_seconds: f64,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            flows_per_second: 100.0,
            packets_per_flow: 20.0,
            legacy: Behaviour::default(),
            scanning: Behaviour::default(),
            misrouted: 0.0,
            memory_share: 0.4,
            loss_share: 0.0,
            stalled_seconds: 0.0,
        }
    }
}

/// How a strategy does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Behaviour {
    /// Packets that are not trimmed as they should be, share.
    pub error_share: f64,
    /// Cost, nanoseconds per packet.
    pub cost_ns: f64,
    /// How much the cost varies from sample to sample, as a share of it (one standard deviation).
    pub cost_noise: f64,
    /// How much of that noise stays from one sample to the next, 0 to 1: at 0.9 it takes half a minute of samples to fade.
    pub cost_memory: f64,
    /// Share of samples whose noise is five times as wide: a heavy tail.
    pub cost_wild: f64,
    /// 95th percentile of the latency, microseconds.
    pub p95_us: f64,
    /// Compared segments on which the shadow disagrees, share.
    pub inaccuracy: f64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            error_share: 0.002,
            cost_ns: 400.0,
            cost_noise: 0.1,
            cost_memory: 0.0,
            cost_wild: 0.0,
            p95_us: 300.0,
            inaccuracy: 0.0,
        }
    }
}

/// From some time on things are otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// When, hours after the start.
    pub at_hours: f64,
    /// For how long, hours; for good when left out.
    #[serde(default)]
    pub for_hours: Option<f64>,
    /// How things are then.
    pub traffic: Traffic,
}

/// How a rehearsal went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Simulated {
    /// The state at the end.
    pub state: State,
    /// Every decision but those to stay.
    pub decisions: Vec<(Moment, Decision)>,
    /// Samples that were judged.
    pub samples: u64,
}

impl Simulated {
    /// When the first decision of a kind was made.
    pub fn first(&self, chosen: Move) -> Option<Moment> {
        self.decisions
            .iter()
            .find(|(_, decision)| decision.chosen == chosen)
            .map(|&(at, _)| at)
    }
}

/// Length of the window that health is judged by, samples.
const WINDOW: usize = 12;
/// One flow in so many is shadowed.
const SHADOWED: f64 = 20.0;

/// Runs a rollout through a scenario, from its start to the scenario's end; `watch` hears of every decision.
pub fn simulate(plan: &Plan, scenario: &Scenario, mut watch: impl FnMut(Moment, &Decision)) -> Simulated {
    rehearse(plan, scenario, |at, _, _, decision| watch(at, decision))
}

/// As [`simulate`]; `watch` also hears of what each decision was made upon: the time, the state before, and the input.
pub fn rehearse(
    plan: &Plan,
    scenario: &Scenario,
    mut watch: impl FnMut(Moment, &State, &Input, &Decision),
) -> Simulated {
    let mut course = Course::new(scenario);
    let mut simulated = Simulated::default();
    let mut tell = |course: &mut Course, simulated: &mut Simulated, input: Input, at: Moment| {
        let decision = decide(plan, &simulated.state, &input, at);
        watch(at, &simulated.state, &input, &decision);
        course.follow(&decision);
        let chosen = decision.chosen;
        simulated.state = decision.state.clone();
        if !matches!(decision.chosen, Move::Hold | Move::Watch) || !decision.actions.is_empty() {
            simulated.decisions.push((at, decision));
        }
        chosen
    };
    tell(&mut course, &mut simulated, asked(Request::Start), Moment::default());
    let step = Duration::from_secs_f64(scenario.sample_seconds);
    let end = Moment::default().after(Duration::from_secs_f64(scenario.hours * 3600.0));
    let mut now = Moment::default().after(step);
    while now <= end && simulated.state.is_under_way() {
        let input = Input::Observation(Box::new(course.observe(now)));
        simulated.samples += 1;
        let chosen = tell(&mut course, &mut simulated, input, now);
        if chosen == Move::Ask && scenario.approve {
            let request = Request::Advance { force: false };
            tell(&mut course, &mut simulated, asked(request), now);
        }
        now = now.after(step);
    }
    simulated
}

fn asked(request: Request) -> Input {
    Input::Command(Command {
        request,
        who: "the rehearsal".to_owned(),
        reason: "rehearsed".to_owned(),
    })
}

/// What has happened so far.
struct Course<'a> {
    scenario: &'a Scenario,
    noise: Noise,
    target: Target,
    window: Window,
    /// The noise of each arm's cost in the last sample, in standard deviations.
    cost: [f64; 2],
}

impl<'a> Course<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        Self {
            scenario,
            noise: Noise(scenario.seed),
            target: Target {
                mode: Mode::Legacy.name().to_owned(),
                ..Target::default()
            },
            window: Window::new(WINDOW),
            cost: [0.0; 2],
        }
    }

    fn follow(&mut self, decision: &Decision) {
        for action in &decision.actions {
            if let Action::Switch { mode, share, .. } = action {
                self.target = Target {
                    mode: mode.clone(),
                    share: *share,
                    has_changed: true,
                };
            }
        }
    }

    fn traffic(&self, now: Moment) -> Traffic {
        let hours = now.0 as f64 / 3.6e6;
        let is_on = |change: &&Change| {
            hours >= change.at_hours && change.for_hours.is_none_or(|length| hours < change.at_hours + length)
        };
        let latest = self.scenario.changes.iter().rev().find(is_on);
        latest.map_or(self.scenario.traffic, |change| change.traffic)
    }

    fn observe(&mut self, now: Moment) -> Observation {
        let traffic = self.traffic(now);
        let seconds = self.scenario.sample_seconds;
        let flows = self.noise.poisson(traffic.flows_per_second * seconds);
        let share = self.target.share * (1.0 - traffic.misrouted) + (1.0 - self.target.share) * traffic.misrouted;
        let on_scanning = self.noise.binomial(flows, share);
        let legacy = self.arm(0, flows - on_scanning, &traffic);
        let scanning = self.arm(1, on_scanning, &traffic);
        let seen = legacy.packets + scanning.packets;
        let lost = self.noise.binomial(seen, traffic.loss_share);
        let sample = Evidence {
            at: now,
            seconds,
            target: self.target.clone(),
            legacy,
            scanning,
            packets: Packets {
                seen,
                written: seen - lost,
                rx_ring_full: lost,
                ..Packets::default()
            },
            resources: resources(&traffic),
            threads: vec![Thread {
                name: "inline-0".to_owned(),
                waiting: 0,
                stalled_s: traffic.stalled_seconds,
            }],
        };
        self.target.has_changed = false;
        self.window.push(sample.clone());
        Observation {
            sample,
            window: self.window.sum(),
            outlook: Outlook::default(),
        }
    }

    /// What `legacy` (0) or `scanning` (1) does with so many flows.
    fn arm(&mut self, number: usize, flows: u64, traffic: &Traffic) -> Arm {
        let behaviour = [&traffic.legacy, &traffic.scanning][number];
        let packets = self.noise.poisson(flows as f64 * traffic.packets_per_flow);
        let cost = self.cost(number, behaviour);
        let p95 = (behaviour.p95_us * 1000.0) as u64;
        let segments = (packets as f64 / SHADOWED) as u64;
        Arm {
            flows,
            packets,
            bytes: packets * 800,
            messages: flows,
            errors: Errors {
                framing: self.noise.binomial(packets, behaviour.error_share),
                ..Errors::default()
            },
            latency: Latency {
                packets,
                p50: p95 / 3,
                p95,
                p99: p95 * 2,
            },
            trimming: Latency::default(),
            busy_ns: (packets as f64 * cost) as u64,
            busy_packets: packets,
            shadow: Shadow {
                segments,
                different: self.noise.binomial(segments, behaviour.inaccuracy),
                ..Shadow::default()
            },
        }
    }
}

impl Course<'_> {
    /// Cost of one packet of an arm in this sample, nanoseconds.
    fn cost(&mut self, number: usize, behaviour: &Behaviour) -> f64 {
        let width = if self.noise.uniform() < behaviour.cost_wild {
            5.0
        } else {
            1.0
        };
        let (memory, new) = (behaviour.cost_memory, width * self.noise.normal());
        // An autoregression of order one, of which the standard deviation is that of what comes new.
        self.cost[number] = memory * self.cost[number] + (1.0 - memory * memory).sqrt() * new;
        behaviour.cost_ns * (behaviour.cost_noise * self.cost[number]).exp()
    }
}

fn resources(traffic: &Traffic) -> Resources {
    const MEMORY: u64 = 64 << 30;
    const DISK: u64 = 4 << 40;
    Resources {
        cpu_share: Some(0.4),
        resident_bytes: Some(1 << 30),
        memory_total: Some(MEMORY),
        memory_available: Some((MEMORY as f64 * (1.0 - traffic.memory_share)) as u64),
        disk_total: Some(DISK),
        disk_free: Some(DISK / 2),
        ..Resources::default()
    }
}

/// Reproducible noise (SplitMix64: Steele, Lea, Flood 2014).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1, neither included.
    fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Standard normal (Box and Muller).
    fn normal(&mut self) -> f64 {
        let (one, other) = (self.uniform(), self.uniform());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
    }

    /// Counts with this mean.
    fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 50.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.uniform(), 0);
        while product > limit {
            product *= self.uniform();
            count += 1;
        }
        count
    }

    /// Hits among so many tries.
    fn binomial(&mut self, tries: u64, share: f64) -> u64 {
        let mean = tries as f64 * share;
        if share <= 0.0 {
            0
        } else if share >= 1.0 {
            tries
        } else if mean < 50.0 {
            self.poisson(mean).min(tries)
        } else {
            let hits = mean + (mean * (1.0 - share)).sqrt() * self.normal();
            (hits.round().max(0.0) as u64).min(tries)
        }
    }
}
