//! The command line: every verb with its options and its help, and how one call of the program goes.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands;
use crate::context::{Context, Format, Globals, bad_request};
use crate::exit;
use crate::inputs::{self, Split};
use crate::output;

/// Verbs whose unknown long options are inputs of the workflow.
pub const STARTING_VERBS: [&str; 4] = ["run", "orchestrate", "pipeline", "test"];

/// Run workflows that survive crashes: every step's result is on disk before the next one starts.
#[derive(Parser, Debug)]
#[command(name = "skep", version, max_term_width = 100)]
#[command(after_help = "Example:\n  skep run release.yaml --environment production")]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    #[command(alias = "execute")]
    Run(commands::run::Arguments),
    Orchestrate(commands::prefixed::Orchestrate),
    Pipeline(commands::prefixed::Pipeline),
    Test(commands::test::Test),
    Serve(commands::serve::Arguments),
    Status(commands::status::Arguments),
    List(commands::list::Arguments),
    History(commands::history::Arguments),
    Logs(commands::logs::Arguments),
    #[command(alias = "stop")]
    Cancel(commands::cancel::Arguments),
    Pause(commands::pause::Arguments),
    Resume(commands::resume::Arguments),
    Rerun(commands::rerun::Arguments),
    Decisions(commands::decisions::Arguments),
    Recover(commands::recover::Arguments),
    Rollback(commands::rollback::Arguments),
    Undo(commands::rollback::Undo),
    Checkpoint(commands::points::Checkpoint),
    RollbackPoints(commands::points::Points),
    Signal(commands::signal::Arguments),
    Approve(commands::approve::Approve),
    Reject(commands::approve::Reject),
    Input(commands::input::Arguments),
    Replay(commands::replay::Arguments),
    Workflow(commands::workflow::Arguments),
    Validate(commands::validate::Arguments),
    Convert(commands::convert::Arguments),
    Graph(commands::graph::Arguments),
    Schema(commands::schema::Arguments),
    Explain(commands::explain::Arguments),
    Config(commands::config::Arguments),
    Completions(commands::completions::Arguments),
    Doctor(commands::doctor::Arguments),
    Key(commands::key::Arguments),
    User(commands::user::Arguments),
    Audit(commands::audit::Arguments),
    Backup(commands::backup::Arguments),
    Verify(commands::verify::Arguments),
    Repair(commands::repair::Arguments),
    Prune(commands::prune::Arguments),
    #[command(name = "__cli-reference", hide = true)]
    Reference(commands::reference::Arguments),
}

