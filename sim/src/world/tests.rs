//! Worlds hold every invariant, and the same seed gives the same world.

use super::*;

fn live(seed: u64, catalogue: &Catalogue) -> Report {
    let scenario = Scenario::draw(seed, catalogue);
    let ended = run(&scenario, catalogue);
    if let Err(violation) = ended.verdict {
        panic!("seed {seed}: {:?}: {}", violation.invariant, violation.what);
    }
    ended.report
}

#[test]
fn worlds_hold_every_invariant() {
    let catalogue = skep_node::catalogue::build();
    let mut report = Report::default();
    for seed in 1..=20 {
        report.add(&live(seed, &catalogue));
    }
    assert!(report.executions > 100 && report.owners > 20, "{report:?}");
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let catalogue = skep_node::catalogue::build();
    for seed in 100..105 {
        assert_eq!(format!("{:?}", live(seed, &catalogue)), format!("{:?}", live(seed, &catalogue)));
    }
}
