//! Secrets: named in the configuration, kept in files or the environment, and shown nowhere.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::sealed::{self, SealedError};

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
    /// In a file, encrypted or plain; white space at its end does not belong to it.
    File(PathBuf),
    /// In a credential that systemd gives the daemon (`LoadCredential=`); read as a file is.
    Credential(String),
    /// In a variable of the environment.
    Environment(String),
}

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Its file cannot be had.
    #[error("no secret: {0}")]
    File(#[from] SealedError),
    /// It is no text.
    #[error("the secret in {0} is no UTF-8")]
    NoText(String),
    /// systemd gave no credentials.
    #[error(
        "there is no credential {0}: no CREDENTIALS_DIRECTORY in the environment; `LoadCredential={0}:...` in the unit gives it"
    )]
    NoCredentials(String),
    /// Its variable is not set.
    #[error("the environment has no variable {0}, which is to hold a secret")]
    NoVariable(String),
    /// It is empty.
    #[error("the secret in {0} is empty")]
    Empty(String),
}

impl SecretRef {
    /// Reads `file:PATH`, `env:NAME` or `credential:NAME`, also in `${...}`.
    ///
    /// # Errors
    /// For anything else. The error does not repeat it: it may be the secret itself.
    pub fn parse(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix("${").and_then(|inner| inner.strip_suffix('}'));
        match inner.unwrap_or(text).split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Environment(name.to_owned())),
            Some(("credential", name)) if !name.is_empty() && !name.contains('/') => {
                Ok(Self::Credential(name.to_owned()))
            }
            _ => Err(
                "a secret is not written here: put it in a file, the environment or a credential, and write \
                 file:PATH, env:NAME or credential:NAME"
                    .to_owned(),
            ),
        }
    }

    /// Whether a text looks like a reference.
    pub fn is_reference(text: &str) -> bool {
        Self::parse(text).is_ok()
    }

    /// Fetches the secret.
    ///
    /// # Errors
    /// When it is not there, or empty.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let text = match self {
            Self::File(path) => self.read_file(path)?,
            Self::Credential(name) => {
                let path = sealed::credential(name).ok_or_else(|| SecretError::NoCredentials(name.clone()))?;
                self.read_file(&path)?
            }
            Self::Environment(name) => std::env::var(name).map_err(|_| SecretError::NoVariable(name.clone()))?,
        };
        let text = text.trim_end();
        if text.is_empty() {
            return Err(SecretError::Empty(self.to_string()));
        }
        Ok(Secret::new(text))
    }

    fn read_file(&self, path: &Path) -> Result<String, SecretError> {
        String::from_utf8(sealed::read_secret(path)?).map_err(|_| SecretError::NoText(self.to_string()))
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Credential(name) => write!(f, "credential:{name}"),
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
    fn references_are_read_plain_and_in_braces() {
        for text in ["file:/a", "env:B", "credential:c"] {
            let plain = SecretRef::parse(text).unwrap();
            assert_eq!(plain.to_string(), text);
            assert_eq!(SecretRef::parse(&format!("${{{text}}}")).unwrap(), plain);
        }
        SecretRef::parse("credential:../x").unwrap_err();
    }

    #[test]
    fn a_secret_is_read_without_the_line_end_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "hunter2\n").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        mode(0o600);
        let reference = SecretRef::parse(&format!("file:{}", path.display())).unwrap();
        assert_eq!(reference.read().unwrap().reveal(), "hunter2");
        mode(0o644);
        let open = reference.read().unwrap_err().to_string();
        assert!(open.contains("chmod 600") && !open.contains("hunter2"), "{open}");
        mode(0o600);
        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(reference.read(), Err(SecretError::Empty(_))));
        std::fs::remove_file(&path).unwrap();
        assert!(reference.read().unwrap_err().to_string().contains("password"));
        let unset = SecretRef::parse("env:TRIM_TEST_NO_SUCH_VARIABLE").unwrap();
        assert!(matches!(unset.read(), Err(SecretError::NoVariable(_))));
    }
}
