//! `skep validate`: check a definition without starting anything.

use clap::{Args, ValueEnum};
use skep_api::local::report_of;
use skep_definition::check::Level;
use skep_node::service;

use super::Outcome;
use crate::context::Context;
use crate::launch::{file_label, read_definition};
use crate::{exit, output};

/// Check a definition and list everything that is wrong with it
///
/// Exits 0 if it can be started, 2 if not.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep validate release.yaml --level basic")]
pub struct Arguments {
    /// A file, or - for standard input
    file: String,
    /// How closely to look
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    level: LevelWord,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum LevelWord {
    /// What must hold for an execution to make sense
    Basic,
    /// Also what is probably not meant
    #[default]
    Standard,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let text = read_definition(&arguments.file)?;
    let level = match arguments.level {
        LevelWord::Basic => Level::Basic,
        LevelWord::Standard => Level::Standard,
    };
    let catalogue = skep_node::catalogue::build();
    let mut checked = service::validate(&text, level, &catalogue);
    // A data directory that cannot be read says nothing about the definition.
    let library = service::Reading::open(&context.directory);
    let missing = library.and_then(|reading| service::library_warnings(&text, &catalogue, &reading));
    checked.problems.extend(missing.unwrap_or_default());
    let report = report_of(&checked.problems, &text, Some(&file_label(&arguments.file)));
    context.answer(&report.to_contract(), || {
        let summary = match (report.valid, report.warnings.len()) {
            (true, 0) => output::paint(output::Paint::Good, "valid"),
            (true, count) => format!("{}, {count} warning(s)", output::paint(output::Paint::Good, "valid")),
            (false, _) => output::paint(output::Paint::Bad, &format!("not valid: {} error(s)", report.errors.len())),
        };
        if report.text.is_empty() { summary } else { format!("{}\n\n{summary}", report.text) }
    });
    Ok(if report.valid { exit::OK } else { exit::INVALID })
}
