//! Where the other form of a file goes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct Target {
    /// Write this file, mode 0600, instead of standard output
    #[arg(long, short, value_name = "FILE", conflicts_with = "in_place")]
    output: Option<PathBuf>,
    /// Replace the file
    #[arg(long)]
    in_place: bool,
}

impl Target {
    /// Writes it: a file is there as a whole or not at all.
    pub(super) fn write(&self, source: &Path, content: &[u8]) -> anyhow::Result<()> {
        let path = match (&self.output, self.in_place) {
            (Some(path), _) => path,
            (None, true) => source,
            (None, false) => {
                let mut out = std::io::stdout().lock();
                out.write_all(content)?;
                return Ok(out.flush()?);
            }
        };
        let failed = || format!("cannot write {}", path.display());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        // Made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).with_context(failed)?;
        file.write_all(content).with_context(failed)?;
        file.as_file().sync_all().with_context(failed)?;
        file.persist(path).with_context(failed)?;
        Ok(())
    }
}
