//! Every configuration that was active. Rows are never changed and never deleted.

use rusqlite::{OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::file::{Durability, During as _, Store};

/// A configuration that became active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationVersion {
    /// When, nanoseconds since 1970.
    pub at_ns: u64,
    /// Who made it so: `start`, `SIGHUP`, or a user such as `uid 0, pid 4711`.
    pub who: String,
    /// Why, in words.
    pub why: String,
    /// SHA-256 of the text, in hexadecimal.
    pub sha256: String,
    /// What was written in all its layers, as YAML; secrets as references.
    pub text: String,
}

/// One of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredConfiguration {
    /// Its number, from 1; later ones have higher ones.
    pub number: u64,
    /// The configuration.
    #[serde(flatten)]
    pub version: ConfigurationVersion,
}

/// Who makes a configuration active by starting the daemon. The same one again is no new version.
const START: &str = "start";

impl Store {
    /// Appends a version and gives its number.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn configured(&mut self, version: &ConfigurationVersion) -> Result<u64, StoreError> {
        let path = self.path.clone();
        let write = |store: &mut Self| {
            let transaction = store.begin(Durability::Full)?;
            let latest = transaction
                .query_row(
                    "SELECT number, at_ns, who, why, sha256, text FROM configurations ORDER BY number DESC LIMIT 1",
                    [],
                    stored,
                )
                .optional()?;
            if let Some(latest) = latest.filter(|it| version.who == START && it.version.sha256 == version.sha256) {
                return Ok(latest.number);
            }
            transaction.execute(
                "INSERT INTO configurations (at_ns, who, why, sha256, text) VALUES (?, ?, ?, ?, ?)",
                params![
                    i64::try_from(version.at_ns).unwrap_or(i64::MAX),
                    version.who,
                    version.why,
                    version.sha256,
                    version.text
                ],
            )?;
            let number = transaction.last_insert_rowid();
            transaction.commit()?;
            Ok(number as u64)
        };
        write(self).during(&path, "store a configuration")
    }

    /// All versions, the oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn configurations(&self) -> Result<Vec<StoredConfiguration>, StoreError> {
        let read = || {
            let mut statement = self
                .connection
                .prepare_cached("SELECT number, at_ns, who, why, sha256, text FROM configurations ORDER BY number")?;
            statement.query_map([], stored)?.collect::<rusqlite::Result<_>>()
        };
        read().during(&self.path, "read configurations")
    }

    /// The version of this number, if there is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn configuration(&self, number: u64) -> Result<Option<StoredConfiguration>, StoreError> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let found = self.connection.query_row(
            "SELECT number, at_ns, who, why, sha256, text FROM configurations WHERE number = ?",
            [number],
            stored,
        );
        found.optional().during(&self.path, "read a configuration")
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredConfiguration> {
    Ok(StoredConfiguration {
        number: row.get::<_, i64>("number")? as u64,
        version: ConfigurationVersion {
            at_ns: row.get::<_, i64>("at_ns")? as u64,
            who: row.get("who")?,
            why: row.get("why")?,
            sha256: row.get("sha256")?,
            text: row.get("text")?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(who: &str, sha256: &str) -> ConfigurationVersion {
        ConfigurationVersion {
            at_ns: 1,
            who: who.to_owned(),
            why: "test".to_owned(),
            sha256: sha256.to_owned(),
            text: format!("text of {sha256}"),
        }
    }

    #[test]
    fn versions_are_numbered_and_stay_and_the_same_start_again_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trim.db");
        let mut store = Store::open(&path).unwrap();
        let numbers: Vec<_> = [
            ("start", "a"),
            ("start", "a"),
            ("SIGHUP", "b"),
            ("uid 0", "a"),
            ("start", "a"),
            ("start", "b"),
        ]
        .map(|(who, sha256)| store.configured(&version(who, sha256)).unwrap())
        .into();
        assert_eq!(numbers, [1, 1, 2, 3, 3, 4]);
        let store = Store::read(&path).unwrap();
        assert_eq!(store.configurations().unwrap().len(), 4);
        assert_eq!(store.configuration(2).unwrap().unwrap().version, version("SIGHUP", "b"));
        assert_eq!(store.configuration(9).unwrap(), None);
        drop(store);
        let store = Store::open(&path).unwrap();
        for statement in ["DELETE FROM configurations", "UPDATE configurations SET who = 'x'"] {
            store.connection.execute(statement, []).unwrap_err();
        }
    }
}
