//! What an expression can give, and whether a condition can hold.
//!
//! `and` and `or` know in each operand what the ones before it have said: `n > 5 and n < 3` can never hold.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::HashMap;

use serde_json::Value;

use super::value::{Bound, Kinds, Possible, exact, same};
use crate::expr::operations::{Form, natural};
use crate::expr::syntax::{Access, Arithmetic, Comparison, Expr, ExprKind, KeyKind, Missing, Reference, Status};

/// Says what a name can be.
pub(crate) trait Known {
    /// What the value of a reference can be.
    fn known(&self, reference: &Reference) -> Possible;
}

/// What conditions have said about names so far, by subject.
pub(crate) type Facts = HashMap<String, Possible>;

/// Judges the expressions of one text.
pub(crate) struct Judge<'a> {
    pub references: &'a [Reference],
    pub known: &'a dyn Known,
    /// Nodes that may still be looked at; then anything is possible, which is never wrong.
    pub budget: Cell<u32>,
}

/// Nodes that one text may cost: people write a few dozen, and what nests `and` in `or` in `and` costs their product.
pub(crate) const NODES_MAX: u32 = 2_000;

impl Judge<'_> {
    /// What `expr` can give where `facts` hold.
    pub fn value(&self, expr: &Expr, facts: &Facts) -> Possible {
        if self.is_spent() {
            return Possible::anything();
        }
        match &expr.kind {
            ExprKind::Literal(value) => Possible::only(value.clone()),
            ExprKind::Reference(_) => self.named(expr, facts),
            ExprKind::Status(Status::Always) => Possible::only(Value::Bool(true)),
            ExprKind::Status(Status::Success | Status::Failure | Status::Cancelled) => Possible::boolean(true, true),
            ExprKind::Access(access) => match access.missing {
                Missing::Ask => Possible::boolean(true, true),
                Missing::Error => self.named(expr, facts),
                Missing::Default(_) => Possible::anything(),
            },
            ExprKind::Index(..) | ExprKind::Slice { .. } => Possible::anything(),
            ExprKind::List(items) => self.list(items, facts),
            ExprKind::Map(_) => Possible::of_kinds(Kinds::OBJECT),
            ExprKind::Negate(_) => Possible::of_kinds(Kinds::NUMBER),
            ExprKind::Not(_) | ExprKind::Compare(..) => {
                Possible::boolean(self.assume(expr, true, facts).is_some(), self.assume(expr, false, facts).is_some())
            }
            ExprKind::And(operands) | ExprKind::Or(operands) => self.joined(expr, operands, facts),
            ExprKind::Chain(first, rest) => self.chain(first, rest, facts),
            ExprKind::If { condition, yes, no } => self.choice(condition, yes, no, facts),
            ExprKind::Call { operation, arguments } => of_operation(operation.form, operation.name, arguments.len()),
        }
    }

    fn is_spent(&self) -> bool {
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(1));
        left == 0
    }

    fn named(&self, expr: &Expr, facts: &Facts) -> Possible {
        if let Some(found) = self.subject(expr).and_then(|subject| facts.get(&subject)) {
            return found.clone();
        }
        match &expr.kind {
            ExprKind::Reference(index) => self.known.known(&self.references[*index]),
            _ => Possible::anything(),
        }
    }

    /// What facts are kept under: a name, with the accesses that are written down.
    fn subject(&self, expr: &Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::Reference(index) => Some(self.references[*index].path.join("\u{1f}")),
            ExprKind::Access(access) if matches!(access.missing, Missing::Error) => self.accessed(access),
            _ => None,
        }
    }

    fn accessed(&self, access: &Access) -> Option<String> {
        let mut subject = self.subject(&access.base)?;
        for key in access.keys.iter() {
            subject.push('\u{1f}');
            match &key.at {
                KeyKind::Name(name) => subject.push_str(name),
                KeyKind::Position(position) => subject.push_str(&format!("[{position}]")),
            }
        }
        Some(subject)
    }

    fn list(&self, items: &[Expr], facts: &Facts) -> Possible {
        let values: Option<Vec<Value>> = items.iter().map(|item| self.value(item, facts).single().cloned()).collect();
        values.map_or_else(|| Possible::of_kinds(Kinds::LIST), |values| Possible::only(Value::Array(values)))
    }

    /// `and` and `or` give one of their operands.
    fn joined(&self, expr: &Expr, operands: &[Expr], facts: &Facts) -> Possible {
        let kinds = operands.iter().map(|operand| self.value(operand, facts).kinds).fold(Kinds::NONE, Kinds::or);
        let (yes, no) = (self.assume(expr, true, facts).is_some(), self.assume(expr, false, facts).is_some());
        if kinds.is_within(Kinds::BOOLEAN) {
            return Possible::boolean(yes, no);
        }
        match (yes, no) {
            (false, true) => Possible::of_kinds(kinds).excluding(&Value::Bool(true)),
            (true, false) => Possible::of_kinds(kinds).excluding(&Value::Bool(false)),
            (true, true) | (false, false) => Possible::of_kinds(kinds),
        }
    }

    fn chain(&self, first: &Expr, rest: &[(Arithmetic, Expr)], facts: &Facts) -> Possible {
        let all = |wanted: Arithmetic| rest.iter().all(|(operator, _)| *operator == wanted);
        if all(Arithmetic::Concatenate) {
            return Possible::of_kinds(Kinds::TEXT);
        }
        if !all(Arithmetic::Add) {
            return Possible::of_kinds(Kinds::NUMBER);
        }
        let addable = Kinds::NUMBER.or(Kinds::TEXT).or(Kinds::LIST);
        let operands = std::iter::once(first).chain(rest.iter().map(|(_, operand)| operand));
        let kinds = operands.map(|operand| self.value(operand, facts).kinds).fold(addable, Kinds::and);
        Possible::of_kinds(if kinds == Kinds::NONE { addable } else { kinds })
    }

    fn choice(&self, condition: &Expr, yes: &Expr, no: &Expr, facts: &Facts) -> Possible {
        let if_yes = self.assume(condition, true, facts).map(|facts| self.value(yes, &facts));
        let if_no = self.assume(condition, false, facts).map(|facts| self.value(no, &facts));
        match (if_yes, if_no) {
            (Some(yes), Some(no)) => yes.or(no),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => Possible::anything(),
        }
    }

    /// What is known beside `facts` once `expr` has come out as `truth`; `None` if it cannot.
    pub fn assume(&self, expr: &Expr, truth: bool, facts: &Facts) -> Option<Facts> {
        if self.is_spent() {
            return Some(facts.clone());
        }
        match &expr.kind {
            ExprKind::Not(operand) => self.assume(operand, !truth, facts),
            ExprKind::And(operands) if truth => self.all(operands, true, facts),
            ExprKind::Or(operands) if !truth => self.all(operands, false, facts),
            ExprKind::And(operands) => self.some(operands, false, facts),
            ExprKind::Or(operands) => self.some(operands, true, facts),
            ExprKind::Compare(comparison, left, right) => self.compared(*comparison, left, right, truth, facts),
            _ => self.assume_value(expr, truth, facts),
        }
    }

    /// Every operand comes out as `truth`.
    fn all(&self, operands: &[Expr], truth: bool, facts: &Facts) -> Option<Facts> {
        operands.iter().try_fold(facts.clone(), |facts, operand| self.assume(operand, truth, &facts))
    }

    /// The first operand that comes out as `truth` ends it; which one it was, and so what it said, is open.
    fn some(&self, operands: &[Expr], truth: bool, facts: &Facts) -> Option<Facts> {
        let mut before = facts.clone();
        for operand in operands {
            if self.assume(operand, truth, &before).is_some() {
                return Some(if operands.len() == 1 { self.assume(operand, truth, &before)? } else { facts.clone() });
            }
            before = self.assume(operand, !truth, &before)?;
        }
        None
    }

    /// A value that stands for a condition. Only booleans say something: of all others, the empty ones are false.
    fn assume_value(&self, expr: &Expr, truth: bool, facts: &Facts) -> Option<Facts> {
        let value = self.value(expr, facts);
        if !value.kinds.is_within(Kinds::BOOLEAN) {
            return Some(facts.clone());
        }
        let outcome = Value::Bool(truth);
        if !value.can_be(&outcome) {
            return None;
        }
        let mut facts = facts.clone();
        if let Some(subject) = self.subject(expr) {
            facts.insert(subject, Possible::only(outcome));
        }
        Some(facts)
    }

    fn compared(&self, comparison: Comparison, left: &Expr, right: &Expr, truth: bool, facts: &Facts) -> Option<Facts> {
        let (lefts, rights) = (self.value(left, facts), self.value(right, facts));
        if lefts.is_impossible() || rights.is_impossible() {
            return Some(facts.clone());
        }
        if !outcomes(comparison, &lefts, &rights).has(truth) {
            return None;
        }
        let mut facts = facts.clone();
        if let Some(subject) = self.subject(left) {
            let narrower = narrowed(&lefts, comparison, &rights, truth);
            if narrower.is_impossible() {
                return None;
            }
            facts.insert(subject, narrower);
        }
        if let (Some(subject), Some(turned)) = (self.subject(right), turned(comparison)) {
            let narrower = narrowed(&rights, turned, &lefts, truth);
            if narrower.is_impossible() {
                return None;
            }
            facts.insert(subject, narrower);
        }
        Some(facts)
    }
}