/// The whole command line, with global options on every verb.
pub fn command() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// One call of the program.
pub fn main() -> ExitCode {
    let Split { own, inputs } = inputs::split(&command(), &STARTING_VERBS, std::env::args_os().collect());
    let matches = Cli::command().get_matches_from(own);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    log_to_stderr();
    let json = cli.globals.format != Format::Human;
    let runtime = match runtime(&cli.verb) {
        Ok(runtime) => runtime,
        Err(error) => {
            output::note(&format!("the program could not start its threads: {error}"));
            return ExitCode::from(exit::FAILED);
        }
    };
    let code = runtime.block_on(perform(cli, inputs)).unwrap_or_else(|failure| {
        output::failure(&failure, json);
        failure.exit
    });
    // A thread that still reads standard input or a hanging disk must not keep the program.
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// Threads for what waits on the socket: more would only reserve memory, and one per core is a lot of it on a large
/// machine. The node's work has threads of its own.
const WORKERS: usize = 2;

/// What only reads a text gets no further threads, so that a hostile one meets the limits of one thread.
fn runtime(verb: &Verb) -> std::io::Result<tokio::runtime::Runtime> {
    use tokio::runtime::Builder;
    let is_alone = match verb {
        Verb::Validate(arguments) => arguments.is_of_file(),
        verb => matches!(
            verb,
            Verb::Convert(_)
                | Verb::Graph(_)
                | Verb::Schema(_)
                | Verb::Explain(_)
                | Verb::Config(_)
                | Verb::Completions(_)
                | Verb::Reference(_)
        ),
    };
    match is_alone {
        true => Builder::new_current_thread().build(),
        false => Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build(),
    }
}

async fn perform(cli: Cli, inputs: Vec<(String, String)>) -> commands::Outcome {
    let context = Context::new(&cli.globals)?;
    if context.format == Format::Sarif && !matches!(cli.verb, Verb::Validate(_)) {
        return Err(bad_request("only `skep validate` answers in SARIF", "use `--format json`"));
    }
    match cli.verb {
        Verb::Run(arguments) => commands::run::run(&context, arguments, inputs).await,
        Verb::Orchestrate(verb) => commands::prefixed::orchestrate(&context, verb, inputs).await,
        Verb::Pipeline(verb) => commands::prefixed::pipeline(&context, verb, inputs).await,
        Verb::Test(arguments) => commands::test::run(&context, arguments, inputs).await,
        Verb::Serve(arguments) => commands::serve::run(&context, &arguments).await,
        Verb::Status(arguments) => commands::status::run(&context, &arguments).await,
        Verb::List(arguments) => commands::list::run(&context, &arguments).await,
        Verb::History(arguments) => commands::history::run(&context, arguments).await,
        Verb::Logs(arguments) => commands::logs::run(&context, arguments).await,
        Verb::Cancel(arguments) => commands::cancel::run(&context, arguments).await,
        Verb::Pause(arguments) => commands::pause::run(&context, arguments).await,
        Verb::Resume(arguments) => commands::resume::run(&context, arguments).await,
        Verb::Rerun(arguments) => commands::rerun::run(&context, arguments).await,
        Verb::Decisions(arguments) => commands::decisions::run(&context, arguments).await,
        Verb::Recover(arguments) => commands::recover::run(&context, &arguments).await,
        Verb::Rollback(arguments) => commands::rollback::run(&context, arguments).await,
        Verb::Undo(arguments) => commands::rollback::undo(&context, arguments).await,
        Verb::Checkpoint(arguments) => commands::points::checkpoint(&context, arguments).await,
        Verb::RollbackPoints(arguments) => commands::points::points(&context, arguments).await,
        Verb::Signal(arguments) => commands::signal::run(&context, arguments).await,
        Verb::Approve(verb) => commands::approve::approve(&context, verb).await,
        Verb::Reject(verb) => commands::approve::reject(&context, verb).await,
        Verb::Input(arguments) => commands::input::run(&context, arguments).await,
        Verb::Replay(arguments) => commands::replay::run(&context, arguments).await,
        Verb::Workflow(arguments) => commands::workflow::run(&context, arguments).await,
        Verb::Validate(arguments) => commands::validate::run(&context, arguments).await,
        Verb::Convert(arguments) => commands::convert::run(&context, &arguments),
        Verb::Graph(arguments) => commands::graph::run(&context, &arguments),
        Verb::Schema(arguments) => commands::schema::run(&arguments),
        Verb::Explain(arguments) => commands::explain::run(&context, &arguments),
        Verb::Config(arguments) => commands::config::run(&context, &arguments),
        Verb::Completions(arguments) => commands::completions::run(&arguments),
        Verb::Key(arguments) => commands::key::run(&context, arguments).await,
        Verb::User(arguments) => commands::user::run(&context, arguments).await,
        Verb::Audit(arguments) => commands::audit::run(&context, arguments).await,
        Verb::Doctor(arguments) => commands::doctor::run(&context, &arguments).await,
        Verb::Backup(arguments) => commands::backup::run(&context, arguments).await,
        Verb::Verify(arguments) => commands::verify::run(&context, arguments).await,
        Verb::Repair(arguments) => commands::repair::run(&context, arguments).await,
        Verb::Prune(arguments) => commands::prune::run(&context, &arguments).await,
        Verb::Reference(arguments) => commands::reference::run(&arguments),
    }
}

/// What Skep itself has to say goes to standard error; SKEP_LOG chooses what (default: warnings).
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SKEP_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_has_an_example_and_an_imperative_first_line() {
        for verb in command().get_subcommands().filter(|verb| verb.get_name() != "help") {
            let name = verb.get_name();
            let about = verb.get_about().unwrap_or_else(|| panic!("{name} has no help")).to_string();
            let first = about.split(' ').next().unwrap_or_default();
            assert!(first.starts_with(char::is_uppercase) && !first.ends_with('s'), "{name}: {about}");
            let example = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(example.contains("Example"), "{name} has no example");
        }
    }
}
