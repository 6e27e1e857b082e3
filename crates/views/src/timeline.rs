//! When what happened in which step: spans of time per path, for Gantt charts and the live view.
//!
//! A fold of its own, beside `execution`, because most readers need no history of attempts. Rows stand in the
//! order in which their steps were reached. It needs no plan: it shows only what happened.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use skep_model::error::Failure;
use skep_model::event::{Event, Turn};
use skep_model::ids::StepPath;
use skep_model::limits;
use skep_model::status::SkipReason;
use skep_model::time::Timestamp;

/// Spans kept per step, the newest ones: 32 attempts with their pauses and questions are more than a chart can show.
pub const SPANS_PER_STEP_MAX: usize = 64;

/// What happened when, per step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    rows: IndexMap<StepPath, Row>,
    open: BTreeSet<usize>,
    seq: u64,
    reruns: u32,
    all_iterations: bool,
}

/// The spans of one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// In order of time; the last one may be open.
    pub spans: Vec<Span>,
    /// Older spans that are no longer kept.
    pub dropped: u64,
}

/// A stretch of time in the life of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// What it was.
    pub what: What,
    /// Its begin.
    pub began_at: Timestamp,
    /// Its end; `None` while it lasts.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Outcome,
    /// In which run of the execution; from 1.
    pub generation: u32,
}

/// What a step does during a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// An attempt.
    Attempt {
        /// From 1.
        number: u32,
        /// Deliveries of this attempt; more than one if its owner died.
        deliveries: u32,
    },
    /// The pause between two attempts.
    Pause,
    /// It waits: for a decision, a form, a signal, a moment, a condition, its turn.
    /// It waits: for a decision, a form, a signal, a moment, for what executions share.
    Wait,
    /// What it holds runs: a switch, a parallel, a loop.
    Inside,
}

/// How a span ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It has not.
    Open,
    /// As it should.
    Completed,
    /// The attempt, or the step, failed.
    Failed(Failure),
    /// A person said no, or nobody answered.
    Rejected,
    /// It was stopped.
    Cancelled,
}

impl Timeline {
    /// An empty timeline; rounds past [`limits::ITERATIONS_SHOWN_MAX`] get no rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with rows for all rounds.
    pub fn with_all_iterations() -> Self {
        Self { all_iterations: true, ..Self::default() }
    }

    /// Rows by path, in the order in which the steps were reached.
    pub fn rows(&self) -> impl Iterator<Item = (&StepPath, &Row)> {
        self.rows.iter()
    }

    /// The row of one step.
    pub fn row(&self, path: &str) -> Option<&Row> {
        self.rows.get(path)
    }

    /// Folds one turn. Turns come in order; one that was folded already changes nothing.
    pub fn apply(&mut self, turn: &Turn) {
        if turn.seq <= self.seq {
            return;
        }
        self.seq = turn.seq;
        for event in &turn.events {
            self.apply_event(turn.at, event);
        }
    }

