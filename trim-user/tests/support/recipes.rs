//! Recipes for proptest.

use proptest::prelude::*;

use super::recipe::{Quirk, Quirks, Recipe};

/// Recipes for proptest; simpler ones have fewer ingredients and exchanges.
pub fn recipes() -> impl Strategy<Value = Recipe> {
    let mask = (1u64 << Quirk::ALL.len()) - 1;
    let sparse = (any::<u64>(), any::<u64>()).prop_map(move |(a, b)| a & b & mask);
    (any::<u64>(), 1..8u32, sparse).prop_map(|(seed, exchanges, quirks)| Recipe {
        seed,
        exchanges,
        quirks: Quirks(quirks),
    })
}
