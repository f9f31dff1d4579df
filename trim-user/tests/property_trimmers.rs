//! Both trimmers against connections whose truth is known by construction.
//!
//! `TRIM_CASES` sets how many recipes each test tries, `TRIM_SEED` picks one (a failure prints it).

mod support;

use proptest::prelude::*;
use proptest::test_runner::Config;
use trim_user::trimmer::{Legacy, Settings, Trimmer};

use support::check::{Patience, Tally, compare, compare_names, for_all, run, run_together};
use support::demand::Standard;
use support::labelled::SECRET_FIELDS;
use support::recipe::{Quirk, Recipe, recipes};
use support::rng::Rng;
use support::wire::Case;

fn legacy(settings: &Settings) -> Legacy {
    Legacy::new(settings)
}

/// Bounds so small that nearly everything hits one.
fn cramped(seed: u64) -> Settings {
    let mut rng = Rng::new(seed);
    Settings {
        max_header_block: rng.pick(&[64, 300, 4096]),
        max_flows: rng.between(1, 3),
        reassembly_bytes: rng.pick(&[0, 100, 5000]),
        reassembly_bytes_per_direction: rng.pick(&[0, 100, 2000]),
        scan_window: rng.pick(&[64, 512, 8192]),
        hold_acknowledged_ns: rng.pick(&[0, 5_000, 10_000_000]),
        ..Settings::default()
    }
}

/// Nothing is missing: every byte has its name.
fn names_every_byte(trimmer: &mut dyn Trimmer, recipe: Recipe) -> Result<(), String> {
    let case = Case::of(recipe);
    let answers = run(trimmer, &case, Patience::Endless)?;
    compare(&case, &answers, Standard::Reassembling, true)?;
    match recipe.quirks.has(Quirk::Conflict) {
        true => Ok(()),
        false => compare_names(&case, &answers, false, 0),
    }
}

fn keeps_headers_when_interrupted(trimmer: &mut dyn Trimmer, recipe: Recipe) -> Result<(), String> {
    let case = Case::of(recipe);
    let answers = run(trimmer, &case, Patience::Random(Rng::new(recipe.seed)))?;
    compare(&case, &answers, Standard::Interrupted, false).map(drop)
}

#[test]
fn legacy_names_every_byte_of_complete_captures() {
    for_all(
        1500,
        |recipe| recipe.without(&Quirk::HIDING),
        |recipe| names_every_byte(&mut legacy(&Settings::default()), recipe),
    );
}

#[test]
fn legacy_keeps_headers_and_cuts_bodies_when_bytes_are_missing() {
    for_all(
        1500,
        |recipe| recipe,
        |recipe| {
            let case = Case::of(recipe);
            let answers = run(&mut legacy(&Settings::default()), &case, Patience::Endless)?;
            compare(&case, &answers, Standard::Reassembling, true).map(drop)
        },
    );
}

/// Reordered captures then look like lossy ones.
#[test]
fn legacy_loses_no_header_to_impatience() {
    let impatient = Settings {
        hold_acknowledged_ns: 0,
        ..Settings::default()
    };
    for_all(
        1500,
        |recipe| recipe,
        |recipe| {
            let case = Case::of(recipe);
            let answers = run(&mut legacy(&impatient), &case, Patience::Endless)?;
            compare(&case, &answers, Standard::Interrupted, false).map(drop)
        },
    );
}

#[test]
fn legacy_loses_no_header_when_packets_are_wanted_back_early() {
    for_all(
        1000,
        |recipe| recipe.without(&[Quirk::Lookalike]),
        |recipe| keeps_headers_when_interrupted(&mut legacy(&Settings::default()), recipe),
    );
}

#[test]
fn legacy_loses_no_header_to_tiny_budgets() {
    for_all(
        1000,
        |recipe| recipe.without(&[Quirk::Lookalike]),
        |recipe| keeps_headers_when_interrupted(&mut legacy(&cramped(recipe.seed)), recipe),
    );
}

#[test]
fn legacy_keeps_the_first_bytes_of_bodies_and_overwrites_secrets() {
    for_all(
        1000,
        |recipe| recipe.without(&Quirk::HIDING).without(&[Quirk::Conflict]),
        |recipe| {
            let keep = Rng::new(recipe.seed).pick(&[1, 7, 100, 3000]);
            let settings = Settings {
                body_keep_bytes: keep,
                redact_headers: SECRET_FIELDS.map(Box::from).to_vec(),
                ..Settings::default()
            };
            let case = Case::of(recipe);
            let answers = run(&mut legacy(&settings), &case, Patience::Endless)?;
            compare_names(&case, &answers, true, keep)
        },
    );
}

#[test]
fn legacy_keeps_flows_apart_that_travel_together() {
    for_all(
        100,
        |recipe| recipe.without(&Quirk::HIDING),
        |recipe| {
            let seeds = (0..8).map(|index| Recipe::of_seed(recipe.seed ^ index << 40).without(&Quirk::HIDING));
            let cases: Vec<_> = seeds.map(Case::of).collect();
            for (case, answers) in cases
                .iter()
                .zip(run_together(&mut legacy(&Settings::default()), &cases)?)
            {
                compare(case, &answers, Standard::Reassembling, true)
                    .map_err(|complaint| format!("{:?}: {complaint}", case.recipe))?;
            }
            Ok(())
        },
    );
}

