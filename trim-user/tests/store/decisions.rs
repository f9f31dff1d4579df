//! Decisions, where the rollout stands, and making decisions again.

use std::sync::Arc;
use std::time::Duration;

use trim_user::control::health::Moment;
use trim_user::control::rollout::{
    Action, Behaviour, Change, Plan, Scenario, Simulated, State, Status, Traffic, rehearse,
};
use trim_user::control::store::{Entry, Store, Which};

use super::{Place, count, observed, rolled_back, sql, started};

/// A rollout that fails at half of the flows, every decision of it stored.
fn stored_rollout(store: &mut Store) -> (Simulated, Vec<Entry>) {
    let plan = Plan {
        triggers: Plan::default().triggers,
        step_back_after: Duration::from_secs(60),
        ..Plan::default().scaled(0.002)
    };
    let at_half = 6.0 * 24.0 * 0.002;
    let failing = Behaviour {
        error_share: 0.2,
        ..Behaviour::default()
    };
    let scenario = Scenario {
        hours: 1.0,
        changes: vec![Change {
            at_hours: at_half,
            for_hours: None,
            traffic: Traffic {
                scanning: failing,
                ..Traffic::default()
            },
        }],
        ..Scenario::default()
    };
    let shared = Arc::new(plan.clone());
    let mut entries = Vec::new();
    let simulated = rehearse(&plan, &scenario, |at, before, input, decision| {
        let entry = Entry {
            at,
            plan: Arc::clone(&shared),
            before: before.clone(),
            input: input.clone(),
            decision: decision.clone(),
        };
        assert_eq!(store.record_decision(&entry).unwrap(), entries.len() as u64 + 1);
        entries.push(entry);
    });
    (simulated, entries)
}

#[test]
fn every_decision_of_a_rollout_is_stored_and_comes_out_the_same_again() {
    let place = Place::new();
    let mut store = place.open();
    let (simulated, entries) = stored_rollout(&mut store);
    assert_eq!(simulated.state.status, Status::RolledBack);
    let stored = store.decisions(Which::All).unwrap();
    assert_eq!(stored.len(), entries.len());
    for (stored, entry) in stored.iter().zip(&entries) {
        assert_eq!((stored.at, &stored.before), (entry.at, &entry.before));
        assert_eq!((&stored.input, &stored.decision), (&entry.input, &entry.decision));
    }
    let replayed = store.replay(Which::All).unwrap();
    assert_eq!(
        (replayed.decisions, replayed.differences),
        (entries.len() as u64, vec![])
    );
    assert_eq!(count(&place.path(), "plans"), 1, "a plan is stored once");
    assert_eq!(store.load_state().unwrap().unwrap().state, simulated.state);
    let bytes: i64 = sql(&place.path())
        .query_row(
            "SELECT sum(length(before) + length(input) + length(decision)) FROM decisions",
            [],
            |row| row.get(0),
        )
        .unwrap();
    println!(
        "{} decisions, {} bytes each",
        entries.len(),
        bytes / entries.len() as i64
    );
}

#[test]
fn a_decision_somebody_changed_is_found_and_its_places_named() {
    let place = Place::new();
    let mut store = place.open();
    let (_, entries) = stored_rollout(&mut store);
    let number = entries.len() as i64;
    let connection = sql(&place.path());
    connection
        .execute_batch("DROP TRIGGER decisions_stay_as_they_are")
        .unwrap();
    let set = |path: &str, value: &str, column: &str, sequence: i64| {
        let sql = format!("UPDATE decisions SET {column} = json_set({column}, '{path}', {value}) WHERE sequence = ?");
        assert_eq!(connection.execute(&sql, [sequence]).unwrap(), 1);
    };
    set("$.state.status", "'completed'", "decision", number);
    set("$.observation.sample.scanning.errors.framing", "0", "input", number - 1);
    set("$.observed.secs", "77777", "before", number - 3);
    connection
        .execute("UPDATE decisions SET at = at + 1000 WHERE sequence = ?", [number - 4])
        .unwrap();
    connection
        .execute(
            "UPDATE decisions SET input = 'nonsense' WHERE sequence = ?",
            [number - 5],
        )
        .unwrap();
    let replayed = store.replay(Which::All).unwrap();
    assert_eq!(replayed.decisions, number as u64);
    let found: Vec<_> = replayed.differences.iter().map(|it| it.sequence as i64).collect();
    assert_eq!(found, [number - 5, number - 4, number - 3, number - 1, number]);
    assert_eq!(
        replayed.differences[4].places,
        ["/state/status: stored \"completed\", now \"rolled_back\""]
    );
    assert!(replayed.differences[0].places[0].contains("the input cannot be read"));
    assert_eq!(store.replay(Which::Sequence(1)).unwrap().differences, []);
    assert_eq!(
        store.replay(Which::Sequence(number as u64)).unwrap().differences.len(),
        1
    );
    let error = store
        .decisions(Which::Sequence(number as u64 - 5))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&format!("the input of decision {}", number - 5)),
        "{error}"
    );
}

