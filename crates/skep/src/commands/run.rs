//! `skep run`: start an execution and follow it to its end.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use skep_api::wire::{self, Failure, Needs, Row};
use skep_model::rollback::Strategy;

use super::attend::{attend_with, show_existing, show_started};
use super::{Outcome, background};
use crate::context::Context;
use crate::door::Door;
use crate::follow::Interrupts;
use crate::inputs::read_given;
use crate::{exit, launch, output};

/// Interrupted executions that are named; the rest is counted.
const INTERRUPTED_SHOWN_MAX: usize = 5;

/// Start a new execution of a workflow and follow it to its end
///
/// Long options after the workflow that are not listed here are inputs: `--environment production`,
/// `--environment=production`, or `--verbose` alone for true. Exit codes: 0 completed, 1 failed, 3 cancelled or rolled
/// back, 4 only a person or a signal can move it, 2 the definition is not valid.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Examples:\n  skep run release.yaml --environment production\n  skep run automation/nightly -i @inputs.json --detach"
)]
pub struct Arguments {
    /// A file (ends in .yaml, .yml, .json, begins with ./ or /, or is - for standard input), or a name in the library
    #[arg(value_name = "FILE|NAME")]
    pub workflow: String,
    /// An input, or all of them from a JSON file (@- for standard input)
    #[arg(short, long = "input", value_name = "KEY=VALUE|@FILE")]
    pub input: Vec<String>,
    /// Wait for people and signals too [default: on a terminal]
    #[arg(long)]
    pub wait: bool,
    /// Answer at the durable start and let an owner in the background do the work
    #[arg(long, conflicts_with = "wait")]
    pub detach: bool,
    /// Show what would be done, and do nothing
    #[arg(long, conflicts_with_all = ["wait", "detach"])]
    pub dry_run: bool,
    /// Where relative paths of steps begin [default: the current directory for a FILE, else a folder of its own]
    #[arg(long, value_name = "DIR")]
    pub workdir: Option<PathBuf>,
    /// Hand one more variable of this environment to the steps (PATH, HOME, USER, LANG, LC_*, TZ are always)
    #[arg(long, value_name = "NAME")]
    pub pass_env: Vec<String>,
    /// Start it once: the same key again, with the same definition and inputs, is the same execution
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// How it is undone, over what the definition says
    #[arg(long, value_enum, value_name = "STRATEGY")]
    pub rollback_strategy: Option<super::rollback::Word>,
    /// Say yes to every approval of it, at once and in your name
    #[arg(long)]
    pub auto_approve: bool,
}

/// Runs the command; `inputs` are the options that are inputs.
pub async fn run(context: &Context, arguments: Arguments, inputs: Vec<(String, String)>) -> Outcome {
    let start = start_of(&arguments, inputs)?;
    if arguments.dry_run {
        return dry_run(context, start).await;
    }
    let interrupts = Interrupts::listen();
    let mut door = match arguments.detach {
        true => background::door(&context.directory).await?,
        false => Door::open(&context.directory, Needs::Owner).await?,
    };
    if door.is_own() {
        name_interrupted(context, &mut door).await?;
    }
    let started = match door.ask(&context.directory, start).await {
        Ok(started) => started,
        Err(failure) => {
            door.abandon().await;
            return Err(failure);
        }
    };
    output::warnings(started.warnings.as_ref());
    let execution = started.execution_id;
    if started.existing {
        output::note(&format!("nothing was started: {execution} has that idempotency key already"));
    }
    if arguments.detach && started.existing {
        let row = door.ask(&context.directory, wire::Execution { execution: execution.clone() }).await?;
        show_existing(context, &execution, row.status.as_str());
        return Ok(exit::OK);
    }
    if arguments.detach {
        show_started(context, &execution);
        return Ok(exit::OK);
    }
    attend_with(context, door, execution, arguments.wait, interrupts, started.existing).await
}

fn start_of(arguments: &Arguments, inputs: Vec<(String, String)>) -> Result<wire::Start, Failure> {
    let mut given = read_given(&arguments.input)?;
    given.arguments.extend(inputs);
    Ok(wire::Start {
        source: launch::source(&arguments.workflow)?,
        inputs: given.values,
        arguments: given.arguments,
        base_dir: launch::base_dir(arguments.workdir.as_deref(), &arguments.workflow)?,
        environment: launch::environment(launch::variables(), &arguments.pass_env)?,
        idempotency_key: arguments.idempotency_key.clone(),
        rollback_strategy: arguments.rollback_strategy.map(Strategy::from),
        auto_approve: arguments.auto_approve,
        event: Value::Null,
    })
}

async fn dry_run(context: &Context, start: wire::Start) -> Outcome {
    let mut door = Door::open(&context.directory, Needs::Reading).await?;
    let plan = door.ask(&context.directory, wire::DryRun { start }).await?;
    context.answer(&plan, || plan_text(&plan));
    Ok(exit::OK)
}

fn plan_text(plan: &Value) -> String {
    let heading = output::paint(output::Paint::Strong, "Nothing was started. This is what would be:");
    format!("{heading}\n{}", skep_definition::print::value_to_yaml(plan).trim_end())
}

async fn name_interrupted(context: &Context, door: &mut Door) -> Result<(), Failure> {
    let open = door.ask(&context.directory, wire::Interrupted {}).await?;
    let interrupted: Vec<&Row> = open.iter().filter(|row| super::list::would_move(row)).collect();
    for row in interrupted.iter().take(INTERRUPTED_SHOWN_MAX) {
        let id = &row.execution_id;
        output::note(&format!("interrupted: {} {id}; `skep resume {id}` goes on with it", row.workflow));
    }
    if interrupted.len() > INTERRUPTED_SHOWN_MAX {
        output::note(&format!("and {} more: `skep list`", interrupted.len() - INTERRUPTED_SHOWN_MAX));
    }
    Ok(())
}
