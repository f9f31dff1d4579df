//! The identity that opens encrypted files.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{SealedError, modes};

/// The systemd credential that is the identity when no other one is named.
const CREDENTIAL: &str = "trim-identity";
/// Names the folder of credentials (systemd.exec(5)).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// Names the file of the identity.
const VARIABLE: &str = "TRIM_IDENTITY_FILE";

/// The file that was named on the command line.
static NAMED: OnceLock<PathBuf> = OnceLock::new();

/// Takes the identity from this file from now on. Only the first call counts.
pub fn use_identity(file: &Path) {
    // Whoever comes later has to do with the first: a process has one identity.
    let _ = NAMED.set(file.to_owned());
}

/// Where systemd puts a credential of this process.
pub fn credential(name: &str) -> Option<PathBuf> {
    env::var_os(CREDENTIALS).map(|folder| Path::new(&folder).join(name))
}

/// The file of the identity, if there is one.
pub fn identity_file() -> Option<PathBuf> {
    let named = NAMED.get().cloned();
    named
        .or_else(|| env::var_os(VARIABLE).map(PathBuf::from))
        .or_else(|| credential(CREDENTIAL).filter(|path| path.exists()))
}

/// The identities, to open `sealed`.
pub(super) fn identities(sealed: &Path) -> Result<Vec<Box<dyn age::Identity + Send + Sync>>, SealedError> {
    let path = identity_file().ok_or_else(|| SealedError::NoIdentity(sealed.into()))?;
    let (content, metadata) = super::content(&path)?;
    modes::check(&path, &metadata)?;
    let unusable = |problem: String| SealedError::Identity {
        path: path.clone(),
        problem,
    };
    let file = age::IdentityFile::from_buffer(content.as_slice())
        .map_err(|_| unusable("it has no lines with AGE-SECRET-KEY-1..., as `age-keygen` makes them".to_owned()))?;
    let identities = file.into_identities().map_err(|error| unusable(error.to_string()))?;
    match identities.is_empty() {
        true => Err(unusable("it is empty".to_owned())),
        false => Ok(identities),
    }
}
