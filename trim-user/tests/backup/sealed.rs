//! Encrypted backups: who has the identity can do everything with them, and nobody else anything.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use age::secrecy::ExposeSecret as _;
use serde_json::Value;

use super::{Place, events, stderr, trim, write};

/// A place with a database and two identities, `mine` and `theirs`; gives the recipient of `mine`, too.
fn place() -> (Place, String) {
    let place = Place::new();
    write(&mut place.database(), 1..=50);
    let [mine, theirs] = [age::x25519::Identity::generate(), age::x25519::Identity::generate()];
    for (name, identity) in [("mine", &mine), ("theirs", &theirs)] {
        let path = place.at(name);
        std::fs::write(&path, identity.to_string().expose_secret()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    (place, mine.to_public().to_string())
}

/// `trim backup WORD PATH`, with this identity or none.
fn with(word: &str, path: &Path, identity: Option<&Path>) -> Output {
    let mut command = trim(word);
    command
        .env_remove("TRIM_IDENTITY_FILE")
        .env_remove("CREDENTIALS_DIRECTORY");
    match word {
        "list" => command.arg("--json").arg("--directory").arg(path),
        _ => command.arg(path),
    };
    if let Some(identity) = identity {
        command.arg("--identity").arg(identity);
    }
    command.output().unwrap()
}

/// Every file of a place with its content, but for those in `backups`.
fn files(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for folder in ["", "conf.d", "alerts"] {
        for entry in std::fs::read_dir(place.at(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn what_is_encrypted_is_restored_by_the_one_it_is_for() {
    let (place, recipient) = place();
    let archive = place.backup(&["--include-secrets", "--encrypt-to", &recipient]);
    assert!(archive.display().to_string().ends_with(".tar.zst.age"), "{archive:?}");
    assert_eq!(archive.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&archive).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
    assert_eq!(
        std::fs::read_dir(place.at("backups")).unwrap().count(),
        1,
        "nothing plain is left"
    );

    let mine = place.at("mine");
    let listed = with("list", &place.at("backups"), Some(&mine));
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(
        (&listed[0]["encrypted"], &listed[0]["manifest"]["has_secrets"]),
        (&Value::Bool(true), &Value::Bool(true)),
        "{listed}"
    );
    let verified = with("verify", &archive, Some(&mine));
    assert!(verified.status.success(), "{verified:?}");

    let password = std::fs::read(place.at("password")).unwrap();
    std::fs::remove_file(place.at("password")).unwrap();
    std::fs::write(place.at("trim.yaml"), "overwritten").unwrap();
    write(&mut place.database(), 51..=60);
    let restored = with("restore", &archive, Some(&mine));
    assert!(restored.status.success(), "{restored:?}");
    assert_eq!(std::fs::read(place.at("password")).unwrap(), password);
    assert!(
        std::fs::read_to_string(place.at("trim.yaml"))
            .unwrap()
            .contains("control:")
    );
    assert_eq!(events(&place.database()), (1..=50).collect::<Vec<_>>());
}

#[test]
fn the_wrong_identity_and_none_say_so_and_change_nothing() {
    let (place, recipient) = place();
    let archive = place.backup(&["--encrypt-to", &recipient]);
    std::fs::write(place.at("trim.yaml"), "later: than the backup\n").unwrap();
    let before = files(&place);
    let theirs = place.at("theirs");
    for word in ["verify", "restore"] {
        let wrong = with(word, &archive, Some(&theirs));
        let said = stderr(&wrong);
        assert_eq!(wrong.status.code(), Some(2), "{said}");
        assert!(
            said.contains("was not encrypted for the identity in") && said.contains("--identity FILE"),
            "{said}"
        );
        let none = with(word, &archive, None);
        let said = stderr(&none);
        assert_eq!(none.status.code(), Some(2), "{said}");
        assert!(said.contains("there is no identity to open it"), "{said}");
    }
    assert_eq!(files(&place), before);
    let listed = with("list", &place.at("backups"), Some(&theirs));
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let error = listed[0]["error"].as_str().unwrap();
    assert!(error.contains("was not encrypted for"), "{listed}");
}

#[test]
fn damage_shows_wherever_it_is() {
    let (place, recipient) = place();
    let archive = place.backup(&["--encrypt-to", &recipient]);
    let (bytes, before) = (std::fs::read(&archive).unwrap(), files(&place));
    let mine = place.at("mine");
    let mut last = bytes.clone();
    *last.last_mut().unwrap() ^= 1;
    let mut middle = bytes.clone();
    middle[bytes.len() / 2] ^= 1;
    for damaged in [&last[..], &middle, &bytes[..bytes.len() - 1], &bytes[..bytes.len() / 2]] {
        std::fs::write(&archive, damaged).unwrap();
        let verified = with("verify", &archive, Some(&mine));
        assert_eq!(verified.status.code(), Some(1), "{}", stderr(&verified));
        assert!(
            stderr(&verified).contains("is no sound backup"),
            "{}",
            stderr(&verified)
        );
        assert!(!with("restore", &archive, Some(&mine)).status.success());
    }
    assert_eq!(files(&place), before);
}

#[test]
fn both_forms_are_kept_count_and_go_by_age() {
    let (place, recipient) = place();
    let recipients = place.at("recipients");
    std::fs::write(&recipients, format!("# the operators\n{recipient}\n")).unwrap();
    let file = recipients.display().to_string();
    let first = place.backup(&["--recipients-file", &file]);
    let second = place.backup(&[]);
    let third = place.backup(&["--recipients-file", &file, "--keep", "2"]);
    assert!(!first.exists() && second.exists() && third.exists());
    let wrong = place.create(&["--encrypt-to", "age1nonsense"]);
    assert!(stderr(&wrong).contains("age1nonsense is no recipient"), "{wrong:?}");
    assert_eq!(std::fs::read_dir(place.at("backups")).unwrap().count(), 2);
}
