//! The control wing's database: what it keeps, for how long, and what no fault of the disk may do to it.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its files has failed")]

mod decisions;
mod faults;
mod files;
mod killed;
mod retention;
mod samples;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use trim_user::control::health::{Comparison, Evidence, Health, Moment, Outlook, Thresholds};
use trim_user::control::rollout::{Command, Input, Observation, Plan, Request, State, decide};
use trim_user::control::store::{Entry, Store};
use trim_user::control::switch::Reach;

/// A folder for one test, and the database's place in it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("trim.db")
    }

    fn open(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }
}

/// SQL by hand, as somebody who tampers would.
fn sql(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

fn count(path: &Path, table: &str) -> u64 {
    let connection = sql(path);
    let count: i64 = connection
        .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
        .unwrap();
    count as u64
}

fn health(evidence: &Evidence) -> Health {
    Health::judge(
        evidence,
        &Comparison::default(),
        &Outlook::default(),
        &Thresholds::default(),
    )
}

/// Five seconds of evidence with so many packets on `scanning`.
fn evidence(at: Moment, packets: u64) -> Evidence {
    let mut evidence = Evidence {
        at,
        seconds: 5.0,
        ..Evidence::default()
    };
    evidence.scanning.packets = packets;
    evidence.packets.seen = packets;
    evidence
}

fn entry(before: &State, input: Input, at: Moment) -> Entry {
    let plan = Arc::new(Plan::default());
    Entry {
        at,
        decision: decide(&plan, before, &input, at),
        plan,
        before: before.clone(),
        input,
    }
}

fn asked(before: &State, request: Request, at: Moment) -> Entry {
    let command = Command {
        request,
        who: "uid 0".to_owned(),
        reason: "test".to_owned(),
    };
    entry(before, Input::Command(command), at)
}

fn started() -> Entry {
    asked(&State::default(), Request::Start, Moment(1_000))
}

/// What follows upon [`started`]: traffic is taken back.
fn rolled_back() -> Entry {
    asked(
        &started().decision.state,
        Request::Rollback(Reach::Immediate),
        Moment(2_000),
    )
}

fn observed(before: &State, at: Moment) -> Entry {
    let observation = Observation {
        sample: evidence(at, 100),
        window: evidence(at, 1200),
        outlook: Outlook::default(),
    };
    entry(before, Input::Observation(Box::new(observation)), at)
}
