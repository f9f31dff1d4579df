//! The end of `legacy`'s time: its configuration is put aside, marked as such. Its code stays.

use std::path::PathBuf;
use std::{fs, io};

use crate::config::Config;

/// Copies the configuration next to the database, with a line in front that says what it is.
pub(super) fn archiver(config: &Config) -> Box<dyn FnMut() -> io::Result<()> + Send> {
    let (source, folder) = (config.source.clone(), config.database.parent().map(PathBuf::from));
    Box::new(move || {
        let (Some(source), Some(folder)) = (&source, &folder) else {
            return Err(io::Error::other("no file and no place for it"));
        };
        let now = jiff::Timestamp::now();
        let text = fs::read_to_string(source)?;
        let archived = folder.join(format!("legacy-{}.yaml", now.strftime("%Y%m%dT%H%M%SZ")));
        fs::write(
            &archived,
            format!("# Archived by trim at {now}: the configuration from the time of the legacy strategy.\n{text}"),
        )?;
        tracing::info!(file = %archived.display(), "the configuration of legacy is archived");
        Ok(())
    })
}
