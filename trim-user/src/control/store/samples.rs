//! What was measured: samples, and their sums over minutes and hours, which are made as samples come.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::file::{Durability, During as _, Store, moment, time};
use super::measured::{self, Measured, Spread, Spreads};
use super::resolution::Resolution;
use super::tidy::tidy;
use crate::control::health::{Evidence, Health, Level, Moment, Name};

/// The score of each dimension that had one, 0 to 1.
type Scores = BTreeMap<Name, f64>;

/// A sample, or many as one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The end of its interval; of the last one when it is a sum.
    pub at: Moment,
    /// How many samples it is made of.
    pub samples: u64,
    /// The worst level among them.
    pub level: Level,
    /// The worst score of each dimension among them, 0 to 1.
    pub scores: BTreeMap<Name, f64>,
    /// What was measured; [`Evidence::absorb`] makes one of many.
    pub evidence: Evidence,
    /// Lowest, highest and mean of each value; empty when it is one sample.
    pub spreads: BTreeMap<Measured, Spread>,
}

/// One value at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When.
    pub at: Moment,
    /// The value; for an interval of many samples the mean of a state, and what the summed counts give otherwise.
    pub value: f64,
    /// The lowest in the interval.
    pub low: f64,
    /// The highest in the interval.
    pub high: f64,
}

impl Sample {
    fn of(evidence: &Evidence, health: &Health) -> Self {
        let scores = health.dimensions.iter().filter_map(|it| Some((it.name, it.score?)));
        Self {
            at: evidence.at,
            samples: 1,
            level: health.level,
            scores: scores.collect(),
            evidence: evidence.clone(),
            spreads: Spreads::new(),
        }
    }

    fn absorb(&mut self, sample: &Self) {
        self.at = sample.at;
        self.samples += sample.samples;
        self.level = self.level.max(sample.level);
        for (&name, &score) in &sample.scores {
            self.scores
                .entry(name)
                .and_modify(|worst| *worst = worst.min(score))
                .or_insert(score);
        }
        self.evidence.absorb(&sample.evidence);
        measured::absorb(&mut self.spreads, &sample.evidence);
    }

    /// One value of it; `None` when it was not measured.
    pub fn point(&self, measured: Measured) -> Option<Point> {
        let single = || measured.of(&self.evidence).map(|value| (value, value, value));
        let (value, low, high) = match self.spreads.get(&measured) {
            Some(spread) => (measured.over(&self.evidence, spread)?, spread.low, spread.high),
            None => single()?,
        };
        Some(Point {
            at: self.at,
            value,
            low,
            high,
        })
    }
}

impl Store {
    /// Stores a sample, adds it to the sums of its minute and hour, and lets go of some that are older than they are kept.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record_sample(&mut self, evidence: &Evidence, health: &Health) -> Result<(), StoreError> {
        let path = self.path.clone();
        let sample = Sample::of(evidence, health);
        let write = |store: &mut Self| {
            let transaction = store.begin(Durability::Normal)?;
            insert(&transaction, &sample)?;
            for resolution in [Resolution::Minutes, Resolution::Hours] {
                add(&transaction, &sample, resolution)?;
            }
            tidy(&transaction, evidence.at)?;
            transaction.commit()
        };
        write(self).during(&path, "store a sample")
    }

    /// The samples, or their sums, that ended between two moments, both included, in the order of time.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn samples(&self, from: Moment, to: Moment, resolution: Resolution) -> Result<Vec<Sample>, StoreError> {
        let read = || {
            let range = params![time(from), time(to)];
            if resolution == Resolution::Samples {
                let mut statement = self.connection.prepare_cached(
                    "SELECT at, 1 AS samples, level, scores, evidence, '{}' AS spreads FROM samples
                     WHERE at BETWEEN ? AND ? ORDER BY at",
                )?;
                return statement.query_map(range, sample)?.collect();
            }
            let mut statement = self.connection.prepare_cached(
                "SELECT at, samples, level, scores, evidence, spreads FROM aggregates
                 WHERE seconds = ?1 AND begins > ?2 - ?1 * 1000 AND at BETWEEN ?2 AND ?3 ORDER BY begins",
            )?;
            let seconds = resolution.interval().as_secs() as i64;
            statement
                .query_map(params![seconds, time(from), time(to)], sample)?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().during(&self.path, "read samples")
    }

    /// One measured value between two moments, in the order of time, leaving out where it was not measured.
    ///
    /// # Errors
    /// When the samples cannot be read.
    pub fn points(
        &self,
        measured: Measured,
        from: Moment,
        to: Moment,
        resolution: Resolution,
    ) -> Result<Vec<Point>, StoreError> {
        let samples = self.samples(from, to, resolution)?;
        Ok(samples.iter().filter_map(|sample| sample.point(measured)).collect())
    }

    /// The same as [`crate::control::health::Trend::of`] takes it.
    ///
    /// # Errors
    /// As [`Store::points`].
    pub fn series(
        &self,
        measured: Measured,
        from: Moment,
        to: Moment,
        resolution: Resolution,
    ) -> Result<Vec<(Moment, f64)>, StoreError> {
        let points = self.points(measured, from, to, resolution)?;
        Ok(points.into_iter().map(|point| (point.at, point.value)).collect())
    }
}

fn insert(transaction: &Transaction<'_>, sample: &Sample) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT INTO samples (at, level, scores, evidence) VALUES (?, ?, ?, ?)")?
        .execute(params![
            time(sample.at),
            text(&sample.level)?,
            text(&sample.scores)?,
            text(&sample.evidence)?
        ])?;
    Ok(())
}

/// Adds a sample to the sum of its interval. An interval is named by its begin; a sample belongs where its end lies.
fn add(transaction: &Transaction<'_>, new: &Sample, resolution: Resolution) -> rusqlite::Result<()> {
    let seconds = resolution.interval().as_secs() as i64;
    let begins = time(new.at) / (seconds * 1000) * (seconds * 1000);
    let stored = transaction
        .prepare_cached(
            "SELECT at, samples, level, scores, evidence, spreads FROM aggregates WHERE seconds = ? AND begins = ?",
        )?
        .query_row(params![seconds, begins], sample)
        .optional()
        .or_else(|error| match error {
            // A sum of another version or a damaged one: a new one is worth more than none.
            rusqlite::Error::FromSqlConversionFailure(..) => Ok(None),
            other => Err(other),
        })?;
    let sum = match stored {
        Some(mut sum) => {
            sum.absorb(new);
            sum
        }
        None => {
            let mut first = new.clone();
            measured::absorb(&mut first.spreads, &new.evidence);
            first
        }
    };
    transaction
        .prepare_cached("INSERT OR REPLACE INTO aggregates VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            seconds,
            begins,
            time(sum.at),
            sum.samples as i64,
            text(&sum.level)?,
            text(&sum.scores)?,
            text(&sum.evidence)?,
            text(&sum.spreads)?
        ])?;
    Ok(())
}

fn sample(row: &Row<'_>) -> rusqlite::Result<Sample> {
    Ok(Sample {
        at: moment(row.get("at")?),
        samples: row.get::<_, i64>("samples")? as u64,
        level: value(row, "level")?,
        scores: value::<Scores>(row, "scores")?,
        evidence: value(row, "evidence")?,
        spreads: value(row, "spreads")?,
    })
}

/// A value as the JSON that is stored.
pub(super) fn text<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// The value of a column of JSON.
pub(super) fn value<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    let index = row.as_ref().column_index(column)?;
    serde_json::from_str(&text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, error.into()))
}
