//! Planted bugs: each must be found, and it is said after how many worlds.

use skep_model::catalogue::Catalogue;

/// Every planted bug: its name where it stands in the code, and what it does.
pub const MUTANTS: [(&str, &str); 32] = [
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
    ("second-timer-lost", "an execution is not woken for its second timer"),
    ("row-not-changed", "the list does not say that an execution is paused"),
    ("folded-too-soon", "a lost execution is folded while its other turns are with the writer"),
    ("recovered-twice", "a `Recovered` that was lost comes again after other messages"),
    ("commit-not-synced", "commits are not synced"),
    ("numbers-kept-after-failure", "the numbers of turns that could not be committed are taken as given"),
    ("refused-write-takes-the-next", "a refused write takes the next one with it, which is acknowledged"),
    ("row-twice", "a turn is written twice"),
    ("folded-twice", "a new owner folds every turn twice"),
    ("snapshot-one-turn-short", "the turn after a snapshot is not folded"),
    ("breaker-forgets", "a new owner knows nothing of breakers"),
    ("places-forgotten", "a new owner knows nothing of places in groups"),
    ("one-place-more", "a group lets one more in than it has places"),
];

/// Plants each bug and runs worlds until it is found, at most `worlds`; so many bugs at a time as there are `jobs`.
/// False if one is not found.
#[cfg(feature = "mutants")]
pub fn find_all(worlds: u64, jobs: usize, catalogue: &Catalogue) -> bool {
    let (next, missed) = (std::sync::atomic::AtomicUsize::new(0), std::sync::atomic::AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                let order = std::sync::atomic::Ordering::Relaxed;
                while let Some((name, what)) = MUTANTS.get(next.fetch_add(1, order)) {
                    if !find(name, what, worlds, catalogue) {
                        missed.fetch_add(1, order);
                    }
                }
            });
        }
    });
    let missed = missed.into_inner();
    println!("{} of {} planted bugs were found", MUTANTS.len() - missed, MUTANTS.len());
    missed == 0
}

#[cfg(feature = "mutants")]
fn find(name: &'static str, what: &str, worlds: u64, catalogue: &Catalogue) -> bool {
    skep_model::mutant::switch(Some(name));
    let found = (1..=worlds).find_map(|seed| {
        let scenario = crate::world::Scenario::draw(seed, catalogue);
        crate::world::run(&scenario, catalogue).verdict.err().map(|violation| (seed, violation.invariant))
    });
    skep_model::mutant::switch(None);
    match found {
        Some((seed, invariant)) => println!("found after {seed:>4} worlds by {invariant:?}: {name} ({what})"),
        None => println!("NOT FOUND in {worlds} worlds: {name} ({what})"),
    }
    found.is_some()
}

/// Without the feature there is nothing to plant.
#[cfg(not(feature = "mutants"))]
pub fn find_all(_worlds: u64, _jobs: usize, _catalogue: &Catalogue) -> bool {
    println!("this build has no planted bugs: {} are in one with the feature `mutants`", MUTANTS.len());
    false
}
