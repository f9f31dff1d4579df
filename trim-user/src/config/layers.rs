//! Layers: built-in values, files, the environment and flags, each laid over the one before.

use std::fs;
use std::path::{Path, PathBuf};

use super::check::Fact;
use super::error::{ConfigError, Problem};
use super::place::{Place, Source};
use super::tree::{self, Kind, Node, Scalar, Style};
use super::{Config, raw, resolve};

/// The file that is read when none is named.
pub const STANDARD_FILE: &str = "/etc/trim/trim.yaml";

/// In the folder of each file, the folder whose files are laid over it.
const FRAGMENTS: &str = "conf.d";

/// Between sections and keys in the names of variables.
const SEPARATOR: &str = "__";

/// Where a configuration comes from. Reading it again reads the files again.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    files: Vec<PathBuf>,
    /// Whether `STANDARD_FILE` may be missing: it was not named by anybody.
    is_standard: bool,
    environment: Vec<(String, String)>,
    flags: Vec<Flag>,
}

#[derive(Clone, Debug)]
struct Flag {
    flag: String,
    key: String,
    text: String,
}

/// A configuration with all that is known of its making.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The validated configuration.
    pub config: Config,
    /// Where its layers came from, the lowest first.
    pub sources: Vec<Source>,
    /// What is known of its keys.
    pub facts: Vec<Fact>,
    /// What was written, with its places.
    pub(super) tree: Node,
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
        .with_environment(std::env::vars_os().filter_map(|(name, text)| {
            let name = name.into_string().ok()?;
            Some((name, text.to_string_lossy().into_owned()))
        }))
    }

    /// Takes the variables that are keys: those with `TRIM_` in front and `__` between section and key.
    #[must_use]
    pub fn with_environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let is_key = |name: &str| name.strip_prefix("TRIM_").is_some_and(|key| key.contains(SEPARATOR));
        self.environment
            .extend(variables.into_iter().filter(|(name, _)| is_key(name)));
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

    /// The files that are read now.
    ///
    /// # Errors
    /// When a folder of fragments cannot be read.
    pub fn files(&self) -> Result<Vec<PathBuf>, ConfigError> {
        let mut files = self.files.clone();
        if self.is_standard {
            files.retain(|file| file.exists());
        }
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

    /// Reads and validates all layers.
    ///
    /// # Errors
    /// When a file cannot be read, is no YAML, has unknown keys, or when values are not allowed: every problem with
    /// its file, line, column and key, or the variable or flag.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        let mut stack = Stack::default();
        for path in self.files()? {
            let bytes = fs::read(&path).map_err(|io| ConfigError::Read { path: path.clone(), io })?;
            stack.file(Source::File(path), &bytes);
        }
        for (name, text) in &self.environment {
            let key = name.trim_start_matches("TRIM_").to_ascii_lowercase();
            let key = key.replace(SEPARATOR, ".");
            stack.words(Source::Environment(name.clone()), &key, text);
        }
        for Flag { flag, key, text } in &self.flags {
            stack.words(Source::Flag(flag.clone()), key, text);
        }
        let mut loaded = stack.resolve().map_err(|problems| ConfigError::Invalid { problems })?;
        loaded.config.source = self.files.first().filter(|file| file.exists()).cloned();
        Ok(loaded)
    }
}

/// The fragments in a folder, sorted by name; none when there is no such folder.
fn fragments(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable = |io| ConfigError::Read {
        path: folder.into(),
        io,
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
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

/// Reads and validates one text without a file.
pub(super) fn of_text(text: &str) -> Result<Loaded, Vec<Problem>> {
    let mut stack = Stack::default();
    stack.file(Source::Text, text.as_bytes());
    stack.resolve()
}

/// Layers on their way to become one tree.
struct Stack {
    sources: Vec<Source>,
    tree: Node,
    problems: Vec<Problem>,
}

impl Default for Stack {
    fn default() -> Self {
        let nowhere = Place {
            layer: 0,
            line: 0,
            column: 0,
        };
        Self {
            sources: Vec::new(),
            tree: Node::empty(nowhere),
            problems: Vec::new(),
        }
    }
}

impl Stack {
    fn push(&mut self, source: Source) -> Place {
        let layer = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        self.sources.push(source);
        Place {
            layer,
            line: 0,
            column: 0,
        }
    }

    fn file(&mut self, source: Source, bytes: &[u8]) {
        let place = self.push(source);
        let parsed = match std::str::from_utf8(bytes) {
            Ok(text) => tree::parse(text, place.layer),
            Err(error) => Err(vec![not_utf8(place.layer, bytes, error.valid_up_to())]),
        };
        match parsed {
            Ok(node) if node.is_null() => {}
            Ok(node) => self.lay(node),
            Err(problems) => self.problems.extend(problems),
        }
    }

    /// A value from a variable or a flag: a word, words with commas between them, or a list or map as YAML writes
    /// them in one line.
    fn words(&mut self, source: Source, key: &str, text: &str) {
        let place = self.push(source);
        let parsed = match text.trim_start().starts_with(['[', '{']) {
            true => tree::parse(text, place.layer),
            false => Ok(Node {
                place,
                kind: Kind::Scalar(Scalar {
                    text: text.to_owned(),
                    style: Style::Words,
                }),
            }),
        };
        match parsed {
            Ok(value) => self.lay(tree::nested(place, key, value)),
            Err(problems) => self.problems.extend(problems),
        }
    }

    fn lay(&mut self, node: Node) {
        if matches!(node.kind, Kind::Map(_)) {
            self.tree.overlay(node);
        } else {
            let message = "this is no configuration: it consists of sections, such as `capture:`";
            self.problems.push(Problem::of_text(node.place, message));
        }
    }

    fn resolve(mut self) -> Result<Loaded, Vec<Problem>> {
        let (file, problems) = tree::typed::<raw::File>(&self.tree);
        self.problems.extend(problems);
        let (config, check) = resolve::resolve(file);
        self.problems.extend(check.problems);
        if self.problems.is_empty() {
            return Ok(Loaded {
                config,
                sources: self.sources,
                facts: check.facts,
                tree: self.tree,
            });
        }
        Problem::sort_and_name(&mut self.problems, &self.sources);
        Err(self.problems)
    }
}

fn not_utf8(layer: u32, bytes: &[u8], at: usize) -> Problem {
    let before = &bytes[..at];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    let place = Place {
        layer,
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
    };
    let message = format!(
        "the byte 0x{:02x} is no UTF-8: save the file as UTF-8, without other encodings in it",
        bytes[at]
    );
    Problem::of_text(place, message)
}
