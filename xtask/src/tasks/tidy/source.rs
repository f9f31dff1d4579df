//! Source text with comments and literals told apart from code.

use super::Finding;

/// A file of the repository.
pub(super) struct SourceFile {
    /// Path from the top, with `/`.
    pub(super) path: String,
    /// The file as it is.
    pub(super) bytes: Vec<u8>,
    /// The text; empty for a binary file.
    pub(super) text: String,
    /// The text of a Rust file with comments, strings and characters blanked, line for line; else empty.
    pub(super) code: String,
}

impl SourceFile {
    pub(super) fn new(path: &str, bytes: Vec<u8>) -> Self {
        let is_binary = bytes.iter().take(8192).any(|byte| *byte == 0);
        let text = if is_binary {
            String::new()
        } else {
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let code = if path.ends_with(".rs") {
            blank(&text)
        } else {
            String::new()
        };
        Self {
            path: path.to_owned(),
            bytes,
            text,
            code,
        }
    }

    /// Whether this is a Rust file.
    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the file stands in this folder or is this file.
    pub(super) fn is_under(&self, place: &str) -> bool {
        self.path
            .strip_prefix(place)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || place.ends_with('/'))
    }

    /// Lines of code, counted from 1, up to the unit tests at the end of the file.
    pub(super) fn lines_before_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test_file = self.path.ends_with("/tests.rs");
        let lines = self.code.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.take_while(move |(_, line)| !is_test_file && !line.trim_start().starts_with("#[cfg(test)]"))
    }

    /// A finding in this file.
    pub(super) fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding {
            file: self.path.clone(),
            line,
            message: message.into(),
        }
    }
}

/// Whether `line` names the path `path`, not as a part of a longer identifier.
pub(super) fn names(line: &str, path: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        let starts = !before.is_some_and(is_word) || !path.starts_with(is_word);
        let ends = !after.is_some_and(is_word) || !path.ends_with(is_word);
        starts && ends
    })
}

/// Replaces comments and the insides of literals by spaces; line breaks stay.
fn blank(text: &str) -> String {
    let mut rest = text;
    let mut code = String::with_capacity(text.len());
    while let Some(character) = rest.chars().next() {
        let inert = inert_length(rest, code.chars().next_back());
        let taken = if inert > 0 { inert } else { character.len_utf8() };
        let (now, later) = rest.split_at(taken);
        if inert > 0 {
            code.extend(now.chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
        } else {
            code.push_str(now);
        }
        rest = later;
    }
    code
}

/// Length in bytes of the comment or literal that `rest` starts with; 0 when it starts with code.
fn inert_length(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment_length(rest);
    }
    if rest.starts_with('"') {
        return quoted_length(rest, '"');
    }
    let inside_word = before.is_some_and(|character| character.is_alphanumeric() || character == '_');
    if !inside_word && let Some(length) = raw_string_length(rest) {
        return length;
    }
    if rest.starts_with('\'') {
        return character_length(rest);
    }
    0
}

fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + quote.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// `r"..."`, `r#"..."#` and their byte and C kinds.
fn raw_string_length(rest: &str) -> Option<usize> {
    let opening = rest.trim_start_matches(['b', 'c']);
    let prefix = rest.len() - opening.len();
    let opening = opening.strip_prefix('r').filter(|_| prefix <= 1)?;
    let hashes = opening.len() - opening.trim_start_matches('#').len();
    let body = opening[hashes..].strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(hashes));
    let start = rest.len() - body.len();
    Some(body.find(&closing).map_or(rest.len(), |at| start + at + closing.len()))
}

/// A character literal; a lifetime or label is code.
fn character_length(rest: &str) -> usize {
    let mut characters = rest.chars().skip(1);
    match (characters.next(), characters.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted_length(rest, '\''),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        let text = "a // unsafe\nb /* x /* y */ z */ c \"un\\\"safe\" d r#\"q\"uote\"# e 'x' f '\\'' g 'life h";
        let code = blank(text);
        assert!(
            !code.contains("safe") && !code.contains('x') && !code.contains("uote"),
            "{code}"
        );
        for letter in ["a", "b", "c", "d", "e", "f", "g", "'life", "h"] {
            assert!(code.contains(letter), "{letter} in {code}");
        }
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn an_unfinished_literal_ends_with_the_text() {
        for text in ["\"open", "r#\"open\"", "/* open", "'\\"] {
            assert_eq!(blank(text).trim(), "", "{text}");
        }
    }

    #[test]
    fn a_name_counts_only_as_a_whole() {
        assert!(names("use crate::control;", "crate::control"));
        assert!(names("crate::control::rollout", "crate::control"));
        assert!(!names("crate::controller", "crate::control"));
        assert!(!names("not_unsafe", "unsafe"));
    }

    #[test]
    fn unit_tests_at_the_end_are_left_out() {
        let file = SourceFile::new("a.rs", b"one\n#[cfg(test)]\nmod tests {}\n".to_vec());
        assert_eq!(file.lines_before_tests().collect::<Vec<_>>(), [(1, "one")]);
    }
}
