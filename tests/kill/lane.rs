//! One data directory and the owners that die in it, one after the other.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rustix::process::Signal;
use skep_model::status::Execution as Status;

use super::ledger::{Ledger, Outstanding};
use crate::support::answer::{Answer, Running};
use crate::support::journal::{self, Journal};
use crate::support::place::Place;
use crate::support::random::Random;
use crate::support::{processes, wait};

/// A step whose deliveries were lost so often in a row gets an owner that lives until it is done: after ten the
/// engine holds the execution for a person.
const LOST_IN_A_ROW_MAX: u32 = 5;
/// An owner that starts nothing within this time is killed all the same.
const FIRST_SIGN_MAX: Duration = Duration::from_secs(10);
/// An owner is killed up to this many milliseconds after its first sign: longer than the longest step.
const LIFE_MS_MAX: u64 = 220;
/// One kill in so many hits the first moments of an owner instead.
const EARLY_ONCE_IN: u64 = 12;

/// One kill in so many takes the owner's helper with it, so that its steps live on without anybody.
const ORPHANS_ONCE_IN: u64 = 3;

/// What every step does around its work. One call writes a line, so lines are whole.
const MARKS: &str = r#"printf '%s %s start\n' "$SKEP_IDEMPOTENCY_KEY" "$SKEP_DELIVERY_TOKEN" >> ledger; WORK; printf '%s %s end\n' "$SKEP_IDEMPOTENCY_KEY" "$SKEP_DELIVERY_TOKEN" >> ledger"#;

fn script(work: &str) -> String {
    let text = MARKS.replace("WORK", work);
    format!("'{}'", text.replace('\'', "''"))
}

/// Sequences, branches, loops, repeats and a failing attempt; about three seconds of steps.
fn definition() -> String {
    let quick = script(":");
    let short = script("sleep 0.03");
    let middle = script("sleep 0.07");
    let long = script("sleep 0.15");
    let fails_once = script(r#"if [ "$SKEP_ATTEMPT" -lt 2 ]; then FAIL; fi; sleep 0.04"#)
        .replace("FAIL", r#"printf "%s %s end\n" "$SKEP_IDEMPOTENCY_KEY" "$SKEP_DELIVERY_TOKEN" >> ledger; exit 75"#);
    format!(
        "
name: kill
description: Writes down what it does.
defaults: {{shell: sh}}
steps:
  - {{id: one, run: {middle}}}
  - {{id: two, run: {quick}}}
  - {{id: three, run: {long}}}
  - {{id: flaky, run: {fails_once}, retry: {{max_attempts: 3, delay: 20ms, backoff: fixed, jitter: false}}}}
  - id: sides
    parallel:
      left: [{{id: left_a, run: {long}}}, {{id: left_b, run: {short}}}]
      middle: [{{id: middle_a, run: {middle}}}, {{id: middle_b, run: {middle}}}, {{id: middle_c, run: {quick}}}]
      right: [{{id: right_a, run: {short}}}]
  - id: each
    foreach: [a, b, c, d, e, f]
    max_parallel: 3
    steps:
      - {{id: first, run: {middle}}}
      - {{id: second, run: {long}, retry: {{max_attempts: 2, delay: 10ms}}}}
  - id: rounds
    repeat: {{times: 4}}
    steps:
      - {{id: tick, run: {short}}}
  - {{id: last, run: {long}}}
finally:
  - {{id: clean, run: {middle}}}
"
    )
}

/// Paths of the steps that act, with their attempts.
fn expected() -> BTreeMap<String, u32> {
    let plain = "one two three left_a left_b middle_a middle_b middle_c right_a last clean";
    let mut steps: BTreeMap<String, u32> = plain.split(' ').map(|id| (id.to_owned(), 1)).collect();
    steps.insert("flaky".to_owned(), 2);
    steps.extend((0..6).flat_map(|at| [(format!("each[{at}].first"), 1), (format!("each[{at}].second"), 1)]));
    steps.extend((0..4).map(|at| (format!("rounds[{at}].tick"), 1)));
    steps
}

/// What the kills of a lane hit.
#[derive(Default)]
pub struct Tally {
    pub kills: usize,
    /// A process of a step lived, and its step had no outcome.
    pub on_child: usize,
    /// Otherwise: a process had done its work and its outcome was not recorded.
    pub in_flight: usize,
    /// Of the hits, by the command that was the owner.
    pub on_run: usize,
    pub on_resume: usize,
    pub on_serve: usize,
    /// Kills of the owner and its helper together.
    pub with_helper: usize,
    pub executions: usize,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.on_child += other.on_child;
        self.in_flight += other.in_flight;
        self.on_run += other.on_run;
        self.on_resume += other.on_resume;
        self.on_serve += other.on_serve;
        self.with_helper += other.with_helper;
        self.executions += other.executions;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, on_child, in_flight, on_run, on_resume, on_serve, with_helper, executions } = self;
        write!(out, "{kills} kills: {on_child} on a running step, {in_flight} on an outcome in flight; ")?;
        write!(
            out,
            "these hit run {on_run}, resume {on_resume}, serve {on_serve} times; {with_helper} left orphans; {executions} executions completed"
        )
    }
}

/// One data directory.
pub struct Lane {
    place: Place,
    ledger: Ledger,
    random: Random,
    kills: usize,
    tally: Tally,
    /// The newest execution, while it is open.
    open: Option<Journal>,
    /// The newest execution that came to its end.
    ended: Option<String>,
    /// What the last death left without an outcome.
    left: Vec<Outstanding>,
}

