//! Encrypted configurations and secrets are used as plain ones are, and what is wrong with them is said.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests fail the test")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use age::secrecy::ExposeSecret as _;
use tempfile::TempDir;

/// A folder with two identities, `mine` and `theirs`.
struct Place {
    folder: TempDir,
    mine: String,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [mine, theirs] = [age::x25519::Identity::generate(), age::x25519::Identity::generate()];
        let place = Self {
            folder,
            mine: mine.to_public().to_string(),
        };
        place.write("mine", mine.to_string().expose_secret(), 0o600);
        place.write("theirs", theirs.to_string().expose_secret(), 0o600);
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.at(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn trim(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trim"));
        command.current_dir(self.folder.path()).args(words);
        command
            .env_remove("TRIM_IDENTITY_FILE")
            .env_remove("CREDENTIALS_DIRECTORY");
        command.output().unwrap()
    }

    /// What it prints when all goes well.
    #[track_caller]
    fn good(&self, words: &[&str]) -> Vec<u8> {
        let output = self.trim(words);
        assert!(
            output.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    /// What it says when it refuses.
    #[track_caller]
    fn refused(&self, words: &[&str], code: i32) -> String {
        let output = self.trim(words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
        said
    }

    /// Puts a file into its encrypted form, for `mine`.
    fn encrypt(&self, name: &str) {
        self.good(&["config", "encrypt", name, "--recipient", &self.mine, "--in-place"]);
    }
}

fn log_file(folder: &Path) -> String {
    format!(
        "alerts:\n  directory: {0}/alerts\n  channels:\n    log_file:\n      - {{name: log, path: {0}/log.json}}\n",
        folder.display()
    )
}

#[test]
fn what_is_encrypted_is_decrypted_by_its_identity_and_by_no_other() {
    let place = Place::new();
    place.write("plain", "the content\n", 0o644);
    let armor = String::from_utf8(place.good(&["config", "encrypt", "plain", "--recipient", &place.mine])).unwrap();
    assert!(armor.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"), "{armor}");
    place.write("sealed", &armor, 0o644);
    assert_eq!(
        place.good(&["config", "decrypt", "sealed", "--identity", "mine"]),
        b"the content\n"
    );
    let wrong = place.refused(&["config", "decrypt", "sealed", "--identity", "theirs"], 2);
    assert!(
        wrong.contains("was not encrypted for the identity in theirs"),
        "{wrong}"
    );
    let missing = place.refused(&["config", "decrypt", "sealed"], 2);
    assert!(
        missing.contains("--identity") && missing.contains("TRIM_IDENTITY_FILE"),
        "{missing}"
    );
    fs::set_permissions(place.at("mine"), fs::Permissions::from_mode(0o644)).unwrap();
    let open = place.refused(&["config", "decrypt", "sealed", "--identity", "mine"], 2);
    assert!(open.contains("chmod 600 mine"), "{open}");
    place.write("sealed", &armor[..armor.len() / 2], 0o644);
    fs::set_permissions(place.at("mine"), fs::Permissions::from_mode(0o600)).unwrap();
    place.refused(&["config", "decrypt", "sealed", "--identity", "mine"], 2);
}

#[test]
fn a_passphrase_comes_from_a_closed_file_and_never_from_an_argument() {
    let place = Place::new();
    place.write("plain", "the content\n", 0o644);
    place.write("phrase", "correct horse battery\n", 0o600);
    place.write("recipients", &format!("# us\n{}\n", place.mine), 0o644);
    place.good(&[
        "config",
        "encrypt",
        "plain",
        "--passphrase-file",
        "phrase",
        "-o",
        "sealed",
    ]);
    assert_eq!(
        fs::metadata(place.at("sealed")).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        place.good(&["config", "decrypt", "sealed", "--passphrase-file", "phrase"]),
        b"the content\n"
    );
    place.write("phrase", "wrong horse battery\n", 0o600);
    let wrong = place.refused(&["config", "decrypt", "sealed", "--passphrase-file", "phrase"], 2);
    assert!(
        wrong.contains("passphrase does not open") && !wrong.contains("horse"),
        "{wrong}"
    );
    place.write("phrase", "correct horse battery\n", 0o644);
    assert!(
        place
            .refused(&["config", "decrypt", "sealed", "--passphrase-file", "phrase"], 2)
            .contains("chmod 600")
    );
    place.refused(&["config", "encrypt", "plain", "--passphrase", "correct horse"], 2);
    // No terminal, nobody to ask.
    assert!(
        place
            .refused(&["config", "encrypt", "plain"], 2)
            .contains("--passphrase-file")
    );
    place.good(&[
        "config",
        "encrypt",
        "plain",
        "--recipients-file",
        "recipients",
        "--in-place",
    ]);
    assert!(
        place
            .refused(&["config", "encrypt", "plain", "--recipient", &place.mine], 2)
            .contains("already")
    );
    place.good(&["config", "decrypt", "plain", "--identity", "mine", "--in-place"]);
    assert_eq!(fs::read(place.at("plain")).unwrap(), b"the content\n");
}

#[test]
fn an_encrypted_configuration_is_used_as_a_plain_one() {
    let place = Place::new();
    place.write("trim.yaml", &log_file(place.folder.path()), 0o644);
    place.encrypt("trim.yaml");
    let test = ["alert", "test", "--config", "trim.yaml"];
    let missing = place.refused(&test, 2);
    assert!(
        missing.contains("trim.yaml is encrypted, and there is no identity"),
        "{missing}"
    );
    place.good(&[&test[..], &["--identity", "mine"]].concat());
    assert!(place.at("log.json").exists());
    // What is wrong in it is told with its place.
    place.write("bad.yaml", "alerts:\n  repeat: never\n", 0o644);
    place.encrypt("bad.yaml");
    let wrong = place.refused(&["alert", "test", "--config", "bad.yaml", "--identity", "mine"], 2);
    assert!(wrong.contains("bad.yaml:2:11: alerts.repeat"), "{wrong}");
}

#[test]
fn an_encrypted_secret_reaches_the_server_it_is_for_and_an_open_one_is_refused() {
    let place = Place::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let listening = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    });
    place.write(
        "trim.yaml",
        &format!(
            "alerts:\n  channels:\n    webhook:\n      - {{name: hook, url: 'http://{address}/', token: '${{file:{}}}'}}\n",
            place.at("token").display()
        ),
        0o644,
    );
    let test = ["alert", "test", "--config", "trim.yaml", "--identity", "mine"];
    // Plain, and open to others.
    place.write("token", "a-planted-token", 0o644);
    let open = place.trim(&test);
    let said = String::from_utf8_lossy(&open.stdout).into_owned() + &String::from_utf8_lossy(&open.stderr);
    assert!(!open.status.success() && said.contains("chmod 600"), "{said}");
    assert!(!said.contains("a-planted-token"), "{said}");
    place.encrypt("token");
    place.good(&test);
    let request = listening.join().unwrap();
    assert!(request.contains("Bearer a-planted-token"), "{request}");
}

#[test]
fn a_credential_of_systemd_is_an_identity_and_a_secret() {
    let place = Place::new();
    place.write("trim.yaml", &log_file(place.folder.path()), 0o644);
    place.encrypt("trim.yaml");
    let credentials = place.at("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::rename(place.at("mine"), credentials.join("trim-identity")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_trim"))
        .args(["alert", "test", "--config"])
        .arg(place.at("trim.yaml"))
        .env_remove("TRIM_IDENTITY_FILE")
        .env("CREDENTIALS_DIRECTORY", &credentials)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
