//! Commands for emergencies work while the configuration does not.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use trim_user::config::Layers;

use crate::{said, trim};

fn socket_of(layers: &Layers) -> (Option<String>, usize) {
    let found = layers.lookup("control.socket");
    (found.text, found.problems.len())
}

#[test]
fn a_key_is_found_although_other_things_are_broken() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trim.yaml");
    std::fs::write(&file, "control: { socket: /a.sock }\ncapture: { frame_size: banana }\n").unwrap();
    let layers = Layers::standard(std::slice::from_ref(&file));
    assert!(layers.load().is_err());
    assert_eq!(socket_of(&layers), (Some("/a.sock".to_owned()), 0));
    std::fs::create_dir(folder.path().join("conf.d")).unwrap();
    std::fs::write(folder.path().join("conf.d/a.yaml"), "control: [\n").unwrap();
    assert_eq!(socket_of(&layers), (Some("/a.sock".to_owned()), 1));
    std::fs::write(&file, "control: {{{\n").unwrap();
    assert_eq!(socket_of(&layers), (None, 2));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(socket_of(&layers), (None, 2));
}

/// With `status`, which finds its socket as `rollback` does and changes nothing: a rollback would take back whatever
/// capture runs on this machine.
#[test]
fn without_a_readable_key_the_built_in_socket_is_asked_with_a_warning() {
    let mut command = trim();
    command
        .arg("status")
        .env("TRIM_CONTROL__SOCKET", OsString::from_vec(vec![b'/', 0xff]));
    let (_, _, err) = said(&command.output().unwrap());
    let warning = "trim: warning: TRIM_CONTROL__SOCKET: control.socket: its value is no UTF-8";
    assert!(err.starts_with(warning), "{err}");
    assert!(
        err.contains("using the socket /run/trim/trim.sock (the built-in one)"),
        "{err}"
    );
}

#[test]
fn unrelated_problems_are_not_even_mentioned() {
    let mut command = trim();
    command.arg("status").env("TRIM_CAPTURE__FRAME_SIZE", "banana");
    command.env("TRIM_CONTROL__SOCKET", "/nowhere/trim.sock");
    let (code, _, err) = said(&command.output().unwrap());
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("/nowhere/trim.sock") && !err.contains("warning"), "{err}");
}

#[test]
fn a_named_socket_needs_no_configuration() {
    let mut command = trim();
    command.args(["status", "--socket", "/nowhere/named.sock"]);
    command.env("TRIM_CONTROL__SOCKET", OsString::from_vec(vec![0xff]));
    let (_, _, err) = said(&command.output().unwrap());
    assert!(err.contains("/nowhere/named.sock") && !err.contains("warning"), "{err}");
    assert!(!Path::new("/nowhere").exists());
}
