//! Putting backups back.

use std::os::unix::net::UnixListener;

use trim_user::control::store::VERSION;

use crate::*;

#[test]
fn a_restored_state_is_that_of_the_backup_and_the_old_one_is_kept_aside() {
    let place = Place::new();
    let mut store = place.database();
    write(&mut store, 1..=10);
    let archive = place.backup(&[]);
    write(&mut store, 11..=20);
    drop(store);
    let configuration = std::fs::read(place.at("trim.yaml")).unwrap();
    std::fs::write(place.at("trim.yaml"), "broken").unwrap();
    let output = restore(&archive);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(events(&place.database()).len(), 10);
    assert_eq!(std::fs::read(place.at("trim.yaml")).unwrap(), configuration);
    let aside = |name: &str| {
        let names = std::fs::read_dir(place.folder.path()).unwrap().flatten();
        let mut names = names.map(|entry| entry.file_name().into_string().unwrap());
        let found = names.find(|it| it.starts_with(&format!("{name}.before-")) && !it.ends_with("-wal"));
        place.at(&found.unwrap())
    };
    assert_eq!(std::fs::read(aside("trim.yaml")).unwrap(), b"broken");
    assert_eq!(events(&Store::open(&aside("trim.db")).unwrap()).len(), 20);
}

#[test]
fn what_was_still_in_the_log_of_the_old_database_is_kept_and_not_mixed_into_the_new() {
    let place = Place::new();
    let mut store = place.database();
    write(&mut store, 1..=1);
    let archive = place.backup(&[]);
    write(&mut store, 2..=30);
    // As after a kill: the log is left beside the database.
    for ending in ["", "-wal"] {
        std::fs::copy(
            place.at(&format!("trim.db{ending}")),
            place.at(&format!("killed.db{ending}")),
        )
        .unwrap();
    }
    drop(store);
    for ending in ["", "-wal"] {
        std::fs::rename(
            place.at(&format!("killed.db{ending}")),
            place.at(&format!("trim.db{ending}")),
        )
        .unwrap();
    }
    let output = trim("restore").arg("--json").arg(&archive).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(events(&place.database()), [1]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = answer["files"].as_array().unwrap();
    let before = files.iter().find(|file| file["kind"] == "database").unwrap()["before"].as_str();
    assert_eq!(events(&Store::open(Path::new(before.unwrap())).unwrap()).len(), 30);
}

#[test]
fn nothing_is_restored_under_a_running_daemon() {
    let place = Place::new();
    let store = place.database();
    let archive = place.backup(&[]);
    let refused = |what: &str| {
        let output = restore(&archive);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let error = stderr(&output);
        assert!(
            error.contains("a daemon uses") && error.contains(what) && error.contains("trim stop"),
            "{error}"
        );
    };
    refused("trim.db");
    drop(store);
    let listener = UnixListener::bind(place.at("trim.sock")).unwrap();
    refused("trim.sock");
    drop(listener);
    // The file of a dead daemon's socket is no daemon.
    assert!(restore(&archive).status.success());
}

#[test]
fn a_backup_of_an_older_schema_is_brought_up_to_date() {
    let place = Place::new();
    let connection = rusqlite::Connection::open(place.at("trim.db")).unwrap();
    connection
        .execute_batch(include_str!("../../src/control/store/schema/1.sql"))
        .unwrap();
    connection.pragma_update(None, "application_id", 0x5452_494d).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let insert = "INSERT INTO events (at, kind, who, why, what) VALUES (1, 'k', 'w', 'y', '{}')";
    connection.execute(insert, []).unwrap();
    drop(connection);
    let archive = place.backup(&[]);
    std::fs::remove_file(place.at("trim.db")).unwrap();
    let output = restore(&archive);
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains(&format!("from schema 1 to {VERSION}")), "{told}");
    assert_eq!(events(&Store::read(&place.at("trim.db")).unwrap()), [1]);
}

#[test]
fn backups_of_newer_programs_are_refused_and_change_nothing() {
    let place = Place::new();
    drop(place.database());
    let archive = place.backup(&[]);
    let before = std::fs::read(place.at("trim.db")).unwrap();
    let refused = |what: &str| {
        let output = restore(&archive);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(stderr(&output).contains(what), "{output:?}");
        assert_eq!(std::fs::read(place.at("trim.db")).unwrap(), before);
        let left = std::fs::read_dir(place.folder.path()).unwrap().flatten();
        let left: Vec<_> = left
            .map(|entry| entry.file_name())
            .filter(|name| name.to_string_lossy().contains("restoring"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    };
    with_manifest(&archive, |manifest| manifest["format"] = 2.into());
    refused("in format 2, and this program knows up to 1");

    // A database of a newer schema in an archive whose hashes are right.
    let mut files = unpack(&archive);
    let newer = place.at("newer.db");
    std::fs::write(&newer, &files.last().unwrap().1).unwrap();
    let connection = rusqlite::Connection::open(&newer).unwrap();
    connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
    connection
        .pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .unwrap();
    drop(connection);
    let content = std::fs::read(&newer).unwrap();
    std::fs::remove_file(&newer).unwrap();
    files.last_mut().unwrap().1.clone_from(&content);
    pack(&archive, &files);
    with_manifest(&archive, |manifest| {
        manifest["format"] = 1.into();
        let database = manifest["items"].as_array_mut().unwrap().last_mut().unwrap();
        database["bytes"] = content.len().into();
        database["sha256"] = sha256(&content).into();
    });
    refused(&format!("schema {}", VERSION + 1));
}

fn sha256(content: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn an_archive_cannot_lead_out_of_its_place() {
    let place = Place::new();
    let archive = place.backup(&[]);
    for origin in ["relative", "/a/../../etc/passwd", "/"] {
        with_manifest(&archive, |manifest| manifest["items"][0]["origin"] = origin.into());
        let output = restore(&archive);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(stderr(&output).contains("is no place for a file"), "{output:?}");
    }
}