/// How a comparison can come out. Neither: it is an error whatever the values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcomes {
    pub can_hold: bool,
    pub can_fail: bool,
}

impl Outcomes {
    fn has(self, truth: bool) -> bool {
        if truth { self.can_hold } else { self.can_fail }
    }

    fn turned(self) -> Self {
        Self { can_hold: self.can_fail, can_fail: self.can_hold }
    }
}

/// How `left COMPARISON right` can come out.
pub(crate) fn outcomes(comparison: Comparison, left: &Possible, right: &Possible) -> Outcomes {
    match comparison {
        Comparison::Equal => equality(left, right),
        Comparison::NotEqual => equality(left, right).turned(),
        Comparison::In => membership(left, right),
        Comparison::NotIn => membership(left, right).turned(),
        Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
            order(comparison, left, right)
        }
    }
}

fn equality(left: &Possible, right: &Possible) -> Outcomes {
    let both_single = matches!((left.single(), right.single()), (Some(left), Some(right)) if same(left, right));
    let can_hold = match (&left.values, &right.values) {
        (Some(values), _) => values.iter().any(|value| left.can_be(value) && right.can_be(value)),
        (None, Some(values)) => values.iter().any(|value| right.can_be(value) && left.can_be(value)),
        (None, None) => left.kinds.meets(right.kinds),
    };
    Outcomes { can_hold, can_fail: !both_single }
}

