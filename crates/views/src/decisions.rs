//! What was decided about failed attempts, and how it turned out.
//!
//! ```text
//! turns ── Decisions::apply ──> [Decision]   ── Tally::add ──> per rule: how often, how often it was worth it
//! ```
//! | decided | worth it if | not worth it if |
//! |---|---|---|
//! | retry | the step completed later | it ended in any other way |
//! | skip, continue | the execution completed | it ended in any other way |
//! | a proposal | a person said yes | a person said no, or nobody answered |
//! | abort, escalate | - | - |

use std::collections::BTreeMap;

use skep_model::actor::Actor;
use skep_model::decision::{Action, Autonomy, Judged};
use skep_model::event::{Event, Turn};
use skep_model::status::Execution as Status;
use skep_model::time::Timestamp;

/// A decision about a failed attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// When it was taken.
    pub at: Timestamp,
    /// What was decided, and why.
    pub judged: Judged,
    /// How it turned out, for people; `None`: that is not known yet.
    pub outcome: Option<String>,
    /// Whether it was worth it; `None`: not known yet, or there is nothing to say.
    pub worth_it: Option<bool>,
}

impl Decision {
    /// A person is asked before anything is done.
    fn is_asked(&self) -> bool {
        self.judged.action == Action::Escalate
            || matches!(self.judged.autonomy, Some(Autonomy::Suggest | Autonomy::Off))
    }

    /// The step is tried again without anybody being asked.
    fn repeats(&self) -> bool {
        self.judged.action == Action::Retry && !self.is_asked()
    }

    fn is(&mut self, outcome: impl Into<String>, worth_it: Option<bool>) {
        self.outcome = Some(outcome.into());
        self.worth_it = worth_it;
    }
}

/// The decisions of one execution, in their order.
#[derive(Debug, Default)]
pub struct Decisions {
    decisions: Vec<Decision>,
}

impl Decisions {
    /// Follows one more turn.
    pub fn apply(&mut self, turn: &Turn) {
        for event in &turn.events {
            self.apply_event(turn.at, event);
        }
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Decision> {
        self.decisions
    }

    fn apply_event(&mut self, at: Timestamp, event: &Event) {
        match event {
            Event::Judged(judged) => {
                let judged = (**judged).clone();
                self.decisions.push(Decision { at, judged, outcome: None, worth_it: None });
            }
            Event::Completed { path, .. } | Event::Proposed { path, .. } => self.step_ended(path, "completed", true),
            Event::Failed { path, .. } => self.step_ended(path, "failed all the same", false),
            Event::Skipped { path, .. } => self.step_ended(path, "was skipped in the end", false),
            Event::Cancelled { path } => self.step_ended(path, "was cancelled", false),
            Event::Answered { path, approved, actor, .. } => self.answered(path, *approved, actor),
            Event::Ended { status, .. } => self.ended(*status),
            _ => {}
        }
    }

    fn open(&mut self, is_meant: impl Fn(&Decision) -> bool) -> impl Iterator<Item = &mut Decision> {
        self.decisions.iter_mut().filter(move |decision| decision.outcome.is_none() && is_meant(decision))
    }

    fn step_ended(&mut self, path: &str, how: &str, good: bool) {
        for decision in self.open(|decision| decision.repeats() && &*decision.judged.path == path) {
            decision.is(format!("the step {how}"), Some(good));
        }
    }

    fn answered(&mut self, path: &str, approved: bool, by: &Actor) {
        for decision in self.open(|decision| decision.is_asked() && &*decision.judged.path == path) {
            let proposes =
                decision.judged.autonomy == Some(Autonomy::Suggest) && decision.judged.action != Action::Escalate;
            let word = if approved { "yes" } else { "no" };
            match by {
                Actor::Engine => decision.is(format!("nobody answered in time: {word}"), proposes.then_some(false)),
                _ => decision.is(format!("{} said {word}", by.label()), proposes.then_some(approved)),
            }
        }
    }

    fn ended(&mut self, status: Status) {
        let completed = status == Status::Completed;
        for decision in self.open(|_| true) {
            let goes_on = matches!(decision.judged.action, Action::Skip | Action::Continue) && !decision.is_asked();
            let worth_it = if decision.repeats() { Some(false) } else { goes_on.then_some(completed) };
            decision.is(format!("the execution ended {}", status.as_str()), worth_it);
        }
    }
}

/// How often a rule decided, and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Decisions.
    pub decided: u64,
    /// Of those, worth it.
    pub worth_it: u64,
    /// Of those, not worth it.
    pub not_worth_it: u64,
}

/// Decisions of many executions by rule and action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(pub BTreeMap<(String, Action), Count>);

impl Tally {
    /// Counts a decision.
    pub fn add(&mut self, decision: &Decision) {
        let count = self.0.entry((decision.judged.rule.clone(), decision.judged.action)).or_default();
        count.decided += 1;
        count.worth_it += u64::from(decision.worth_it == Some(true));
        count.not_worth_it += u64::from(decision.worth_it == Some(false));
    }
}
