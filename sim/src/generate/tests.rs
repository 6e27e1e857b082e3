//! What is drawn is valid, covers every kind, and becomes smaller without becoming invalid.

use std::collections::BTreeSet;

use super::*;
use crate::random::Random;

fn draw(seed: u64, catalogue: &Catalogue) -> Workflow {
    workflow(&mut Random::new(seed), (seed % 3) as usize, catalogue)
}

fn kinds(list: &List, into: &mut BTreeSet<Kind>) {
    for step in &list.steps {
        into.insert(step.kind());
        for inner in step.lists() {
            kinds(inner, into);
        }
    }
}

#[test]
fn what_is_drawn_is_valid_and_covers_every_kind_that_the_node_has() {
    let catalogue = skep_node::catalogue::build();
    let mut covered = BTreeSet::new();
    for seed in 0..400 {
        let drawn = draw(seed, &catalogue);
        let text = print(&drawn, 1_700_000_000);
        if let Err(problem) = compile(&text, &catalogue) {
            panic!("seed {seed}: {problem}\n{text}");
        }
        kinds(&drawn.steps, &mut covered);
    }
    let built = |kind: &Kind| kind.feature().is_none_or(|feature| catalogue.features.contains(&feature));
    assert_eq!(covered, Kind::ALL.into_iter().filter(built).collect());
}

#[test]
fn what_is_smaller_is_valid_and_ends_at_one_step() {
    let catalogue = skep_node::catalogue::build();
    for seed in 0..20 {
        let mut drawn = draw(seed, &catalogue);
        loop {
            let candidates = smaller(&drawn);
            for candidate in &candidates {
                let text = print(candidate, 1_700_000_000);
                assert!(
                    compile(&text, &catalogue).is_ok(),
                    "seed {seed}: {:?}\n{text}",
                    compile(&text, &catalogue).err()
                );
            }
            match candidates.into_iter().next() {
                Some(next) => drawn = next,
                None => break,
            }
        }
        assert_eq!(drawn.count(), 1, "seed {seed}: {drawn:?}");
    }
}
