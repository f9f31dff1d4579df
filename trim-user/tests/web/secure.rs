//! TLS, with curl as the client.

use std::path::PathBuf;
use std::process::Command;

use trim_user::control::web::{TlsFiles, WebListener, WebSettings};
use xtask::command::find;
use xtask::lab::skip;

use crate::client::{settings, start, strict, write_secret};

struct Files {
    _folder: tempfile::TempDir,
    certificate: PathBuf,
    key: PathBuf,
}

/// A certificate for this machine that vouches for itself.
fn files() -> Files {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("web.crt"), folder.path().join("web.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    write_secret(&key, made.signing_key.serialize_pem());
    Files {
        _folder: folder,
        certificate,
        key,
    }
}

fn secure(files: &Files) -> WebSettings {
    WebSettings {
        tls: Some(TlsFiles {
            certificate: files.certificate.clone(),
            key: files.key.clone(),
        }),
        ..settings(strict())
    }
}

#[test]
fn it_speaks_tls_and_clients_that_do_not_are_dropped() {
    if find("curl").is_none() {
        skip(
            "it_speaks_tls_and_clients_that_do_not_are_dropped",
            "curl is not installed",
        );
        return;
    }
    let files = files();
    let server = start(&secure(&files));
    let mut silent: Vec<_> = (0..4).map(|_| crate::client::connect(server.address())).collect();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "30", "--cacert"])
        .arg(&files.certificate);
    let answer = curl.arg(format!("https://{}/", server.address())).output().unwrap();
    let text = String::from_utf8_lossy(&answer.stderr);
    assert_eq!(answer.stdout, b"here", "{text}");
    for stream in &mut silent {
        assert_eq!(crate::client::rest(stream), "");
    }
}

#[test]
fn files_that_are_no_use_are_named() {
    let good = files();
    let error = |settings: &WebSettings| WebListener::open(settings).err().unwrap().to_string();
    let mut swapped = secure(&good);
    swapped.tls = Some(TlsFiles {
        certificate: good.key.clone(),
        key: good.certificate.clone(),
    });
    let text = error(&swapped);
    assert!(text.contains("web.certificate") && text.contains("web.key:"), "{text}");
    std::fs::remove_file(&good.key).unwrap();
    let text = error(&secure(&good));
    assert!(text.starts_with("web.key") && text.contains("web.key"), "{text}");
}
