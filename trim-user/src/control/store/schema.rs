//! The schema, and how older ones become this one.

use rusqlite::{Connection, TransactionBehavior};

/// Each brings a database from the version before to its own: the first makes version 1 of an empty one.
const MIGRATIONS: [&str; 3] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
];

/// Marks a database as one of this program (`application_id`): "TRIM".
const APPLICATION: u32 = 0x5452_494d;

/// The version of the schema that this program writes.
pub const VERSION: u32 = MIGRATIONS.len() as u32;

/// What a database turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// One of this schema.
    Current,
    /// One of an earlier schema, or an empty one.
    Older(u32),
    /// One of a later schema.
    Newer(u32),
    /// Not one of this program.
    Foreign,
}

/// Tells what a database is.
pub(super) fn look(connection: &Connection) -> rusqlite::Result<Found> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
    let version = pragma("user_version")?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    Ok(if pragma("application_id")? != APPLICATION && tables > 0 {
        Found::Foreign
    } else if version > VERSION {
        Found::Newer(version)
    } else if version < VERSION {
        Found::Older(version)
    } else {
        Found::Current
    })
}

/// Brings a database to this schema, or leaves it as it was.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<Found> {
    migrate_to(connection, VERSION)
}

fn migrate_to(connection: &mut Connection, version: u32) -> rusqlite::Result<Found> {
    // Another process may be migrating: look again with the lock held.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = look(&transaction)?;
    let Found::Older(older) = found else { return Ok(found) };
    for step in &MIGRATIONS[older as usize..version as usize] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()?;
    Ok(Found::Current)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn every_earlier_version_becomes_the_present_one_and_keeps_what_it_has() {
        let mut new = Connection::open_in_memory().unwrap();
        assert_eq!(look(&new).unwrap(), Found::Older(0));
        migrate(&mut new).unwrap();
        for version in 1..VERSION {
            let mut old = Connection::open_in_memory().unwrap();
            migrate_to(&mut old, version).unwrap();
            assert_eq!(look(&old).unwrap(), Found::Older(version));
            old.execute(
                "INSERT INTO events (at, kind, who, why, what) VALUES (1, 'k', 'w', 'y', '{}')",
                [],
            )
            .unwrap();
            assert_eq!(migrate(&mut old).unwrap(), Found::Current);
            assert_eq!(schema(&old), schema(&new), "from version {version}");
            let events: u32 = old
                .query_row("SELECT count(*) FROM events", [], |row| row.get(0))
                .unwrap();
            assert_eq!(events, 1);
        }
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_to(&mut connection, 1).unwrap();
        connection.execute("CREATE TABLE aggregates (in_the_way)", []).unwrap();
        let before = schema(&connection);
        migrate(&mut connection).unwrap_err();
        assert_eq!(look(&connection).unwrap(), Found::Older(1));
        assert_eq!(schema(&connection), before);
    }

    #[test]
    fn newer_and_foreign_databases_are_left_alone() {
        let mut newer = Connection::open_in_memory().unwrap();
        migrate(&mut newer).unwrap();
        newer.pragma_update(None, "user_version", VERSION + 1).unwrap();
        assert_eq!(migrate(&mut newer).unwrap(), Found::Newer(VERSION + 1));
        let mut foreign = Connection::open_in_memory().unwrap();
        foreign.execute("CREATE TABLE bookmarks (place)", []).unwrap();
        assert_eq!(migrate(&mut foreign).unwrap(), Found::Foreign);
    }
}
