//! Secrets: named in the configuration, kept in files or the environment, and shown nowhere.

use std::fmt;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

/// What stands in the place of a secret.
const HIDDEN: &str = "[hidden]";

/// A password, a token, or an address with a token in it. Neither printing nor serialising shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that has to send it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

/// Where a secret is kept. It is read anew for each message, so that it can be changed while the daemon runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// In a file; white space at its end does not belong to it.
    File(PathBuf),
    /// In a variable of the environment.
    Environment(String),
}

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Its file cannot be read.
    #[error("cannot read the secret in {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Its variable is not set.
    #[error("the environment has no variable {0}, which is to hold a secret")]
    NoVariable(String),
    /// It is empty.
    #[error("the secret in {0} is empty")]
    Empty(String),
}

impl SecretRef {
    /// Reads `file:PATH` or `env:NAME`.
    ///
    /// # Errors
    /// For anything else. The error does not repeat it: it may be the secret itself.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Environment(name.to_owned())),
            _ => Err(
                "a secret is not written here: put it in a file or the environment, and write file:PATH or env:NAME"
                    .to_owned(),
            ),
        }
    }

    /// Fetches the secret.
    ///
    /// # Errors
    /// When it is not there, or empty.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let text = match self {
            Self::File(path) => std::fs::read_to_string(path).map_err(|error| SecretError::Unreadable {
                path: path.clone(),
                error,
            })?,
            Self::Environment(name) => std::env::var(name).map_err(|_| SecretError::NoVariable(name.clone()))?,
        };
        let text = text.trim_end();
        if text.is_empty() {
            return Err(SecretError::Empty(self.to_string()));
        }
        Ok(Secret::new(text))
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Environment(name) => write!(f, "env:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_nowhere() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "[hidden] Some([hidden])");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[hidden]\"");
    }

    #[test]
    fn a_reference_that_may_be_the_secret_itself_is_not_repeated() {
        for text in ["hunter2", "https://hooks.example/hunter2", "file:", "env:", ""] {
            let error = SecretRef::parse(text).unwrap_err();
            assert!(!error.contains("hunter2") && error.contains("file:PATH"), "{error}");
        }
    }

    #[test]
    fn a_secret_is_read_without_the_line_end_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "hunter2\n").unwrap();
        let reference = SecretRef::parse(&format!("file:{}", path.display())).unwrap();
        assert_eq!(reference.read().unwrap().reveal(), "hunter2");
        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(reference.read(), Err(SecretError::Empty(_))));
        std::fs::remove_file(&path).unwrap();
        assert!(reference.read().unwrap_err().to_string().contains("password"));
        let unset = SecretRef::parse("env:TRIM_TEST_NO_SUCH_VARIABLE").unwrap();
        assert!(matches!(unset.read(), Err(SecretError::NoVariable(_))));
    }
}
