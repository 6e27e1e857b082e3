//! Templates: JSON values and texts whose strings may hold `${{ .. }}`.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::codes;
use super::error::{Error, Trouble};
use super::lexer::{self, Until};
use super::lower::lower;
use super::machine::{Program, Surroundings};
use super::names::Names;
use super::operations::describe;
use super::parser::{self, Found};
use super::scope::{Scope, ScopeError, StatusFlags};
use super::syntax::{Expr, ExprKind, Key, Missing, Reference, Span};
use super::text::{append, shorten};
use super::walk::walk;

/// What opens an expression, and what stands for these characters themselves.
const OPEN: &str = "${{";

/// A compiled template. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Template(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    root: Node,
    expectation: Expectation,
    references: Vec<Reference>,
    /// For each reference: the index of the first one with the same path, its length, its string.
    uses: Vec<Use>,
    status_aware: bool,
}

#[derive(Debug)]
struct Use {
    first: usize,
    length: usize,
    value_path: Arc<str>,
}

/// What the result must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expectation {
    Anything,
    Text,
    Boolean,
}

#[derive(Debug)]
enum Node {
    Literal(Value),
    Text(Vec<Piece>),
    Typed(Expression),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    Value(Expression),
}

#[derive(Debug)]
struct Expression {
    body: Body,
    /// As written.
    shown: String,
    span: Span,
    value_path: Arc<str>,
}

#[derive(Debug)]
enum Body {
    Literal(Arc<Value>),
    /// A path: the value of a reference and accesses on it. The machine is not needed.
    Path(usize, Arc<[Key]>),
    Program(Arc<Program>),
}

impl Template {
    /// Compiles a JSON value: a string that is one expression (blanks around it do not count) gives the value of
    /// that expression, every other string with expressions a text; lists and objects are compiled inside, keys
    /// are taken as they are.
    ///
    /// # Errors
    /// All problems of all strings.
    pub fn compile(value: &Value, names: &Names) -> Result<Self, Vec<Error>> {
        let mut compiler = Compiler::new(names);
        let root = compiler.value(value, "");
        compiler.finish(root, Expectation::Anything)
    }

    /// Compiles a text; the result is a text, whatever the expressions give. Null is an error when evaluated.
    ///
    /// # Errors
    /// All problems of the text.
    pub fn compile_text(text: &str, names: &Names) -> Result<Self, Vec<Error>> {
        let mut compiler = Compiler::new(names);
        let pieces = compiler.pieces(text, &Arc::from(""));
        compiler.finish(single(pieces), Expectation::Text)
    }

    /// Compiles a condition (`if`, `when`, `while`), with or without `${{ }}` around it; the result is a boolean,
    /// anything else is an error when evaluated.
    ///
    /// # Errors
    /// All problems of the condition.
    pub fn compile_condition(text: &str, names: &Names) -> Result<Self, Vec<Error>> {
        let mut compiler = Compiler::new(names);
        let root = compiler.condition(text);
        compiler.finish(root, Expectation::Boolean)
    }

    /// As [`Template::compile`], without the short way for literals and plain paths.
    #[cfg(test)]
    pub(crate) fn compile_for_machine(value: &Value, names: &Names) -> Result<Self, Vec<Error>> {
        let mut compiler = Compiler { fast: false, ..Compiler::new(names) };
        let root = compiler.value(value, "");
        compiler.finish(root, Expectation::Anything)
    }

    /// Every name that is used, in the order of the text.
    pub fn references(&self) -> &[Reference] {
        &self.0.references
    }

    /// It calls `success()`, `failure()`, `always()` or `cancelled()`.
    pub fn is_status_aware(&self) -> bool {
        self.0.status_aware
    }

    /// It holds no expression.
    pub fn is_literal(&self) -> bool {
        self.0.root.is_literal()
    }

    /// Evaluates with the names of `scope`: every reference is resolved first, once per distinct path.
    ///
    /// # Errors
    /// The first problem. With [`Error::needs`] it is no mistake: fetch that blob and evaluate again.
    pub fn evaluate(&self, scope: &mut dyn Scope) -> Result<Value, Error> {
        if let (Node::Literal(value), Expectation::Anything) = (&self.0.root, self.0.expectation) {
            return Ok(value.clone());
        }
        let values = self.0.resolve(scope)?;
        let status = if self.0.status_aware { scope.status() } else { StatusFlags::default() };
        let evaluation = Evaluation(Surroundings { values: values.into(), status, budget: Arc::default() });
        match self.0.expectation {
            Expectation::Anything => evaluation.root(&self.0.root),
            Expectation::Text => evaluation.text_of(&self.0.root),
            Expectation::Boolean => evaluation.boolean(&self.0.root),
        }
    }
}

