//! Which files belong into a backup.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::error::BackupError;
use super::manifest::Kind;
use crate::config::Config;

/// What is backed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// The configuration file, and those of `conf.d` next to it.
    pub configuration: Vec<PathBuf>,
    /// Files that the configuration names as secrets.
    pub secrets: Vec<PathBuf>,
    /// The database.
    pub database: PathBuf,
    /// The state of alerts, if it is kept on disk.
    pub alerts: Option<PathBuf>,
    /// The daemon's socket.
    pub socket: PathBuf,
}

/// The state of alerts in its folder.
const ALERT_STATE: &str = "state.json";

impl Sources {
    /// What belongs to a configuration that was read from `file`.
    ///
    /// # Errors
    /// When a configuration file cannot be read.
    pub fn of(config: &Config, file: &Path) -> Result<Self, BackupError> {
        let mut configuration = vec![absolute(file)];
        configuration.extend(beside(&configuration[0])?);
        let mut secrets = Vec::new();
        for file in &configuration {
            // In an encrypted one as well.
            let text =
                crate::sealed::read(file).map_err(|error| BackupError::file("read", file)(io::Error::other(error)))?;
            secrets.extend(
                named_secrets(&String::from_utf8_lossy(&text))
                    .into_iter()
                    .map(|path| absolute(&path)),
            );
        }
        secrets.sort();
        secrets.dedup();
        Ok(Self {
            configuration,
            secrets,
            database: absolute(&config.database),
            alerts: config
                .alerts
                .directory
                .as_ref()
                .map(|folder| absolute(&folder.join(ALERT_STATE))),
            socket: absolute(&config.control_socket),
        })
    }

    /// The files to be read as they are, with what they are for.
    pub(super) fn plain(&self, with_secrets: bool) -> Vec<(Kind, &Path)> {
        let configuration = self
            .configuration
            .iter()
            .map(|path| (Kind::Configuration, path.as_path()));
        let secrets = self.secrets.iter().filter(|_| with_secrets);
        let secrets = secrets.map(|path| (Kind::Secret, path.as_path()));
        let alerts = self.alerts.iter().map(|path| (Kind::Alerts, path.as_path()));
        configuration.chain(secrets).chain(alerts).collect()
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The files of `conf.d` next to a configuration file, sorted.
fn beside(file: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let folder = file.with_file_name("conf.d");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(BackupError::file("list", folder)(error)),
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "yaml") && path.is_file());
    files.sort();
    Ok(files)
}

/// Files that a configuration names as `file:PATH`, in whatever key: a secret in a section this code has never heard of
/// is one all the same. What is commented out is none.
fn named_secrets(text: &str) -> Vec<PathBuf> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '}' | ']');
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        for (at, word) in line.match_indices("file:") {
            let starts_here = !line[..at].ends_with(is_word);
            let path = line[at + word.len()..].split(is_end).next().unwrap_or_default();
            if starts_here && !path.is_empty() {
                found.push(PathBuf::from(path));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_any_form_and_plain_keys_are_not_taken_for_them() {
        let text = "a:\n  password: file:/run/secret\n  list: [\"file:/one\", 'file:two']\n  map: {token: file:/three}\n\
                    \x20 x: ${file:/four}\n  log_file: /var/log/x\n  file: /plain\n  profile:x: y\n\
                    \x20 # token: file:/not/in/force\n";
        assert_eq!(
            named_secrets(text),
            ["/run/secret", "/one", "two", "/three", "/four"].map(PathBuf::from)
        );
    }
}
