//! `skep-sim`: run by `cargo xtask sim`.

use std::process::ExitCode;
use std::time::Instant;

use skep_model::catalogue::Catalogue;
use skep_sim::check::Violation;
use skep_sim::generate::print;
use skep_sim::report::{Report, expected};
use skep_sim::run;
use skep_sim::shrink::shrink;
use skep_sim::world::{self, BASE_SECONDS, Scenario};

/// Owners that are killed in rollbacks.
const KILLS: u64 = 50_000;

const USAGE: &str = "\
Usage: cargo xtask sim [OPTIONS]

  --seeds N          worlds to run (default 200); each has 10 to 30 executions
  --first S          the first seed (default 1)
  --jobs N           threads (default 2)
  --seed S           one world, and what it does if it fails; with --rollbacks: one execution
  --shrunk A,B,..    with --seed: the world after these cuts
  --trace            say what happens
  --complete         fail if a kind of fault, crash, deed or step does not occur
  --rollbacks        kill owners in rollbacks, at every commit of each, and look at the world that is left
  --kills N          with --rollbacks: owners to kill (default 50000)
  --mutants          plant each known bug in turn and say after how many worlds it is found";

/// What is asked for.
#[derive(Default)]
struct Options {
    seeds: u64,
    first: u64,
    jobs: usize,
    seed: Option<u64>,
    cuts: Vec<usize>,
    complete: bool,
    mutants: bool,
    rollbacks: bool,
    kills: u64,
}

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    // A panic inside a world is a violation that is reported with its seed; the hook would only print it twice.
    std::panic::set_hook(Box::new(|_| {}));
    let catalogue = skep_node::catalogue::build();
    if options.rollbacks {
        let succeeded = rollbacks(&options, &catalogue);
        return if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let succeeded = match (options.seed, options.mutants) {
        (Some(seed), _) => one(seed, &options.cuts, &catalogue),
        (None, true) => skep_sim::mutants::find_all(options.seeds, options.jobs, &catalogue),
        (None, false) => many(&options, &catalogue),
    };
    if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { seeds: 200, first: 1, jobs: 2, kills: KILLS, ..Options::default() };
    while let Some(word) = words.next() {
        let mut number = || {
            let given = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            given.parse::<u64>().map_err(|_| format!("{word}: {given:?} is no number"))
        };
        match word.as_str() {
            "--seeds" => options.seeds = number()?,
            "--first" => options.first = number()?,
            "--jobs" => options.jobs = usize::try_from(number()?).map_err(|error| error.to_string())?,
            "--seed" => options.seed = Some(number()?),
            "--shrunk" => {
                let given = words.next().ok_or("--shrunk needs a list of numbers")?;
                let cuts: Result<Vec<usize>, _> = given.split(',').map(str::parse).collect();
                options.cuts = cuts.map_err(|_| format!("--shrunk: {given:?} is no list of numbers"))?;
            }
            "--complete" => options.complete = true,
            "--trace" => skep_sim::trace::switch_on(),
            "--rollbacks" => options.rollbacks = true,
            "--kills" => options.kills = number()?,
            "--mutants" => options.mutants = true,
            "--help" => return Err(String::new()),
            other => return Err(format!("`{other}` is no option")),
        }
    }
    Ok(options)
}

fn rollbacks(options: &Options, catalogue: &Catalogue) -> bool {
    let began = Instant::now();
    let summary = match options.seed {
        Some(seed) => skep_sim::rollbacks::kill_all_of(seed, u64::MAX, catalogue),
        None => skep_sim::rollbacks::kill_many(options.first, options.kills, options.jobs, catalogue),
    };
    for (end, count) in &summary.ends {
        println!("{count:>10}  {end}");
    }
    println!(
        "{} owners killed in {} rollbacks of {} executions, {} events, in {:.1} s",
        summary.kills,
        summary.rollbacks,
        summary.executions,
        summary.report.events,
        began.elapsed().as_secs_f64(),
    );
    if let Some((seed, what, violation)) = summary.failure {
        println!("\nseed {seed}: {:?} does not hold: {}\n{what}", violation.invariant, violation.what);
        println!("repeat: cargo xtask sim --rollbacks --seed {seed}");
        for workflow in &skep_sim::rollbacks::draw(seed, false, catalogue).0.workflows {
            println!("---\n{}", print(workflow, BASE_SECONDS));
        }
        return false;
    }
    let missing = summary.missing();
    if options.complete && !missing.is_empty() {
        println!("these never occurred: {}", missing.join("; "));
        return false;
    }
    println!("every world is what its rollback promises");
    true
}

