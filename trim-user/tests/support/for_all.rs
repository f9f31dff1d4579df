//! Runs a property on many recipes.

use std::env;

use super::recipe::Recipe;

fn from_environment(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    Some(parsed.unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// The recipe of `TRIM_RECIPE`, as a failure prints it.
fn named_recipe() -> Option<Recipe> {
    let text = env::var("TRIM_RECIPE").ok()?;
    Some(Recipe::parse(&text).unwrap_or_else(|| panic!("TRIM_RECIPE={text} is not a recipe")))
}

/// Runs `property` on recipes: a fixed set first, then as many fresh ones. `TRIM_SEED` runs that seed only (and
/// those that follow it, `TRIM_CASES` in all); `TRIM_CASES` sets the number; `TRIM_RECIPE` runs one recipe as a failure
/// prints it, and `TRIM_TRACE` shows what the trimmer sees. A failure is made as simple as it gets
/// before it is reported, together with a few more.
pub fn for_all(cases: u64, change: impl Fn(Recipe) -> Recipe, property: impl Fn(Recipe) -> Result<(), String>) {
    if let Some(recipe) = named_recipe() {
        return property(recipe).unwrap_or_else(|complaint| panic!("{recipe:?} fails:\n{complaint}"));
    }
    let seeds: Vec<u64> = match (from_environment("TRIM_SEED"), from_environment("TRIM_CASES")) {
        (Some(seed), count) => (0..count.unwrap_or(1)).map(|index| seed.wrapping_add(index)).collect(),
        (None, count) => {
            let count = count.unwrap_or(cases);
            let fresh = fresh_seed();
            let fixed = 0..count / 2;
            fixed
                .chain((0..count - count / 2).map(|index| fresh.wrapping_add(index)))
                .collect()
        }
    };
    let mut failures = Vec::new();
    for seed in seeds {
        let recipe = change(Recipe::of_seed(seed));
        let Err(complaint) = property(recipe) else { continue };
        let (simplest, complaint) = simplify(recipe, complaint, &property);
        failures.push(format!(
            "TRIM_SEED={seed:#x} fails, at its simplest as {simplest:?}:\n{complaint}"
        ));
        if failures.len() >= MOST_FAILURES {
            break;
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// More failures than this say nothing new.
const MOST_FAILURES: usize = 5;

fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seed = now.map_or(0, |now| now.as_nanos() as u64) << 16;
    println!("fresh seeds from {seed:#x}");
    seed
}

fn simplify(recipe: Recipe, complaint: String, property: &impl Fn(Recipe) -> Result<(), String>) -> (Recipe, String) {
    let mut best = (recipe, complaint);
    while let Some(better) = best
        .0
        .simpler()
        .into_iter()
        .filter(|simpler| *simpler != best.0)
        .find_map(|simpler| property(simpler).err().map(|complaint| (simpler, complaint)))
    {
        best = better;
    }
    best
}
