//! The middle of several measurements.

/// The one in the middle by `key`; of two, the lower one.
///
/// # Panics
/// When there is none.
pub(crate) fn median_by<T>(measured: &[T], key: impl Fn(&T) -> f64) -> &T {
    let mut sorted: Vec<&T> = measured.iter().collect();
    sorted.sort_by(|one, other| key(one).total_cmp(&key(other)));
    sorted[(sorted.len() - 1) / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median_by(&[3.0, 1.0, 2.0], |&it| it), &2.0);
        assert_eq!(median_by(&[2.0, 1.0], |&it| it), &1.0);
        assert_eq!(median_by(&[("a", 3.0), ("b", 1.0), ("c", 2.0)], |it| it.1).0, "c");
    }
}
