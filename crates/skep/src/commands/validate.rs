//! `skep validate`: check a definition without starting anything.

use std::path::Path;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use skep_api::local::{failure_of, validation_of};
use skep_api::wire::{Failure, ValidateWorkflow, Validation, Validations, ValidationsOf};
use skep_definition::check::Level;
use skep_node::config::Config;
use skep_node::service::{self, Look};
use skep_node::surroundings::Machine;

use super::workflow::ask;
use super::{Outcome, explain};
use crate::context::{Context, Format, bad_request};
use crate::inputs::{Given, read_given};
use crate::launch::{file_label, is_file, read_definition};
use crate::{exit, output};

/// Check a definition and list everything that is wrong with it
///
/// A file is checked as it is. What is found of a workflow of the library is kept, per version, and --history lists
/// it. Level and strict mode come from config.toml where they are not given.
///
/// Exits 0 if it can be started, 2 if not.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  skep validate release.yaml --level strict\n  skep validate release.yaml --format sarif > skep.sarif\n  skep validate deploy/release --history"
)]
pub struct Arguments {
    /// A file, - for standard input, or a workflow of the library
    #[arg(value_name = "FILE_OR_NAME")]
    what: String,
    /// How closely to look [default: standard, or what config.toml says]
    #[arg(long, value_enum, value_name = "LEVEL")]
    level: Option<LevelWord>,
    /// Take a warning for an error
    #[arg(long)]
    strict_mode: bool,
    /// An input to simulate with at level paranoid, or all of them from a JSON file (@- for standard input)
    #[arg(short, long = "input", value_name = "KEY=VALUE|@FILE")]
    input: Vec<String>,
    /// Which version of the library, from 1 [default: the newest]
    #[arg(long, value_name = "NUMBER")]
    version: Option<u32>,
    /// List what was found before, newest first
    #[arg(long, conflicts_with_all = ["level", "strict_mode"])]
    history: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LevelWord {
    /// What must hold for an execution to make sense
    Basic,
    /// Also what is probably not meant
    Standard,
    /// Also what is dangerous, and what this machine lacks
    Strict,
    /// Also what would happen: it is simulated, with each step failing, and the hosts that it names are tried
    Paranoid,
}

impl From<LevelWord> for Level {
    fn from(word: LevelWord) -> Self {
        match word {
            LevelWord::Basic => Self::Basic,
            LevelWord::Standard => Self::Standard,
            LevelWord::Strict => Self::Strict,
            LevelWord::Paranoid => Self::Paranoid,
        }
    }
}

impl Arguments {
    /// True if the library is not asked.
    pub fn is_of_file(&self) -> bool {
        is_file(&self.what) || Path::new(&self.what).is_file()
    }
}

/// Runs the command.
pub async fn run(context: &Context, arguments: Arguments) -> Outcome {
    if arguments.is_of_file() {
        if arguments.history || arguments.version.is_some() {
            let hint = "name a workflow of the library; `skep workflow add FILE` adds one";
            return Err(bad_request("a file has no versions and no history", hint));
        }
        let found = of_file(context, &arguments)?;
        return Ok(answer(context, &found));
    }
    let (name, version) = (arguments.what, arguments.version);
    if arguments.history {
        let found = ask(context, ValidationsOf { name, version }).await?;
        context.answer(&json!(found), || history(&found));
        return Ok(exit::OK);
    }
    let level = arguments.level.map(|word| Level::from(word).as_str().to_owned());
    let strict_mode = arguments.strict_mode.then_some(true);
    let (path, arguments) = (search_path(), given(&arguments.input)?);
    let found = ask(context, ValidateWorkflow { name, version, level, strict_mode, path, arguments }).await?;
    Ok(answer(context, &found))
}

/// Inputs as text; those of a file as they would be written.
fn given(written: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let Given { values, arguments } = read_given(written)?;
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(values.into_iter().map(|(name, value)| (name, text(value))).chain(arguments).collect())
}

fn search_path() -> Option<String> {
    std::env::var("PATH").ok()
}

fn of_file(context: &Context, arguments: &Arguments) -> Result<Validation, Failure> {
    let text = read_definition(&arguments.what)?;
    let settings = Config::load(context.directory.root()).and_then(|config| config.validation());
    let settings = settings.map_err(|error| failure_of(&error))?;
    let look = Look {
        level: arguments.level.map_or(settings.level, Level::from),
        strict_mode: arguments.strict_mode || settings.strict_mode,
        path: search_path(),
        arguments: given(&arguments.input)?,
    };
    let catalogue = skep_node::catalogue::build();
    // A data directory that cannot be read says nothing about the definition.
    let library = service::Reading::open(&context.directory).ok();
    let machine = Machine::new(context.directory.root());
    let found = service::validate_closely(&text, &look, &catalogue, library.as_ref(), &machine);
    Ok(validation_of(&found, &text, &file_label(&arguments.what)))
}

fn answer(context: &Context, found: &Validation) -> u8 {
    match context.format {
        Format::Sarif => output::print_json(&output::sarif(found, &explain::all())),
        Format::Human | Format::Json => context.answer(&found.to_contract(), || text(found)),
    }
    if found.report.valid { exit::OK } else { exit::INVALID }
}

fn text(found: &Validation) -> String {
    let (valid, counts) = (found.report.valid, counts(found));
    let word = match valid {
        true => output::paint(output::Paint::Good, "valid"),
        false => output::paint(output::Paint::Bad, "not valid"),
    };
    let summary = match (valid, counts.as_str()) {
        (true, "") => word,
        (true, counts) => format!("{word}, {counts}"),
        (false, counts) => format!("{word}: {counts}"),
    };
    let simulation = output::simulation::page(&found.metadata["simulation"]);
    let parts = [found.report.text.trim_end(), &simulation, &summary];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn counts(found: &Validation) -> String {
    let (errors, warnings) = (found.report.errors.len(), found.report.warnings.len());
    let parts = [(errors, "error(s)"), (warnings, "warning(s)"), (found.suggestions.len(), "suggestion(s)")];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    parts.collect::<Vec<_>>().join(", ")
}

fn history(found: &Validations) -> String {
    if found.validations.is_empty() {
        return format!("{} version {} was not validated yet", found.path, found.number);
    }
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let cells = |one: &Value| {
        let mut cells = vec![
            output::short_moment(one["validated_at"].as_str().unwrap_or_default()),
            shown(&one["level"]),
            (if one["valid"] == true { "valid" } else { "not valid" }).to_owned(),
        ];
        cells.extend(["errors", "warnings", "suggestions", "confidence"].iter().map(|key| shown(&one[*key])));
        cells
    };
    let rows: Vec<Vec<String>> = found.validations.iter().map(cells).collect();
    let head = ["WHEN", "LEVEL", "RESULT", "ERRORS", "WARNINGS", "SUGGESTIONS", "CONFIDENCE"];
    format!("{} version {}\n{}", found.path, found.number, output::table(&head, &rows))
}