    fn apply_event(&mut self, at: Timestamp, event: &Event) {
        match event {
            Event::Scheduled { path, attempt, .. } | Event::ChildAsked { path, attempt, .. } => {
                self.next(at, path, What::Attempt { number: *attempt, deliveries: 1 });
            }
            Event::Rerun { generation, .. } => self.reruns = generation.saturating_sub(1),
            Event::Returned { generation, .. } => {
                self.close_all(at);
                self.reruns = generation.saturating_sub(1);
            }
            Event::Redelivered { path, .. } => self.redelivered(path),
            Event::AttemptFailed { path, failure, .. } => {
                self.close(at, path, Outcome::Failed(failure.clone()));
                self.next(at, path, What::Pause);
            }
            Event::Proposed { path, .. } | Event::Completed { path, .. } => self.close(at, path, Outcome::Completed),
            Event::Decided { path, approved, .. } | Event::Answered { path, approved, .. } => {
                self.close(at, path, if *approved { Outcome::Completed } else { Outcome::Rejected });
            }
            Event::Failed { path, failure, .. } => self.close(at, path, Outcome::Failed(failure.clone())),
            Event::Skipped { path, reason, failure } => self.close(at, path, skipped(*reason, failure.as_ref())),
            Event::Cancelled { path } => self.close(at, path, Outcome::Cancelled),
            Event::CaseTaken { path, .. } | Event::Forked { path } | Event::LoopBegan { path, .. } => {
                self.next(at, path, What::Inside);
            }
            Event::ApprovalAsked { path, .. }
            | Event::FormAsked { path, .. }
            | Event::WaitBegan { path, .. }
            | Event::Queued { path } => {
                self.next(at, path, What::Wait);
            }
            Event::Doubted { path, failure } => self.close(at, path, unanswered(failure.as_ref())),
            Event::QuestionAsked { path, failure, .. } => self.asked(at, path, failure.as_ref()),
            Event::PermitAsked { path: Some(path), .. } => self.next(at, path, What::Wait),
            Event::PermitGranted { path: Some(path), .. } => self.close(at, path, Outcome::Completed),
            Event::Ended { .. } => self.close_all(at),
            Event::Started(_)
            | Event::StopAsked { .. }
            | Event::BranchEnded { .. }
            | Event::IterationBegan { .. }
            | Event::IterationEnded { .. }
            | Event::Judged(_)
            | Event::Escalated { .. }
            | Event::FormFilled { .. }
            | Event::SignalKept { .. }
            | Event::SignalTaken { .. }
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::CancelAsked { .. }
            | Event::ForceAsked { .. }
            | Event::TimedOut
            | Event::Held { .. }
            | Event::UndoKept { .. }
            | Event::CompensationAsked { .. }
            | Event::RollbackBegan { .. }
            | Event::RollbackAsked { .. }
            | Event::GraceOver
            | Event::PointMade { .. }
            | Event::UndoFailed { .. }
            | Event::RolledBack { .. }
            | Event::UndoConfirmed { .. }
            | Event::UndoDropped { .. }
            | Event::RollbackStopAsked { .. }
            | Event::RollbackEnded { .. }
            | Event::PermitAsked { path: None, .. }
            | Event::PermitGranted { path: None, .. }
            | Event::FinallyBegan { .. } => {}
        }
    }

    /// Begins a span; one that is open (a pause, an answered question) ended well.
    fn next(&mut self, at: Timestamp, path: &StepPath, what: What) {
        if !self.all_iterations && is_past_the_bound(path) {
            return;
        }
        self.close(at, path, Outcome::Completed);
        let entry = self.rows.entry(path.clone());
        self.open.insert(entry.index());
        let row = entry.or_default();
        if row.spans.len() >= SPANS_PER_STEP_MAX {
            row.spans.remove(0);
            row.dropped += 1;
        }
        row.spans.push(Span {
            what,
            began_at: at,
            ended_at: None,
            outcome: Outcome::Open,
            generation: self.reruns + 1,
        });
    }

    /// A step that failed and is asked about ends its attempt here; one in doubt has ended it already.
    fn asked(&mut self, at: Timestamp, path: &StepPath, failure: Option<&Failure>) {
        self.close(at, path, unanswered(failure));
        self.next(at, path, What::Wait);
    }

    fn redelivered(&mut self, path: &StepPath) {
        if let Some(Span { what: What::Attempt { deliveries, .. }, ended_at: None, .. }) =
            self.rows.get_mut(path).and_then(|row| row.spans.last_mut())
        {
            *deliveries += 1;
        }
    }

    fn close(&mut self, at: Timestamp, path: &StepPath, outcome: Outcome) {
        let Some((index, _, row)) = self.rows.get_full_mut(path) else { return };
        if self.open.remove(&index) {
            close_last(row, at, outcome);
        }
    }

    fn close_all(&mut self, at: Timestamp) {
        for index in std::mem::take(&mut self.open) {
            if let Some((_, row)) = self.rows.get_index_mut(index) {
                close_last(row, at, Outcome::Cancelled);
            }
        }
    }
}

fn close_last(row: &mut Row, at: Timestamp, outcome: Outcome) {
    if let Some(span) = row.spans.last_mut() {
        span.ended_at = Some(at);
        span.outcome = outcome;
    }
}

fn unanswered(failure: Option<&Failure>) -> Outcome {
    failure.map_or(Outcome::Cancelled, |failure| Outcome::Failed(failure.clone()))
}

fn skipped(reason: SkipReason, failure: Option<&Failure>) -> Outcome {
    match (reason, failure) {
        (SkipReason::Rejected, _) => Outcome::Rejected,
        (_, Some(failure)) => Outcome::Failed(failure.clone()),
        (_, None) => Outcome::Cancelled,
    }
}

/// True if one of the rounds in the path is not listed.
fn is_past_the_bound(path: &str) -> bool {
    let indices = path.split('[').skip(1).filter_map(|rest| rest.split(']').next());
    indices.filter_map(|index| index.parse::<u32>().ok()).any(|index| index >= limits::ITERATIONS_SHOWN_MAX)
}
