//! `skep __cli-reference`: the page of all commands, generated so that it cannot drift.

use clap::{Arg, Args, Command};

use super::Outcome;
use crate::{cli, exit, output};

/// Print the reference of all commands as Markdown
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  skep __cli-reference > docs/reference/cli.md")]
pub struct Arguments {}

/// Runs the command.
pub fn run(_: &Arguments) -> Outcome {
    output::print_text(&markdown(&cli::command()));
    Ok(exit::OK)
}

fn markdown(root: &Command) -> String {
    let mut text = "# Commands\n\nGenerated from the program itself.\n".to_owned();
    let everywhere: Vec<&Arg> = root.get_arguments().filter(|argument| argument.is_global_set()).collect();
    text.push_str("\nEverywhere:\n\n");
    everywhere.iter().for_each(|argument| text.push_str(&item(argument)));
    for verb in shown(root) {
        section(&mut text, verb, "skep", 2);
    }
    text
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
}

fn section(text: &mut String, command: &Command, before: &str, level: usize) {
    let name = format!("{before} {}", command.get_name());
    let usage = command.clone().bin_name(name.clone()).render_usage().to_string();
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    text.push_str(&format!("\n{} `{name}`\n\n{about}\n\n", "#".repeat(level)));
    text.push_str(&format!("```text\n{}\n```\n\n", usage.trim_start_matches("Usage: ")));
    let own = command.get_arguments().filter(|argument| !argument.is_hide_set() && !argument.is_global_set());
    own.filter(|argument| {
        !["help", "version"].contains(&argument.get_id().as_str()) || argument.get_action().takes_values()
    })
    .for_each(|argument| text.push_str(&item(argument)));
    if let Some(example) = command.get_after_help() {
        let example = example.to_string();
        let lines: Vec<&str> = example.lines().skip(1).map(str::trim).collect();
        text.push_str(&format!("\n```sh\n{}\n```\n", lines.join("\n")));
    }
    for verb in shown(command) {
        section(text, verb, &name, level + 1);
    }
}

fn item(argument: &Arg) -> String {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    let default = if defaults.is_empty() || !argument.get_action().takes_values() {
        String::new()
    } else {
        format!(" (default: `{}`)", defaults.join(" "))
    };
    format!("- `{argument}`: {help}{default}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shown_verb_has_its_section() {
        let text = markdown(&cli::command());
        for verb in shown(&cli::command()) {
            assert!(text.contains(&format!("## `skep {}`", verb.get_name())), "{}", verb.get_name());
        }
        assert!(text.contains("### `skep workflow add`") && !text.contains("__cli-reference"));
    }
}
