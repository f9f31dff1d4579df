//! Decisions with all they were made upon, the state they lead to, and what of their actions is still to be done.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Params, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::file::{Durability, During as _, Store, moment, time};
use super::hash::hash;
use super::samples::{text, value};
use crate::control::health::Moment;
use crate::control::rollout::{Action, Decision, Input, Move, Plan, State};

/// A decision to be stored: with it, [`crate::control::rollout::decide`] can be asked again.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The time that `decide` was given.
    pub at: Moment,
    /// The plan.
    pub plan: Arc<Plan>,
    /// The state before.
    pub before: State,
    /// What it was made upon.
    pub input: Input,
    /// What was decided.
    pub decision: Decision,
}

impl Entry {
    /// Whether nothing changed and nothing is to be done. Such decisions are kept for seven days, all others for good.
    pub fn is_routine(&self) -> bool {
        let (before, after) = (&self.before, &self.decision.state);
        matches!(self.decision.chosen, Move::Hold | Move::Watch)
            && self.decision.actions.is_empty()
            && (before.status, before.phase, before.step) == (after.status, after.phase, after.step)
    }
}

/// A stored decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its number, from 1; later decisions have higher ones, and no number is given twice.
    pub sequence: u64,
    /// The time that `decide` was given.
    pub at: Moment,
    /// The plan's hash, the same for the same plan.
    pub plan: String,
    /// The state before.
    pub before: State,
    /// What it was made upon.
    pub input: Input,
    /// What was decided.
    pub decision: Decision,
}

/// Which decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All that are kept.
    All,
    /// The latest ones.
    Latest(usize),
    /// The latest ones that changed something.
    Notable(usize),
    /// The one that was in force at a moment.
    At(Moment),
    /// One.
    Sequence(u64),
}

/// Where the rollout stood when it was last stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The decision that led there.
    pub sequence: u64,
    /// When it was made.
    pub at: Moment,
    /// The state.
    pub state: State,
    /// Actions that were decided and not reported as done, in order. Of several switches only the last one is among them,
    /// and none when a later one was done. An action may have been done just before the process was killed: each has to be
    /// one that can be done twice.
    pub pending: Vec<Pending>,
}

/// An action that is still to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// The decision it belongs to; [`Store::acted`] takes it.
    pub sequence: u64,
    /// The action.
    pub action: Action,
}

impl Store {
    /// Stores a decision, the state it leads to and the actions to be done, all or nothing, and gives the decision's number.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record_decision(&mut self, entry: &Entry) -> Result<u64, StoreError> {
        let path = self.path.clone();
        let write = |store: &mut Self| {
            let transaction = store.begin(Durability::Full)?;
            let sequence = insert(&transaction, entry)?;
            transaction
                .prepare_cached("INSERT OR REPLACE INTO rollout_state (one, sequence, at, state) VALUES (1, ?, ?, ?)")?
                .execute(params![sequence, time(entry.at), text(&entry.decision.state)?])?;
            for (position, action) in entry.decision.actions.iter().enumerate() {
                transaction
                    .prepare_cached("INSERT INTO actions (sequence, position, kind, action) VALUES (?, ?, ?, ?)")?
                    .execute(params![sequence, position as i64, kind(action), text(action)?])?;
            }
            transaction.commit()?;
            Ok(sequence as u64)
        };
        write(self).during(&path, "store a decision")
    }

    /// Notes that the actions of a decision are done.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn acted(&mut self, sequence: u64) -> Result<(), StoreError> {
        let path = self.path.clone();
        let write = |store: &mut Self| {
            let transaction = store.begin(Durability::Full)?;
            transaction
                .prepare_cached("UPDATE actions SET is_done = 1 WHERE sequence = ?")?
                .execute([sequence as i64])?;
            transaction.commit()
        };
        write(self).during(&path, "note what is done")
    }

    /// Where the rollout stands, and what is still to be done; `None` before the first decision.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn load_state(&self) -> Result<Option<Standing>, StoreError> {
        let read = || {
            let mut standing = self
                .connection
                .prepare_cached("SELECT sequence, at, state FROM rollout_state")?
                .query_row([], standing)
                .optional()?;
            if let Some(standing) = &mut standing {
                let mut statement = self.connection.prepare_cached(
                    "SELECT sequence, action FROM actions WHERE is_done = 0 AND NOT (kind = 'switch' AND EXISTS (
                         SELECT 1 FROM actions AS later WHERE later.kind = 'switch' AND later.sequence > actions.sequence))
                     ORDER BY sequence, position",
                )?;
                let rows = statement.query_map([], |row| {
                    Ok(Pending {
                        sequence: row.get::<_, i64>("sequence")? as u64,
                        action: value(row, "action")?,
                    })
                })?;
                standing.pending = rows.collect::<rusqlite::Result<_>>()?;
            }
            Ok(standing)
        };
        read().during(&self.path, "read where the rollout stands")
    }

    /// Decisions, in the order of their numbers.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn decisions(&self, which: Which) -> Result<Vec<Recorded>, StoreError> {
        let mut decisions = Vec::new();
        self.each(which, |raw| {
            let recorded = raw.parse().map_err(|(what, error)| StoreError::Content {
                path: self.path.clone(),
                what: format!("{what} of decision {}", raw.sequence),
                error,
            })?;
            decisions.push(recorded);
            Ok(())
        })?;
        Ok(decisions)
    }

    /// Gives decisions as they are stored, in the order of their numbers.
    pub(super) fn each(&self, which: Which, give: impl FnMut(Raw) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let most = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        match which {
            Which::All => self.select("1", [], give),
            Which::Latest(count) => {
                let latest = "sequence IN (SELECT sequence FROM decisions ORDER BY sequence DESC LIMIT ?)";
                self.select(latest, [most(count)], give)
            }
            Which::Notable(count) => {
                let latest = "sequence IN (SELECT sequence FROM decisions WHERE routine = 0
                              ORDER BY sequence DESC LIMIT ?)";
                self.select(latest, [most(count)], give)
            }
            Which::At(at) => self.select("at <= ? ORDER BY at DESC, sequence DESC LIMIT 1", [time(at)], give),
            Which::Sequence(sequence) => self.select("sequence = ?", [sequence as i64], give),
        }
    }

    fn select(
        &self,
        condition: &str,
        parameters: impl Params,
        mut give: impl FnMut(Raw) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let task = "read decisions";
        let sql = format!(
            "SELECT sequence, at, chosen.plan AS hash, plans.plan AS plan, before, input, decision
             FROM (SELECT * FROM decisions WHERE {condition}) AS chosen LEFT JOIN plans ON plans.hash = chosen.plan
             ORDER BY sequence"
        );
        let mut statement = self.connection.prepare_cached(&sql).during(&self.path, task)?;
        let rows = statement.query_map(parameters, Raw::read).during(&self.path, task)?;
        for raw in rows {
            give(raw.during(&self.path, task)?)?;
        }
        Ok(())
    }
}

