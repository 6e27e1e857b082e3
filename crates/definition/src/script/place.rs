//! From the places of expressions to a script with variables.

use std::collections::HashMap;

use skep_model::Map;
use skep_model::problem::Severity;

use super::codes;
use super::lexer::{Lexer, Quoting, Spot, Verdict};
use super::reasons::Reason;
use super::shells::{base_name, family};
use crate::expr::expression_end;

/// A script whose values travel in variables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placed {
    /// The script with variables in the place of expressions. Only to be run if no problem is an error.
    pub text: String,
    /// Variable (`SKEP_V1` ..) to the text template (`${{ .. }}`) of its value, in the order of the script. The same
    /// expression written twice has one variable.
    pub values: Map<String>,
    /// What is wrong or worth a look, in the order of the script.
    pub problems: Vec<ScriptProblem>,
}

/// A problem with its place in the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptProblem {
    /// Code such as `SKEP-S001`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// One sentence without a final full stop.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
    /// Byte offset in the script.
    pub offset: usize,
    /// Length in bytes.
    pub length: usize,
}

impl Placed {
    /// No problem is an error.
    pub fn is_usable(&self) -> bool {
        self.problems.iter().all(|problem| problem.severity != Severity::Error)
    }
}

/// Places the values of a script for the interpreter `shell` (`bash`, `/bin/sh`, `python3` ..).
///
/// Scripts of interpreters that are no shells may hold no expressions.
pub fn place(script: &str, shell: &str) -> Placed {
    let spots = match family(shell) {
        Some(family) => Lexer::new(script, family).spots(),
        None => spots_of_others(script),
    };
    let mut placed = Placed::default();
    let mut variables: HashMap<&str, String> = HashMap::new();
    let mut at = 0;
    for spot in spots {
        let expression = &script[spot.start..spot.end];
        placed.text.push_str(&script[at..spot.start]);
        at = spot.end;
        placed.problems.extend(problem(&spot, expression, shell));
        match spot.verdict {
            Verdict::Escape => placed.text.push_str(&expression[1..]),
            Verdict::Place(quoting) | Verdict::CommandName(quoting) | Verdict::Handed(quoting) => {
                let next = variables.len() + 1;
                let variable = variables.entry(expression).or_insert_with(|| format!("SKEP_V{next}"));
                placed.values.entry(variable.clone()).or_insert_with(|| expression.to_owned());
                placed.text.push_str(&match quoting {
                    Quoting::Bare => format!("\"${{{variable}}}\""),
                    Quoting::Double => format!("${{{variable}}}"),
                });
            }
            Verdict::Refuse(_) | Verdict::Comment | Verdict::NoShell | Verdict::NeverClosed => {
                placed.text.push_str(expression);
            }
        }
    }
    placed.text.push_str(&script[at..]);
    placed
}

fn spots_of_others(script: &str) -> Vec<Spot> {
    let mut spots = Vec::new();
    let mut at = 0;
    while let Some(start) = script[at..].find("${{").map(|index| at + index) {
        let escaped = script[at..start].ends_with('$');
        let end = if escaped { start + 3 } else { expression_end(script, start + 3).unwrap_or(script.len()) };
        let (start, verdict) = if escaped { (start - 1, Verdict::Escape) } else { (start, Verdict::NoShell) };
        spots.push(Spot { start, end, verdict, assigned: None });
        at = end;
    }
    spots
}

fn problem(spot: &Spot, expression: &str, shell: &str) -> Option<ScriptProblem> {
    let (code, severity, message, hint) = match spot.verdict {
        Verdict::Escape | Verdict::Place(_) => return None,
        Verdict::Refuse(reason) => refused(reason, expression),
        Verdict::Comment => (
            codes::COMMENT,
            Severity::Warning,
            "this stands in a comment and is ignored".to_owned(),
            Some("write `$${{` in comments, or take it out".to_owned()),
        ),
        Verdict::CommandName(_) => (
            codes::COMMAND_NAME,
            Severity::Warning,
            "the value decides which program runs".to_owned(),
            Some("if only some programs are meant, choose with `case`, or give the input an `enum`".to_owned()),
        ),
        Verdict::Handed(_) => (
            codes::HANDED_ON,
            Severity::Warning,
            "the program of this command reads the value as part of its own commands".to_owned(),
            Some("quote it for that program, or hand it over as data: a file, an argument, the environment".to_owned()),
        ),
        Verdict::NoShell => (
            codes::OTHER_INTERPRETER,
            Severity::Error,
            format!("a script of `{}` cannot hold expressions: the value would become program text", base_name(shell)),
            Some(format!(
                "set `env: {{VALUE: \"{expression}\"}}` and read that variable, or read the JSON file `$SKEP_INPUTS`"
            )),
        ),
        Verdict::NeverClosed => (
            codes::OPEN,
            Severity::Error,
            "this `${{` is never closed".to_owned(),
            Some("end the expression with `}}`, or write `$${{` for the characters themselves".to_owned()),
        ),
    };
    Some(ScriptProblem { code, severity, message, hint, offset: spot.start, length: spot.end - spot.start })
}

fn refused(reason: Reason, expression: &str) -> (&'static str, Severity, String, Option<String>) {
    (reason.code(), Severity::Error, reason.message().to_owned(), Some(reason.hint(expression)))
}
