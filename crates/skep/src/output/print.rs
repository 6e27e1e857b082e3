//! Printing. Standard output carries answers, standard error everything else; a reader that went away is no error.

use std::io::Write;

use serde_json::Value;
use skep_api::wire::{Failure, Report};

use super::paint::{Paint, paint};

/// Text for people on standard output, with a line break.
pub fn print(text: &str) {
    if !text.is_empty() {
        // A closed pipe means that nobody reads any more.
        drop(writeln!(anstream::stdout(), "{}", text.trim_end_matches('\n')));
    }
}

/// Text on standard output, byte for byte.
pub fn print_text(text: &str) {
    let mut out = std::io::stdout();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// One JSON value on standard output, indented.
pub fn print_json(value: &Value) {
    print_text(&format!("{value:#}\n"));
}

/// One JSON value on a line of its own.
pub fn print_line(value: &Value) {
    print_text(&format!("{value}\n"));
}

/// A remark on standard error.
pub fn note(text: &str) {
    drop(writeln!(anstream::stderr(), "{text}"));
}

/// A question on standard error, without a line break.
pub fn prompt(text: &str) {
    let mut err = anstream::stderr();
    drop(write!(err, "{text}").and_then(|()| err.flush()));
}

/// What is to be said about a definition that works, on standard error.
pub fn warnings(report: Option<&Report>) {
    if let Some(report) = report {
        note(&report.text);
    }
}

/// A failure: as JSON on standard output for programs, else as text on standard error.
pub fn failure(failure: &Failure, json: bool) {
    if json {
        print_json(&failure.to_contract());
        return;
    }
    note(&failure_text(failure));
}

pub(super) fn failure_text(failure: &Failure) -> String {
    let mut text = String::new();
    if let Some(report) = &failure.report {
        text.push_str(&format!("{}\n\n", report.text));
    }
    text.push_str(&format!("{} {} ({})", paint(Paint::Bad, "error:"), failure.message, failure.code));
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("\n{} {hint}", paint(Paint::Attention, "hint:")));
    }
    text
}