impl Inner {
    fn resolve(&self, scope: &mut dyn Scope) -> Result<Vec<Arc<Value>>, Error> {
        let mut values: Vec<Arc<Value>> = Vec::with_capacity(self.references.len());
        for (index, reference) in self.references.iter().enumerate() {
            let used = &self.uses[index];
            let value = match values.get(used.first) {
                Some(value) => value.clone(),
                None => Arc::new(scope.resolve(reference).map_err(|error| unresolved(error, reference, used))?),
            };
            values.push(value);
        }
        Ok(values)
    }
}

fn unresolved(error: ScopeError, reference: &Reference, used: &Use) -> Error {
    let (trouble, needs) = match error {
        ScopeError::Unknown { message, hint } => (Trouble { code: codes::UNKNOWN_NAME, message, hint }, None),
        ScopeError::NeedsBlob(blob) => {
            let message = format!("the value of `{}` must be fetched first", reference.path.join("."));
            (Trouble::new(codes::NEEDS, message), Some(blob))
        }
    };
    let span = Span { start: reference.offset, end: reference.offset + used.length };
    Error { needs, value_path: used.value_path.to_string(), ..trouble.at(span) }
}

impl Node {
    /// The value of a literal; what holds only literals is one itself.
    fn into_literal(self) -> Option<Value> {
        match self {
            Self::Literal(value) => Some(value),
            Self::Text(_) | Self::Typed(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    fn is_literal(&self) -> bool {
        match self {
            Self::Literal(_) => true,
            Self::Text(_) | Self::Typed(_) => false,
            Self::List(items) => items.iter().all(Self::is_literal),
            Self::Object(entries) => entries.iter().all(|(_, node)| node.is_literal()),
        }
    }
}

/// One evaluation: the budget is shared by all expressions of the template.
struct Evaluation(Surroundings);

impl Evaluation {
    /// The value of the whole template. A path alone is handed on as it is: the value is there already.
    fn root(&self, node: &Node) -> Result<Value, Error> {
        match node {
            Node::Typed(expression) if matches!(expression.body, Body::Path(..)) => self.with(expression, Value::clone),
            Node::Literal(_) | Node::Text(_) | Node::Typed(_) | Node::List(_) | Node::Object(_) => self.node(node),
        }
    }

    fn node(&self, node: &Node) -> Result<Value, Error> {
        match node {
            Node::Literal(value) => Ok(value.clone()),
            Node::Text(pieces) => self.text(pieces).map(Value::String),
            Node::Typed(expression) => self.typed(expression),
            Node::List(items) => items.iter().map(|item| self.node(item)).collect(),
            Node::Object(entries) => {
                let evaluated = entries.iter().map(|(key, node)| Ok((key.clone(), self.node(node)?)));
                evaluated.collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
        }
    }

    fn typed(&self, expression: &Expression) -> Result<Value, Error> {
        let copied = |value: &Value| self.0.budget.charge_copy(value).map(|()| value.clone());
        self.with(expression, copied)?.map_err(|trouble| located(trouble.at(expression.span), expression))
    }

    fn text_of(&self, node: &Node) -> Result<Value, Error> {
        match node {
            Node::Typed(expression) => {
                let mut text = String::new();
                self.append(&mut text, expression)?;
                Ok(Value::String(text))
            }
            Node::Literal(_) | Node::Text(_) | Node::List(_) | Node::Object(_) => self.node(node),
        }
    }

    fn boolean(&self, node: &Node) -> Result<Value, Error> {
        let value = self.node(node)?;
        if value.is_boolean() {
            return Ok(value);
        }
        let (shown, span) = match node {
            Node::Typed(expression) => (expression.shown.as_str(), expression.span),
            Node::Literal(_) | Node::Text(_) | Node::List(_) | Node::Object(_) => ("the condition", Span::default()),
        };
        let message = format!("`{}` is {}, not true or false", shorten(shown), describe(&value));
        Err(Trouble::new(codes::CONDITION, message)
            .hint("a condition compares: `.. == 'yes'`, `.. > 0`, `.. is not none`, `.. | length > 0`")
            .at(span))
    }

    fn text(&self, pieces: &[Piece]) -> Result<String, Error> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Value(expression) => self.append(&mut text, expression)?,
            }
        }
        Ok(text)
    }

    fn append(&self, text: &mut String, expression: &Expression) -> Result<(), Error> {
        self.with(expression, |value| append(text, value, &expression.shown, &self.0.budget))?
            .map_err(|trouble| located(trouble.at(expression.span), expression))
    }

    /// Hands the value of an expression to `use_it`, without a copy where there is no need of one.
    fn with<T>(&self, expression: &Expression, use_it: impl FnOnce(&Value) -> T) -> Result<T, Error> {
        match &expression.body {
            Body::Literal(value) => Ok(use_it(value)),
            Body::Path(reference, keys) => {
                let found = walk(&self.0.values[*reference], keys).map_err(|error| located(error, expression))?;
                Ok(use_it(found))
            }
            Body::Program(program) => {
                let result = program.run(&self.0).map_err(|error| located(error, expression))?;
                Ok(use_it(&result))
            }
        }
    }
}

fn located(error: Error, expression: &Expression) -> Error {
    Error { value_path: expression.value_path.to_string(), ..error }
}

struct Compiler<'a> {
    names: &'a Names,
    found: Found,
    /// The string of each reference.
    value_paths: Vec<Arc<str>>,
    errors: Vec<Error>,
    /// Literals and plain paths go without the machine; off only to compare both ways.
    fast: bool,
}

