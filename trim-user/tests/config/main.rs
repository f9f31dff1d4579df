//! Configuration as operators meet it: layers, `trim config`, its messages, and the files made from it.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests fail the test")]

mod broken;
mod command;
mod emergency;
mod layers;
mod machine;
mod made;

use std::process::{Command, Output};

/// The program without anything of the environment that it could take for configuration.
fn trim() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trim"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TRIM_") {
            command.env_remove(name);
        }
    }
    command
}

/// Exit status, standard output and standard error.
fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Standard output of a command that has to succeed.
#[track_caller]
fn good(arguments: &[&str]) -> String {
    let (code, out, err) = said(&trim().args(arguments).output().unwrap());
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    out
}
