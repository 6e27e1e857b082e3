//! Random workflows whose steps share things, with random answers at random moments: whatever happens, everything that
//! was granted is given back, once, and nothing that was not asked for is.

use std::collections::BTreeMap;

use proptest::prelude::*;
use skep_model::error::{Failure, Kind};
use skep_model::event::Event;
use skep_model::permit::{Answer, Resource};
use skep_model::plan::{Breaker, Concurrency, Plan, WhenFull};

use super::kit::{Harness, flow_with};
use super::random::{Move, finish, make, moves, shape, workflow};

fn group(name: &str) -> Concurrency {
    Concurrency { group: name.to_owned(), limit: 1, when_full: WhenFull::Queue }
}

/// Gives steps groups and breakers by the bits of a number.
fn share(plan: &mut Plan, bits: u64, own: bool) {
    plan.concurrency = own.then(|| group("own"));
    for (at, step) in plan.steps.iter_mut().enumerate() {
        if bits >> (at % 64) & 1 == 1 {
            step.concurrency = Some(group("db"));
        }
        if step.kind.is_work() && bits >> (at % 61 + 3) & 1 == 1 {
            let name = "api".to_owned();
            step.circuit_breaker =
                Some(Breaker { name, failures: 3, threshold: None, window_ms: None, reset_ms: 1_000 });
        }
    }
}

/// Answers one of those that wait, one way or another.
fn answer(harness: &mut Harness, which: u8) {
    let asked: Vec<String> = harness.asked.keys().cloned().collect();
    if asked.is_empty() {
        return;
    }
    let path = asked[which as usize % asked.len()].clone();
    let is_group = matches!(harness.asked[&path], Resource::Group(_));
    let answer = match which / 8 % 8 {
        0 => Answer::Refused(Failure::new(Kind::Unavailable, "SKEP-N031", "open")),
        1 if is_group => Answer::Skipped,
        _ => Answer::Granted { probe: which.is_multiple_of(2) },
    };
    harness.permit(&path, answer);
}

/// How often each was asked for and granted, by `group db a`.
fn counts(harness: &Harness) -> BTreeMap<String, (usize, usize)> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    for event in harness.journal.iter().flat_map(|turn| &turn.events) {
        match event {
            Event::PermitAsked { path, resource } => {
                let path = path.as_deref().unwrap_or_default();
                let key = format!("{} {} {path}", resource.word(), resource.name());
                counts.entry(key.clone()).or_default().0 += 1;
                last.insert(path.to_owned(), key);
            }
            Event::PermitGranted { path, .. } => {
                let key = &last[path.as_deref().unwrap_or_default()];
                counts.entry(key.clone()).or_default().1 += 1;
            }
            _ => {}
        }
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_granted_is_given_back_once(
        shapes in prop::collection::vec(shape(), 1..4), graph: bool, finally: bool, own: bool, bits: u64,
        moves in moves(), answers in prop::collection::vec(any::<u8>(), 40),
    ) {
        let mut harness = flow_with(&workflow(&shapes, graph, finally), |plan| share(plan, bits, own)).start();
        for (step, which) in moves.into_iter().zip(answers) {
            if !harness.status().is_terminal() {
                answer(&mut harness, which);
            }
            let ends_early = matches!(step, Move::Cancel) && which % 4 != 0;
            if !harness.status().is_terminal() && !ends_early {
                make(&mut harness, step);
            }
        }
        finish(&mut harness);
        prop_assert!(harness.asked.is_empty(), "{:?}", harness.asked);
        for (key, (asked, granted)) in counts(&harness) {
            let released = harness.released.iter().filter(|line| {
                let line = line.trim_end_matches(" success").trim_end_matches(" failure");
                line.trim_end() == key.trim_end()
            }).count();
            prop_assert!(granted <= released && released <= asked, "{key}: {asked} {granted} {released}\n{}", harness.trace());
        }
        super::snapshots::check_every_turn(&harness);
        harness.crash();
    }
}
