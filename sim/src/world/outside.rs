//! The outside world, in which effects happen: what each delivery comes to follows from the seed, the step and the
//! attempt, and the world remembers what really happened, whoever died meanwhile.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};
use skep_model::Map;
use skep_model::effect::{Task, Work};
use skep_model::error::{Failure, Kind};
use skep_model::ids::{ExecutionId, Token};
use skep_model::outcome::{Ended, Outcome};
use skep_model::rollback::Part;

use super::things::Things;
use super::time::Time;
use super::trial::Trial;
use crate::random::Random;
use crate::report::{Hit, Report, Trouble};

const MILLISECOND_US: i64 = 1_000;
const SECOND_US: i64 = 1_000_000;
/// Longer than any simulated world lasts.
const NEVER_US: i64 = 1_000_000 * SECOND_US;

/// A delivery that is being performed.
pub struct Running {
    /// What.
    pub task: Task,
    /// When it ends, by the monotonic clock.
    pub ends_us: i64,
    /// What it will say.
    pub result: Ended,
    /// It says so twice.
    pub twice: bool,
    /// Its owner has died; it is a child that goes on until somebody kills it.
    pub is_orphan: bool,
    began: Time,
}

impl Running {
    /// The work, if it would have been done but for its end.
    fn cut_off(&self) -> Option<Task> {
        matches!(self.result, Ended::Succeeded(_)).then(|| self.task.clone())
    }
}

/// How deliveries end where a rollback is what is tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Deliveries of steps fail for good from this one on, counted from 1.
    pub fails_from: Option<u32>,
    /// Some compensations fail for good.
    pub doomed: bool,
}

/// Everything outside of the owner.
pub struct Outside {
    seed: u64,
    /// Deliveries by token, in a stable order.
    pub running: BTreeMap<Token, Running>,
    parked: BTreeSet<Token>,
    /// What each delivery said, successes only: outputs by token.
    pub succeeded: HashMap<Token, Map<Value>>,
    /// Outcomes of the past, to be said again.
    past: Vec<(ExecutionId, Outcome)>,
    /// What is done to the only execution, if that is all there is.
    pub trial: Option<Trial>,
    /// How deliveries end where a rollback is what is tried.
    pub fates: Option<Fates>,
    /// What was changed by what was done.
    pub things: Things,
    begun: u32,
    /// Nothing fails or hangs any more.
    pub is_calm: bool,
}

