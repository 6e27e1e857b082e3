//! `skep rollback` and `skep undo`: undo what an execution did.

use clap::{Args, Subcommand, ValueEnum};
use skep_api::wire::{self, Failure, Needs, Undone};
use skep_model::rollback::Strategy;

use super::Outcome;
use super::act::act;
use crate::context::{Context, bad_request};
use crate::door::Door;
use crate::{exit, output};

/// Undo what an execution did; one that is not over is stopped first
///
/// immediate stops what runs; graceful lets it end first (for 5 minutes at most); checkpoint undoes only what came
/// after a rollback point and then waits for `skep resume`; manual executes nothing and tells a person what to do.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  skep rollback @latest --strategy immediate\n  skep rollback @latest --to 2\n  skep rollback plan @latest"
)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// An id, the beginning of one, or @latest
    #[arg(required = true)]
    execution: Option<String>,
    #[command(flatten)]
    way: Way,
    /// For the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// How and how far.
#[derive(Args, Debug)]
struct Way {
    /// How [default: as the workflow says, else graceful]
    #[arg(long, value_enum)]
    strategy: Option<Word>,
    /// Number of the rollback point to go back to; means the strategy checkpoint
    #[arg(long, value_name = "POINT")]
    to: Option<u32>,
}

/// A strategy as it is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Word {
    /// Stop what runs, then undo everything
    Immediate,
    /// Let what runs end, then undo everything
    Graceful,
    /// Undo what came after a rollback point
    Checkpoint,
    /// Let a person do it
    Manual,
}

impl From<Word> for Strategy {
    fn from(word: Word) -> Self {
        match word {
            Word::Immediate => Self::Immediate,
            Word::Graceful => Self::Graceful,
            Word::Checkpoint => Self::Checkpoint,
            Word::Manual => Self::Manual,
        }
    }
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Show what a rollback would do, in which order, and what cannot be undone
    #[command(after_help = "Example:\n  skep rollback plan @latest --to 2")]
    Plan {
        /// An id, the beginning of one, or @latest
        execution: String,
        #[command(flatten)]
        way: Way,
    },
    /// Show how a rollback stands
    #[command(after_help = "Example:\n  skep rollback status @latest")]
    Status {
        /// An id, the beginning of one, or @latest
        execution: String,
    },
    /// Say that the next step of a manual rollback is undone
    #[command(after_help = "Example:\n  skep rollback done @latest deploy --comment 'removed by hand'")]
    Done {
        /// An id, the beginning of one, or @latest
        execution: String,
        /// The step, which must be the next one [default: that one]
        step: Option<String>,
        /// For the record
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
    },
}

/// Undo what an execution did that is over
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep undo @latest --reason 'wrong customer'")]
pub struct Undo {
    /// An id, the beginning of one, or @latest
    execution: String,
    /// For the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Runs `skep rollback`.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    match arguments.verb {
        None => {
            let execution = arguments.execution.unwrap_or_default();
            let (strategy, to) = arguments.way.read()?;
            act(context, wire::Rollback { execution, strategy, to, reason: arguments.reason }, "rolling back").await
        }
        Some(Verb::Plan { execution, way }) => {
            let (strategy, to) = way.read()?;
            let answer = read(context, wire::RollbackPlan { execution, strategy, to }).await?;
            context.answer(&answer, || output::rollback::plan(&answer));
            Ok(exit::OK)
        }
        Some(Verb::Status { execution }) => {
            let answer = read(context, wire::RollbackStatus { execution }).await?;
            context.answer(&answer, || output::rollback::status(&answer));
            Ok(exit::OK)
        }
        Some(Verb::Done { execution, step, comment }) => {
            act(context, Undone { execution, step, comment }, "recorded for").await
        }
    }
}

/// Runs `skep undo`.
pub async fn undo(context: &Context, arguments: Undo) -> Outcome {
    let row = read(context, wire::Execution { execution: arguments.execution }).await?;
    if !row.status.is_terminal() {
        let message =
            format!("execution {} is {}: it is not over, nothing was done", row.execution_id, row.status.as_str());
        return Err(bad_request(&message, "`skep rollback` stops an execution and undoes it"));
    }
    let call = wire::Rollback {
        execution: row.execution_id,
        strategy: Some(Strategy::Graceful),
        to: None,
        reason: arguments.reason,
    };
    act(context, call, "undoing").await
}

impl Way {
    fn read(self) -> Result<(Option<Strategy>, Option<u32>), Failure> {
        let strategy = self.strategy.map(Strategy::from);
        match (strategy, self.to) {
            (None | Some(Strategy::Checkpoint), to) | (_, to @ None) => Ok((strategy, to)),
            (Some(other), Some(_)) => {
                let message =
                    format!("`--to` names a rollback point, and the strategy {} undoes everything", other.as_str());
                Err(bad_request(&message, "leave `--strategy` away, or say `--strategy checkpoint`"))
            }
        }
    }
}

/// One call that only reads.
pub(super) async fn read<C: skep_api::local::Perform + Clone>(
    context: &Context,
    call: C,
) -> Result<<C as wire::Call>::Answer, Failure> {
    let mut door = Door::open(&context.directory, Needs::Reading).await?;
    door.ask(&context.directory, call).await
}
