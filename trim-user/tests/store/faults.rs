//! What goes wrong with disks. Traffic is taken back in time, and what was decided is written when it can be.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use trim_user::control::health::Moment;
use trim_user::control::rollout::{State, Status};
use trim_user::control::store::{ConfigurationVersion, Event, Keeper, Resolution, Settings, Store, Which};

use super::{Place, evidence, health, observed, rolled_back, sql, started};

/// Long enough for anything to happen that ever will.
const LONG: Duration = Duration::from_secs(60);

fn settings(path: &Path) -> Settings {
    Settings {
        retry: Duration::from_millis(5),
        ..Settings::new(path.to_owned(), LONG)
    }
}

fn status(path: &Path) -> Status {
    Store::read(path).unwrap().load_state().unwrap().unwrap().state.status
}

fn event() -> Event {
    Event {
        at: Moment(1),
        kind: "test".to_owned(),
        who: "uid 0".to_owned(),
        why: "because".to_owned(),
        what: json!({}),
    }
}

#[test]
fn a_healthy_disk_has_a_decision_before_it_is_acted_upon() {
    let place = Place::new();
    let (keeper, loaded) = Keeper::start(settings(&place.path())).unwrap();
    assert!(loaded.standing.is_none() && loaded.problem.is_none());
    let ticket = keeper.decided(started());
    assert_eq!(ticket.sequence(), Some(1));
    assert_eq!(status(&place.path()), Status::InProgress);
    keeper.acted(&ticket);
    keeper.sample(&evidence(Moment(5_000), 10), &health(&evidence(Moment(5_000), 10)));
    keeper.event(event());
    assert!(keeper.finish(LONG));
    let (keeper, loaded) = Keeper::start(settings(&place.path())).unwrap();
    let standing = loaded.standing.unwrap();
    assert_eq!((standing.state, standing.pending), (started().decision.state, vec![]));
    assert!(keeper.finish(LONG));
    let store = place.open();
    assert_eq!(
        store
            .samples(Moment(0), Moment(9_999), Resolution::Samples)
            .unwrap()
            .len(),
        1
    );
    assert_eq!(store.events(Moment(0), Moment(9_999), 9).unwrap()[0].event, event());
}

#[test]
fn actions_of_an_earlier_process_can_be_reported_as_done() {
    let place = Place::new();
    place.open().record_decision(&rolled_back()).unwrap();
    let (keeper, loaded) = Keeper::start(settings(&place.path())).unwrap();
    let pending = loaded.standing.unwrap().pending;
    assert!(!pending.is_empty());
    keeper.acted_on_pending(pending[0].sequence);
    assert!(keeper.finish(LONG));
    assert_eq!(place.open().load_state().unwrap().unwrap().pending, []);
}

#[test]
fn a_locked_database_is_waited_for_only_so_long_and_written_afterwards() {
    let place = Place::new();
    drop(place.open());
    let locked = sql(&place.path());
    locked.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let mut settings = settings(&place.path());
    settings.wait = Duration::from_millis(20);
    let (keeper, loaded) = Keeper::start(settings).unwrap();
    assert!(loaded.problem.is_none(), "{:?}", loaded.problem);
    let ticket = keeper.decided(rolled_back());
    assert_eq!(ticket.sequence(), None, "nobody can have written it");
    keeper.acted(&ticket);
    assert!(keeper.condition().waiting >= 1);
    locked.execute_batch("COMMIT").unwrap();
    assert!(keeper.flush(LONG));
    assert_eq!(
        (ticket.sequence(), status(&place.path())),
        (Some(1), Status::RolledBack)
    );
    assert_eq!(keeper.condition().lost, 0);
    assert_eq!(place.open().load_state().unwrap().unwrap().pending, []);
}

#[test]
fn a_file_that_is_no_database_is_kept_aside_and_a_new_one_begun() {
    let place = Place::new();
    fs::write(place.path(), vec![b'x'; 8192]).unwrap();
    let (keeper, loaded) = Keeper::start(settings(&place.path())).unwrap();
    assert!(loaded.standing.is_none() && loaded.problem.is_none());
    assert!(keeper.decided(rolled_back()).sequence().is_some());
    assert!(keeper.finish(LONG));
    assert_eq!(status(&place.path()), Status::RolledBack);
    let [aside] = &damaged(&place)[..] else {
        panic!("one file is kept")
    };
    assert_eq!(fs::read(aside).unwrap(), vec![b'x'; 8192]);
    let events = place.open().events(Moment(0), Moment(u64::MAX), 9).unwrap();
    assert_eq!(events[0].event.kind, "database_replaced");
    assert!(events[0].event.why.contains("damaged-"), "{events:?}");
}

