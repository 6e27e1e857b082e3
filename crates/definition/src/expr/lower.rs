//! A tree becomes a minijinja expression in which every name is one of ours.
//!
//! `_cN` is a constant, `_rN` the value of a reference, `_oN(..)` an operation, `_s` and `_f` and `_x` the status.
//! `and`, `or`, `not` and `if` stay minijinja's. No text of a person is ever part of the lowered source.

use std::sync::Arc;

use serde_json::Value;

use super::machine::{Operation, Run};
use super::syntax::{Access, Arithmetic, Expr, ExprKind, Missing, Span, Status};

/// A lowered expression.
#[derive(Debug, Default)]
pub(crate) struct Lowered {
    pub source: String,
    pub constants: Vec<Arc<Value>>,
    pub operations: Vec<Operation>,
}

/// Lowers `expr`, which was written in `text`.
pub(crate) fn lower(expr: &Expr, text: &str) -> Lowered {
    let mut lowered = Lowered::default();
    Lowerer { text, out: &mut lowered }.expr(expr);
    lowered
}

struct Lowerer<'a> {
    text: &'a str,
    out: &'a mut Lowered,
}

impl Lowerer<'_> {
    fn write(&mut self, text: &str) {
        self.out.source.push_str(text);
    }

    fn shown(&self, expr: &Expr) -> Arc<str> {
        self.text[expr.span.start..expr.span.end].into()
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Literal(value) => self.literal(value),
            ExprKind::Reference(index) => self.write(&format!("_r{index}")),
            ExprKind::Status(status) => self.write(status_word(*status)),
            ExprKind::Not(operand) => {
                self.write("(not ");
                self.expr(operand);
                self.write(")");
            }
            ExprKind::And(operands) => self.joined(" and ", operands),
            ExprKind::Or(operands) => self.joined(" or ", operands),
            ExprKind::If { condition, yes, no } => self.choice(condition, yes, no),
            ExprKind::Access(access) => self.access(access, expr.span),
            ExprKind::Index(base, index) => {
                self.operation(Run::Index(self.shown(base)), expr.span, [&**base, &**index])
            }
            ExprKind::Slice { base, from, to } => {
                let run = Run::Slice { from: from.is_some(), to: to.is_some() };
                self.operation(
                    run,
                    expr.span,
                    [Some(base), from.as_ref(), to.as_ref()].into_iter().flatten().map(|node| &**node),
                );
            }
            ExprKind::List(items) => self.operation(Run::List, expr.span, items),
            ExprKind::Map(entries) => {
                self.operation(Run::Map, expr.span, entries.iter().flat_map(|(key, value)| [key, value]));
            }
            ExprKind::Negate(operand) => self.operation(Run::Negate, expr.span, [&**operand]),
            ExprKind::Compare(comparison, left, right) => {
                self.operation(Run::Compare(*comparison), expr.span, [&**left, &**right]);
            }
            ExprKind::Chain(first, rest) => self.chain(first, rest, expr.span),
            ExprKind::Call { operation, arguments } => {
                let positions = arguments.iter().map(|(position, _)| *position).collect();
                self.operation(Run::Named(operation, positions), expr.span, arguments.iter().map(|(_, value)| value));
            }
        }
    }

    fn literal(&mut self, value: &Value) {
        if let Value::Bool(flag) = value {
            return self.write(if *flag { "true" } else { "false" });
        }
        let index = self.out.constants.len();
        self.out.constants.push(Arc::new(value.clone()));
        self.write(&format!("_c{index}"));
    }

    fn joined(&mut self, word: &str, operands: &[Expr]) {
        self.write("(");
        for (index, operand) in operands.iter().enumerate() {
            self.write(if index == 0 { "" } else { word });
            self.expr(operand);
        }
        self.write(")");
    }

    fn choice(&mut self, condition: &Expr, yes: &Expr, no: &Expr) {
        self.write("(");
        self.expr(yes);
        self.write(" if ");
        self.expr(condition);
        self.write(" else ");
        self.expr(no);
        self.write(")");
    }

    fn operation<'e>(&mut self, run: Run, span: Span, arguments: impl IntoIterator<Item = &'e Expr>) {
        let index = self.out.operations.len();
        self.out.operations.push(Operation { run, span });
        self.write(&format!("_o{index}("));
        for argument in arguments {
            self.expr(argument);
            self.write(",");
        }
        self.write(")");
    }

    fn access(&mut self, access: &Access, span: Span) {
        let keys = access.keys.clone();
        match &access.missing {
            Missing::Error => self.operation(Run::Get(keys), span, [&access.base]),
            Missing::Ask => self.operation(Run::Has(keys), span, [&access.base]),
            Missing::Default(other) => self.operation(Run::GetOr(keys), span, [&access.base, other]),
        }
    }

    fn chain(&mut self, first: &Expr, rest: &[(Arithmetic, Expr)], span: Span) {
        let operands = || std::iter::once(first).chain(rest.iter().map(|(_, operand)| operand));
        let shown = operands().map(|operand| self.shown(operand)).collect();
        let operators = rest.iter().map(|(operator, _)| *operator).collect();
        self.operation(Run::Chain(operators, shown), span, operands());
    }
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Always => "true",
        Status::Success => "_s",
        Status::Failure => "_f",
        Status::Cancelled => "_x",
    }
}
