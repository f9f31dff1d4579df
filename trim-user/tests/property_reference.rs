//! The plain reference framing against connections whose truth is known by construction.

mod support;

use support::check::{Patience, compare, compare_names, for_all, run};
use support::demand::Standard;
use support::recipe::{Quirk, Recipe};
use support::reference::Reference;
use support::wire::Case;

fn reference_matches(recipe: Recipe) -> Result<(), String> {
    let case = Case::of(recipe);
    let answers = run(&mut Reference::default(), &case, Patience::Endless)?;
    compare(&case, &answers, Standard::Reassembling, true).map(drop)
}

#[test]
fn the_reference_equals_the_truth_of_complete_captures_byte_for_byte() {
    for_all(
        2000,
        |recipe| recipe.without(&Quirk::HIDING),
        |recipe| {
            let case = Case::of(recipe);
            let answers = run(&mut Reference::default(), &case, Patience::Endless)?;
            compare(&case, &answers, Standard::Reassembling, true)?;
            match recipe.quirks.has(Quirk::Conflict) {
                true => Ok(()),
                false => compare_names(&case, &answers, false, 0),
            }
        },
    );
}

#[test]
fn the_reference_keeps_headers_and_finds_bodies_when_bytes_are_missing() {
    for_all(2000, |recipe| recipe, reference_matches);
}