fn damaged(place: &Place) -> Vec<PathBuf> {
    let files = fs::read_dir(place.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.contains("damaged-") && !name.ends_with("-wal") && !name.ends_with("-shm")
        })
        .collect()
}

/// Brings everything into the file itself and overwrites that, all but the page that says what it is; writes until it is noticed.
fn damage(place: &Place, keeper: &Keeper) {
    sql(&place.path())
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let mut bytes = fs::read(place.path()).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(place.path(), &bytes).unwrap();
    let sample = evidence(Moment(5_000), 10);
    while keeper.condition().moved_aside.is_empty() {
        keeper.sample(&sample, &health(&sample));
        assert!(keeper.flush(LONG));
    }
}

#[test]
fn a_file_damaged_while_it_is_written_is_replaced_by_one_that_knows_the_last_decision() {
    let place = Place::new();
    let (keeper, _) = Keeper::start(settings(&place.path())).unwrap();
    let ticket = keeper.decided(started());
    keeper.acted(&ticket);
    assert!(keeper.flush(LONG));
    damage(&place, &keeper);
    let condition = keeper.condition();
    assert!(condition.errors >= 1 && condition.failing.is_none(), "{condition:?}");
    assert_eq!(condition.moved_aside, damaged(&place));
    let standing = Store::read(&place.path()).unwrap().load_state().unwrap().unwrap();
    assert_eq!((standing.state, standing.pending), (started().decision.state, vec![]));
    let second = keeper.decided(rolled_back());
    assert!(second.sequence().is_some());
    assert!(keeper.finish(LONG));
    assert_eq!(status(&place.path()), Status::RolledBack);
}

fn configuration(who: &str) -> ConfigurationVersion {
    ConfigurationVersion {
        at_ns: 1,
        who: who.to_owned(),
        why: String::new(),
        sha256: who.to_owned(),
        text: format!("# by {who}\n"),
    }
}

/// `trim config history` was empty after it, and `trim config rollback` had nothing to go back to.
#[test]
fn a_new_file_begins_with_the_configuration_that_is_active() {
    let place = Place::new();
    let (keeper, _) = Keeper::start(settings(&place.path())).unwrap();
    let log = keeper.log();
    log.configured(configuration("start"));
    log.configured(configuration("SIGHUP"));
    assert!(keeper.flush(LONG));
    damage(&place, &keeper);
    let number = log.configured(configuration("uid 0"));
    assert!(keeper.finish(LONG));
    assert_eq!(number.recv(), Ok(2));
    let stored = place.open().configurations().unwrap();
    let versions: Vec<_> = stored.into_iter().map(|it| (it.number, it.version)).collect();
    assert_eq!(versions, [(1, configuration("SIGHUP")), (2, configuration("uid 0"))]);
}

#[test]
fn a_file_somebody_removes_is_made_again_with_the_last_decision() {
    let place = Place::new();
    let (keeper, _) = Keeper::start(settings(&place.path())).unwrap();
    keeper.decided(rolled_back());
    for file in fs::read_dir(place.folder.path()).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    keeper.event(event());
    assert!(keeper.finish(LONG));
    assert_eq!(status(&place.path()), Status::RolledBack);
    let events = place.open().events(Moment(0), Moment(u64::MAX), 9).unwrap();
    assert_eq!(events.iter().filter(|it| it.event.kind == "test").count(), 1);
    assert_eq!(
        events.iter().filter(|it| it.event.kind == "database_replaced").count(),
        1
    );
}

#[test]
fn what_waits_for_a_disk_is_bounded_and_the_last_state_is_among_it() {
    let place = Place::new();
    // Where the folder should be lies a file.
    let folder = place.folder.path().join("folder");
    fs::write(&folder, "").unwrap();
    let path = folder.join("trim.db");
    let mut settings = settings(&path);
    settings.most_waiting = 10;
    let (keeper, loaded) = Keeper::start(settings).unwrap();
    assert!(loaded.problem.unwrap().to_string().contains("folder must exist"));
    keeper.decided(started());
    let sample = evidence(Moment(5_000), 10);
    for second in 0..100 {
        keeper.sample(&sample, &health(&sample));
        keeper.decided(observed(&State::default(), Moment(second * 5_000)));
    }
    let back = keeper.decided(rolled_back());
    let condition = keeper.condition();
    assert!(condition.failing.is_some() && condition.waiting <= 11, "{condition:?}");
    assert_eq!(condition.lost + condition.waiting as u64, 202);
    fs::remove_file(&folder).unwrap();
    assert!(keeper.flush(LONG));
    assert!(back.sequence().is_some());
    assert_eq!(status(&path), Status::RolledBack);
    assert_eq!(
        Store::read(&path).unwrap().decisions(Which::Notable(9)).unwrap().len(),
        2
    );
}

