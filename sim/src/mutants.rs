//! Planted bugs: each must be found, and it is said after how many worlds.

use skep_model::catalogue::Catalogue;

/// Every planted bug: its name where it stands in the code, and what it does.
pub const MUTANTS: [(&str, &str); 0] = [];

/// Plants each bug in turn and runs worlds until it is found, at most `worlds`. False if one is not found.
#[cfg(feature = "mutants")]
pub fn find_all(worlds: u64, catalogue: &Catalogue) -> bool {
    let mut all = true;
    for (name, what) in MUTANTS {
        skep_model::mutant::switch(Some(name));
        let found = (1..=worlds).find_map(|seed| {
            let scenario = crate::world::Scenario::draw(seed, catalogue);
            crate::world::run(&scenario, catalogue).verdict.err().map(|violation| (seed, violation.invariant))
        });
        skep_model::mutant::switch(None);
        all &= found.is_some();
        match found {
            Some((seed, invariant)) => println!("found after {seed:>4} worlds by {invariant:?}: {name} ({what})"),
            None => println!("NOT FOUND in {worlds} worlds: {name} ({what})"),
        }
    }
    all
}

/// Without the feature there is nothing to plant.
#[cfg(not(feature = "mutants"))]
pub fn find_all(_worlds: u64, _catalogue: &Catalogue) -> bool {
    println!("this build has no planted bugs: {} are in one with the feature `mutants`", MUTANTS.len());
    false
}