/// What generated connections have found in `legacy`, each as the recipe that showed it.
const FOUND: [(&str, &str); 8] = [
    (
        "a SYN-ACK of the new connection after one seen from its middle started a third one",
        "Recipe { seed: 0x7b3, exchanges: 1, quirks: [Chunked, Interim, Switch, Lookalike, ManyMessages, Reorder, \
         FastOpen, PortReuse, MidStream, EarlyAnswer] }",
    ),
    (
        "bytes behind CONNECT in the data of a SYN were framed before the answer told that they are a tunnel",
        "Recipe { seed: 0x10000000faa, exchanges: 4, quirks: [Chunked, Switch, Lookalike, Conflict, Probes, FastOpen, \
         EarlyAnswer] }",
    ),
    (
        "an answer of unknown method was given a body although the bytes behind it had not been seen",
        "Recipe { seed: 0x7d, exchanges: 5, quirks: [NoContent, ManyMessages, Reorder, Retransmit] }",
    ),
    (
        "the same, with the next start line split over segments",
        "Recipe { seed: 0x32f, exchanges: 6, quirks: [Pipelining, Chunked, NoContent, Interim, Switch, Large, Tiny, \
         Interleave, Reorder] }",
    ),
    (
        "the beginning of a status line behind a hole was taken for the content of an answer to HEAD",
        "Recipe { seed: 0xd7d, exchanges: 2, quirks: [Chunked, NoContent, Unsolicited, Secrets, Tiny, Reorder, Probes] }",
    ),
    (
        "a status line right behind the header block of an answer was taken for its content, because a request that was \
         taken for tunnelled bytes had been HEAD",
        "Recipe { seed: 0xf1c, exchanges: 4, quirks: [NoContent, Switch, Secrets, Interleave, Retransmit, LateDuplicates, \
         Loss, PortReuse, EarlyAnswer] }",
    ),
    (
        "a header block with a line that is no field, behind a hole, was taken for the content of an answer to HEAD",
        "Recipe { seed: 0x5001881, exchanges: 3, quirks: [NoContent, Ambiguous, Lines, Secrets, ManyMessages, \
         Interleave, Reorder] }",
    ),
    (
        "a lone CR at the end of a capture may be content or a blank line, and the truth asked for more",
        "Recipe { seed: 0x50025fb, exchanges: 3, quirks: [Pipelining, NoContent, Ambiguous, Lines, Secrets, OneSided, \
         Snaplen] }",
    ),
];

#[test]
fn legacy_stays_right_about_what_was_found_before() {
    let mut complaints = Vec::new();
    for (what, text) in FOUND {
        let recipe = Recipe::parse(text).expect("the recipe is well written");
        let plain = recipe.without(&[Quirk::Lookalike]);
        let case = Case::of(recipe);
        let complete = run(&mut legacy(&Settings::default()), &case, Patience::Endless)
            .and_then(|answers| compare(&case, &answers, Standard::Reassembling, true).map(drop));
        let interrupted = keeps_headers_when_interrupted(&mut legacy(&Settings::default()), plain);
        let cramped = keeps_headers_when_interrupted(&mut legacy(&cramped(recipe.seed)), plain);
        let results = [complete, interrupted, cramped].into_iter();
        complaints.extend(results.filter_map(|result| Some(format!("{what}: {recipe:?}: {}", result.err()?))));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Traffic as browsers make it, without accidents.
fn web_mix(recipe: Recipe) -> Recipe {
    let quirks = Quirk::ALL.into_iter().filter(|quirk| {
        matches!(
            quirk,
            Quirk::Chunked | Quirk::NoContent | Quirk::Interim | Quirk::UntilClose | Quirk::Secrets
        )
    });
    let plain = quirks
        .filter(|&quirk| recipe.quirks.has(quirk))
        .fold(Default::default(), support::recipe::Quirks::with);
    Recipe {
        quirks: plain.with(Quirk::Large),
        ..recipe
    }
}

fn share_cut(make: impl Fn() -> Box<dyn Trimmer>) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..300 {
        let case = Case::of(web_mix(Recipe::of_seed(seed)));
        let answers = run(&mut *make(), &case, Patience::Endless).expect("every packet is decided");
        tally.add(compare(&case, &answers, Standard::Streaming, false).expect("no header is lost"));
    }
    tally
}

#[test]
fn legacy_cuts_every_body_byte_of_the_web_mix() {
    let tally = share_cut(|| Box::new(legacy(&Settings::default())));
    assert!(tally.cut > 1_000_000, "the mix has bodies: {tally:?}");
    assert_eq!(tally.leaked, 0, "{tally:?}");
}

proptest! {
    #![proptest_config(Config { cases: 300, failure_persistence: None, ..Config::default() })]

    #[test]
    fn legacy_equals_the_truth_of_any_recipe(recipe in recipes()) {
        let case = Case::of(recipe);
        let answers = run(&mut legacy(&Settings::default()), &case, Patience::Endless);
        let result = answers.and_then(|answers| compare(&case, &answers, Standard::Reassembling, true));
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }
}
