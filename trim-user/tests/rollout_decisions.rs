//! The rollout's decisions, on invented evidence: the same code that decides on real evidence.

use std::time::Duration;

use trim_user::control::health::{Evidence, Level, Moment, Name, Outlook};
use trim_user::control::rollout::{
    Action, Behaviour, Change, Command, Freeze, Input, Move, Observation, Phase, Plan, Request, Scenario, Simulated,
    State, Status, Traffic, Trigger, decide, simulate,
};
use trim_user::control::switch::Reach;

/// Fourteen days in some hours of samples: enough of them for every test to be looked at thousands of times.
const SCALE: f64 = 0.01;

fn plan() -> Plan {
    let mut plan = Plan::default().scaled(SCALE);
    // Hold times in samples, as they are at full length.
    plan.triggers = Plan::default().triggers;
    plan.step_back_after = Duration::from_secs(60);
    plan
}

fn run(scenario: &Scenario) -> Simulated {
    simulate(&plan(), scenario, |_, _| {})
}

fn from(hours: f64, traffic: Traffic) -> Scenario {
    Scenario {
        hours: 15.0 * 24.0 * SCALE,
        changes: vec![Change {
            at_hours: hours,
            for_hours: None,
            traffic,
        }],
        ..Scenario::default()
    }
}

/// Hours after which half of the flows are on scanning: a day, two at 10%, two at 25%, and a bit.
const AT_HALF: f64 = (1.0 + 2.0 + 2.0 + 1.0) * 24.0 * SCALE;

fn scanning(behaviour: Behaviour) -> Traffic {
    Traffic {
        scanning: behaviour,
        ..Traffic::default()
    }
}

fn shares(simulated: &Simulated) -> Vec<f64> {
    let actions = simulated.decisions.iter().flat_map(|(_, decision)| &decision.actions);
    actions
        .filter_map(|action| match action {
            Action::Switch { share, .. } => Some(*share),
            _ => None,
        })
        .collect()
}

#[test]
fn without_a_fault_all_five_phases_are_passed() {
    let simulated = run(&Scenario::default());
    assert_eq!(simulated.state.status, Status::Completed, "{:#?}", simulated.state);
    assert_eq!(shares(&simulated), [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 1.0]);
    let archived = simulated
        .decisions
        .iter()
        .filter(|(_, it)| it.actions.contains(&Action::Archive));
    assert_eq!(archived.count(), 1);
}

#[track_caller]
fn assert_rolled_back(simulated: &Simulated, trigger: Trigger) {
    assert_eq!(
        simulated.state.status,
        Status::RolledBack,
        "{:#?}",
        simulated.decisions.last()
    );
    let rollback = simulated.state.rollbacks.last().expect("a rollback");
    assert_eq!(rollback.trigger, Some(trigger), "{rollback:?}");
    assert_eq!(shares(simulated).last(), Some(&0.0));
    let (at, decision) = simulated.decisions.last().expect("decisions");
    let plan = plan();
    let fault = Moment((AT_HALF * 3.6e6) as u64);
    let held = plan.triggers.rule(trigger).hold;
    assert!(
        at.since(fault) <= held + Duration::from_secs(15),
        "{:?}",
        at.since(fault)
    );
    assert!(decision.actions.iter().any(|action| matches!(
        action,
        Action::Switch {
            reach: Reach::Immediate,
            ..
        }
    )));
}

#[test]
fn errors_above_their_limit_take_everything_back() {
    let behaviour = Behaviour {
        error_share: 0.2,
        ..Behaviour::default()
    };
    assert_rolled_back(&run(&from(AT_HALF, scanning(behaviour))), Trigger::Errors);
}

#[test]
fn a_threefold_cost_takes_everything_back() {
    let behaviour = Behaviour {
        cost_ns: 1200.0,
        ..Behaviour::default()
    };
    assert_rolled_back(&run(&from(AT_HALF, scanning(behaviour))), Trigger::SlowDown);
}

#[test]
fn wrong_trims_take_everything_back() {
    let behaviour = Behaviour {
        inaccuracy: 0.3,
        ..Behaviour::default()
    };
    assert_rolled_back(&run(&from(AT_HALF, scanning(behaviour))), Trigger::Inaccuracy);
}

#[test]
fn a_stuck_thread_takes_everything_back() {
    let traffic = Traffic {
        stalled_seconds: 31.0,
        ..Traffic::default()
    };
    assert_rolled_back(&run(&from(AT_HALF, traffic)), Trigger::Unresponsive);
}

