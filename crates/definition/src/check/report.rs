//! Collects problems and finds their places.

use skep_model::code::Code;
use skep_model::limits::PROBLEMS_MAX;
use skep_model::problem::{Place, Problem, Severity};

use super::codes;
use crate::workflow::Workflow;

/// The problems found so far.
pub(crate) struct Report<'w> {
    workflow: &'w Workflow,
    problems: Vec<Problem>,
}

/// What is wrong and how to mend it.
pub(crate) struct Finding {
    pub code: &'static str,
    pub severity: Severity,
    pub message: String,
    pub hint: Option<String>,
}

impl Finding {
    /// An error.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self { code: code.id, severity: Severity::Error, message: message.into(), hint: None }
    }

    /// A warning.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// A suggestion.
    pub fn suggestion(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Suggestion, ..Self::error(code, message) }
    }

    /// The same with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a hint, if there is one.
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }
}

impl<'w> Report<'w> {
    /// An empty report about `workflow`.
    pub fn new(workflow: &'w Workflow) -> Self {
        Self { workflow, problems: Vec::new() }
    }

    /// Notes a finding about what stands at `pointer`.
    pub fn add(&mut self, pointer: &str, finding: Finding) {
        let place = self.workflow.places.find(pointer);
        self.add_at(place, finding);
    }

    /// Notes a finding about a part of the scalar at `pointer`: `length` bytes from byte `offset` of `text`.
    pub fn add_within(&mut self, pointer: &str, text: &str, offset: usize, length: usize, finding: Finding) {
        self.add_at(place_within(self.workflow, pointer, text, offset, length), finding);
    }

    /// The same of a script, which may be a block of lines.
    pub fn add_in_script(&mut self, pointer: &str, text: &str, offset: usize, length: usize, finding: Finding) {
        self.add_at(place_in_script(self.workflow, pointer, text, offset, length), finding);
    }

    /// Notes a finding whose place is known.
    pub fn add_at(&mut self, place: Option<Place>, finding: Finding) {
        // Twice the limit, because warnings may come before the errors that push them out.
        if self.problems.len() < PROBLEMS_MAX * 2 || finding.severity == Severity::Error {
            let Finding { code, severity, message, hint } = finding;
            self.problems.push(Problem { code, severity, message, place, hint });
        }
    }

    /// Everything, in the order of the text; what has no place comes first, in the order it was found.
    pub fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems;
        problems.sort_by_key(|problem| problem.place.map(|place| place.start));
        problems
    }
}

/// What must hold for workflows built in code, too, and what reading a text has said already, if it was a text.
const SHAPES: [Code; 10] = [
    codes::DEPENDENCY_IN_SEQUENCE,
    codes::STEP_TWICE,
    codes::JOIN_INVALID,
    codes::NOT_FOR_THIS_KIND,
    codes::LOOP_INVALID,
    codes::WAIT_INVALID,
    codes::EMPTY,
    codes::TOO_LARGE,
    codes::VALUE_INVALID,
    codes::CRITERION_INVALID,
];

/// For listing the checks' problems beside those of a text that could not be read without errors: leaves
/// out of `checked` what is about shapes and stands on a line on which `read` has an error.
pub fn without_repeats(read: &[Problem], checked: Vec<Problem>) -> Vec<Problem> {
    let errors = read.iter().filter(|problem| problem.severity == Severity::Error);
    let lines: std::collections::HashSet<u32> =
        errors.filter_map(|problem| problem.place.map(|place| place.line)).collect();
    let is_repeat = |problem: &Problem| {
        let on_such_a_line = problem.place.is_some_and(|place| lines.contains(&place.line));
        // Settings that are kept as written are read twice, and then say the same thing in the same words.
        let is_same = |other: &Problem| other.code == problem.code && other.message == problem.message;
        on_such_a_line && (SHAPES.iter().any(|code| code.id == problem.code) || read.iter().any(is_same))
    };
    checked.into_iter().filter(|problem| !is_repeat(problem)).collect()
}

