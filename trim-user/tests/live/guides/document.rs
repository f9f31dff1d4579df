//! The commands of a document: the lines of its blocks marked `sh`.

use std::path::{Path, PathBuf};

/// A command as it stands in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) text: String,
    /// Line number, from 1.
    pub(super) line: usize,
}

/// A document of this project.
pub(super) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// Its commands, in order.
pub(super) fn commands(name: &str) -> Vec<Command> {
    let path = path(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut commands = Vec::new();
    let mut is_shell = false;
    for (number, line) in text.lines().enumerate() {
        match line {
            "```sh" => is_shell = true,
            "```" => is_shell = false,
            _ if is_shell => commands.push(Command {
                text: line.to_owned(),
                line: number + 1,
            }),
            _ => {}
        }
    }
    assert!(commands.len() > 20, "{name} has only {} commands", commands.len());
    commands
}