impl<'a> Compiler<'a> {
    fn new(names: &'a Names) -> Self {
        Self { names, found: Found::default(), value_paths: Vec::new(), errors: Vec::new(), fast: true }
    }

    fn value(&mut self, value: &Value, path: &str) -> Node {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Node::Literal(value.clone()),
            Value::String(text) => self.text(text, &Arc::from(path)),
            Value::Array(items) => {
                let compiled =
                    items.iter().enumerate().map(|(index, item)| self.value(item, &format!("{path}/{index}")));
                let nodes: Vec<Node> = compiled.collect();
                if nodes.iter().all(Node::is_literal) { Node::Literal(literal_list(nodes)) } else { Node::List(nodes) }
            }
            Value::Object(map) => {
                let compiled = map.iter().map(|(key, value)| {
                    let pointer = key.replace('~', "~0").replace('/', "~1");
                    (key.clone(), self.value(value, &format!("{path}/{pointer}")))
                });
                let entries: Vec<(String, Node)> = compiled.collect();
                match entries.iter().all(|(_, node)| node.is_literal()) {
                    true => Node::Literal(literal_object(entries)),
                    false => Node::Object(entries),
                }
            }
        }
    }

    fn text(&mut self, text: &str, path: &Arc<str>) -> Node {
        single(without_blanks(self.pieces(text, path)))
    }

    fn pieces(&mut self, text: &str, path: &Arc<str>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(found) = text[at..].find(OPEN).map(|index| at + index) {
            if text[at..found].ends_with('$') {
                literal.push_str(&text[at..found - 1]);
                literal.push_str(OPEN);
                at = found + OPEN.len();
                continue;
            }
            literal.push_str(&text[at..found]);
            match self.expression(text, found + OPEN.len(), Until::Braces, path) {
                Ok((expression, end)) => {
                    push_literal(&mut pieces, &mut literal);
                    pieces.push(Piece::Value(expression));
                    at = end + 2;
                }
                Err(error) => {
                    at = after_mistake(text, found + OPEN.len());
                    self.errors.push(Error { value_path: path.to_string(), ..error });
                }
            }
        }
        literal.push_str(&text[at..]);
        push_literal(&mut pieces, &mut literal);
        pieces
    }

    fn condition(&mut self, text: &str) -> Node {
        let path = Arc::from("");
        if !text.contains(OPEN) {
            return match self.expression(text, 0, Until::End, &path) {
                Ok((expression, _)) => Node::Typed(expression),
                Err(error) => {
                    self.errors.push(error);
                    Node::Literal(Value::Null)
                }
            };
        }
        let node = self.text(text, &path);
        if self.errors.is_empty() && !matches!(node, Node::Typed(_)) {
            let span = Span { start: 0, end: text.len() };
            let trouble = Trouble::new(codes::CONDITION, "a condition is one expression, and text stands beside it");
            self.errors.push(trouble.hint("write the whole condition inside one `${{ }}`, or without them").at(span));
        }
        node
    }

    fn expression(
        &mut self,
        text: &str,
        start: usize,
        until: Until,
        path: &Arc<str>,
    ) -> Result<(Expression, usize), Error> {
        let (tokens, end) = lexer::tokens(text, start, until, self.names)?;
        let expr = parser::parse(text, &tokens, end, &mut self.found)?;
        self.value_paths.resize(self.found.references.len(), path.clone());
        let shown = text[expr.span.start..expr.span.end].to_owned();
        let span = expr.span;
        let body = self.body(expr, text)?;
        Ok((Expression { body, shown, span, value_path: path.clone() }, end))
    }

    fn body(&self, expr: Expr, text: &str) -> Result<Body, Error> {
        if self.fast
            && let Some(body) = plain(&expr)
        {
            return Ok(body);
        }
        Ok(Body::Program(Arc::new(Program::compile(lower(&expr, text), expr.span)?)))
    }

    fn finish(self, root: Node, expectation: Expectation) -> Result<Template, Vec<Error>> {
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let mut firsts: HashMap<&[String], usize> = HashMap::new();
        let mut uses = Vec::with_capacity(self.found.references.len());
        for (index, (reference, length)) in self.found.references.iter().enumerate() {
            let first = *firsts.entry(&reference.path).or_insert(index);
            uses.push(Use { first, length: *length, value_path: self.value_paths[index].clone() });
        }
        let status_aware = self.found.status_aware;
        let references = self.found.references.into_iter().map(|(reference, _)| reference).collect();
        Ok(Template(Arc::new(Inner { root, expectation, references, uses, status_aware })))
    }
}

