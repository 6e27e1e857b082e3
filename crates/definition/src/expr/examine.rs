//! Expressions as trees, for those who judge them without evaluating anything.
//!
//! This module must not say what is wrong with an expression: compiling it does. One that cannot be read is left out.

use super::lexer::{self, Until};
use super::names::Names;
use super::parser::{self, Found};
use super::syntax::{Expr, Reference};

/// What opens an expression.
const OPEN: &str = "${{";

/// An expression of a text.
pub(crate) struct Examined {
    /// Its tree; places are bytes of the whole text.
    pub expr: Expr,
    /// The references that the tree names by number.
    pub references: Vec<Reference>,
    /// Nothing but blanks stands beside it: its value is handed on as it is, not as text.
    pub alone: bool,
}

/// The expressions of `text`, in order. A `condition` may stand without `${{ }}`.
pub(crate) fn examine(text: &str, names: &Names, condition: bool) -> Vec<Examined> {
    if condition && !text.contains(OPEN) {
        return read(text, 0, Until::End, names).map(|(examined, _)| vec![examined]).unwrap_or_default();
    }
    let (mut found, mut at, mut beside) = (Vec::new(), 0, String::new());
    while let Some(start) = text[at..].find(OPEN).map(|index| at + index) {
        beside.push_str(&text[at..start]);
        at = start + OPEN.len();
        if text[..start].ends_with('$') {
            continue;
        }
        match read(text, at, Until::Braces, names) {
            Some((examined, end)) => {
                found.push(examined);
                at = (end + 2).min(text.len());
            }
            None => {
                // It gives something, too, whatever that is.
                beside.push('?');
                at = text[at..].find("}}").map_or(text.len(), |index| at + index + 2);
            }
        }
    }
    beside.push_str(&text[at..]);
    if let [only] = found.as_mut_slice() {
        only.alone = beside.trim().is_empty();
    }
    found
}

fn read(text: &str, start: usize, until: Until, names: &Names) -> Option<(Examined, usize)> {
    let (tokens, end) = lexer::tokens(text, start, until, names).ok()?;
    let mut found = Found::default();
    let expr = parser::parse(text, &tokens, end, &mut found).ok()?;
    let references = found.references.into_iter().map(|(reference, _)| reference).collect();
    Some((Examined { expr, references, alone: until == Until::End }, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_found_and_those_alone_are_told_apart() {
        for (text, condition, count, alone) in [
            ("${{ inputs.a }}", false, 1, true),
            ("  ${{ inputs.a }}\n", false, 1, true),
            ("x ${{ inputs.a }}", false, 1, false),
            ("${{ inputs.a }}${{ inputs.b }}", false, 2, false),
            ("$${{ inputs.a }}", false, 0, false),
            ("inputs.a == 'x'", true, 1, true),
            ("inputs.a == 'x'", false, 0, false),
            ("${{ 1 + }} ${{ inputs.a }}", false, 1, false),
            ("${{ never closed", false, 0, false),
        ] {
            let found = examine(text, &Names::default(), condition);
            let is_alone = found.first().is_some_and(|first| first.alone);
            assert_eq!((found.len(), is_alone), (count, alone), "{text}");
        }
    }
}
