//! Which arguments of `run` are Skep's and which are inputs of the workflow.
//!
//! Before the workflow is named, every option is Skep's, and a wrong one is a mistake. After it, a long option that
//! Skep does not know is an input: `--env production`, `--env=production`, or `--verbose` alone for `true`.

use std::ffi::OsString;

use clap::Command;
use serde_json::Value;
use skep_api::wire::Failure;
use skep_model::Map;

use crate::context::bad_request;
use crate::launch::read_text;

/// The arguments of the command line, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// What clap reads.
    pub own: Vec<OsString>,
    /// Inputs of the workflow, in order.
    pub inputs: Vec<(String, String)>,
}

/// Takes the inputs out of `arguments` (the program's name first). `verbs` are the commands that start a workflow.
pub fn split(command: &Command, verbs: &[&str], arguments: Vec<OsString>) -> Split {
    let mut walk = Walk { rest: arguments.into_iter().peekable(), split: Split::default() };
    walk.take();
    let Some(verb) = walk.up_to_positional(command) else { return walk.split };
    let found = command.find_subcommand(&verb);
    let Some(found) = found.filter(|found| verbs.contains(&found.get_name())) else { return walk.all() };
    if walk.up_to_positional(found).is_some() {
        walk.take_inputs(found);
    }
    walk.all()
}

struct Walk {
    rest: std::iter::Peekable<std::vec::IntoIter<OsString>>,
    split: Split,
}

/// How an option of Skep takes a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
}

impl Walk {
    /// Hands one argument to clap.
    fn take(&mut self) {
        self.split.own.extend(self.rest.next());
    }

    fn all(mut self) -> Split {
        self.split.own.extend(self.rest);
        self.split
    }

    /// Hands everything up to and including the first argument that is no option to clap, and gives that one.
    fn up_to_positional(&mut self, command: &Command) -> Option<String> {
        while let Some(next) = self.rest.peek() {
            let text = next.to_string_lossy().into_owned();
            if text == "--" || !text.starts_with('-') || text == "-" {
                self.take();
                return Some(text);
            }
            self.take_option(command, &text);
        }
        None
    }

    fn take_inputs(&mut self, command: &Command) {
        while let Some(next) = self.rest.peek() {
            let text = next.to_string_lossy().into_owned();
            match text.strip_prefix("--") {
                Some("") => return,
                Some(option) => {
                    let name = option.split_once('=').map_or(option, |(name, _)| name);
                    match long(command, name) {
                        Some(_) => self.take_option(command, &text),
                        None => self.take_input(option),
                    }
                }
                None if text.starts_with('-') && text.len() > 1 => self.take_option(command, &text),
                None => self.take(),
            }
        }
    }

    fn take_option(&mut self, command: &Command, text: &str) {
        self.take();
        let takes = match text.strip_prefix("--") {
            Some(option) => long(command, option),
            None => short(command, &text[1..]),
        };
        if takes == Some(Takes::Value) {
            self.take();
        }
    }

    fn take_input(&mut self, option: &str) {
        self.rest.next();
        if let Some((name, value)) = option.split_once('=') {
            self.split.inputs.push((name.to_owned(), value.to_owned()));
            return;
        }
        let value = self.rest.next_if(|next| is_value(&next.to_string_lossy()));
        let value = value.map_or_else(|| "true".to_owned(), |value| value.to_string_lossy().into_owned());
        self.split.inputs.push((option.to_owned(), value));
    }
}

/// What does not look like an option is the value of the input before it; negative numbers are values too.
fn is_value(text: &str) -> bool {
    !text.starts_with('-') || text == "-" || text.parse::<f64>().is_ok()
}

/// How the long option `name` (without dashes, with nothing behind it) takes a value; `None` if it is unknown or
/// carries its value with `=`.
fn long(command: &Command, name: &str) -> Option<Takes> {
    let mut known = command.get_arguments();
    let found = known.find(|argument| argument.get_long() == Some(name));
    let takes = found.map(|argument| if argument.get_action().takes_values() { Takes::Value } else { Takes::Nothing });
    takes.or_else(|| (name == "help").then_some(Takes::Nothing))
}

/// The same for the short options in `letters`: the last one may take its value from the next argument.
fn short(command: &Command, letters: &str) -> Option<Takes> {
    for (at, letter) in letters.char_indices() {
        let found = command.get_arguments().find(|argument| argument.get_short() == Some(letter))?;
        if found.get_action().takes_values() {
            let is_last = at + letter.len_utf8() == letters.len();
            return Some(if is_last { Takes::Value } else { Takes::Nothing });
        }
    }
    Some(Takes::Nothing)
}

/// Inputs of `-i`: typed ones from files, the others as text.
#[derive(Debug, Default, PartialEq)]
pub struct Given {
    /// From `@FILE`.
    pub values: Map<Value>,
    /// From `KEY=VALUE`.
    pub arguments: Vec<(String, String)>,
}

/// Reads the values of `-i`: `KEY=VALUE`, or `@FILE` with a JSON object (`@-` for standard input).
///
/// # Errors
/// A value that is neither, a file that cannot be read or holds no object.
pub fn read_given(given: &[String]) -> Result<Given, Failure> {
    let mut inputs = Given::default();
    for text in given {
        if let Some(file) = text.strip_prefix('@') {
            inputs.values.extend(read_object(file)?);
        } else if let Some((name, value)) = text.split_once('=') {
            inputs.arguments.push((name.to_owned(), value.to_owned()));
        } else {
            let message = format!("`-i {text}` is neither KEY=VALUE nor @FILE");
            return Err(bad_request(&message, "write `-i name=value` or `-i @inputs.json`"));
        }
    }
    Ok(inputs)
}

fn read_object(file: &str) -> Result<Map<Value>, Failure> {
    let text = read_text(file)?;
    serde_json::from_str(&text)
        .map_err(|error| bad_request(&format!("{file} is no JSON object: {error}"), "write it as {\"name\": value}"))
}

/// Reads a payload: JSON, or `@FILE` with JSON (`@-` for standard input).
///
/// # Errors
/// Text that is no JSON.
pub fn read_payload(given: Option<&str>) -> Result<Value, Failure> {
    let Some(given) = given else { return Ok(Value::Null) };
    let text = match given.strip_prefix('@') {
        Some(file) => read_text(file)?,
        None => given.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| {
        bad_request(&format!("the payload is no JSON: {error}"), "quote text as JSON: `--payload '\"text\"'`")
    })
}

#[cfg(test)]
mod tests;
