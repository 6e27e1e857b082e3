//! Planted bugs: each must be found, and it is said after how many worlds.

use skep_model::catalogue::Catalogue;

/// Every planted bug: its name where it stands in the code, and what it does.
pub const MUTANTS: [(&str, &str); 27] = [
    ("key-of-attempt", "the idempotency key changes with the attempt"),
    ("delivery-not-counted", "a redelivery keeps the old delivery's number in the state"),
    ("signal-forgotten", "a signal that comes before its wait is not kept"),
    ("undo-oldest-first", "compensations run in the order of the work"),
    ("no-slots", "`max_parallel` of a workflow is not looked at"),
    ("one-round-more", "a loop has one round more at a time than it may"),
    ("one-attempt-more", "a step has one attempt more than it may"),
    ("timer-early", "timers fire a second and a half early"),
    ("timer-lost", "the last timer of an execution is never due"),
    ("stale-outcome-taken", "the answer of an earlier delivery is taken for that of the present one"),
    ("stopped-work-hangs", "what was asked to stop before its owner died never ends"),
    ("signal-after-the-end", "an execution that is over takes signals"),
    ("sequence-in-parallel", "a step of a sequence does not wait for the one before"),
    ("lost-is-acknowledged", "who asked is told yes although the commit failed"),
    ("acknowledged-early", "who asked is told yes before the commit"),
    ("lost-turn-forgotten", "a turn that could not be committed is not tried again"),
    ("child-released-without-commit", "a child goes on although its turn was not committed"),
    ("child-not-recorded", "a child is not put on record"),
    ("parent-not-told", "the end of a child execution is not told to its parent"),
    ("wake-not-moved", "the wake-up of an execution stays at its first timer"),
    ("row-not-changed", "the list does not say that an execution is paused"),
    ("folded-too-soon", "a lost execution is folded while its other turns are with the writer"),
    ("recovered-twice", "a `Recovered` that was lost comes again after other messages"),
    ("commit-not-synced", "commits are not synced"),
    ("position-kept-after-failure", "a failed commit's positions are taken as given"),
    ("refused-write-takes-the-next", "a refused write takes the next one with it, which is acknowledged"),
    ("row-twice", "a turn is written twice"),
];

/// Plants each bug in turn and runs worlds on `jobs` threads until it is found, at most `worlds`. False if one is not
/// found.
#[cfg(feature = "mutants")]
pub fn find_all(worlds: u64, jobs: usize, catalogue: &Catalogue) -> bool {
    let mut all = true;
    for (name, what) in MUTANTS {
        skep_model::mutant::switch(Some(name));
        let found = crate::run::seeds(1, worlds, jobs, catalogue).failure;
        skep_model::mutant::switch(None);
        all &= found.is_some();
        match found {
            Some((seed, violation)) => {
                println!("found after {seed:>4} worlds by {:?}: {name} ({what})", violation.invariant);
            }
            None => println!("NOT FOUND in {worlds} worlds: {name} ({what})"),
        }
    }
    all
}

/// Without the feature there is nothing to plant.
#[cfg(not(feature = "mutants"))]
pub fn find_all(_worlds: u64, _jobs: usize, _catalogue: &Catalogue) -> bool {
    println!("this build has no planted bugs: {} are in one with the feature `mutants`", MUTANTS.len());
    false
}
