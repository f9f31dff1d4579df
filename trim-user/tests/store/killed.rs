//! A writer that is killed at any moment leaves a database that knows every decision it reported.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use trim_user::control::health::Moment;
use trim_user::control::rollout::{Request, Status};
use trim_user::control::store::{Store, Which};
use trim_user::control::switch::Reach;

use super::{Place, asked, evidence, health, rolled_back, sql, started};

/// Set for the process that is to be killed: its database.
const VICTIM: &str = "TRIM_TEST_STORE_VICTIM";

/// Runs a test of this binary as a process of its own, reads so many lines with a word, and kills it.
fn kill_after(test: &str, path: &Path, word: &str, lines: usize) -> Vec<u64> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(VICTIM, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Kept until the child is dead: it must not find its output closed.
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let numbers = output
        .by_ref()
        .filter_map(|line| line.unwrap().strip_prefix(word)?.trim().parse().ok())
        .take(lines)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    numbers
}

/// Not a test of its own: starts and takes back, again and again, until it is killed.
#[test]
fn victim_that_decides_until_it_is_killed() {
    let Some(path) = env::var_os(VICTIM) else { return };
    let mut store = Store::open(Path::new(&path)).unwrap();
    let mut state = started().before;
    for round in 1_u64.. {
        let at = Moment(round * 1_000_000_000);
        let request = if round % 2 == 1 {
            Request::Start
        } else {
            Request::Rollback(Reach::Immediate)
        };
        let entry = asked(&state, request, at);
        state = entry.decision.state.clone();
        let sample = evidence(at, round);
        store.record_sample(&sample, &health(&sample)).unwrap();
        let sequence = store.record_decision(&entry).unwrap();
        println!("\nstored {sequence}");
        store.acted(sequence).unwrap();
    }
}

#[test]
fn a_killed_writer_loses_nothing_it_has_reported() {
    for lines in [1, 3, 10, 40] {
        let place = Place::new();
        let numbers = kill_after(
            "killed::victim_that_decides_until_it_is_killed",
            &place.path(),
            "stored",
            lines,
        );
        let last = *numbers.last().unwrap();
        let store = place.open();
        let check: String = sql(&place.path())
            .pragma_query_value(None, "integrity_check", |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok");
        let decisions = store.decisions(Which::All).unwrap();
        assert!(decisions.len() as u64 >= last, "{} of {last}", decisions.len());
        assert_eq!(store.replay(Which::All).unwrap().differences, []);
        let standing = store.load_state().unwrap().unwrap();
        let latest = decisions.last().unwrap();
        assert_eq!(
            (standing.sequence, &standing.state),
            (latest.sequence, &latest.decision.state)
        );
        assert!(
            standing.pending.iter().all(|it| it.sequence == latest.sequence),
            "what was reported as done is not done again"
        );
    }
}

/// Not a test of its own: takes traffic back and is killed before it has done so.
#[test]
fn victim_that_is_killed_before_it_acts() {
    let Some(path) = env::var_os(VICTIM) else { return };
    let mut store = Store::open(Path::new(&path)).unwrap();
    let start = store.record_decision(&started()).unwrap();
    store.acted(start).unwrap();
    let sequence = store.record_decision(&rolled_back()).unwrap();
    println!("\nstored {sequence}");
    loop {
        std::thread::park();
    }
}

#[test]
fn what_was_stored_and_not_done_when_the_process_was_killed_is_done_at_the_next_start() {
    let place = Place::new();
    let numbers = kill_after(
        "killed::victim_that_is_killed_before_it_acts",
        &place.path(),
        "stored",
        1,
    );
    let standing = place.open().load_state().unwrap().unwrap();
    assert_eq!(standing.state.status, Status::RolledBack);
    let pending: Vec<_> = standing.pending.iter().map(|it| &it.action).collect();
    assert_eq!(pending, rolled_back().decision.actions.iter().collect::<Vec<_>>());
    assert!(standing.pending.iter().all(|it| it.sequence == numbers[0]));
}