/// Set for the process in a mount namespace of its own: the folder for the small disk.
const SMALL_DISK: &str = "TRIM_TEST_STORE_DISK";

/// Runs a test of this binary in a mount namespace, with a disk of its own; the mount is gone with the namespace.
fn on_a_small_disk(name: &str, inhabitant: &str, proof: &str) {
    if !xtask::lab::require_root(name) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=1M small \"$TRIM_TEST_STORE_DISK\" && exec \"$0\" --exact \"$1\" --nocapture";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script])
        .arg(env::current_exe().unwrap())
        .arg(inhabitant)
        .env(SMALL_DISK, folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains(proof), "the test inside did not run: {text}");
}

/// Not a test of its own: runs on a disk of 1 MiB.
#[test]
fn inhabitant_of_a_full_disk() {
    let Some(folder) = env::var_os(SMALL_DISK).map(PathBuf::from) else {
        return;
    };
    let path = folder.join("trim.db");
    let (keeper, _) = Keeper::start(settings(&path)).unwrap();
    keeper.decided(started());
    let filler = folder.join("filler");
    // Whatever is left, to the last byte.
    let _full = fs::write(&filler, vec![0; 2 << 20]).unwrap_err();
    let sample = evidence(Moment(5_000), 10);
    while keeper.condition().failing.is_none() {
        keeper.sample(&sample, &health(&sample));
        // One at a time: what waits has to fit the disk when it is empty again.
        keeper.flush(Duration::from_millis(200));
    }
    let ticket = keeper.decided(rolled_back());
    assert_eq!(ticket.sequence(), None);
    let full = keeper.condition();
    assert!(full.failing.unwrap().contains("full"));
    assert!(full.moved_aside.is_empty());
    fs::remove_file(&filler).unwrap();
    assert!(keeper.flush(LONG));
    assert!(ticket.sequence().is_some());
    assert_eq!(status(&path), Status::RolledBack);
    let after = keeper.condition();
    assert!(after.failing.is_none() && after.lost == 0, "{after:?}");
    assert_eq!(Store::read(&path).unwrap().replay(Which::All).unwrap().differences, []);
    println!("\nfull disk: {} tries failed", after.errors);
}

#[test]
fn a_full_disk_delays_what_is_stored_and_nothing_else() {
    on_a_small_disk(
        "a_full_disk_delays_what_is_stored_and_nothing_else",
        "faults::inhabitant_of_a_full_disk",
        "full disk: ",
    );
}

/// Not a test of its own: runs on a disk that can only be read for a while.
#[test]
fn inhabitant_of_a_read_only_disk() {
    let Some(folder) = env::var_os(SMALL_DISK).map(PathBuf::from) else {
        return;
    };
    let remount = |how: &str| {
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", how]).arg(&folder).status().unwrap().success());
    };
    let path = folder.join("trim.db");
    Store::open(&path).unwrap().record_decision(&started()).unwrap();
    remount("remount,ro");
    let (keeper, loaded) = Keeper::start(settings(&path)).unwrap();
    let ticket = keeper.decided(rolled_back());
    assert_eq!(ticket.sequence(), None);
    let condition = keeper.condition();
    assert!(
        condition.failing.is_some() && condition.moved_aside.is_empty(),
        "{condition:?}"
    );
    remount("remount,rw");
    assert!(keeper.flush(LONG));
    assert_eq!((ticket.sequence(), status(&path)), (Some(2), Status::RolledBack));
    println!("\nread only: {:?}", loaded.problem.map(|problem| problem.to_string()));
}

#[test]
fn a_read_only_disk_delays_what_is_stored_and_nothing_else() {
    on_a_small_disk(
        "a_read_only_disk_delays_what_is_stored_and_nothing_else",
        "faults::inhabitant_of_a_read_only_disk",
        "read only: ",
    );
}
