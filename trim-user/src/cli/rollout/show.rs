//! `trim rollout status`.

use std::fmt::Write as _;
use std::time::Duration;

use crate::cli::{DaemonArgs, Exit, output};
use crate::control::client::Client;
use crate::control::operator::View;
use crate::control::rollout::{Phase, State};

pub(super) fn run(daemon: &DaemonArgs) -> anyhow::Result<Exit> {
    let view = Client::new(&daemon.socket()).health()?;
    if daemon.json {
        output::json(&view)?;
    } else {
        output::text(&render(&view))?;
    }
    Ok(Exit::Good)
}

fn render(view: &View) -> String {
    let View {
        state, plan, reasons, ..
    } = view;
    let step = state.current_step(plan);
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "rollout       {}", state.status.name());
    for phase in Phase::ALL {
        let _ = writeln!(text, "  {} {}", mark(state, phase), phase.name());
    }
    if state.is_under_way() {
        let steps = plan.phase(state.phase).steps.len();
        let _ = writeln!(
            text,
            "step          {} of {steps}, {:.0}% of new flows on scanning",
            state.step + 1,
            step.share * 100.0
        );
        let _ = writeln!(text, "observed      {} of {}", span(state.observed), span(step.minimum));
        let _ = writeln!(text, "healthy for   {} of {}", span(state.good_for), span(step.bake));
        let _ = writeln!(text, "flows         {} of {}", state.flows, step.fewest_flows);
    }
    if let Some(phase) = state.waiting_for {
        let _ = writeln!(text, "waits         for a person to agree to {}", phase.name());
    }
    if let Some(why) = &state.paused {
        let _ = writeln!(text, "paused        {why}");
    }
    if state.is_locked {
        let _ = writeln!(text, "locked        `trim rollout unlock` allows another rollout");
    }
    for rollback in &state.rollbacks {
        let _ = writeln!(text, "rolled back   in {}: {}", rollback.phase.name(), rollback.reason);
    }
    for reason in reasons {
        let _ = writeln!(text, "because       {reason}");
    }
    text
}

fn mark(state: &State, phase: Phase) -> char {
    use crate::control::rollout::Status;
    match state.status {
        Status::NotStarted => ' ',
        Status::Completed => '*',
        _ if phase < state.phase => '*',
        _ if phase == state.phase => '>',
        _ => ' ',
    }
}

fn span(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        ..120.0 => format!("{seconds:.1} s"),
        ..7200.0 => format!("{:.1} min", seconds / 60.0),
        ..172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.1} d", seconds / 86_400.0),
    }
}