/// Which command an owner is.
#[derive(Clone, Copy)]
enum Command {
    Run,
    Resume,
    Serve,
}

impl Lane {
    pub fn new(seed: u64, kills: usize) -> Self {
        let place = Place::new();
        place.write("kill.yaml", definition());
        let ledger = Ledger::new(place.work().join("ledger"));
        let random = Random::new(seed);
        Self { place, ledger, random, kills, tally: Tally::default(), open: None, ended: None, left: Vec::new() }
    }

    /// Kills, then lets the last execution come to its end.
    pub fn run(mut self) -> Tally {
        while self.tally.kills < self.kills {
            self.one_owner();
        }
        if self.open.is_some() {
            self.place.skep(&["resume", "@latest"]).exits(0);
            self.look_after_death(&[], Command::Resume);
            assert!(self.open.is_none(), "the last resume came to the end");
        }
        self.tally
    }

    fn one_owner(&mut self) {
        let command = self.choose();
        let size_before = self.ledger.size();
        let mut owner = self.start(command);
        if !self.random.once_in(EARLY_ONCE_IN) {
            self.wait_for_first_sign(&mut owner, size_before);
        }
        self.let_it_live(&mut owner);
        let living = processes::delivery_tokens();
        let ended_by_itself = owner.has_ended();
        let answer = self.kill(owner);
        if ended_by_itself {
            assert_eq!(answer.code, Some(0), "the owner ended by itself: {answer}");
            self.look_after_death(&[], command);
            assert!(self.open.is_none(), "the owner ended and its execution did not: {answer}");
        } else {
            self.tally.kills += 1;
            self.look_after_death(&living, command);
        }
    }

    /// Alone, an owner is survived by its helper, which stops the steps at once; without that they live on until
    /// the next owner finds them. The helper must not notice before it dies too, so it is halted first.
    fn kill(&mut self, owner: Running) -> Answer {
        if !self.random.once_in(ORPHANS_ONCE_IN) {
            return owner.kill();
        }
        let helpers = processes::children_with_argument(owner.child.id(), skep_runner::spawner::ARGUMENT);
        helpers.iter().for_each(|helper| processes::signal(*helper, Signal::STOP));
        let answer = owner.kill();
        helpers.iter().for_each(|helper| processes::signal(*helper, Signal::KILL));
        self.tally.with_helper += helpers.len();
        answer
    }

    fn choose(&mut self) -> Command {
        match &self.open {
            None => Command::Run,
            Some(_) if self.random.once_in(2) => Command::Serve,
            Some(_) => Command::Resume,
        }
    }

    fn start(&mut self, command: Command) -> Running {
        let arguments: &[&str] = match command {
            Command::Run => &["run", "kill.yaml", "--format", "json"],
            Command::Resume => &["resume", "@latest", "--format", "json"],
            Command::Serve => &["serve"],
        };
        let mut process = self.place.command(arguments);
        if self.random.once_in(3) {
            process.env("SKEP_TEST_PAUSE_BEFORE_COMMIT_MS", "20");
        }
        Running::start(process)
    }

    fn wait_for_first_sign(&self, owner: &mut Running, size_before: u64) {
        wait::try_until(FIRST_SIGN_MAX, || (self.ledger.size() > size_before || owner.has_ended()).then_some(()));
    }

    /// The moment of death is random, except that a step which always loses gets the time to end.
    fn let_it_live(&mut self, owner: &mut Running) {
        let life = Duration::from_millis(self.random.below(LIFE_MS_MAX));
        wait::try_until(life, || owner.has_ended().then_some(()));
        let losers = self.left.iter().filter(|left| left.lost_in_a_row >= LOST_IN_A_ROW_MAX);
        let paths: Vec<_> = losers.map(|left| left.path.clone()).collect();
        for path in paths {
            let is_over = || journal::newest(self.place.data()).is_some_and(|now| now.is_over(&path));
            wait::until("a step that was lost often to end", wait::SOON, || {
                (owner.has_ended() || is_over()).then_some(())
            });
        }
    }

    fn look_after_death(&mut self, living: &[String], command: Command) {
        let lines = self.ledger.lines();
        let newest = journal::newest(self.place.data());
        // A `run` that died before its start was durable leaves nothing.
        let Some(journal) = newest.filter(|journal| self.ended.as_ref() != Some(&journal.execution)) else { return };
        self.left = self.ledger.check_death(&lines, &journal);
        self.count(living, command);
        if !journal.status.is_terminal() {
            assert_eq!(journal.status, Status::Running, "nobody asked for anything else");
            self.open = Some(journal);
            return;
        }
        assert_eq!(journal.status, Status::Completed);
        self.ledger.check_end(&journal, &expected());
        self.tally.executions += 1;
        self.ended = Some(journal.execution);
        self.open = None;
    }

    fn count(&mut self, living: &[String], command: Command) {
        let hit_child = self.left.iter().any(|left| living.contains(&left.token));
        let hit_in_flight = self.left.iter().any(|left| left.has_ended);
        match (hit_child, hit_in_flight) {
            (true, _) => self.tally.on_child += 1,
            (false, true) => self.tally.in_flight += 1,
            (false, false) => return,
        }
        match command {
            Command::Run => self.tally.on_run += 1,
            Command::Resume => self.tally.on_resume += 1,
            Command::Serve => self.tally.on_serve += 1,
        }
    }
}
