//! A passphrase: from a file, or typed. Never from an argument, which others can list.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::bail;
use ratatui::crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, read};
use ratatui::crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use crate::control::alert::secret::Secret;
use crate::sealed;

/// Shortest new passphrase, bytes.
const SHORTEST: usize = 8;

/// The first line of a file, which others may not read.
pub(super) fn of_file(path: &Path) -> anyhow::Result<Secret> {
    let content = sealed::read_secret(path)?;
    let text = String::from_utf8_lossy(&content);
    match text.lines().next().unwrap_or_default() {
        "" => bail!(
            "the first line of {} is empty: it is to be a passphrase",
            path.display()
        ),
        line => Ok(Secret::new(line)),
    }
}

/// One that somebody knows already.
pub(super) fn known() -> anyhow::Result<Secret> {
    Ok(Secret::new(typed("passphrase: ")?))
}

/// A new one, typed twice.
pub(super) fn new() -> anyhow::Result<Secret> {
    let first = typed("new passphrase: ")?;
    if first.len() < SHORTEST {
        bail!("a passphrase has {SHORTEST} characters or more");
    }
    if typed("once more: ")? != first {
        bail!("the two are not the same");
    }
    Ok(Secret::new(first))
}

fn typed(prompt: &str) -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        bail!("there is no terminal to ask for a passphrase: name --recipient, or --passphrase-file");
    }
    eprint!("{prompt}");
    std::io::stderr().flush()?;
    enable_raw_mode()?;
    let line = line();
    disable_raw_mode()?;
    eprintln!();
    line
}

/// What is typed until Enter, without showing it.
fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    loop {
        let Event::Key(key) = read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        match key.code {
            KeyCode::Enter => return Ok(line),
            KeyCode::Backspace => drop(line.pop()),
            KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => bail!("given up"),
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => line.clear(),
            KeyCode::Char(letter) => line.push(letter),
            _ => {}
        }
    }
}
