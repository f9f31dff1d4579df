//! Layers: built-in values, files, the environment and flags, each laid over the one before.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::{ConfigError, Problem};
use super::loaded::Loaded;
use super::place::Source;
use super::stack::Stack;
use crate::sealed::{self, SealedError};

/// The file that is read when none is named.
pub const STANDARD_FILE: &str = "/etc/trim/trim.yaml";

/// The daemon's socket when none is configured.
pub const STANDARD_SOCKET: &str = "/run/trim/trim.sock";

/// In the folder of each file, the folder whose files are laid over it.
const FRAGMENTS: &str = "conf.d";

/// In front of the names of variables, and between sections and keys in them.
const PREFIX: &str = "TRIM_";
const SEPARATOR: &str = "__";

/// Where a configuration comes from. Reading it again reads the files again.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    files: Vec<PathBuf>,
    /// Whether `STANDARD_FILE` may be missing: it was not named by anybody.
    is_standard: bool,
    environment: Vec<Variable>,
    flags: Vec<Flag>,
}

#[derive(Clone, Debug)]
struct Flag {
    flag: String,
    key: String,
    text: String,
}

/// A variable that is a key. Its text need not be UTF-8: then it is refused by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Variable {
    name: String,
    key: String,
    text: OsString,
}

/// One key as far as it can be known when other things are broken.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// What is written for the key in the highest layer that can be read; `None` when nothing is.
    pub text: Option<String>,
    /// What could not be read on the way.
    pub problems: Vec<String>,
}

impl Layers {
    /// These files, each laid over the one before; without any, `STANDARD_FILE` where there is one. Over them the
    /// fragments `conf.d/*.yaml` next to them, sorted by name, and variables of the environment such as
    /// `TRIM_CAPTURE__INTERFACES`.
    pub fn standard(files: &[PathBuf]) -> Self {
        let is_standard = files.is_empty();
        Self {
            files: match is_standard {
                true => vec![PathBuf::from(STANDARD_FILE)],
                false => files.to_vec(),
            },
            is_standard,
            ..Self::default()
        }
        .with_environment(std::env::vars_os())
    }

    /// Takes the variables that are keys: those with `TRIM_` in front and `__` between section and key.
    #[must_use]
    pub fn with_environment(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.environment.extend(variables.into_iter().filter_map(variable));
        self.environment.sort();
        self
    }

    /// Lays the value of a flag over everything else.
    #[must_use]
    pub fn with_flag(mut self, flag: &str, key: &str, text: impl Into<String>) -> Self {
        self.flags.push(Flag {
            flag: flag.to_owned(),
            key: key.to_owned(),
            text: text.into(),
        });
        self
    }

    /// The folders that files of these layers are in, and those that fragments may come to be in. Absolute.
    pub fn folders(&self) -> Vec<PathBuf> {
        let absolute = self.files.iter().filter_map(|file| std::path::absolute(file).ok());
        let parents = absolute.filter_map(|file| file.parent().map(Path::to_owned));
        let mut folders: Vec<PathBuf> = parents.flat_map(|folder| [folder.join(FRAGMENTS), folder]).collect();
        folders.sort();
        folders.dedup();
        folders
    }

    /// Whether an absolute path is, or would be, a file of these layers, or leads to them.
    pub fn has(&self, path: &Path) -> bool {
        // Kubernetes exchanges this link when a ConfigMap changes; the files themselves are links through it.
        if path.file_name().is_some_and(|name| name == "..data") {
            return path
                .parent()
                .is_some_and(|folder| self.folders().iter().any(|it| it == folder));
        }
        let is_fragment = path.parent().is_some_and(|folder| folder.ends_with(FRAGMENTS))
            && path.extension().is_some_and(|end| end == "yaml");
        let is_named = |file: &PathBuf| std::path::absolute(file).is_ok_and(|file| file == path);
        is_fragment || self.files.iter().any(is_named)
    }