fn insert(transaction: &Transaction<'_>, entry: &Entry) -> rusqlite::Result<i64> {
    let plan = text(&*entry.plan)?;
    let hash = hash(&plan);
    transaction
        .prepare_cached("INSERT OR IGNORE INTO plans (hash, plan) VALUES (?, ?)")?
        .execute(params![hash, plan])?;
    transaction
        .prepare_cached("INSERT INTO decisions (at, routine, plan, before, input, decision) VALUES (?, ?, ?, ?, ?, ?)")?
        .execute(params![
            time(entry.at),
            entry.is_routine(),
            hash,
            text(&entry.before)?,
            text(&entry.input)?,
            text(&entry.decision)?
        ])?;
    Ok(transaction.last_insert_rowid())
}

const fn kind(action: &Action) -> &'static str {
    match action {
        Action::Switch { .. } => "switch",
        Action::Notify { .. } => "notify",
        Action::Archive => "archive",
    }
}

fn standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    Ok(Standing {
        sequence: row.get::<_, i64>("sequence")? as u64,
        at: moment(row.get("at")?),
        state: value(row, "state")?,
        pending: Vec::new(),
    })
}

/// A decision as it is stored.
pub(super) struct Raw {
    pub(super) sequence: u64,
    pub(super) at: Moment,
    /// The hash that the plan was stored under.
    pub(super) hash: String,
    /// The plan itself; `None` when somebody has removed it.
    pub(super) plan: Option<String>,
    before: String,
    input: String,
    decision: String,
}

impl Raw {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            sequence: row.get::<_, i64>("sequence")? as u64,
            at: moment(row.get("at")?),
            hash: row.get("hash")?,
            plan: row.get("plan")?,
            before: row.get("before")?,
            input: row.get("input")?,
            decision: row.get("decision")?,
        })
    }

    /// What it says, or which part of it says nothing.
    pub(super) fn parse(&self) -> Result<Recorded, (&'static str, serde_json::Error)> {
        Ok(Recorded {
            sequence: self.sequence,
            at: self.at,
            plan: self.hash.clone(),
            before: serde_json::from_str(&self.before).map_err(|error| ("the state before", error))?,
            input: serde_json::from_str(&self.input).map_err(|error| ("the input", error))?,
            decision: serde_json::from_str(&self.decision).map_err(|error| ("the decision", error))?,
        })
    }
}