#[test]
fn a_plan_somebody_changed_is_found() {
    let place = Place::new();
    let mut store = place.open();
    store.record_decision(&started()).unwrap();
    sql(&place.path())
        .execute_batch(
            "DROP TRIGGER plans_stay_as_they_are; UPDATE plans SET plan = json_set(plan, '$.rollbacks_to_lock', 9)",
        )
        .unwrap();
    let replayed = store.replay(Which::All).unwrap();
    assert!(
        replayed.differences[0].places[0].contains("its plan was changed"),
        "{replayed:?}"
    );
}

#[test]
fn decisions_are_found_by_number_by_time_and_by_what_they_changed() {
    let place = Place::new();
    let mut store = place.open();
    store.record_decision(&started()).unwrap();
    let mut state = started().decision.state;
    for second in 2..8 {
        let entry = observed(&state, Moment(second * 1_000));
        state = entry.decision.state.clone();
        store.record_decision(&entry).unwrap();
    }
    store.record_decision(&rolled_back()).unwrap();
    let numbers = |which| -> Vec<u64> { store.decisions(which).unwrap().iter().map(|it| it.sequence).collect() };
    assert_eq!(numbers(Which::Latest(3)), [6, 7, 8]);
    assert_eq!(numbers(Which::Notable(9)), [1, 8]);
    assert_eq!(numbers(Which::Notable(1)), [8]);
    assert_eq!(numbers(Which::At(Moment(4_500))), [4]);
    assert_eq!(numbers(Which::At(Moment(999))), [0; 0]);
    assert_eq!(numbers(Which::Sequence(5)), [5]);
    assert_eq!(numbers(Which::All).len(), 8);
}

#[test]
fn what_was_decided_and_not_done_is_still_to_be_done() {
    let place = Place::new();
    let mut store = place.open();
    assert_eq!(store.load_state().unwrap(), None);
    let (start, back) = (started(), rolled_back());
    store.record_decision(&start).unwrap();
    let actions = |store: &Store| -> Vec<(u64, Action)> {
        let pending = store.load_state().unwrap().unwrap().pending;
        pending.into_iter().map(|it| (it.sequence, it.action)).collect()
    };
    let all = |sequence, entry: &Entry| entry.decision.actions.clone().into_iter().map(move |it| (sequence, it));
    assert_eq!(actions(&store), all(1, &start).collect::<Vec<_>>());
    // Another process.
    drop(store);
    let mut store = place.open();
    store.record_decision(&back).unwrap();
    let is_switch = |action: &Action| matches!(action, Action::Switch { .. });
    let expected: Vec<_> = all(1, &start)
        .filter(|(_, action)| !is_switch(action))
        .chain(all(2, &back))
        .collect();
    assert_eq!(actions(&store), expected, "an older switch must not be done any more");
    store.acted(2).unwrap();
    assert!(
        actions(&store)
            .iter()
            .all(|(sequence, action)| *sequence == 1 && !is_switch(action))
    );
    store.acted(1).unwrap();
    let standing = store.load_state().unwrap().unwrap();
    assert_eq!((standing.sequence, standing.at, standing.pending), (2, back.at, vec![]));
    assert_eq!(standing.state, back.decision.state);
    assert_ne!(standing.state, State::default());
}
