//! `gungraun-runner`, which runs valgrind for benchmarks that count instructions.

use std::path::PathBuf;

use anyhow::Result;

use super::cache::Cache;

/// The same as that of the crate `gungraun` in Cargo.toml: each refuses the other otherwise.
const VERSION: &str = "0.20.0";

/// The path of the runner, installed first when it is not there. Its own speed does not matter: it waits for valgrind.
///
/// # Errors
/// When it is not there and cannot be built.
pub fn instruction_counter() -> Result<PathBuf> {
    Cache::open()?.program("gungraun-runner", VERSION, &["--debug"])
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::workspace;

    #[test]
    fn the_runner_has_the_version_of_the_crate() {
        let manifest = fs::read_to_string(workspace::root().join("Cargo.toml")).unwrap();
        let wanted = format!("gungraun = \"={VERSION}\"");
        assert!(manifest.lines().any(|line| line == wanted), "{wanted}");
    }
}
