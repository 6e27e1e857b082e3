//! Comparisons that always come out the same, and operands that never fit.
//!
//! Each comparison is judged by itself, by what is declared: what the rest of the condition says about the same names
//! is the business of `flow`.

use serde_json::Value;

use super::judge::{Facts, Judge, outcomes};
use super::value::{Kinds, Possible};
use crate::check::codes;
use crate::check::report::Finding;
use crate::expr::operations::Form;
use crate::expr::syntax::{Arithmetic, Comparison, Expr, ExprKind, Missing, Span};
use crate::suggest;

/// Looks at `expr` and everything in it.
pub(super) fn find(judge: &Judge<'_>, expr: &Expr, text: &str, found: &mut Vec<(Span, Finding)>) {
    match &expr.kind {
        ExprKind::Compare(comparison, left, right) => {
            if let Some(finding) = comparison_of(judge, *comparison, left, right, text) {
                found.push((expr.span, finding));
            }
        }
        ExprKind::Chain(first, rest) => {
            if let Some(finding) = chain(judge, first, rest, text) {
                found.push((expr.span, finding));
            }
        }
        _ => {}
    }
    for inner in below(expr) {
        find(judge, inner, text, found);
    }
}

fn below(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Reference(_) | ExprKind::Status(_) => Vec::new(),
        // What `default` and `is defined` hang on may be anything; only its replacement is looked at.
        ExprKind::Access(access) => match &access.missing {
            Missing::Error | Missing::Ask => vec![&access.base],
            Missing::Default(value) => vec![&access.base, value],
        },
        ExprKind::Index(base, index) => vec![&**base, &**index],
        ExprKind::Slice { base, from, to } => {
            std::iter::once(&**base).chain(from.as_deref()).chain(to.as_deref()).collect()
        }
        ExprKind::List(items) | ExprKind::And(items) | ExprKind::Or(items) => items.iter().collect(),
        ExprKind::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
        ExprKind::Negate(operand) | ExprKind::Not(operand) => vec![&**operand],
        ExprKind::Chain(first, rest) => {
            std::iter::once(&**first).chain(rest.iter().map(|(_, operand)| operand)).collect()
        }
        ExprKind::Compare(_, left, right) => vec![&**left, &**right],
        ExprKind::If { condition, yes, no } => vec![&**condition, &**yes, &**no],
        ExprKind::Call { arguments, operation } => {
            let skipped = usize::from(operation.form == Form::Test);
            arguments.iter().skip(skipped).map(|(_, value)| value).collect()
        }
    }
}

fn shown<'t>(text: &'t str, expr: &Expr) -> &'t str {
    text.get(expr.span.start..expr.span.end).unwrap_or_default()
}

fn comparison_of(judge: &Judge<'_>, comparison: Comparison, left: &Expr, right: &Expr, text: &str) -> Option<Finding> {
    let facts = Facts::new();
    let (lefts, rights) = (judge.value(left, &facts), judge.value(right, &facts));
    let is_literal = |expr: &Expr| matches!(expr.kind, ExprKind::Literal(_));
    // Two literals were written so on purpose, and asking for null is how one asks whether something is there.
    let asks_for_null = [&lefts, &rights].iter().any(|side| side.kinds == Kinds::NULL);
    if (is_literal(left) && is_literal(right)) || asks_for_null {
        return None;
    }
    let (left_text, right_text) = (shown(text, left), shown(text, right));
    match comparison {
        Comparison::Equal | Comparison::NotEqual => {
            if outcomes(Comparison::Equal, &lefts, &rights).can_hold {
                return None;
            }
            let (name, possible, other) = match is_literal(left) {
                true => (right_text, &rights, &lefts),
                false => (left_text, &lefts, &rights),
            };
            let other_text = if is_literal(left) { left_text } else { right_text };
            Some(never_equal(comparison, name, possible, other_text, other))
        }
        Comparison::In | Comparison::NotIn => {
            let Some(Value::Array(items)) = rights.single() else { return None };
            let never = !items.is_empty() && !outcomes(Comparison::In, &lefts, &rights).can_hold;
            never.then(|| never_equal(comparison, left_text, &lefts, right_text, &Possible::among(items.clone())))
        }
        Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
            let orderable = Kinds::NUMBER.or(Kinds::TEXT);
            let fits = lefts.kinds.and(rights.kinds).meets(orderable);
            (!fits).then(|| {
                let (left, right) = (lefts.kinds.words(), rights.kinds.words());
                let message = format!("`{}` cannot order {left} and {right}", comparison.sign());
                Finding::error(codes::TYPE_UNFIT, message)
                    .hint("compare two numbers or two texts; `| int` makes a number of a text")
            })
        }
    }
}

/// `name COMPARISON other`, where the two are never the same.
fn never_equal(comparison: Comparison, name: &str, possible: &Possible, other: &str, others: &Possible) -> Finding {
    let outcome = match comparison {
        Comparison::NotEqual | Comparison::NotIn => "always holds",
        _ => "never holds",
    };
    if !possible.kinds.without(Kinds::NULL).meets(others.kinds) {
        let (one, two) = (possible.kinds.without(Kinds::NULL).words(), others.kinds.words());
        let message = format!("this comparison {outcome}: `{name}` is {one}, and `{other}` is {two}");
        return Finding::warning(codes::COMPARISON_DECIDED, message)
            .hint("values of unlike kinds are never equal; `| int` and `| string` change the kind");
    }
    let words: Vec<&str> = possible.values.iter().flatten().filter_map(Value::as_str).collect();
    let message = format!("this comparison {outcome}: `{name}` is never {other}");
    let wanted = others.values.iter().flatten().find_map(Value::as_str);
    let meant = wanted.and_then(|wanted| suggest::did_you_mean(wanted, words.iter().copied()));
    let known = match words.as_slice() {
        [] => None,
        [only] => Some(format!("it is always `{only}`")),
        several => Some(format!("it is one of {}", suggest::list_names(several.iter().copied()))),
    };
    Finding::warning(codes::COMPARISON_DECIDED, message).maybe_hint(meant.or(known))
}

/// `a + b`, `a - b`: operands that no values of theirs would fit.
fn chain(judge: &Judge<'_>, first: &Expr, rest: &[(Arithmetic, Expr)], text: &str) -> Option<Finding> {
    let facts = Facts::new();
    let addable = Kinds::NUMBER.or(Kinds::TEXT).or(Kinds::LIST);
    let mut kinds = judge.value(first, &facts).kinds;
    let mut before = shown(text, first);
    for (operator, operand) in rest {
        let wanted = match operator {
            // Joins anything as text.
            Arithmetic::Concatenate => return None,
            Arithmetic::Add => addable,
            Arithmetic::Subtract
            | Arithmetic::Multiply
            | Arithmetic::Divide
            | Arithmetic::DivideFloor
            | Arithmetic::Remainder => Kinds::NUMBER,
        };
        let other = judge.value(operand, &facts).kinds;
        let shared = kinds.and(other).and(wanted);
        if shared == Kinds::NONE {
            let (one, two) = (kinds.without(Kinds::NULL).words(), other.without(Kinds::NULL).words());
            let right = shown(text, operand);
            let message = format!("`{}` does not fit: `{before}` is {one}, and `{right}` is {two}", operator.sign());
            let hint = "`~` joins anything as text; `| int` and `| float` make a number of a text";
            return Some(Finding::error(codes::TYPE_UNFIT, message).hint(hint));
        }
        kinds = shared;
        before = shown(text, operand);
    }
    None
}