fn membership(left: &Possible, right: &Possible) -> Outcomes {
    let Some(Value::Array(items)) = right.single() else { return Outcomes { can_hold: true, can_fail: true } };
    let can_hold = items.iter().any(|item| left.can_be(item));
    let inside = |value: &Value| items.iter().any(|item| same(item, value));
    let can_fail = left.values.as_ref().is_none_or(|values| values.iter().any(|value| !inside(value)));
    Outcomes { can_hold, can_fail }
}

fn order(comparison: Comparison, left: &Possible, right: &Possible) -> Outcomes {
    let shared = left.kinds.and(right.kinds).and(Kinds::NUMBER.or(Kinds::TEXT));
    if shared == Kinds::NONE {
        return Outcomes { can_hold: false, can_fail: false };
    }
    if let (Some(lefts), Some(rights)) = (&left.values, &right.values) {
        let pairs = lefts.iter().flat_map(|left| rights.iter().filter_map(move |right| natural(left, right)));
        let held: Vec<bool> = pairs.map(|ordering| holds(comparison, ordering)).collect();
        return Outcomes { can_hold: held.contains(&true), can_fail: held.contains(&false) };
    }
    let Some(number) = right.single().and_then(exact) else { return Outcomes { can_hold: true, can_fail: true } };
    let possible = |truth: bool| {
        let (bound, below) = bound_of(comparison, number, truth);
        !left.bounded(bound, below).is_impossible()
    };
    Outcomes { can_hold: possible(true), can_fail: possible(false) }
}

