//! "Did you mean": the known word nearest to a misspelt one.

/// `; did you mean x?`, or nothing when no known word is near.
pub(super) fn did_you_mean<S: AsRef<str>>(word: &str, known: &[S]) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// The nearest known word: a third of its letters may be wrong, or one is the beginning of the other.
fn nearest<'a, S: AsRef<str>>(word: &str, known: &'a [S]) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let ranked = known.iter().map(AsRef::as_ref).filter_map(|candidate: &str| {
        let far = distance(&word, candidate);
        let is_near = far <= 1.max(candidate.len().max(word.len()) / 3);
        let is_part = word.len() >= 4 && (candidate.starts_with(&word) || word.starts_with(candidate));
        (is_near || is_part).then_some((far, candidate))
    });
    ranked.min_by_key(|(far, _)| *far).map(|(_, candidate)| candidate)
}

/// `a, b or c`.
pub(super) fn listed<S: AsRef<str>>(words: &[S]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// Edits that make one word the other: insertions, deletions, replacements, and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        least = least.min(rows[i - 2][j - 2] + 1);
                    }
                    least
                }
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let known = ["legacy", "scanning", "auto", "ab_test", "comparison"];
        assert_eq!(nearest("legasy", &known), Some("legacy"));
        assert_eq!(nearest("Scaning", &known), Some("scanning"));
        assert_eq!(nearest("abtest", &known), Some("ab_test"));
        assert_eq!(nearest("compare", &known), None);
        assert_eq!(nearest("compari", &known), Some("comparison"));
        assert_eq!(nearest("zzz", &known), None);
    }

    #[test]
    fn words_are_listed() {
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b or c");
    }

    #[test]
    fn distances() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
