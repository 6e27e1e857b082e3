//! How far an execution is: counts that the fold keeps, so that asking costs nothing.
//!
//! Counted are the steps that do something; what only holds them (switch, parallel, loops) is not. Rounds that
//! a loop has not begun count with the number of steps one round has, once their number is known.

use skep_model::status::Step as Status;

use crate::execution::Execution;
use crate::step::Step;

/// How far an execution is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Steps that ended or can no longer be reached.
    pub done: u64,
    /// Steps in all, as far as is known; grows when a loop without a known number of rounds begins one.
    pub total: u64,
    /// Steps that run.
    pub running: u64,
    /// Steps that wait.
    pub waiting: u64,
    /// `done / total`, from 0 to 1; 1 only and always when the execution has ended.
    pub figure: f64,
}

/// The kept counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub listed: u64,
    pub expected: u64,
    pub done: u64,
    pub running: u64,
    pub waiting: u64,
}

/// What a step counts as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Share {
    Open,
    Running,
    Waiting,
    Done,
}

impl Share {
    pub fn of(step: &Step) -> Self {
        match step.status {
            Status::Pending if step.out_of_reach => Self::Done,
            Status::Pending => Self::Open,
            Status::Running => Self::Running,
            Status::Waiting | Status::Unknown => Self::Waiting,
            Status::Completed | Status::Failed | Status::Skipped | Status::Cancelled | Status::RolledBack => Self::Done,
        }
    }
}

impl Tally {
    pub fn moved(&mut self, from: Share, to: Share) {
        if let Some(count) = self.count(from) {
            *count -= 1;
        }
        if let Some(count) = self.count(to) {
            *count += 1;
        }
    }

    fn count(&mut self, share: Share) -> Option<&mut u64> {
        match share {
            Share::Open => None,
            Share::Running => Some(&mut self.running),
            Share::Waiting => Some(&mut self.waiting),
            Share::Done => Some(&mut self.done),
        }
    }
}

impl Execution {
    /// How far it is.
    pub fn progress(&self) -> Progress {
        let Tally { listed, expected, done, running, waiting } = self.tally;
        let total = listed + expected;
        Progress { done, total, running, waiting, figure: figure(done, total, self.status.is_terminal()) }
    }
}

fn figure(done: u64, total: u64, ended: bool) -> f64 {
    // What is all done but not ended still has outputs to evaluate or a turn to commit.
    const NEARLY: f64 = 0.99;
    match total {
        _ if ended => 1.0,
        0 => 0.0,
        total => (done as f64 / total as f64).min(NEARLY),
    }
}
