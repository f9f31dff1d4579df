//! Reading small files of the kernel, and lists of processors.

use std::fs;
use std::path::Path;

/// A small file without the white space around it; `None` when it cannot be read or is empty.
pub(super) fn read(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The numbers in a list such as `0-3,8`; what is no number is left out.
pub(super) fn list(text: &str) -> Vec<usize> {
    let mut numbers = Vec::new();
    for part in text.trim().split(',') {
        match part.split_once('-') {
            Some((first, last)) => {
                if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
                    numbers.extend(first..=last);
                }
            }
            None => numbers.extend(part.parse::<usize>()),
        }
    }
    numbers
}

/// Bytes in the unit that suits them.
pub(super) fn bytes(value: u64) -> String {
    indicatif::BinaryBytes(value).to_string()
}

/// A list for people: `0, 1, 2`.
pub(super) fn joined(numbers: &[usize]) -> String {
    let words: Vec<String> = numbers.iter().map(usize::to_string).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors_are_read() {
        assert_eq!(list("0-3,8\n"), [0, 1, 2, 3, 8]);
        assert_eq!(list("5"), [5]);
        assert_eq!(list(""), [0_usize; 0]);
        assert_eq!(list("x,1-y,2"), [2]);
    }
}
