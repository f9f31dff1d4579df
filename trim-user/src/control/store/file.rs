//! The database file: opening it, and how its transactions are made.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::error::StoreError;
use super::schema::{self, Found};

/// Only the daemon's user may read what was captured and decided.
const MODE: u32 = 0o600;
/// For so long a lock of another process is waited for.
const BUSY: Duration = Duration::from_secs(1);
/// The write-ahead log is cut back to this after it has grown, bytes.
const LOG_LIMIT: u32 = 16 << 20;

/// The database. Each method is one transaction: it is done wholly or not at all.
pub struct Store {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    durability: Durability,
}

/// What a power failure may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// The last seconds.
    Normal,
    /// Nothing that was written.
    Full,
}

impl Store {
    /// Opens the database for reading and writing; makes it, and its folder, when it is missing, and brings an older schema
    /// up to date. Its mode is 0600 afterwards.
    ///
    /// # Errors
    /// When it cannot be opened, is damaged, is of a newer schema, or is not a database of this program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        make(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).during(path, "open it")?;
        connection
            .busy_timeout(BUSY)
            .during(path, "set the time to wait for locks")?;
        // Nothing is written to a database before it is known to be one of ours.
        let found = schema::look(&connection).during(path, "read its version")?;
        accept(path, found, true)?;
        configure(&connection).during(path, "set it up")?;
        if found != Found::Current {
            let found = schema::migrate(&mut connection).during(path, "bring its schema up to date")?;
            accept(path, found, false)?;
        }
        Ok(Self {
            connection,
            path: path.to_owned(),
            durability: Durability::Full,
        })
    }

    /// Opens the database to be read only, while another process may write it.
    ///
    /// # Errors
    /// As [`Store::open`]; also when it is missing or its schema is older.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).during(path, "open it")?;
        connection
            .busy_timeout(BUSY)
            .during(path, "set the time to wait for locks")?;
        let found = schema::look(&connection).during(path, "read its version")?;
        accept(path, found, false)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            durability: Durability::Full,
        })
    }

    /// A transaction that will write.
    pub(super) fn begin(&mut self, durability: Durability) -> rusqlite::Result<Transaction<'_>> {
        if self.durability != durability {
            // https://sqlite.org/pragma.html#pragma_synchronous: it cannot be changed within a transaction.
            let level = match durability {
                Durability::Normal => "NORMAL",
                Durability::Full => "FULL",
            };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.durability = durability;
        }
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
    }
}

fn accept(path: &Path, found: Found, may_be_older: bool) -> Result<(), StoreError> {
    let path = path.to_owned();
    match found {
        Found::Current => Ok(()),
        Found::Older(_) if may_be_older => Ok(()),
        Found::Older(found) => Err(StoreError::Older { path, found }),
        Found::Newer(found) => Err(StoreError::Newer { path, found }),
        Found::Foreign => Err(StoreError::Foreign { path }),
    }
}

/// Makes the file with its mode, before SQLite would with another. SQLite gives the same to the files it puts beside it.
fn make(path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::Create {
        path: path.to_owned(),
        error,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    // Not for writing: a file that can only be read at the moment is opened all the same, and written later.
    match fs::metadata(path) {
        Ok(metadata) if metadata.permissions().mode() & 0o777 == MODE => Ok(()),
        Ok(_) => fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(failed),
        Err(_) => {
            let made = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(MODE)
                .open(path);
            made.map(drop).map_err(failed)
        }
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Answers with the value.
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_LIMIT, |_| Ok(()))
}

/// Says what was tried when it failed.
pub(super) trait During<T> {
    fn during(self, path: &Path, task: &'static str) -> Result<T, StoreError>;
}

impl<T> During<T> for rusqlite::Result<T> {
    fn during(self, path: &Path, task: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::Database {
            path: path.to_owned(),
            task,
            error,
        })
    }
}

/// A moment as SQLite keeps it. Later than the year 292 277 026 is as good as never.
pub(super) fn time(moment: crate::control::health::Moment) -> i64 {
    i64::try_from(moment.0).unwrap_or(i64::MAX)
}

/// And back.
pub(super) fn moment(time: i64) -> crate::control::health::Moment {
    crate::control::health::Moment(u64::try_from(time).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synchronous(store: &Store) -> u32 {
        let value = store
            .connection
            .pragma_query_value(None, "synchronous", |row| row.get(0));
        value.unwrap()
    }

    #[test]
    fn durability_is_that_of_the_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("trim.db")).unwrap();
        for (durability, level) in [(Durability::Normal, 1), (Durability::Full, 2), (Durability::Normal, 1)] {
            drop(store.begin(durability).unwrap());
            assert_eq!(synchronous(&store), level);
        }
    }
}
