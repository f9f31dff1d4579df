//! Why a file with secrets cannot be had. No text in it holds one.

use std::io;
use std::path::{Path, PathBuf};

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Others may read or change it.
    #[error("{} holds a secret and {problem}: {cure}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// What to type.
        cure: String,
    },
    /// There is no identity.
    #[error("{} is encrypted, and there is no identity to open it: name one by --identity FILE, TRIM_IDENTITY_FILE, or the systemd credential trim-identity", .0.display())]
    NoIdentity(PathBuf),
    /// The identity is of no use.
    #[error("the identity in {} cannot be used: {problem}", path.display())]
    Identity {
        /// Its file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// It was encrypted for somebody else.
    #[error("{} was not encrypted for the identity in {}: name another one by --identity FILE, or have it encrypted for the recipient that `age-keygen -y` prints of this one", path.display(), identity.display())]
    WrongIdentity {
        /// The encrypted file.
        path: PathBuf,
        /// The file of the identity.
        identity: PathBuf,
    },
    /// The passphrase is wrong.
    #[error("the passphrase does not open {}", .0.display())]
    WrongPassphrase(PathBuf),
    /// It was encrypted with a passphrase, and nobody is there to type it.
    #[error("{} is encrypted with a passphrase, which only `trim config decrypt` asks for: encrypt it with --recipient", .0.display())]
    NeedsPassphrase(PathBuf),
    /// A passphrase is given for a file that has none.
    #[error("{} is encrypted for recipients, not with a passphrase: name an identity by --identity FILE", .0.display())]
    NoPassphrase(PathBuf),
    /// It is damaged.
    #[error("{} is damaged or no file of age: {problem}", path.display())]
    Damaged {
        /// The encrypted file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A recipient is not understood.
    #[error("{text} is no recipient such as age1...: {problem}")]
    Recipient {
        /// What was given.
        text: String,
        /// What is wrong.
        problem: String,
    },
    /// Nothing could be encrypted.
    #[error("cannot encrypt: {0}")]
    Encrypt(String),
}

impl SealedError {
    /// The file it is about, if about one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unreadable { path, .. }
            | Self::Open { path, .. }
            | Self::NoIdentity(path)
            | Self::Identity { path, .. }
            | Self::WrongIdentity { path, .. }
            | Self::WrongPassphrase(path)
            | Self::NeedsPassphrase(path)
            | Self::NoPassphrase(path)
            | Self::Damaged { path, .. } => Some(path),
            Self::Recipient { .. } | Self::Encrypt(_) => None,
        }
    }

    pub(super) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |error| Self::Unreadable { path, error }
    }

    pub(super) fn damaged(path: &Path, problem: &impl ToString) -> Self {
        Self::Damaged {
            path: path.into(),
            problem: problem.to_string(),
        }
    }

    /// What went wrong with opening a file.
    pub(super) fn of(path: &Path, error: age::DecryptError) -> Self {
        match error {
            age::DecryptError::NoMatchingKeys => match super::identity::identity_file() {
                Some(identity) => Self::WrongIdentity {
                    path: path.into(),
                    identity,
                },
                None => Self::NoIdentity(path.into()),
            },
            age::DecryptError::KeyDecryptionFailed | age::DecryptError::DecryptionFailed => {
                Self::WrongPassphrase(path.into())
            }
            other => Self::damaged(path, &other),
        }
    }
}
