//! Copies of the database while it is written, and what a copy is worth.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::StoreError;
use super::file::During as _;
use super::schema::{self, Found};

/// How often a locked database is tried again, and after how long each time.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// What a database file turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soundness {
    /// The version of its schema.
    pub schema: u32,
    /// What SQLite's own check complains of; empty when it is sound.
    pub complaints: Vec<String>,
}

/// Copies the database to `to` as it is at one moment, while another process may write it. `to` must not exist or be empty.
///
/// # Errors
/// When the database is missing, stays locked, is damaged, or the copy cannot be written.
pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags).during(from, "open it")?;
    let mut target = Connection::open(to).during(to, "make a copy")?;
    let backup = Backup::new(&source, &mut target).during(from, "copy it")?;
    for _ in 0..ATTEMPTS {
        // All pages in one read transaction: it sees one moment, a writer is not held up by it (WAL), and no writer can
        // make it begin again.
        match backup.step(-1).during(from, "copy it")? {
            StepResult::Done => return Ok(()),
            _ => std::thread::sleep(PAUSE),
        }
    }
    let busy = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None);
    Err(busy).during(from, "copy it")
}

/// Checks a database that nobody writes, page by page.
///
/// # Errors
/// When it is no database, one of another program, or one of a newer schema.
pub fn examine(path: &Path) -> Result<Soundness, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).during(path, "open it")?;
    soundness(&connection, path)
}

/// As [`examine`], of a database that another process may write.
///
/// # Errors
/// As [`examine`].
pub fn examine_in_use(path: &Path) -> Result<Soundness, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).during(path, "open it")?;
    connection
        .busy_timeout(PAUSE)
        .during(path, "set the time to wait for locks")?;
    soundness(&connection, path)
}

fn soundness(connection: &Connection, path: &Path) -> Result<Soundness, StoreError> {
    let schema = match schema::look(connection).during(path, "read its version")? {
        Found::Current => schema::VERSION,
        Found::Older(version) => version,
        Found::Newer(found) => {
            let path = path.to_owned();
            return Err(StoreError::Newer { path, found });
        }
        Found::Foreign => return Err(StoreError::Foreign { path: path.to_owned() }),
    };
    let read = || {
        let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let mut complaints = read().during(path, "check it")?;
    complaints.retain(|line| line != "ok");
    Ok(Soundness { schema, complaints })
}

/// Whether another process has the database open.
///
/// # Errors
/// When it cannot be opened or is damaged; one that is missing is not in use.
pub fn is_in_use(path: &Path) -> Result<bool, StoreError> {
    if !path.exists() {
        return Ok(false);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).during(path, "open it")?;
    connection
        .busy_timeout(Duration::ZERO)
        .during(path, "set the time to wait for locks")?;
    // In this mode the first access takes a lock that no other connection may share (https://sqlite.org/wal.html).
    let locked = connection
        .pragma_update(None, "locking_mode", "EXCLUSIVE")
        .and_then(|()| connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK"));
    match locked {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(true),
        other => other.map(|()| false).during(path, "lock it"),
    }
}

/// Writes what is in the write-ahead log into the database itself, so that the log can go.
///
/// # Errors
/// When the database is damaged, locked, or cannot be written.
pub fn settle(path: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).during(path, "open it")?;
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    connection
        .query_row(checkpoint, [], |_| Ok(()))
        .during(path, "write its log into it")
}
