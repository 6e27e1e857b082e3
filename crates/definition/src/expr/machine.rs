//! Runs lowered expressions on minijinja: short circuits and fuel are its, every operation is ours.
//!
//! Inside the machine a value is a boolean of minijinja or an `Item`, which shares the JSON value: nothing is
//! converted, so integers stay integers and the order of keys is kept.

use std::error::Error as _;
use std::fmt;
use std::sync::{Arc, LazyLock};

use minijinja::value::{Object, ObjectRepr};
use minijinja::{Environment, ErrorKind, Expression, UndefinedBehavior, Value as Held};
use serde_json::{Map, Value};
use skep_model::limits::EXPRESSION_FUEL;

use super::codes;
use super::error::{Error, Trouble};
use super::lower::Lowered;
use super::operations::{self, Budget, Call, Named};
use super::scope::StatusFlags;
use super::syntax::{Arithmetic, Comparison, Key, Span};
use super::walk;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(EXPRESSION_FUEL));
    environment
});

/// A compiled expression.
pub(crate) struct Program {
    expression: Expression<'static, 'static>,
    constants: Vec<Held>,
    operations: Vec<Held>,
    span: Span,
}

impl fmt::Debug for Program {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Program").field("span", &self.span).finish_non_exhaustive()
    }
}

/// One operation of a program, with its place.
#[derive(Debug)]
pub(crate) struct Operation {
    pub run: Run,
    pub span: Span,
}

/// What an operation does.
#[derive(Debug)]
pub(crate) enum Run {
    Get(Arc<[Key]>),
    Has(Arc<[Key]>),
    GetOr(Arc<[Key]>),
    Index(Arc<str>),
    Slice {
        from: bool,
        to: bool,
    },
    List,
    Map,
    Negate,
    Chain(Vec<Arithmetic>, Vec<Arc<str>>),
    Compare(Comparison),
    /// The parameter of each argument.
    Named(&'static Named, Vec<usize>),
}

impl Program {
    /// Compiles what `lower` made; `span` is the whole expression.
    pub(crate) fn compile(lowered: Lowered, span: Span) -> Result<Self, Error> {
        let expression = ENVIRONMENT
            .compile_expression_owned(lowered.source)
            .map_err(|error| Trouble::new(codes::SIZE, format!("the expression is too complex: {error}")).at(span))?;
        let constants = lowered.constants.into_iter().map(hold).collect();
        let operations = lowered.operations.into_iter().map(Held::from_object).collect();
        Ok(Self { expression, constants, operations, span })
    }

    /// Evaluates; the budget is that of the whole template.
    pub(crate) fn run(self: &Arc<Self>, surroundings: &Surroundings) -> Result<Arc<Value>, Error> {
        let context = Context {
            program: self.clone(),
            surroundings: surroundings.clone(),
            budget: Held::from_object(Shared(surroundings.budget.clone())),
        };
        match self.expression.eval(Held::from_object(context)) {
            Ok(held) => Ok(take(&held)),
            Err(error) => Err(self.explain(&error)),
        }
    }

    fn explain(&self, error: &minijinja::Error) -> Error {
        if let Some(located) = error.source().and_then(|source| source.downcast_ref::<Error>()) {
            return located.clone();
        }
        if error.kind() == ErrorKind::OutOfFuel {
            return Trouble::new(codes::BUDGET, format!("the expression takes more than {EXPRESSION_FUEL} operations"))
                .hint("do this work in a step")
                .at(self.span);
        }
        Trouble::new(codes::BUDGET, format!("the expression cannot be evaluated: {error}")).at(self.span)
    }
}

/// A value in the machine.
#[derive(Debug)]
struct Item(Arc<Value>);

impl Object for Item {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        operations::is_true(&self.0)
    }
}

fn hold(value: Arc<Value>) -> Held {
    match value.as_ref() {
        Value::Bool(flag) => Held::from(*flag),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Held::from_object(Item(value))
        }
    }
}

fn take(held: &Held) -> Arc<Value> {
    match held.downcast_object_ref::<Item>() {
        Some(item) => item.0.clone(),
        None => Arc::new(Value::Bool(held.is_true())),
    }
}

impl Object for Shared {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// What all expressions of one evaluation share.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// The values of the references, by their indices.
    pub values: Arc<[Arc<Value>]>,
    pub status: StatusFlags,
    pub budget: Arc<Budget>,
}

/// The budget as a value of the machine.
#[derive(Debug)]
struct Shared(Arc<Budget>);