/// A literal or a plain path needs no machine.
fn plain(expr: &Expr) -> Option<Body> {
    match &expr.kind {
        ExprKind::Literal(value) => Some(Body::Literal(Arc::new(value.clone()))),
        ExprKind::Reference(index) => Some(Body::Path(*index, Arc::new([]))),
        ExprKind::Access(access) if matches!(access.missing, Missing::Error) => match access.base.kind {
            ExprKind::Reference(index) => Some(Body::Path(index, access.keys.clone())),
            _ => None,
        },
        _ => None,
    }
}

fn literal_list(nodes: Vec<Node>) -> Value {
    nodes.into_iter().filter_map(Node::into_literal).collect()
}

fn literal_object(entries: Vec<(String, Node)>) -> Value {
    let values = entries.into_iter().filter_map(|(key, node)| Some((key, node.into_literal()?)));
    Value::Object(values.collect())
}

fn push_literal(pieces: &mut Vec<Piece>, literal: &mut String) {
    if !literal.is_empty() {
        pieces.push(Piece::Literal(std::mem::take(literal)));
    }
}

/// Drops the blanks around a single expression.
fn without_blanks(mut pieces: Vec<Piece>) -> Vec<Piece> {
    let is_blank = |piece: &Piece| matches!(piece, Piece::Literal(text) if text.trim().is_empty());
    let expressions = pieces.iter().filter(|piece| matches!(piece, Piece::Value(_))).count();
    if expressions == 1 && pieces.iter().all(|piece| is_blank(piece) || matches!(piece, Piece::Value(_))) {
        pieces.retain(|piece| matches!(piece, Piece::Value(_)));
    }
    pieces
}

/// A single expression is typed, a single text is a literal.
fn single(mut pieces: Vec<Piece>) -> Node {
    match pieces.pop() {
        None => Node::Literal(Value::String(String::new())),
        Some(Piece::Value(expression)) if pieces.is_empty() => Node::Typed(expression),
        Some(Piece::Literal(text)) if pieces.is_empty() => Node::Literal(Value::String(text)),
        Some(last) => {
            pieces.push(last);
            Node::Text(pieces)
        }
    }
}

/// Where to go on after an expression with a mistake that starts at `start`.
fn after_mistake(text: &str, start: usize) -> usize {
    text[start..].find("}}").map_or(text.len(), |index| start + index + 2)
}

/// The byte after the `}}` of the expression that starts at `start` (after its `${{`); `None` if it is never
/// closed. Braces inside the expression's texts and objects do not count.
pub(crate) fn expression_end(text: &str, start: usize) -> Option<usize> {
    match lexer::tokens(text, start, Until::Braces, &Names::default()) {
        Ok((_, end)) => Some(end + 2),
        Err(_) => text[start..].find("}}").map(|index| start + index + 2),
    }
}
