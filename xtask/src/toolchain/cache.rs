//! The folder for tools: `$XDG_CACHE_HOME/trim`, else `~/.cache/trim`.
//!
//! A tool is prepared beside its final place and renamed when it is whole, under a lock; an installation that was
//! interrupted leaves only a `.partial` folder, which the next one replaces.

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::{cargo, run, say};

/// Tools in one folder, used by one installer at a time.
pub(crate) struct Cache {
    root: PathBuf,
    /// Held until the cache is dropped; two builds started together install once.
    _lock: File,
}

impl Cache {
    /// Opens the user's cache folder, waiting for another installer to finish.
    pub(crate) fn open() -> Result<Self> {
        Self::open_at(folder()?)
    }

    fn open_at(root: PathBuf) -> Result<Self> {
        fs::create_dir_all(&root).with_context(|| format!("cannot create the tool cache {}", root.display()))?;
        let path = root.join("lock");
        let lock = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        lock.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(Self { root, _lock: lock })
    }

    /// Where the tool `name` stands when it is installed.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Runs `fill` on an empty folder and makes the result the tool `name`, replacing a former one.
    pub(crate) fn install(&self, name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let partial = self.root.join(format!("{name}.partial"));
        let place = self.path(name);
        remove(&partial)?;
        fs::create_dir_all(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
        fill(&partial)?;
        remove(&place)?;
        fs::rename(&partial, &place)
            .with_context(|| format!("cannot rename {} to {}", partial.display(), place.display()))?;
        Ok(place)
    }

    /// The program of the crate `name` in this version, built first when it is not there. `options` are for `cargo install`.
    pub(crate) fn program(&self, name: &str, version: &str, options: &[&str]) -> Result<PathBuf> {
        let tool = format!("{name}-{version}");
        let program = Path::new("bin").join(name);
        let place = self.path(&tool);
        if place.join(&program).is_file() {
            return Ok(place.join(program));
        }
        say(format!(
            "building {name} {version} into {} (about a minute)",
            place.display()
        ));
        let place = self.install(&tool, |at| {
            let work = at.join("work");
            let mut command = cargo();
            command.args(["install", "--quiet", name, "--locked", "--version", version]);
            command.args(options);
            command.arg("--root").arg(at).arg("--target-dir").arg(&work);
            run(&mut command).with_context(|| format!("{name} could not be built; it needs the crates registry"))?;
            remove(&work)
        })?;
        Ok(place.join(program))
    }
}

fn folder() -> Result<PathBuf> {
    if let Some(base) = env::var_os("XDG_CACHE_HOME").filter(|base| Path::new(base).is_absolute()) {
        return Ok(Path::new(&base).join("trim"));
    }
    let home = env::var_os("HOME").filter(|home| !home.is_empty());
    let home = home.context("neither XDG_CACHE_HOME nor HOME is set: set one, tools are kept below it")?;
    Ok(Path::new(&home).join(".cache").join("trim"))
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Writes an executable shell script.
pub(crate) fn write_script(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot make {} executable", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_installation_is_not_taken_for_a_whole_one() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open_at(folder.path().to_owned()).unwrap();
        let failed = cache.install("tool", |at| {
            fs::write(at.join("half"), "x")?;
            anyhow::bail!("connection lost")
        });
        assert!(failed.is_err());
        assert!(!cache.path("tool").exists());

        let place = cache
            .install("tool", |at| Ok(fs::write(at.join("whole"), "x")?))
            .unwrap();
        assert!(place.join("whole").exists());
        assert!(
            !place.join("half").exists(),
            "the remains of the first attempt are gone"
        );
    }

    #[test]
    fn installing_again_replaces_the_tool() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open_at(folder.path().to_owned()).unwrap();
        cache.install("tool", |at| Ok(fs::write(at.join("old"), "x")?)).unwrap();
        let place = cache.install("tool", |at| Ok(fs::write(at.join("new"), "x")?)).unwrap();
        assert!(place.join("new").exists() && !place.join("old").exists());
    }
}
