//! Files and functions stay small enough to be read whole.

use super::Finding;
use super::source::{SourceFile, names};

/// Longest file, lines.
const FILE_LINES: usize = 600;
/// Longest function, lines from its `fn` to its closing brace.
const FUNCTION_LINES: usize = 70;
/// A comment above a longer function that starts so gives the reason.
const EXCUSE: &str = "Long because";

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines = file.code.lines().count();
        if lines > FILE_LINES {
            findings.push(file.finding(
                0,
                format!("{lines} lines; a file has at most {FILE_LINES}: split it by concept"),
            ));
        }
        findings.extend(long_functions(file));
    }
    findings
}

fn long_functions(file: &SourceFile) -> Vec<Finding> {
    let code: Vec<&str> = file.code.lines().collect();
    let text: Vec<&str> = file.text.lines().collect();
    let mut findings = Vec::new();
    for start in (0..code.len()).filter(|index| names(code[*index], "fn")) {
        let length = function_length(&code[start..]);
        if length > FUNCTION_LINES && !is_excused(&text[..start]) {
            let message =
                format!("a function of {length} lines; at most {FUNCTION_LINES}, or a comment `{EXCUSE} ...`");
            findings.push(file.finding(start + 1, message));
        }
    }
    findings
}

/// Lines up to the brace that closes the first one opened; 1 for a declaration or a type.
fn function_length(lines: &[&str]) -> usize {
    let mut depth = 0_usize;
    for (index, line) in lines.iter().enumerate() {
        let from = if index == 0 { line.find("fn ").unwrap_or(0) } else { 0 };
        for character in line[from..].chars() {
            match character {
                '{' => depth += 1,
                '}' if depth <= 1 => return index + 1,
                '}' => depth -= 1,
                ';' if depth == 0 => return index + 1,
                _ => {}
            }
        }
    }
    1
}

fn is_excused(above: &[&str]) -> bool {
    let attached = |line: &&&str| line.trim_start().starts_with("//") || line.trim_start().starts_with("#[");
    above
        .iter()
        .rev()
        .take_while(attached)
        .any(|line| line.contains(EXCUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(text: &str) -> Vec<usize> {
        check(&[SourceFile::new("a.rs", text.into())])
            .iter()
            .map(|finding| finding.line)
            .collect()
    }

    fn function(lines: usize) -> String {
        format!("fn f() {{\n{}}}\n", "    x(\"}\"); // }\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_over_the_limit_is_found() {
        assert_eq!(breaches(&format!("use a;\n{}", function(FUNCTION_LINES + 1))), [2]);
        assert_eq!(
            breaches(&format!("{}{}", function(FUNCTION_LINES), function(FUNCTION_LINES))),
            [0; 0]
        );
    }

    #[test]
    fn a_long_function_may_give_its_reason() {
        assert_eq!(
            breaches(&format!("/// Table.\n// Long because it is one.\n{}", function(100))),
            [0; 0]
        );
    }

    #[test]
    fn a_long_file_is_found() {
        assert_eq!(breaches(&"x;\n".repeat(FILE_LINES + 1)), [0]);
        assert_eq!(breaches(&"x;\n".repeat(FILE_LINES)), [0; 0]);
    }
}
