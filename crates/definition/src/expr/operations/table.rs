//! The table of filters, methods, tests and functions: names, parameters, what they call.

use std::sync::Arc;

use serde_json::Value;

use super::super::error::Trouble;
use super::budget::Budget;
use super::{lists, maps, numbers, texts, types};

/// How an operation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Filter,
    Method,
    Test,
    Function,
}

impl Form {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Method => "method",
            Self::Test => "test",
            Self::Function => "function",
        }
    }
}

/// An operation that is called by name.
#[derive(Debug)]
pub(crate) struct Named {
    pub name: &'static str,
    pub form: Form,
    /// Names of the parameters; the first of all forms but functions is the value before it.
    pub parameters: &'static [&'static str],
    /// So many of them must be given.
    pub required: usize,
    pub run: fn(&Call<'_>) -> Result<Value, Trouble>,
}

impl Named {
    /// How it is written, for hints.
    pub(crate) fn usage(&self) -> String {
        let own = if self.form == Form::Function { self.parameters } else { &self.parameters[1..] };
        let taken = self.parameters.len() - own.len();
        let shown: Vec<String> = own
            .iter()
            .enumerate()
            .map(|(index, name)| if index + taken < self.required { (*name).to_owned() } else { format!("[{name}]") })
            .collect();
        let list = if shown.is_empty() && self.form != Form::Method && self.form != Form::Function {
            String::new()
        } else {
            format!("({})", shown.join(", "))
        };
        match self.form {
            Form::Filter => format!("`value | {}{list}`", self.name),
            Form::Method => format!("`value.{}{list}`", self.name),
            Form::Test => format!("`value is {}{list}`", self.name),
            Form::Function => format!("`{}{list}`", self.name),
        }
    }
}

/// The arguments of a call, by parameter.
pub(crate) struct Call<'a> {
    pub operation: &'static Named,
    pub arguments: &'a [Option<Arc<Value>>],
    pub budget: &'a Budget,
}

impl<'a> Call<'a> {
    /// The argument of parameter `index`, which is required.
    pub(crate) fn value(&self, index: usize) -> &'a Value {
        self.optional(index).expect("the parser refuses a call that lacks a required argument")
    }

    /// The argument of parameter `index`.
    pub(crate) fn optional(&self, index: usize) -> Option<&'a Value> {
        self.arguments.get(index).and_then(Option::as_deref)
    }

    /// How messages name the operation.
    pub(crate) fn what(&self) -> String {
        format!("`{}`", self.operation.name)
    }

    /// The argument as text.
    pub(crate) fn text(&self, index: usize) -> Result<&'a str, Trouble> {
        types::text(&self.what(), self.value(index))
    }

    /// The argument as a list.
    pub(crate) fn list(&self, index: usize) -> Result<&'a Vec<Value>, Trouble> {
        types::list(&self.what(), self.value(index))
    }
}

/// The operation of that name and form.
pub(crate) fn find(name: &str, form: Form) -> Option<&'static Named> {
    TABLE.iter().find(|operation| operation.form == form && operation.name == name)
}

/// The operation of that name in any form.
pub(crate) fn find_any(name: &str) -> Option<&'static Named> {
    TABLE.iter().find(|operation| operation.name == name)
}

/// All names of a form.
pub(crate) fn names(form: Form) -> impl Iterator<Item = &'static str> + Clone {
    TABLE.iter().filter(move |operation| operation.form == form).map(|operation| operation.name)
}