/// The names of a lowered expression.
#[derive(Debug)]
struct Context {
    program: Arc<Program>,
    surroundings: Surroundings,
    budget: Held,
}

const BUDGET: &str = "_b";

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Held) -> Option<Held> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Held> {
        let StatusFlags { failed, cancelled } = self.surroundings.status;
        match key {
            BUDGET => Some(self.budget.clone()),
            "_s" => Some((!failed && !cancelled).into()),
            "_f" => Some(failed.into()),
            "_x" => Some(cancelled.into()),
            _ => {
                let index: usize = key.get(2..)?.parse().ok()?;
                match key.get(..2)? {
                    "_o" => self.program.operations.get(index).cloned(),
                    "_r" => self.surroundings.values.get(index).cloned().map(hold),
                    _ => self.program.constants.get(index).cloned(),
                }
            }
        }
    }
}

impl Object for Operation {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(
        self: &Arc<Self>,
        state: &mut minijinja::State<'_, '_>,
        arguments: &[Held],
    ) -> Result<Held, minijinja::Error> {
        let budget = state.lookup(BUDGET).and_then(|held| held.downcast_object::<Shared>());
        let budget = budget.expect("every context of a program has its budget");
        let arguments: Vec<Arc<Value>> = arguments.iter().map(take).collect();
        self.perform(&arguments, &budget.0)
            .map(|value| hold(Arc::new(value)))
            .map_err(|error| minijinja::Error::new(ErrorKind::InvalidOperation, "").with_source(error))
    }
}

impl Operation {
    fn perform(&self, given: &[Arc<Value>], budget: &Budget) -> Result<Value, Error> {
        let result = match &self.run {
            Run::Get(keys) => copy(walk::walk(&given[0], keys)?, budget),
            Run::Has(keys) => Ok(walk::walk_if_there(&given[0], keys)?.is_some().into()),
            Run::GetOr(keys) => {
                let found = walk::walk_if_there(&given[0], keys)?.filter(|value| !value.is_null());
                copy(found.unwrap_or(&given[1]), budget)
            }
            Run::Index(shown) => operations::index(&given[0], &given[1], shown, budget),
            Run::Slice { from, to } => {
                let start = from.then(|| given[1].as_ref());
                let stop = to.then(|| given[1 + usize::from(*from)].as_ref());
                operations::slice(&given[0], start, stop, budget)
            }
            Run::List => list(given, budget),
            Run::Map => map(given, budget),
            Run::Negate => operations::negate(&given[0]),
            Run::Chain(operators, shown) => chain(operators, shown, given, budget),
            Run::Compare(comparison) => operations::compare(*comparison, &given[0], &given[1], budget).map(Value::Bool),
            Run::Named(operation, positions) => {
                let mut arguments = vec![None; operation.parameters.len()];
                for (position, value) in positions.iter().zip(given) {
                    arguments[*position] = Some(value.clone());
                }
                (operation.run)(&Call { operation, arguments: &arguments, budget })
            }
        };
        result.map_err(|trouble| trouble.at(self.span))
    }
}

fn copy(value: &Value, budget: &Budget) -> Result<Value, Trouble> {
    budget.charge_copy(value)?;
    Ok(value.clone())
}

fn chain(
    operators: &[Arithmetic],
    shown: &[Arc<str>],
    given: &[Arc<Value>],
    budget: &Budget,
) -> Result<Value, Trouble> {
    let rest: Vec<(Arithmetic, &Value)> = operators.iter().copied().zip(given[1..].iter().map(AsRef::as_ref)).collect();
    let shown: Vec<&str> = shown.iter().map(AsRef::as_ref).collect();
    operations::chain(&given[0], &rest, &shown, budget)
}

fn list(given: &[Arc<Value>], budget: &Budget) -> Result<Value, Trouble> {
    given.iter().try_for_each(|value| budget.charge_copy(value))?;
    Ok(given.iter().map(|value| value.as_ref().clone()).collect())
}

fn map(given: &[Arc<Value>], budget: &Budget) -> Result<Value, Trouble> {
    let mut map = Map::new();
    for entry in given.chunks_exact(2) {
        let Value::String(key) = entry[0].as_ref() else {
            let message = format!("a key of an object is a text, not {}", operations::describe(&entry[0]));
            return Err(Trouble::new(codes::KIND, message));
        };
        budget.charge(key.len() as u64)?;
        budget.charge_copy(&entry[1])?;
        map.insert(key.clone(), entry[1].as_ref().clone());
    }
    Ok(Value::Object(map))
}
