//! The modes that use both trimmers: `auto` loses no header and leaks no more than `scanning`, `comparison` decides what
//! `legacy` decides.

mod support;

use support::bytes::{check_headers, content, standard};
use support::check::{Answers, Patience, Tally, for_all, run};
use support::demand::Standard;
use support::recipe::{Quirk, Recipe};
use support::rng::Rng;
use support::wire::Case;
use trim_user::data::live::makers;
use trim_user::shared::Lane;
use trim_user::trimmer::{Settings, Trimmer};

fn settings() -> Settings {
    Settings {
        scan_window: 256 << 10,
        ..Settings::default()
    }
}

/// The trimmer of a lane, as a live capture makes it.
fn trimmer(lane: Lane, settings: &Settings) -> Box<dyn Trimmer> {
    makers(settings)[lane.index()]()
}

fn answers(lane: Lane, case: &Case) -> Result<Answers, String> {
    run(trimmer(lane, &settings()).as_mut(), case, Patience::Endless)
}

#[test]
fn auto_loses_no_header() {
    for_all(
        2000,
        |recipe| recipe,
        |recipe| {
            let case = Case::of(recipe);
            check_headers(&case, &answers(Lane::Auto, &case)?, standard(recipe))
        },
    );
}

#[test]
fn auto_loses_no_header_when_packets_are_wanted_back_early() {
    for_all(
        1000,
        |recipe| recipe.without(&[Quirk::Lookalike]),
        |recipe| {
            let case = Case::of(recipe);
            let mut auto = trimmer(Lane::Auto, &settings());
            let answers = run(auto.as_mut(), &case, Patience::Random(Rng::new(recipe.seed)))?;
            check_headers(&case, &answers, Standard::Interrupted)
        },
    );
}

/// In one direction at a time the two may differ, because `legacy` takes over in the middle of a connection.
#[test]
fn auto_leaks_no_more_content_than_scanning() {
    for_all(
        1000,
        |recipe| recipe.without(&[Quirk::Lookalike]),
        |recipe| {
            let case = Case::of(recipe);
            let auto = content(&case, &answers(Lane::Auto, &case)?);
            let scanning = content(&case, &answers(Lane::Scanning, &case)?);
            match auto.leaked <= scanning.leaked {
                true => Ok(()),
                false => Err(format!("auto {auto:?}, scanning {scanning:?}")),
            }
        },
    );
}

#[test]
fn auto_leaks_no_more_content_than_scanning_over_all() {
    let (mut auto, mut scanning) = (Tally::default(), Tally::default());
    for seed in 0..1000 {
        let case = Case::of(Recipe::of_seed(seed));
        auto.add(content(&case, &answers(Lane::Auto, &case).expect("all is decided")));
        scanning.add(content(&case, &answers(Lane::Scanning, &case).expect("all is decided")));
    }
    assert!(scanning.cut > 100_000, "{scanning:?}");
    assert!(auto.leaked <= scanning.leaked, "auto {auto:?}, scanning {scanning:?}");
}

#[test]
fn comparison_decides_what_legacy_decides() {
    for_all(
        1000,
        |recipe| recipe,
        |recipe| {
            let case = Case::of(recipe);
            let patience = || match recipe.seed % 2 {
                0 => Patience::Endless,
                _ => Patience::Random(Rng::new(recipe.seed)),
            };
            let decided = |lane| run(trimmer(lane, &settings()).as_mut(), &case, patience());
            match decided(Lane::Comparison)? == decided(Lane::Legacy)? {
                true => Ok(()),
                false => Err("the comparison changes the result".to_owned()),
            }
        },
    );
}

#[test]
fn comparison_counts_the_bytes_on_which_the_two_differ() {
    for_all(
        1000,
        |recipe| recipe,
        |recipe| {
            let case = Case::of(recipe);
            let mut both = trimmer(Lane::Comparison, &settings());
            run(both.as_mut(), &case, Patience::Endless)?;
            let found = both.statistics().differences;
            let (exact, fast) = (answers(Lane::Legacy, &case)?, answers(Lane::Scanning, &case)?);
            let differ =
                |(one, other): (&Vec<_>, &Vec<_>)| one.iter().zip(other).filter(|(a, b)| a != b).count() as u64;
            let bytes: u64 = exact.iter().zip(&fast).map(differ).sum();
            let counted: u64 = found.bytes.iter().sum();
            // While one of them holds thousands of segments the comparison gives up some, and says how many.
            match (counted == bytes, found.not_compared) {
                (true, 0) => Ok(()),
                (_, 1..) if counted <= bytes => Ok(()),
                _ => Err(format!("{bytes} bytes differ, counted were {found:?}")),
            }
        },
    );
}

/// What `auto` did when `legacy` alone took over in the middle of a flow: it took copies for new bytes, the framing of
/// one connection for that of the next on the same ports, and did not know where content ends that `scanning` knew.
const FOUND: [&str; 6] = [
    "Recipe { seed: 0x88, exchanges: 2, quirks: [Chunked, Interleave, Conflict, EarlyAnswer] }",
    "Recipe { seed: 0x11f, exchanges: 5, quirks: [Chunked, Interim, OddMethods, Large, LateDuplicates, Probes, FastOpen] }",
    "Recipe { seed: 0x7226a07ea90c03c4, exchanges: 6, quirks: [LateDuplicates, Wrap, PortReuse] }",
    "Recipe { seed: 0x7226bcde681f011b, exchanges: 4, quirks: [Lines, Secrets, Reorder, LateDuplicates, Wrap, PortReuse] }",
    "Recipe { seed: 0xc, exchanges: 1, quirks: [Lines, Retransmit] }",
    "Recipe { seed: 0x22, exchanges: 4, quirks: [LateDuplicates] }",
];

#[test]
fn auto_stays_right_about_what_was_found_before() {
    for text in FOUND {
        let case = Case::of(Recipe::parse(text).expect("the recipe is well written"));
        let auto = answers(Lane::Auto, &case).expect("all is decided");
        assert_eq!(check_headers(&case, &auto, Standard::Reassembling), Ok(()), "{text}");
        let scanning = answers(Lane::Scanning, &case).expect("all is decided");
        assert!(
            content(&case, &auto).leaked <= content(&case, &scanning).leaked,
            "{text}"
        );
    }
}
