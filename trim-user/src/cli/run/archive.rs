//! The end of `legacy`'s time: its configuration is put aside, marked as such. Its code stays.

use std::path::PathBuf;
use std::{fs, io};

use crate::config;
use crate::control::configuration::InForce;

/// Writes the configuration in force at that moment next to the database, every key with where it came from, whatever became
/// of the files, variables and flags that it was read from.
pub(super) fn archiver(in_force: InForce) -> Box<dyn FnMut() -> io::Result<()> + Send> {
    Box::new(move || {
        let loaded = in_force.loaded();
        let Some(folder) = loaded.config.database.parent().map(PathBuf::from) else {
            return Err(io::Error::other("the database has no folder that it could be put into"));
        };
        let text = config::yaml(&loaded.effective(), true);
        let now = jiff::Timestamp::now();
        let archived = folder.join(format!("legacy-{}.yaml", now.strftime("%Y%m%dT%H%M%SZ")));
        fs::write(
            &archived,
            format!("# Archived by trim at {now}: the configuration from the time of the legacy strategy.\n{text}"),
        )?;
        tracing::info!(file = %archived.display(), "the configuration of legacy is archived");
        Ok(())
    })
}
