//! `skep orchestrate`, `skep pipeline`: `run` in other words.

use clap::Args;
use skep_api::wire::{self, Failure, Needs};

use super::{Outcome, run};
use crate::context::Context;
use crate::door::Door;
use crate::launch::is_file;

/// Start an orchestration: `run`, where a NAME is first looked up under orchestration/
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep orchestrate deploy --environment staging")]
pub struct Orchestrate {
    #[command(flatten)]
    run: run::Arguments,
}

/// Start a pipeline: `run`, where a NAME is first looked up under pipeline/ and pipelines/
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep pipeline build --branch main")]
pub struct Pipeline {
    #[command(flatten)]
    run: run::Arguments,
}

/// Runs `skep orchestrate`.
pub async fn orchestrate(context: &Context, verb: Orchestrate, inputs: Vec<(String, String)>) -> Outcome {
    preferring(context, &["orchestration/"], verb.run, inputs).await
}

/// Runs `skep pipeline`.
pub async fn pipeline(context: &Context, verb: Pipeline, inputs: Vec<(String, String)>) -> Outcome {
    preferring(context, &["pipeline/", "pipelines/"], verb.run, inputs).await
}

async fn preferring(
    context: &Context,
    prefixes: &[&str],
    mut arguments: run::Arguments,
    inputs: Vec<(String, String)>,
) -> Outcome {
    if !is_file(&arguments.workflow) {
        let paths = library_paths(context).await?;
        if let Some(path) = preferred(&paths, prefixes, &arguments.workflow) {
            arguments.workflow = path;
        }
    }
    run::run(context, arguments, inputs).await
}

async fn library_paths(context: &Context) -> Result<Vec<String>, Failure> {
    let mut door = Door::open(&context.directory, Needs::Reading).await?;
    let library = door.ask(&context.directory, wire::ListWorkflows {}).await?;
    Ok(library.workflows.into_iter().map(|workflow| workflow.path).collect())
}

/// The only path under one of `prefixes` that is or ends in `name`.
fn preferred(paths: &[String], prefixes: &[&str], name: &str) -> Option<String> {
    let fits = |path: &&String| {
        let inside = prefixes.iter().find_map(|prefix| path.strip_prefix(prefix));
        inside.is_some_and(|rest| rest == name || rest.ends_with(&format!("/{name}")))
    };
    let mut fitting = paths.iter().filter(fits);
    let first = fitting.next()?;
    fitting.next().is_none().then(|| first.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_preferred_where_it_decides() {
        let paths: Vec<String> =
            ["automation/deploy", "orchestration/deploy", "pipelines/a/build", "pipelines/b/build", "pipeline/test"]
                .map(String::from)
                .to_vec();
        for (prefixes, name, expect) in [
            (&["orchestration/"][..], "deploy", Some("orchestration/deploy")),
            (&["pipeline/", "pipelines/"], "test", Some("pipeline/test")),
            (&["pipeline/", "pipelines/"], "a/build", Some("pipelines/a/build")),
            (&["pipeline/", "pipelines/"], "build", None),
            (&["pipeline/", "pipelines/"], "deploy", None),
        ] {
            assert_eq!(preferred(&paths, prefixes, name).as_deref(), expect, "{name}");
        }
    }
}
