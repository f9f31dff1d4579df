//! The event log: what happened, who did it, and why. Rows are never changed and never deleted.

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::StoreError;
use super::file::{Durability, During as _, Store, moment, time};
use crate::control::health::Moment;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// What kind of thing, such as `switched`.
    pub kind: String,
    /// Who did it, such as `uid 0` or `rollout`.
    pub who: String,
    /// Why, in words.
    pub why: String,
    /// The rest.
    pub what: Value,
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedEvent {
    /// Its number, from 1; later events have higher ones.
    pub number: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Store {
    /// Appends an event and gives its number.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn event(&mut self, event: &Event) -> Result<u64, StoreError> {
        let path = self.path.clone();
        let write = |store: &mut Self| {
            let transaction = store.begin(Durability::Full)?;
            transaction
                .prepare_cached("INSERT INTO events (at, kind, who, why, what) VALUES (?, ?, ?, ?, ?)")?
                .execute(params![
                    time(event.at),
                    event.kind,
                    event.who,
                    event.why,
                    event.what.to_string()
                ])?;
            let number = transaction.last_insert_rowid();
            transaction.commit()?;
            Ok(number as u64)
        };
        write(self).during(&path, "store an event")
    }

    /// The latest events between two moments, both included, at most so many; in the order of their numbers.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn events(&self, from: Moment, to: Moment, most: usize) -> Result<Vec<LoggedEvent>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT number, at, kind, who, why, what FROM events
                 WHERE at BETWEEN ? AND ? ORDER BY number DESC LIMIT ?",
            )?;
            let rows = statement.query_map(params![time(from), time(to), most as i64], logged)?;
            let mut events: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
            events.reverse();
            Ok(events)
        };
        read().during(&self.path, "read events")
    }
}

fn logged(row: &Row<'_>) -> rusqlite::Result<LoggedEvent> {
    let what: String = row.get("what")?;
    Ok(LoggedEvent {
        number: row.get::<_, i64>("number")? as u64,
        event: Event {
            at: moment(row.get("at")?),
            kind: row.get("kind")?,
            who: row.get("who")?,
            why: row.get("why")?,
            // What somebody has damaged is still shown.
            what: serde_json::from_str(&what).unwrap_or(Value::String(what)),
        },
    })
}
