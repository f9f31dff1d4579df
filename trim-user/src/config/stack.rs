//! Layers on their way to become one tree.

use super::catalog::{Catalog, KeyInfo};
use super::check::Fact;
use super::error::Problem;
use super::loaded::Loaded;
use super::place::{Place, Source};
use super::tree::{self, Kind, Node, Scalar, Style};
use super::{raw, resolve};

/// Reads and validates one text without a file.
pub(super) fn of_text(text: &str) -> Result<Loaded, Vec<Problem>> {
    let mut stack = Stack::default();
    stack.file(Source::Text, text.as_bytes());
    stack.resolve()
}

/// Validates one tree.
pub(super) fn of_tree(tree: Node, sources: Vec<Source>) -> Result<Loaded, Vec<Problem>> {
    let problems = Vec::new();
    Stack {
        sources,
        tree,
        problems,
    }
    .resolve()
}

/// What checking notes of the keys of a text that has no problems.
pub(super) fn facts_of(text: &str) -> Vec<Fact> {
    let mut stack = Stack::default();
    stack.file(Source::Text, text.as_bytes());
    let (file, _) = tree::typed::<raw::File>(&stack.tree);
    resolve::resolve(file).1.facts
}

/// Layers on their way to become one tree.
pub(super) struct Stack {
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

    /// Lays the bytes of a file over what is there.
    pub(super) fn file(&mut self, source: Source, bytes: &[u8]) {
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
    pub(super) fn words(&mut self, source: Source, key: &str, text: &str) {
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

    /// The configuration that is meant, or everything wrong with it.
    pub(super) fn resolve(mut self) -> Result<Loaded, Vec<Problem>> {
        let (file, problems) = tree::typed::<raw::File>(&self.tree);
        self.problems.extend(problems);
        let (config, check) = resolve::resolve(file);
        self.problems.extend(check.problems);
        if self.problems.is_empty() {
            return Ok(Loaded {
                config,
                sources: self.sources,
                tree: self.tree,
            });
        }
        Err(self.named_problems())
    }

    /// Notes what is wrong with a whole layer that is about one key.
    pub(super) fn refuse(&mut self, source: Source, key: &str, message: &str) {
        let place = self.push(source);
        self.problems.push(Problem::at(place, key, message));
    }

    /// What is written for a key; `None` when nothing is, or no single value.
    pub(super) fn text_of(&self, key: &str) -> Option<String> {
        match &self.tree.get(key)?.kind {
            Kind::Scalar(scalar) if !scalar.is_null() => Some(scalar.text.clone()),
            _ => None,
        }
    }

    /// The problems so far, in the order of their places, each with what it was written in.
    pub(super) fn named_problems(mut self) -> Vec<Problem> {
        self.problems.iter_mut().for_each(complete);
        Problem::sort_and_name(&mut self.problems, &self.sources);
        self.problems
    }
}

/// Adds what only the catalog knows: the range of a number that was none, and where else there is a key of this name.
fn complete(problem: &mut Problem) {
    let catalog = Catalog::get();
    let Some(key) = problem.key.as_deref() else { return };
    if problem.message.ends_with("a whole number") {
        if let Some(range) = catalog.find(key).map(KeyInfo::range).filter(|range| !range.is_empty()) {
            problem.message += &format!(" from {range}");
        }
    } else if problem.message.starts_with("there is no such key") && !problem.message.contains("did you mean") {
        problem.message += &catalog.suggestion(key);
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