type Run = fn(&Call<'_>) -> Result<Value, Trouble>;

const fn filter(name: &'static str, parameters: &'static [&'static str], required: usize, run: Run) -> Named {
    Named { name, form: Form::Filter, parameters, required, run }
}

const fn method(name: &'static str, parameters: &'static [&'static str], required: usize, run: Run) -> Named {
    Named { name, form: Form::Method, parameters, required, run }
}

const fn test(name: &'static str, parameters: &'static [&'static str], run: Run) -> Named {
    Named { name, form: Form::Test, parameters, required: parameters.len(), run }
}

const V: &[&str] = &["value"];
const FROM_TO: &[&str] = &["value", "old", "new"];
const OTHER: &[&str] = &["value", "text"];
const SEPARATOR: &[&str] = &["value", "separator"];
const ORDERING: &[&str] = &["value", "attribute", "reverse"];
const ATTRIBUTE: &[&str] = &["value", "attribute"];
const WHERE: &[&str] = &["value", "attribute", "test", "other"];

static TABLE: &[Named] = &[
    filter("length", V, 1, lists::length),
    filter("count", V, 1, lists::length),
    filter("lower", V, 1, texts::lower),
    filter("upper", V, 1, texts::upper),
    filter("trim", V, 1, texts::trim),
    filter("replace", FROM_TO, 3, texts::replace),
    filter("split", SEPARATOR, 1, texts::split),
    filter("lines", V, 1, texts::lines),
    filter("join", &["value", "separator", "attribute"], 1, lists::join),
    filter("first", V, 1, lists::first),
    filter("last", V, 1, lists::last),
    filter("keys", V, 1, maps::keys),
    filter("values", V, 1, maps::values),
    filter("items", V, 1, maps::items),
    filter("sort", ORDERING, 1, lists::sort),
    filter("reverse", V, 1, lists::reverse),
    filter("unique", V, 1, lists::unique),
    filter("round", &["value", "digits"], 1, numbers::round),
    filter("int", &["value", "otherwise"], 1, numbers::int),
    filter("float", &["value", "otherwise"], 1, numbers::float),
    filter("string", V, 1, texts::string),
    filter("tojson", V, 1, texts::to_json),
    filter("fromjson", V, 1, texts::from_json),
    filter("abs", V, 1, numbers::abs),
    filter("min", ATTRIBUTE, 1, lists::min),
    filter("max", ATTRIBUTE, 1, lists::max),
    filter("sum", ATTRIBUTE, 1, lists::sum),
    filter("map", ATTRIBUTE, 2, lists::map),
    filter("selectattr", WHERE, 2, lists::select),
    filter("rejectattr", WHERE, 2, lists::reject),
    method("get", &["value", "key", "otherwise"], 2, maps::get),
    method("keys", V, 1, maps::keys),
    method("values", V, 1, maps::values),
    method("items", V, 1, maps::items),
    method("startswith", OTHER, 2, texts::starts_with),
    method("endswith", OTHER, 2, texts::ends_with),
    method("contains", OTHER, 2, texts::contains),
    method("lower", V, 1, texts::lower),
    method("upper", V, 1, texts::upper),
    method("strip", V, 1, texts::trim),
    method("split", SEPARATOR, 1, texts::split),
    method("splitlines", V, 1, texts::lines),
    method("replace", FROM_TO, 3, texts::replace),
    method("join", &["value", "list"], 2, lists::join_method),
    test("none", V, |call| Ok(call.value(0).is_null().into())),
    test("null", V, |call| Ok(call.value(0).is_null().into())),
    test("string", V, |call| Ok(call.value(0).is_string().into())),
    test("number", V, |call| Ok(call.value(0).is_number().into())),
    test("integer", V, |call| Ok((call.value(0).is_i64() || call.value(0).is_u64()).into())),
    test("float", V, |call| Ok(call.value(0).is_f64().into())),
    test("boolean", V, |call| Ok(call.value(0).is_boolean().into())),
    test("list", V, |call| Ok(call.value(0).is_array().into())),
    test("mapping", V, |call| Ok(call.value(0).is_object().into())),
    test("even", V, |call| numbers::even(call).map(Value::from)),
    test("odd", V, |call| numbers::even(call).map(|even| Value::from(!even))),
    test("startingwith", OTHER, texts::starts_with),
    test("endingwith", OTHER, texts::ends_with),
    test("containing", OTHER, texts::contains),
    Named {
        name: "range",
        form: Form::Function,
        parameters: &["from", "to", "step"],
        required: 1,
        run: numbers::range,
    },
];
