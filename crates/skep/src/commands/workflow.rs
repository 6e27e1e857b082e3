//! `skep workflow`: the library of workflows.

use clap::{Args, Subcommand};
use serde_json::json;
use skep_api::local::Perform;
use skep_api::wire::{self, Call, Failure, Workflow};

use super::Outcome;
use crate::context::Context;
use crate::door::Door;
use crate::follow::Interrupts;
use crate::launch::{file_label, read_definition};
use crate::{exit, output};

/// Manage the library of workflows
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep workflow add release.yaml --as deploy/release")]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Add a workflow, or a new version of one
    #[command(after_help = "Example:\n  skep workflow add release.yaml")]
    Add {
        /// A file, or - for standard input
        file: String,
        /// Where in the library [default: category/name]
        #[arg(long = "as", value_name = "PATH")]
        path: Option<String>,
    },
    /// List the workflows
    #[command(after_help = "Example:\n  skep workflow list")]
    List,
    /// Print a workflow as it was added
    #[command(after_help = "Example:\n  skep workflow show release --version 2")]
    Show {
        /// Its path, or the end of it
        name: String,
        /// Which version, from 1 [default: the newest]
        #[arg(long, value_name = "NUMBER")]
        version: Option<u32>,
    },
    /// List the versions of a workflow
    #[command(after_help = "Example:\n  skep workflow versions release")]
    Versions {
        /// Its path, or the end of it
        name: String,
    },
    /// Take a workflow out of the library; its executions stay
    #[command(after_help = "Example:\n  skep workflow rm deploy/release")]
    Rm {
        /// Its path, or the end of it
        name: String,
    },
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    match arguments.verb {
        Verb::Add { file, path } => add(context, &file, path).await?,
        Verb::List => list(context, wire::ListWorkflows {}).await?,
        Verb::Versions { name } => list(context, wire::WorkflowVersions { name }).await?,
        Verb::Show { name, version } => {
            let found = ask(context, wire::ShowWorkflow { name, version }).await?;
            context.answer(&json!({ "workflow": found.workflow, "text": found.text }), || found.text.clone());
        }
        Verb::Rm { name } => {
            let removed = ask(context, wire::RemoveWorkflow { name }).await?;
            context.answer(&json!(removed), || format!("removed {}", removed.path));
        }
    }
    Ok(exit::OK)
}

/// One call; an owner that was only needed for it ends at once.
pub async fn ask<C: Perform + Clone>(context: &Context, call: C) -> Result<<C as Call>::Answer, Failure> {
    let mut leave = Interrupts::listen().into_flag();
    let mut door = Door::open(&context.directory, C::NEEDS).await?;
    let answer = door.ask(&context.directory, call).await;
    door.close(&mut leave).await;
    answer
}

async fn add(context: &Context, file: &str, path: Option<String>) -> Result<(), Failure> {
    let call = wire::AddWorkflow { text: read_definition(file)?, file: Some(file_label(file)), path };
    let added = ask(context, call).await?;
    context.answer(&json!(added), || format!("added {} as version {}", added.path, added.number));
    Ok(())
}

async fn list<C: Perform<Answer = wire::Workflows> + Clone>(context: &Context, call: C) -> Result<(), Failure> {
    let found = ask(context, call).await?;
    context.answer(&json!(found), || text(&found.workflows));
    Ok(())
}

fn text(workflows: &[Workflow]) -> String {
    if workflows.is_empty() {
        return "the library is empty; `skep workflow add FILE` adds to it".to_owned();
    }
    let cells = |workflow: &Workflow| {
        vec![
            workflow.path.clone(),
            workflow.number.to_string(),
            workflow.version.clone(),
            output::short_moment(&workflow.added_at),
            workflow.description.replace('\n', " "),
        ]
    };
    let rows: Vec<Vec<String>> = workflows.iter().map(cells).collect();
    output::table(&["PATH", "NUMBER", "VERSION", "ADDED", "DESCRIPTION"], &rows)
}