impl Outside {
    /// A world without effects.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            running: BTreeMap::new(),
            parked: BTreeSet::new(),
            succeeded: HashMap::new(),
            past: Vec::new(),
            trial: None,
            fates: None,
            things: Things::default(),
            begun: 0,
            is_calm: false,
        }
    }

    /// A child waits for its release.
    pub fn park(&mut self, token: &Token) {
        self.parked.insert(token.clone());
    }

    /// A parked child exits.
    pub fn unpark(&mut self, token: &Token) {
        self.parked.remove(token);
    }

    /// True if the token's child was forked and waits.
    pub fn is_parked(&self, token: &Token) -> bool {
        self.parked.contains(token)
    }

    /// A delivery begins. What it comes to does not depend on anything else that happens.
    pub fn begin(&mut self, task: Task, time: Time, report: &mut Report) {
        self.parked.remove(&task.token);
        let mut random = Random::of(self.seed, &format!("{}/{}", task.idempotency_key(), task.delivery));
        let is_step = Part::split(&task.path).1 == Part::Step;
        self.begun += u32::from(is_step || self.fates.is_none());
        let (mut after_us, mut result) = match self.fates {
            Some(fates) => self.fate_of_undoing(fates, &task, &mut random),
            None => self.fate(&task, &mut random, report),
        };
        if let Some(timeout_ms) = task.timeout_ms {
            let timeout_us = i64::try_from(timeout_ms).unwrap_or(NEVER_US).saturating_mul(MILLISECOND_US);
            if after_us > timeout_us {
                after_us = timeout_us;
                result = failed(Kind::Timeout, None);
                report.hit(Hit::Trouble(Trouble::StepTimesOut));
            }
        }
        if self.trial.is_some_and(|trial| trial.fails == Some(self.begun)) {
            result = failed(Kind::Network, None);
        }
        let twice = match self.trial {
            Some(trial) => trial.twice,
            None => (!self.is_calm || self.fates.is_some()) && random.percent(8),
        };
        let ends_us = time.elapsed_us.saturating_add(after_us);
        let running = Running { task, ends_us, result, twice, is_orphan: false, began: time };
        self.running.insert(running.task.token.clone(), running);
    }

    fn fate(&self, task: &Task, random: &mut Random, report: &mut Report) -> (i64, Ended) {
        let quick = i64::try_from(random.below(3_000)).unwrap_or(0) * MILLISECOND_US;
        let answer = random.bits();
        if self.is_calm {
            return (quick, succeeded(task, answer, false));
        }
        let mut note = |trouble| report.hit(Hit::Trouble(trouble));
        match random.weighted(&[60, 22, 8, 6, 4]) {
            0 => {
                let large = random.percent(4);
                if large {
                    note(Trouble::LargeAnswer);
                }
                (quick, succeeded(task, answer, large))
            }
            1 => {
                note(Trouble::StepFails);
                let kinds = [Kind::Network, Kind::Exit, Kind::Invalid, Kind::Unavailable, Kind::RateLimit];
                let kind = random.pick(&kinds);
                (quick, failed(kind, (kind == Kind::Exit).then_some(75)))
            }
            2 => {
                note(Trouble::StepIsSlow);
                (i64::try_from(random.between(5, 60)).unwrap_or(5) * SECOND_US, succeeded(task, answer, false))
            }
            3 => {
                note(Trouble::StepDies);
                (quick, failed(Kind::Crash, None))
            }
            _ => {
                note(Trouble::StepNeverAnswers);
                (NEVER_US, succeeded(task, answer, false))
            }
        }
    }

    /// Where a rollback is what is tried: slow work is under way when it begins, and compensations do not always
    /// succeed at once, or ever.
    fn fate_of_undoing(&mut self, fates: Fates, task: &Task, random: &mut Random) -> (i64, Ended) {
        let after_us = if random.percent(15) { random.between(5_000, 60_000) } else { random.between(0, 3_000) };
        let after_us = i64::try_from(after_us).unwrap_or(0) * MILLISECOND_US;
        let answer = random.bits();
        let result = match Part::split(&task.path).1 {
            Part::Step if fates.fails_from.is_some_and(|from| self.begun >= from) => failed(Kind::Invalid, None),
            Part::Rollback if fates.doomed && self.is_doomed(&task.execution, Part::split(&task.path).0) => {
                failed(Kind::Invalid, None)
            }
            Part::Rollback if task.attempt == 1 && random.percent(30) => {
                // It may have done its work, and only its answer was lost.
                self.perhaps_done(task);
                failed(Kind::Network, None)
            }
            Part::Step | Part::Verify | Part::Rollback | Part::RollbackVerify => succeeded(task, answer, false),
        };
        (after_us, result)
    }

    /// True if undoing this step never succeeds, where that may be.
    pub fn is_doomed(&self, execution: &ExecutionId, step: &str) -> bool {
        Random::of(self.seed, &format!("doomed {execution} {step}")).percent(20)
    }

    /// Work that ended without an answer was done or was not.
    fn perhaps_done(&mut self, task: &Task) {
        if self.fates.is_some() && Random::of(self.seed, &format!("done all the same {}", task.token)).percent(50) {
            self.things.done(task);
        }
    }

    /// A delivery is told to stop.
    pub fn stop(&mut self, token: &Token, time: Time, report: &mut Report) {
        let mut random = Random::of(self.seed, &format!("stop {token}"));
        let is_calm = self.is_calm && self.fates.is_none();
        let Some(running) = self.running.get_mut(token) else { return };
        let chance = if is_calm { 0 } else { random.below(100) };
        let after_us = match chance {
            0..60 => 100 * MILLISECOND_US,
            60..85 => {
                report.hit(Hit::Trouble(Trouble::AnswerComesAfterStop));
                i64::try_from(random.between(1, 20)).unwrap_or(1) * SECOND_US
            }
            _ => {
                // It had done its work before it heard of the stop.
                if let Ended::Succeeded(_) = running.result {
                    report.hit(Hit::Trouble(Trouble::SuccessAfterStop));
                    running.ends_us = time.elapsed_us + 50 * MILLISECOND_US;
                    return;
                }
                100 * MILLISECOND_US
            }
        };
        running.ends_us = time.elapsed_us + after_us;
        let cut_off = running.cut_off();
        running.result = Ended::Aborted;
        cut_off.iter().for_each(|task| self.perhaps_done(task));
    }

    /// When the next delivery of a living owner ends.
    pub fn next_end_us(&self) -> Option<i64> {
        self.running.values().filter(|running| !running.is_orphan).map(|running| running.ends_us).min()
    }

    /// Outcomes of what has ended by now.
    pub fn due(&mut self, time: Time, random: &mut Random, report: &mut Report) -> Vec<(ExecutionId, Outcome)> {
        let ended: Vec<Token> =
            self.running.iter().filter(|(_, r)| r.ends_us <= time.elapsed_us).map(|(token, _)| token.clone()).collect();
        let mut outcomes = Vec::new();
        for token in ended {
            let running = self.running.remove(&token).expect("it was found just now");
            if running.is_orphan {
                continue;
            }
            let twice = running.twice;
            let said = self.answer(running, time);
            if twice {
                report.hit(Hit::Trouble(Trouble::AnswerComesTwice));
                outcomes.push(said.clone());
            }
            if !self.is_calm && random.percent(5) && !self.past.is_empty() {
                report.hit(Hit::Trouble(Trouble::StaleAnswer));
                outcomes.push(self.past[random.below(self.past.len())].clone());
            }
            self.past.push(said.clone());
            outcomes.push(said);
        }
        outcomes
    }

    fn answer(&mut self, running: Running, time: Time) -> (ExecutionId, Outcome) {
        let Running { task, result, began, .. } = running;
        if let Ended::Succeeded(outputs) = &result {
            self.things.done(&task);
            self.succeeded.insert(task.token.clone(), outputs.clone());
        }
        let (began_at, ended_at) = (began.wall(), time.wall());
        (task.execution, Outcome { path: task.path, token: task.token, began_at, ended_at, result })
    }

    /// The outcome of a delivery that has just begun, if it takes no waiting.
    pub fn at_once(&mut self, token: &Token, time: Time, report: &mut Report) -> Option<Outcome> {
        let is_quick = Random::of(self.seed, &format!("at once {token}")).percent(30) && self.trial.is_none();
        let running = self.running.get(token).filter(|running| is_quick && !running.twice)?;
        if !matches!(running.task.work, Work::Action { .. }) {
            return None;
        }
        report.hit(Hit::Trouble(Trouble::AnswerAtOnce));
        let running = self.running.remove(token)?;
        let said = self.answer(running, time);
        self.past.push(said.clone());
        Some(said.1)
    }

    /// The owner's process ends: actions end with it, parked children exit, released ones go on until they are killed
    /// or the power fails.
    pub fn owner_died(&mut self, with_power: bool, report: &mut Report) {
        self.parked.clear();
        let cut_off: Vec<Task> = self.running.values().filter_map(Running::cut_off).collect();
        cut_off.iter().for_each(|task| self.perhaps_done(task));
        self.running.retain(|_, running| match running.task.work {
            Work::Script(_) => !with_power,
            Work::Action { .. } | Work::UndoChild { .. } => false,
        });
        for running in self.running.values_mut() {
            running.is_orphan = true;
            report.hit(Hit::Trouble(Trouble::OrphanKeepsRunning));
        }
    }

    /// A new owner kills the children that are on record.
    pub fn kill(&mut self, tokens: &[Token]) {
        for token in tokens {
            self.running.remove(token);
        }
    }

    /// Everything that still runs ends soon.
    pub fn calm_down(&mut self, time: Time) {
        self.is_calm = true;
        for running in self.running.values_mut() {
            running.ends_us = running.ends_us.min(time.elapsed_us + SECOND_US);
        }
    }
}

fn succeeded(task: &Task, answer: u64, large: bool) -> Ended {
    let mut outputs = Map::new();
    match &task.work {
        Work::Script(_) => {
            // A large value goes to the blob store.
            let text = if large { "x".repeat(20_000) } else { format!("{}", answer % 1_000) };
            outputs.insert("stdout".to_owned(), json!(text));
            outputs.insert("stderr".to_owned(), json!(""));
            outputs.insert("exit_code".to_owned(), json!(0));
            outputs.insert("json".to_owned(), if large { Value::Null } else { json!(answer % 1_000) });
        }
        Work::Action { with, .. } => {
            for (name, value) in with.as_object().into_iter().flatten() {
                outputs.insert(name.clone(), value.clone());
            }
            if large {
                outputs.insert("v".to_owned(), json!("x".repeat(20_000)));
            }
        }
        // The node does that by itself.
        Work::UndoChild { .. } => {}
    }
    Ended::Succeeded(outputs)
}

fn failed(kind: Kind, exit_code: Option<i32>) -> Ended {
    let mut failure = Failure::new(kind, "SIM", format!("simulated: {}", kind.as_str()));
    failure.exit_code = exit_code;
    Ended::Failed { failure, outputs: Map::new() }
}
