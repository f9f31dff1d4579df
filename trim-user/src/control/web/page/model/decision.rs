//! One decision with all it was made upon.

use crate::control::figures;
use crate::control::health::Moment;
use crate::control::rollout::{Action, Input, State};
use crate::control::store::Recorded;
use crate::control::switch::Reach;

use super::evidence::{Table, tables};
use super::health::DimensionRow;
use super::past::{Stamp, chosen, request};
use super::way::phase_words;

/// The page of a decision.
pub(crate) struct DecisionPage {
    pub(crate) sequence: u64,
    pub(crate) at: Stamp,
    pub(crate) age: String,
    pub(crate) chosen: &'static str,
    pub(crate) plan: String,
    pub(crate) reasons: Vec<String>,
    pub(crate) actions: Vec<String>,
    /// What, before, after.
    pub(crate) states: Vec<(&'static str, String, String)>,
    /// Who asked, for what, and why; nothing when it was made upon evidence.
    pub(crate) command: Option<(String, String, String)>,
    pub(crate) dimensions: Vec<DimensionRow>,
    /// Length of the window that evidence is of.
    pub(crate) window: String,
    pub(crate) tables: Vec<Table>,
    /// All of it, for programs.
    pub(crate) json: String,
}

impl DecisionPage {
    pub(crate) fn of(recorded: &Recorded, now: Moment) -> Self {
        let decision = &recorded.decision;
        let (command, window, tables) = match &recorded.input {
            Input::Command(command) => {
                let request = request(&serde_json::json!(command.request));
                let command = (command.who.clone(), request, command.reason.clone());
                (Some(command), String::new(), Vec::new())
            }
            Input::Observation(observation) => {
                let window = std::time::Duration::from_secs_f64(observation.window.seconds.max(0.0));
                (None, figures::span(window), tables(&observation.window))
            }
        };
        let health = decision.health.as_ref();
        Self {
            sequence: recorded.sequence,
            at: Stamp::of(recorded.at),
            age: figures::span(now.since(recorded.at)),
            chosen: chosen(decision.chosen),
            plan: recorded.plan.chars().take(12).collect(),
            reasons: decision.reasons.iter().filter(|it| !it.is_empty()).cloned().collect(),
            actions: decision.actions.iter().map(action).collect(),
            states: states(&recorded.before, &decision.state),
            command,
            dimensions: health
                .map(|health| health.dimensions.iter().map(DimensionRow::of).collect())
                .unwrap_or_default(),
            window,
            tables,
            json: serde_json::to_string_pretty(recorded).unwrap_or_default(),
        }
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::Switch { mode, share, reach } => format!(
            "switch to {mode}, {} of flows on scanning, {}",
            figures::chosen_percent(*share),
            match reach {
                Reach::Drain => "for flows that begin from now on",
                Reach::Immediate => "for every flow at once",
            }
        ),
        Action::Notify { rule, summary, .. } => format!("tell people ({rule}): {summary}"),
        Action::Archive => "archive what configured legacy".to_owned(),
    }
}

fn states(before: &State, after: &State) -> Vec<(&'static str, String, String)> {
    let row = |name, of: &dyn Fn(&State) -> String| (name, of(before), of(after));
    vec![
        row("status", &|state| state.status.name().replace('_', " ")),
        row("phase", &|state| phase_words(state.phase).to_owned()),
        row("step", &|state| (state.step + 1).to_string()),
        row("observed for", &|state| figures::span(state.observed)),
        row("healthy for", &|state| figures::span(state.good_for)),
        row("unhealthy for", &|state| figures::span(state.bad_for)),
        row("flows", &|state| figures::number(state.flows)),
        row("flows on scanning", &|state| {
            let share = state.comparison.ratio.share();
            share.map_or_else(|| "-".to_owned(), figures::percent)
        }),
        row("rollbacks", &|state| state.rollbacks.len().to_string()),
        row("locked", &|state| if state.is_locked { "yes" } else { "no" }.to_owned()),
    ]
}