#[test]
fn the_end_of_memory_takes_everything_back() {
    let traffic = Traffic {
        memory_share: 0.99,
        ..Traffic::default()
    };
    assert_rolled_back(&run(&from(AT_HALF, traffic)), Trigger::Memory);
}

#[test]
fn a_split_that_does_not_come_about_stops_the_rollout_where_it_is() {
    let traffic = Traffic {
        misrouted: 0.1,
        ..Traffic::default()
    };
    // At 25%; at one half a symmetric fault would not show.
    let simulated = run(&from(4.0 * 24.0 * SCALE, traffic));
    assert_eq!(simulated.state.status, Status::Paused);
    assert!(simulated.state.paused.as_ref().unwrap().contains("cannot be trusted"));
    assert_eq!(shares(&simulated).last(), Some(&0.25));
}

#[test]
fn a_warning_holds_the_rollout_and_then_takes_a_step_back() {
    let traffic = Traffic {
        memory_share: 0.9,
        ..Traffic::default()
    };
    let simulated = run(&from(AT_HALF, traffic));
    let (_, decision) = simulated
        .decisions
        .iter()
        .find(|(_, it)| it.chosen == Move::StepBack)
        .unwrap();
    assert!(
        decision.reasons.iter().any(|reason| reason.contains("memory_share")),
        "{decision:?}"
    );
    assert_eq!(&shares(&simulated)[..5], [0.0, 0.1, 0.25, 0.5, 0.25]);
    assert_eq!(
        simulated.state.status,
        Status::Paused,
        "after three steps back a person has to look"
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Seconds from a fault at one half to the first decision that is no progress, over several runs.
fn detection(behaviour: Behaviour) -> f64 {
    let delay = |seed| {
        let scenario = Scenario {
            seed,
            ..from(AT_HALF, scanning(behaviour))
        };
        let simulated = run(&scenario);
        let caught = [Move::StepBack, Move::RollBack]
            .into_iter()
            .filter_map(|it| simulated.first(it))
            .min();
        let fault = Moment((AT_HALF * 3.6e6) as u64);
        caught
            .unwrap_or_else(|| panic!("seed {seed}: not caught"))
            .since(fault)
            .as_secs_f64()
    };
    median((1..=15).map(delay).collect())
}

#[test]
fn five_points_more_errors_and_a_third_dearer_are_caught() {
    let errors = detection(Behaviour {
        error_share: 0.052,
        ..Behaviour::default()
    });
    let cost = detection(Behaviour {
        cost_ns: 520.0,
        ..Behaviour::default()
    });
    println!("median time to detect: five points of errors {errors} s, 30% of cost {cost} s");
    assert!(errors < 300.0 && cost < 600.0, "{errors} s, {cost} s");
}

#[test]
fn equal_arms_are_hardly_ever_taken_back() {
    const RUNS: u64 = 200;
    let mut taken_back = 0;
    for seed in 1..=RUNS {
        let scenario = Scenario {
            seed,
            sample_seconds: 10.0,
            traffic: Traffic {
                flows_per_second: 40.0,
                ..Traffic::default()
            },
            ..Scenario::default()
        };
        let simulated = run(&scenario);
        taken_back += u64::from(simulated.state.status != Status::Completed);
    }
    assert!(
        taken_back <= 1,
        "{taken_back} of {RUNS} rollouts of equal arms did not complete"
    );
}

fn command(request: Request) -> Input {
    Input::Command(Command {
        request,
        who: "uid 0".to_owned(),
        reason: "test".to_owned(),
    })
}

fn started(plan: &Plan) -> State {
    decide(plan, &State::default(), &command(Request::Start), Moment(1)).state
}

#[test]
fn without_evidence_nothing_advances() {
    let plan = plan();
    let mut state = started(&plan);
    for sample in 1..5_000_u64 {
        let input = Input::Observation(Box::default());
        let decision = decide(&plan, &state, &input, Moment(1 + sample * 5_000));
        assert_eq!(decision.chosen, Move::Hold);
        state = decision.state;
    }
    assert_eq!(state.phase, Phase::BaselineValidation);
}

#[test]
fn what_is_refused_changes_nothing_and_says_why() {
    let plan = plan();
    let state = started(&plan);
    for (request, words) in [
        (Request::Start, "under way"),
        (Request::Resume, "nothing to resume"),
        (Request::Advance { force: false }, "criteria"),
        (Request::Unlock, "not locked"),
    ] {
        let decision = decide(&plan, &state, &command(request), Moment(2));
        assert_eq!(decision.chosen, Move::Refuse, "{request:?}");
        assert!(decision.reasons[0].contains(words), "{:?}", decision.reasons);
        assert_eq!(decision.state, state);
        assert!(decision.actions.is_empty());
    }
}

#[test]
fn the_third_rollback_in_a_day_locks_the_rollout_until_a_person_unlocks_it() {
    let plan = plan();
    let (mut state, mut now) = (State::default(), Moment(1));
    for number in 1..=3 {
        state = decide(&plan, &state, &command(Request::Start), now).state;
        assert_eq!(state.status, Status::InProgress, "rollout {number}");
        state = decide(&plan, &state, &command(Request::Rollback(Reach::Immediate)), now).state;
        let early = decide(&plan, &state, &command(Request::Start), now);
        assert_eq!(early.chosen, Move::Refuse, "the cool-down");
        now = now.after(plan.cool_down);
    }
    assert!(state.is_locked);
    let refused = decide(&plan, &state, &command(Request::Start), now);
    assert!(refused.reasons[0].contains("unlock"), "{:?}", refused.reasons);
    state = decide(&plan, &state, &command(Request::Unlock), now).state;
    assert_eq!(decide(&plan, &state, &command(Request::Start), now).chosen, Move::Obey);
}

#[test]
fn a_freeze_holds_progress_but_no_rollback() {
    let always = Freeze::Between {
        from: Moment(0),
        to: Moment(u64::MAX),
    };
    let plan = Plan {
        freezes: vec![always],
        ..plan()
    };
    let calm = simulate(
        &plan,
        &Scenario {
            hours: 2.0,
            ..Scenario::default()
        },
        |_, _| {},
    );
    assert_eq!(calm.state.phase, Phase::BaselineValidation);
    let forced = decide(
        &plan,
        &calm.state,
        &command(Request::Advance { force: true }),
        calm.state.at,
    );
    assert_eq!(forced.chosen, Move::Obey);
    let mut sample = Evidence::default();
    sample.target.share = 0.1;
    sample.target.mode = "ab_test".to_owned();
    sample.scanning.packets = 10_000;
    sample.scanning.errors.panics = 5_000;
    let mut state = forced.state;
    let mut chosen = Vec::new();
    for number in 1..=5 {
        let observation = Observation {
            sample: sample.clone(),
            window: sample.clone(),
            outlook: Outlook::default(),
        };
        let decision = decide(
            &plan,
            &state,
            &Input::Observation(Box::new(observation)),
            calm.state.at.after(Duration::from_secs(number * 5)),
        );
        chosen.push(decision.chosen);
        state = decision.state;
    }
    assert!(chosen.contains(&Move::RollBack), "{chosen:?}");
}

#[test]
fn a_decision_can_be_made_again_from_what_is_stored() {
    let plan = plan();
    let behaviour = Behaviour {
        error_share: 0.2,
        ..Behaviour::default()
    };
    let (mut before, mut count) = (State::default(), 0);
    simulate(&plan, &from(AT_HALF, scanning(behaviour)), |_, decision| {
        let text = serde_json::to_string(decision).unwrap();
        let again: trim_user::control::rollout::Decision = serde_json::from_str(&text).unwrap();
        assert_eq!(&again, decision);
        count += u64::from(again.state != before);
        before = again.state;
    });
    assert!(count > 100);
}

#[test]
fn one_dimension_at_critical_is_enough() {
    let mut evidence = Evidence::default();
    evidence.packets.seen = 1000;
    evidence.packets.written = 900;
    evidence.packets.queue_full = 100;
    let observation = Observation {
        sample: evidence.clone(),
        window: evidence,
        outlook: Outlook::default(),
    };
    let decision = decide(
        &plan(),
        &State::default(),
        &Input::Observation(Box::new(observation)),
        Moment(5),
    );
    let health = decision.health.unwrap();
    assert_eq!(health.level, Level::Critical);
    let business = health.dimensions.iter().find(|it| it.name == Name::Business).unwrap();
    assert_eq!(business.score, Some(0.0));
    assert!(
        business.reasons[0].contains("loss_share is 0.1000"),
        "{:?}",
        business.reasons
    );
}
