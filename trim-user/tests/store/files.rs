//! The file itself.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use trim_user::control::health::Moment;
use trim_user::control::store::{Event, Keeper, Settings, Store, StoreError, VERSION};

use super::{Place, count, sql};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn only_its_owner_may_read_it_and_what_lies_beside_it() {
    let place = Place::new();
    let mut store = place.open();
    store.event(&event(1)).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let path = place.folder.path().join(format!("trim.db{suffix}"));
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    drop(store);
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o644)).unwrap();
    drop(place.open());
    assert_eq!(mode(&place.path()), 0o600);
}

#[test]
fn it_is_written_ahead() {
    let place = Place::new();
    drop(place.open());
    let mode: String = sql(&place.path())
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn a_newer_schema_is_refused_and_left_as_it_is() {
    let place = Place::new();
    drop(place.open());
    sql(&place.path())
        .pragma_update(None, "user_version", VERSION + 1)
        .unwrap();
    let before = fs::read(place.path()).unwrap();
    let error = Store::open(&place.path()).err().unwrap();
    assert!(
        matches!(error, StoreError::Newer { found, .. } if found == VERSION + 1),
        "{error}"
    );
    for words in ["trim.db", &format!("version {}", VERSION + 1), "move the file away"] {
        assert!(error.to_string().contains(words), "{error}");
    }
    let settings = Settings::new(place.path(), std::time::Duration::ZERO);
    assert!(matches!(Keeper::start(settings), Err(StoreError::Newer { .. })));
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

#[test]
fn the_database_of_another_program_is_refused_and_left_as_it_is() {
    let place = Place::new();
    sql(&place.path())
        .execute("CREATE TABLE bookmarks (place)", [])
        .unwrap();
    let before = fs::read(place.path()).unwrap();
    let error = Store::open(&place.path()).err().unwrap();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

#[test]
fn a_reader_sees_what_a_writer_has_stored_and_cannot_write() {
    let place = Place::new();
    assert!(Store::read(&place.path()).is_err(), "there is nothing to be read");
    let mut store = place.open();
    let mut reader = Store::read(&place.path()).unwrap();
    store.event(&event(7)).unwrap();
    let events = reader.events(Moment(0), Moment(u64::MAX), 10).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event, event(7));
    assert!(reader.event(&event(8)).is_err());
}

fn event(at: u64) -> Event {
    Event {
        at: Moment(at),
        kind: "switched".to_owned(),
        who: "uid 0".to_owned(),
        why: "a test; it's \"quoted\"".to_owned(),
        what: json!({ "mode": "legacy", "share": 0.1 }),
    }
}

#[test]
fn the_latest_events_of_a_time_are_given_in_order() {
    let place = Place::new();
    let mut store = place.open();
    for at in 1..=10 {
        assert_eq!(store.event(&event(at)).unwrap(), at);
    }
    let numbers: Vec<_> = store
        .events(Moment(3), Moment(8), 4)
        .unwrap()
        .iter()
        .map(|event| event.number)
        .collect();
    assert_eq!(numbers, [5, 6, 7, 8]);
}

#[test]
fn what_is_append_only_can_be_neither_changed_nor_deleted() {
    let place = Place::new();
    let mut store = place.open();
    store.event(&event(1)).unwrap();
    store.record_decision(&super::started()).unwrap();
    let routine = super::observed(&Default::default(), Moment(2_000));
    assert!(routine.is_routine());
    store.record_decision(&routine).unwrap();
    let connection = sql(&place.path());
    for statement in [
        "UPDATE events SET who = 'nobody'",
        "DELETE FROM events",
        "UPDATE decisions SET at = 5",
        "DELETE FROM decisions WHERE routine = 0",
        "DELETE FROM decisions WHERE routine = 1",
        "UPDATE plans SET plan = '{}'",
        "DELETE FROM plans",
    ] {
        let error = connection.execute(statement, []).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{statement}: {error}");
    }
    assert_eq!(
        (count(&place.path(), "events"), count(&place.path(), "decisions")),
        (1, 2)
    );
}
