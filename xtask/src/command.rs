//! Running other programs, with errors that name the whole command line.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Prints one line about what is going to happen, on stderr: stdout belongs to results.
pub fn say(message: impl std::fmt::Display) {
    eprintln!("xtask: {message}");
}

/// Runs a command to its end with this process's output.
///
/// # Errors
/// When it cannot be started or its status is not success.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", line(command));
    }
    Ok(())
}

/// Runs a command to its end and gives its standard output.
///
/// # Errors
/// When it cannot be started or its status is not success; the message then ends with its standard error.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed: {}: {}", line(command), output.status, stderr.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as a person would type it.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if word.is_empty() || word.contains([' ', '\'', '"', '$', '(']) {
        format!("'{}'", word.replace('\'', "'\\''"))
    } else {
        word.into_owned()
    }
}

/// The path of a program on `PATH` or in the system directories, which a user's `PATH` may leave out.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path)
        .chain(system)
        .map(|directory| directory.join(program))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// A cargo command at the top of the repository, free of what the cargo that runs us put into the environment.
///
/// `RUSTUP_TOOLCHAIN` stays, so that `cargo +1.95 xtask build` builds with 1.95.
pub fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(workspace::root());
    for name in env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| is_cargo_private(name))
    {
        command.env_remove(name);
    }
    command
}

/// Variables that `cargo run` sets for the program it runs. Left in place they change the fingerprints of build
/// scripts, so that a nested cargo and a plain one would rebuild each other's work.
fn is_cargo_private(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let prefixes = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "DEP_"];
    let names = [
        "CARGO",
        "CARGO_PRIMARY_PACKAGE",
        "LD_LIBRARY_PATH",
        "OUT_DIR",
        "RUST_RECURSION_COUNT",
    ];
    prefixes.iter().any(|prefix| name.starts_with(prefix)) || names.contains(&name.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_shown_as_typed() {
        let mut command = Command::new("ip");
        command.args(["-n", "a b", "it's"]);
        assert_eq!(line(&command), r"ip -n 'a b' 'it'\''s'");
    }

    #[test]
    fn a_failing_command_reports_its_standard_error() {
        let mut command = Command::new("sh");
        let error = output(command.args(["-c", "echo broken >&2; exit 3"]))
            .unwrap_err()
            .to_string();
        assert!(error.contains("exit status: 3") && error.ends_with("broken"), "{error}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program-here")).unwrap_err().to_string();
        assert!(error.contains("no-such-program-here"), "{error}");
        assert_eq!(find("no-such-program-here"), None);
        assert!(find("sh").is_some());
    }

    #[test]
    fn the_nested_cargo_keeps_the_users_settings() {
        assert!(is_cargo_private(OsStr::new("CARGO_PKG_NAME")));
        assert!(is_cargo_private(OsStr::new("LD_LIBRARY_PATH")));
        assert!(!is_cargo_private(OsStr::new("CARGO_HOME")));
        assert!(!is_cargo_private(OsStr::new("CARGO_TARGET_DIR")));
        assert!(!is_cargo_private(OsStr::new("RUSTUP_TOOLCHAIN")));
    }
}