/// The place of a part of the scalar at `pointer`: `length` bytes from byte `offset` of `text`.
pub(crate) fn place_within(
    workflow: &Workflow,
    pointer: &str,
    text: &str,
    offset: usize,
    length: usize,
) -> Option<Place> {
    match workflow.places.0.get(pointer).copied() {
        Some(whole) => Some(narrow(whole, text, offset, length)),
        None => workflow.places.find(pointer),
    }
}

/// The same of a script: in a literal block (`|`) the line, too.
pub(crate) fn place_in_script(
    workflow: &Workflow,
    pointer: &str,
    text: &str,
    offset: usize,
    length: usize,
) -> Option<Place> {
    let place = place_within(workflow, pointer, text, offset, length)?;
    let whole = workflow.places.0.get(pointer).copied();
    Some(whole.and_then(|whole| in_block(whole, text, offset, length)).unwrap_or(place))
}

/// A part of one line of a literal block, if the text stands in the source line by line behind one indentation.
fn in_block(whole: Place, text: &str, offset: usize, length: usize) -> Option<Place> {
    let indentation = whole.column.checked_sub(1)? as usize;
    let indented = |part: &str| indentation * part.lines().skip(1).filter(|line| !line.is_empty()).count();
    let body = text.trim_end();
    let size = whole.end.saturating_sub(whole.start);
    let is_literal = body.contains('\n') && size.checked_sub(body.len() + indented(body)).is_some_and(|rest| rest <= 1);
    let (before, line_start) = (text.get(..offset)?, text.get(..offset)?.rfind('\n').map_or(0, |at| at + 1));
    if !is_literal || line_start == 0 {
        return None;
    }
    let line = text[line_start..].lines().next().unwrap_or_default();
    let start = whole.start + offset + indented(&text[..line_start + line.len()]);
    let lines = u32::try_from(before.matches('\n').count()).ok()?;
    let characters = u32::try_from(text.get(line_start..offset)?.chars().count()).ok()?;
    let end = start + length.min(line_start + line.len() - offset);
    Some(Place { line: whole.line + lines, column: whole.column + characters, start, end })
}

/// A part of a scalar, where its text stands in the source as it is: on one line, plain or in quotes
/// without escapes. Otherwise the scalar as a whole.
fn narrow(whole: Place, text: &str, offset: usize, length: usize) -> Place {
    let size = whole.end.saturating_sub(whole.start);
    let quote = match size.checked_sub(text.len()) {
        Some(0) => 0,
        Some(2) => 1,
        Some(_) | None => return whole,
    };
    let end = (offset + length).min(text.len());
    if text.contains('\n') || !text.is_char_boundary(offset) || !text.is_char_boundary(end) || offset > end {
        return whole;
    }
    let characters = u32::try_from(text[..offset].chars().count()).unwrap_or(0);
    Place {
        line: whole.line,
        column: whole.column + quote + characters,
        start: whole.start + quote as usize + offset,
        end: whole.start + quote as usize + end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reading_has_said_is_not_said_again() {
        let problem = |code: Code, line: u32| Problem {
            code: code.id,
            severity: Severity::Error,
            message: String::new(),
            place: Some(Place { line, ..Place::default() }),
            hint: None,
        };
        let read = [problem(codes::EMPTY, 3)];
        let checked =
            vec![problem(codes::JOIN_INVALID, 3), problem(codes::INPUT_UNKNOWN, 3), problem(codes::JOIN_INVALID, 4)];
        let left: Vec<u32> =
            without_repeats(&read, checked).iter().map(|problem| problem.place.map_or(0, |place| place.line)).collect();
        assert_eq!(left, [3, 4]);
    }

    #[test]
    fn an_offset_refines_the_column() {
        let text = "é ${{ x }}";
        let plain = Place { line: 3, column: 5, start: 40, end: 40 + text.len() };
        assert_eq!(narrow(plain, text, 7, 1), Place { line: 3, column: 11, start: 47, end: 48 });
        let quoted = Place { end: plain.end + 2, ..plain };
        assert_eq!(narrow(quoted, text, 7, 1), Place { line: 3, column: 12, start: 48, end: 49 });
        let block = Place { end: plain.end + 9, ..plain };
        assert_eq!(narrow(block, text, 7, 1), block);
        assert_eq!(narrow(plain, text, 1, 1), plain, "the middle of a character is no place");
    }
}
