//! (b) A hundred steps side by side and one that waits for all of them, fifty executions at once.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::Plan;
use crate::disk::Scratch;
use crate::figures::{Figure, median, ratio, thousands};
use crate::floor::Sample;
use crate::load::{Loaded, Until};

const WIDTH: u64 = 100;
const EXECUTIONS: u64 = 50;
/// With the step that joins them.
const STEPS: u64 = WIDTH + 1;
/// The start, and one for each outcome.
const TURNS: u64 = STEPS + 1;
const TARGET: f64 = 100_000.0;

/// Rounds of fifty executions, each with a stretch of the floor that is about as long.
///
/// # Errors
/// An execution does not complete, or the store does not have what was counted.
pub fn measure(plan: &Plan) -> Result<Vec<Figure>> {
    let (repeats, time) = plan.or_quick((5, Duration::from_secs(10)), (1, Duration::from_secs(2)));
    let text = workflow();
    let (mut rates, mut floors, mut ratios, mut groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut rounds = 0;
    for _ in 0..repeats {
        let folder = Scratch::new(&plan.folder, "fan-out")?;
        let mut loaded = Loaded::open(folder.path())?;
        let (mut of_rounds, mut of_groups) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        while begun.elapsed() < time {
            let stretch = loaded.run(&text, EXECUTIONS, Until::Executions(EXECUTIONS))?;
            of_rounds.push(stretch.executions_per_second() * STEPS as f64);
            of_groups.push(stretch.turns_per_commit());
        }
        loaded.close(TURNS)?;
        let sample = Sample::of(folder.path())?;
        drop(folder);
        let (rate, group) = (median(&of_rounds), median(&of_groups));
        let folder = Scratch::new(&plan.folder, "floor")?;
        // A step of the floor takes as many rows as one of ours.
        let floor = sample.rows_per_second(folder.path(), group, time)? * STEPS as f64 / TURNS as f64;
        println!("fan-out: {} steps/s; floor {}; {group:.1} turns a commit", thousands(rate), thousands(floor));
        rates.push(rate);
        floors.push(floor);
        ratios.push(rate / floor);
        groups.push(group);
        rounds += of_rounds.len();
    }
    Ok(vec![Figure {
        work: format!(
            "(b) fan-out of {WIDTH} no-op steps and a join, {EXECUTIONS} executions ({:.0} turns a commit)",
            median(&groups)
        ),
        measured: format!("{} steps/s", thousands(median(&rates))),
        floor: format!("{} steps/s", thousands(median(&floors))),
        ratio: ratio(median(&ratios)),
        target: format!("{} steps/s", thousands(TARGET)),
        repeats: rounds,
    }])
}

fn workflow() -> String {
    let mut text = String::from("name: fan out\ndescription: A hundred steps and a join.\norder: graph\nsteps:\n");
    let ids: Vec<String> = (0..WIDTH).map(|number| format!("s{number}")).collect();
    for id in &ids {
        writeln!(text, "  - {{id: {id}, uses: noop}}").expect("a String takes everything");
    }
    writeln!(text, "  - {{id: join, uses: noop, depends_on: [{}]}}", ids.join(", "))
        .expect("a String takes everything");
    text
}

#[cfg(test)]
mod tests {
    use skep_bench::pure::{Prepared, Run};

    use super::*;

    #[test]
    fn all_steps_begin_at_once_and_the_join_is_last() {
        let prepared = Prepared::new(&workflow()).unwrap();
        let turns = Run::new(&prepared, 0).to_the_end().unwrap();
        assert_eq!(turns.len() as u64, TURNS);
        let scheduled = |turn: &skep_model::event::Turn| {
            turn.events.iter().filter(|event| matches!(event, skep_model::event::Event::Scheduled { .. })).count()
        };
        let each: Vec<usize> = turns.iter().map(scheduled).collect();
        assert_eq!((each[0], each.iter().sum::<usize>(), each[each.len() - 2]), (100, 101, 1));
    }
}