fn many(options: &Options, catalogue: &Catalogue) -> bool {
    let began = Instant::now();
    let summary = run::seeds(options.first, options.seeds, options.jobs, catalogue);
    let missing = tell(&summary.report, began.elapsed().as_secs_f64(), catalogue);
    if let Some((seed, violation)) = summary.failure {
        explain(&Scenario::draw(seed, catalogue), violation, catalogue);
        return false;
    }
    if options.complete && !missing.is_empty() {
        println!("these never occurred: {}", missing.join(", "));
        return false;
    }
    println!("no violated invariant");
    true
}

fn one(seed: u64, cuts: &[usize], catalogue: &Catalogue) -> bool {
    let Some(scenario) = Scenario::draw(seed, catalogue).cut(cuts) else {
        println!("this world has no such cut: the seed or the build is another one");
        return false;
    };
    let ended = world::run(&scenario, catalogue);
    match ended.verdict {
        Ok(()) => {
            println!(
                "seed {seed} holds every invariant: {} executions, {} events",
                ended.report.executions, ended.report.events
            );
            true
        }
        Err(violation) if cuts.is_empty() => {
            explain(&scenario, violation, catalogue);
            false
        }
        Err(violation) => {
            show(&scenario, &violation);
            false
        }
    }
}

/// Makes a failure small and says how to repeat it.
fn explain(scenario: &Scenario, violation: Violation, catalogue: &Catalogue) {
    let seed = scenario.seed;
    println!("\nseed {seed}: {:?} does not hold: {}", violation.invariant, violation.what);
    println!("repeat: cargo xtask sim --seed {seed}");
    let shrunk = shrink(scenario, violation, catalogue);
    if !shrunk.cuts.is_empty() {
        show(&shrunk.scenario, &shrunk.violation);
        let cuts: Vec<String> = shrunk.cuts.iter().map(usize::to_string).collect();
        println!("repeat: cargo xtask sim --seed {seed} --shrunk {}", cuts.join(","));
    }
}

fn show(scenario: &Scenario, violation: &Violation) {
    let numbers: Vec<String> = scenario.starts.iter().map(|(number, used)| format!("{number} of w{used}")).collect();
    println!("\n{:?} does not hold: {}", violation.invariant, violation.what);
    println!("{} moves, executions {}, {:?}", scenario.moves, numbers.join(", "), scenario.may);
    for (at, workflow) in scenario.workflows.iter().enumerate() {
        if scenario.starts.iter().any(|(_, used)| *used == at) {
            println!("---\n{}", print(workflow, BASE_SECONDS));
        }
    }
}

/// Prints what was covered; gives what was not.
fn tell(report: &Report, seconds: f64, catalogue: &Catalogue) -> Vec<String> {
    let mut missing = Vec::new();
    for (hit, count) in report.counts(&expected(catalogue)) {
        println!("{count:>10}  {hit}");
        if count == 0 {
            missing.push(hit.to_string());
        }
    }
    println!(
        "{} worlds, {} executions, {} turns, {} events, {} deliveries, {} owners in {seconds:.1} s ({:.1} worlds/s)",
        report.worlds,
        report.executions,
        report.turns,
        report.events,
        report.deliveries,
        report.owners,
        report.worlds as f64 / seconds.max(0.001),
    );
    missing
}