fn holds(comparison: Comparison, ordering: Ordering) -> bool {
    match comparison {
        Comparison::Less => ordering == Ordering::Less,
        Comparison::LessOrEqual => ordering != Ordering::Greater,
        Comparison::Greater => ordering == Ordering::Greater,
        Comparison::GreaterOrEqual => ordering != Ordering::Less,
        Comparison::Equal | Comparison::NotEqual | Comparison::In | Comparison::NotIn => true,
    }
}

/// What `x COMPARISON number` says of x, and whether that is an upper bound.
fn bound_of(comparison: Comparison, number: f64, truth: bool) -> (Bound, bool) {
    let (below, open) = match comparison {
        Comparison::Less => (true, true),
        Comparison::LessOrEqual => (true, false),
        Comparison::Greater => (false, true),
        Comparison::GreaterOrEqual | Comparison::Equal | Comparison::NotEqual | Comparison::In | Comparison::NotIn => {
            (false, false)
        }
    };
    let (below, open) = if truth { (below, open) } else { (!below, !open) };
    (Bound { at: number, open }, below)
}

/// What is left of `possible` once `possible COMPARISON other` came out as `truth`.
fn narrowed(possible: &Possible, comparison: Comparison, other: &Possible, truth: bool) -> Possible {
    let is_equal = match comparison {
        Comparison::Equal => truth,
        Comparison::NotEqual => !truth,
        Comparison::In | Comparison::NotIn => {
            let Some(Value::Array(items)) = other.single() else { return possible.clone() };
            return match (comparison == Comparison::In) == truth {
                true => possible.narrowed(items),
                false => items.iter().fold(possible.clone(), |possible, item| possible.excluding(item)),
            };
        }
        Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
            let Some(number) = other.single().and_then(exact) else { return possible.clone() };
            let (bound, below) = bound_of(comparison, number, truth);
            return possible.bounded(bound, below);
        }
    };
    match (is_equal, other.single()) {
        (true, Some(value)) => possible.narrowed(std::slice::from_ref(value)),
        (false, Some(value)) => possible.excluding(value),
        (_, None) => possible.clone(),
    }
}

/// The same comparison with its sides changed, where there is one.
fn turned(comparison: Comparison) -> Option<Comparison> {
    Some(match comparison {
        Comparison::Equal => Comparison::Equal,
        Comparison::NotEqual => Comparison::NotEqual,
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        Comparison::In | Comparison::NotIn => return None,
    })
}

/// What an operation gives, whatever it is given.
fn of_operation(form: Form, name: &str, arguments: usize) -> Possible {
    let kinds = match (form, name) {
        (Form::Test, _) | (Form::Method, "startswith" | "endswith" | "contains") => {
            return Possible::boolean(true, true);
        }
        // With a second argument they give that where there is no number, and it may be anything.
        (_, "int" | "float") if arguments > 1 => Kinds::ANY,
        (_, "length" | "count" | "round" | "int" | "abs" | "float") => Kinds::NUMBER,
        (_, "lower" | "upper" | "trim" | "strip" | "replace" | "join" | "string" | "tojson") => Kinds::TEXT,
        (_, "split" | "splitlines" | "lines" | "keys" | "values" | "items" | "range") => Kinds::LIST,
        _ => Kinds::ANY,
    };
    Possible::of_kinds(kinds)
}