    /// The files that are read now.
    ///
    /// # Errors
    /// When a folder of fragments cannot be read.
    pub fn files(&self) -> Result<Vec<PathBuf>, ConfigError> {
        let mut files = self.own_files();
        let mut folders: Vec<PathBuf> = Vec::new();
        for file in &self.files {
            let folder = file.parent().unwrap_or(Path::new("")).join(FRAGMENTS);
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        for folder in folders {
            files.extend(fragments(&folder)?);
        }
        Ok(files)
    }

    /// Without fragments; `STANDARD_FILE` only where there is one.
    fn own_files(&self) -> Vec<PathBuf> {
        let files = self.files.iter().filter(|file| !self.is_standard || file.exists());
        files.cloned().collect()
    }

    /// Reads and validates all layers.
    ///
    /// # Errors
    /// When a file cannot be read, is no YAML, has unknown keys, or when values are not allowed: every problem with
    /// its file, line, column and key, or the variable or flag.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        let mut stack = Stack::default();
        for path in self.files()? {
            let bytes = read(&path)?;
            stack.file(Source::File(path), &bytes);
        }
        self.lay_words(&mut stack);
        stack.resolve().map_err(|problems| ConfigError::Invalid { problems })
    }

    /// Reads and validates all layers for a capture, which needs an interface.
    ///
    /// # Errors
    /// As for [`load`](Self::load), and when no interface is named.
    pub fn load_for_capture(&self) -> Result<Loaded, ConfigError> {
        let loaded = self.load()?;
        if loaded.config.capture.interfaces.is_empty() {
            let file = loaded.sources.iter().find_map(Source::file);
            return Err(ConfigError::no_interface(file.unwrap_or(Path::new(STANDARD_FILE))));
        }
        Ok(loaded)
    }

    /// What is written for one key, read from whatever can be read: for commands that have to work while other parts of
    /// the configuration are broken.
    pub fn lookup(&self, key: &str) -> Lookup {
        let mut stack = Stack::default();
        let mut problems = Vec::new();
        // The folder of a packaged daemon is closed to most users. That is no fault they could mend.
        let mut note = |error: ConfigError| match error {
            ConfigError::Read { io, .. } if self.is_standard && io.kind() == ErrorKind::PermissionDenied => {}
            error => problems.push(error.to_string()),
        };
        let files = self.files().unwrap_or_else(|error| {
            note(error);
            self.own_files()
        });
        for path in files {
            match read(&path) {
                Ok(bytes) => stack.file(Source::File(path), &bytes),
                Err(error) => note(error),
            }
        }
        self.lay_words(&mut stack);
        let text = stack.text_of(key);
        problems.extend(stack.named_problems().iter().map(Problem::to_string));
        Lookup { text, problems }
    }

    /// Lays variables and flags over what is there.
    fn lay_words(&self, stack: &mut Stack) {
        for Variable { name, key, text } in &self.environment {
            match text.to_str() {
                Some(text) => stack.words(Source::Environment(name.clone()), key, text),
                None => stack.refuse(
                    Source::Environment(name.clone()),
                    key,
                    "its value is no UTF-8: set it anew, or unset it",
                ),
            }
        }
        for Flag { flag, key, text } in &self.flags {
            stack.words(Source::Flag(flag.clone()), key, text);
        }
    }
}

/// The variable, when it is a key.
fn variable((name, text): (OsString, OsString)) -> Option<Variable> {
    // A name that is no UTF-8 is no key either, and is refused as such.
    let name = name.to_string_lossy().into_owned();
    let key = name.strip_prefix(PREFIX)?;
    key.contains(SEPARATOR).then(|| Variable {
        key: key.to_ascii_lowercase().replace(SEPARATOR, "."),
        name: name.clone(),
        text,
    })
}

/// The content of a file, decrypted if need be.
fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    sealed::read(path).map_err(|error| match error {
        SealedError::Unreadable { path, error } => ConfigError::Read { path, io: error },
        error => ConfigError::Sealed(error),
    })
}

/// The fragments in a folder, sorted by name; none when there is no such folder.
fn fragments(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable = |io| ConfigError::Read {
        path: folder.into(),
        io,
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden && path.extension().is_some_and(|end| end == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
