//! Problems for people and programs: made, collected, rendered with the source line, or as JSON.
//!
//! This module must not find problems; it only carries and shows them. Neighbours: every reader and check of
//! this crate makes them, the CLI and the API show them.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};
use skep_model::code::Code;
use skep_model::limits::PROBLEMS_MAX;
use skep_model::problem::{Place, Problem, Severity};

use crate::codes;

/// An error with this code.
pub fn error(code: &Code, place: Option<Place>, message: impl Into<String>) -> Problem {
    Problem { code: code.id, severity: Severity::Error, message: shortened(message.into()), place, hint: None }
}

/// A warning with this code.
pub fn warning(code: &Code, place: Option<Place>, message: impl Into<String>) -> Problem {
    Problem { code: code.id, severity: Severity::Warning, message: shortened(message.into()), place, hint: None }
}

/// Characters of a message or a hint: they quote what was written, which may be a megabyte.
const MESSAGE_CHARACTERS_MAX: usize = 400;

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
        text.truncate(end);
        text.push_str(" ..");
    }
    text
}

/// Adds a hint to a problem: `error(..).hint(..)`.
pub trait Hint {
    /// The same with how to mend it.
    #[must_use]
    fn hint(self, hint: impl Into<String>) -> Self;
}

impl Hint for Problem {
    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(shortened(hint.into()));
        self
    }
}

/// Problems in the making, bounded: a text of 1 MiB can hold more of them than memory should.
#[derive(Debug, Default)]
pub struct Collector {
    kept: Vec<Problem>,
    dropped: usize,
}

/// Problems that one pass keeps; more than are shown, so that errors are not lost behind warnings.
const COLLECTED_MAX: usize = 5 * PROBLEMS_MAX;

impl Collector {
    /// Takes a problem, or counts it.
    pub fn push(&mut self, problem: Problem) {
        if self.is_full() {
            self.dropped += 1;
        } else {
            self.kept.push(problem);
        }
    }

    /// Counts problems that are not worth a message.
    pub fn count(&mut self, problems: usize) {
        self.dropped += problems;
    }

    /// True if further ones are only counted: then nobody needs to work out their remedies.
    pub fn is_full(&self) -> bool {
        self.kept.len() >= COLLECTED_MAX
    }

    /// All of them in the order of the text; the last one says how many were not kept.
    pub fn finish(mut self) -> Vec<Problem> {
        self.kept.sort_by_key(|problem| problem.place.map_or(0, |place| place.start));
        if self.dropped > 0 {
            self.kept.push(
                error(&codes::TOO_MANY_PROBLEMS, None, format!("{} more problems are not listed", self.dropped))
                    .hint("mend the first ones and check again"),
            );
        }
        self.kept
    }
}

/// Every problem as text for people: at most [`PROBLEMS_MAX`], errors first, then the number of the others.
///
/// `text` is the source that the places point into; `file` its name as the person gave it; `colour` adds
/// terminal colours. Ends without a line break; empty if there are no problems.
pub fn render(problems: &[Problem], text: &str, file: &str, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
    let (shown, hidden) = most_important(problems);
    let secrets = secret_lines(problems, text);
    let group_of = |problem| group(problem, text, file, &secrets);
    let mut parts: Vec<String> = shown.iter().map(|problem| renderer.render(&[group_of(problem)])).collect();
    if hidden > 0 {
        parts.push(format!("{hidden} more problems are not shown"));
    }
    parts.join("\n\n")
}

/// The problems as the outer contract wants them: an array of `{code, message, file, line, column, hint}`, at
/// most [`PROBLEMS_MAX`], errors first. `line`, `column` and `hint` are null where there are none.
pub fn to_json(problems: &[Problem], file: &str) -> Value {
    let (shown, _) = most_important(problems);
    shown.into_iter().map(|problem| one_to_json(problem, file)).collect()
}

/// One problem as the outer contract wants it.
pub fn one_to_json(problem: &Problem, file: &str) -> Value {
    json!({
        "code": problem.code,
        "message": problem.message,
        "file": file,
        "line": problem.place.map(|place| place.line),
        "column": problem.place.map(|place| place.column),
        "hint": problem.hint,
    })
}

/// The problems that are shown, errors before warnings before suggestions, and how many are not.
fn most_important(problems: &[Problem]) -> (Vec<&Problem>, usize) {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let warnings = problems.iter().filter(|problem| problem.severity == Severity::Warning);
    let suggestions = problems.iter().filter(|problem| problem.severity == Severity::Suggestion);
    let shown: Vec<&Problem> = errors.chain(warnings).chain(suggestions).take(PROBLEMS_MAX).collect();
    let hidden = problems.len() - shown.len();
    (shown, hidden)
}

/// Lines that hold a secret: they are never shown, whatever else is wrong on them.
fn secret_lines(problems: &[Problem], text: &str) -> BTreeSet<u32> {
    let secrets = problems.iter().filter(|problem| problem.code == crate::check::codes::SECRET_WRITTEN.id);
    let lines = secrets.filter_map(|problem| problem.place).flat_map(|place| {
        let below = text.get(place.start..place.end).map_or(0, |part| part.matches('\n').count());
        place.line..=place.line.saturating_add(u32::try_from(below).unwrap_or(u32::MAX))
    });
    lines.collect()
}

fn group<'a>(problem: &'a Problem, text: &'a str, file: &'a str, secrets: &BTreeSet<u32>) -> Group<'a> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Suggestion => Level::NOTE.with_name("suggestion"),
    };
    let title = level.primary_title(problem.message.as_str()).id(problem.code);
    let group = match problem.place {
        Some(place) => match line_of(text, place).filter(|_| !secrets.contains(&place.line)) {
            Some((line, start, end)) => title.element(
                Snippet::source(line)
                    .path(file)
                    .line_start(place.line as usize)
                    .annotation(AnnotationKind::Primary.span(start..end)),
            ),
            None => title.element(Origin::path(file).line(place.line as usize).char_column(place.column as usize)),
        },
        None => title.element(Origin::path(file)),
    };
    match &problem.hint {
        Some(hint) => group.element(Level::HELP.message(hint.as_str())),
        None => group,
    }
}

/// A line longer than this, in bytes, is data of a machine: its place is told, the line is not shown.
const SHOWN_LINE_BYTES_MAX: usize = 2_000;

/// The source line of a place and the place's bytes within it, or `None` if there is none to show.
fn line_of(text: &str, place: Place) -> Option<(&str, usize, usize)> {
    let before = text.get(..place.start)?;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    if line.len() > SHOWN_LINE_BYTES_MAX {
        return None;
    }
    let start = (place.start - line_start).min(line.len());
    let end = place.end.saturating_sub(line_start).clamp(start, line.len());
    line.get(start..end).is_some().then_some((line, start, end))
}
