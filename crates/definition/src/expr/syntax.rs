//! The tree of an expression.

use std::sync::Arc;

use serde_json::Value;

use super::operations::Named;

/// A static access path such as `["steps", "build", "outputs", "image"]`, `["inputs", "hosts"]`, `["item"]`.
///
/// It stops at the first access that is not a name written down, at a call, and where plain values begin: at
/// most 4 parts for `steps.ID.outputs.NAME`, 3 for `steps.ID.status` and `steps.ID.error`, 2 for
/// `inputs vars env secrets execution`, 1 for every other root (`item`, `json`, `event`, `stdout` ..).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The parts.
    pub path: Vec<String>,
    /// Byte offset of the path in the whole text of the template's string.
    pub offset: usize,
    /// An access that is not a written name follows where another part was possible, as in `steps[x]`.
    pub dynamic: bool,
}

/// How many parts of a path the scope resolves; what follows is an access on the value.
pub(crate) fn path_length_max(path: &[String]) -> usize {
    match (path.first().map(String::as_str), path.get(2).map(String::as_str)) {
        (Some("steps"), Some("outputs")) => 4,
        (Some("steps"), _) => 3,
        (Some("inputs" | "vars" | "env" | "secrets" | "execution"), _) => 2,
        _ => 1,
    }
}

/// Bytes of the template's string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub(crate) fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }
}

/// A node with its place and the height of the tree below it, which bounds every recursion over it.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub kind: ExprKind,
    pub span: Span,
    pub height: usize,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    Literal(Value),
    /// The value of a reference: index into the references of the template.
    Reference(usize),
    Status(Status),
    Access(Box<Access>),
    Index(Box<Expr>, Box<Expr>),
    Slice {
        base: Box<Expr>,
        from: Option<Box<Expr>>,
        to: Option<Box<Expr>>,
    },
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Negate(Box<Expr>),
    Not(Box<Expr>),
    /// `first OP operand OP operand ..` of one precedence.
    Chain(Box<Expr>, Vec<(Arithmetic, Expr)>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    If {
        condition: Box<Expr>,
        yes: Box<Expr>,
        no: Box<Expr>,
    },
    Call {
        operation: &'static Named,
        arguments: Vec<(usize, Expr)>,
    },
}

/// `base.a['b'][0]`.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub base: Expr,
    pub keys: Arc<[Key]>,
    pub missing: Missing,
}

/// What a missing key means.
#[derive(Clone, Debug)]
pub(crate) enum Missing {
    /// An error.
    Error,
    /// The answer of `is defined`.
    Ask,
    /// `default(value)`: also instead of null.
    Default(Expr),
}

/// One step of an access, with the text before it for messages.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub at: KeyKind,
    pub span: Span,
    /// What was written before this key: the thing that it is a key of.
    pub subject: Arc<str>,
}

/// A name or a position.
#[derive(Clone, Debug)]
pub(crate) enum KeyKind {
    Name(String),
    Position(i64),
}

/// Status functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Success,
    Failure,
    Always,
    Cancelled,
}

impl Status {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "success" => Self::Success,
            "failure" => Self::Failure,
            "always" => Self::Always,
            "cancelled" => Self::Cancelled,
            _ => return None,
        })
    }
}

/// Operators of chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Concatenate,
    Multiply,
    Divide,
    DivideFloor,
    Remainder,
}

impl Arithmetic {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Concatenate => "~",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::DivideFloor => "//",
            Self::Remainder => "%",
        }
    }
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

impl Comparison {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::NotIn => "not in",
        }
    }
}

impl ExprKind {
    /// The tallest of the nodes directly below, 0 without any.
    pub(crate) fn height_below(&self) -> usize {
        let tallest = |nodes: &[&Expr]| nodes.iter().map(|node| node.height).max().unwrap_or(0);
        match self {
            Self::Literal(_) | Self::Reference(_) | Self::Status(_) => 0,
            Self::Access(access) => match &access.missing {
                Missing::Error | Missing::Ask => access.base.height,
                Missing::Default(value) => tallest(&[&access.base, value]),
            },
            Self::Index(base, index) => tallest(&[base, index]),
            Self::Slice { base, from, to } => {
                let ends = from.iter().chain(to).map(|end| end.height).max().unwrap_or(0);
                base.height.max(ends)
            }
            Self::List(items) | Self::And(items) | Self::Or(items) => {
                items.iter().map(|item| item.height).max().unwrap_or(0)
            }
            Self::Map(entries) => entries.iter().map(|(key, value)| tallest(&[key, value])).max().unwrap_or(0),
            Self::Negate(operand) | Self::Not(operand) => operand.height,
            Self::Chain(first, rest) => rest.iter().map(|(_, operand)| operand.height).fold(first.height, usize::max),
            Self::Compare(_, left, right) => tallest(&[left, right]),
            Self::If { condition, yes, no } => tallest(&[condition, yes, no]),
            Self::Call { arguments, .. } => arguments.iter().map(|(_, value)| value.height).max().unwrap_or(0),
        }
    }
}
