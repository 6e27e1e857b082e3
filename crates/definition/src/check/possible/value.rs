//! What a value can be: a set that is never too small.

use std::cmp::Ordering;

use serde_json::Value;

/// Kinds of values, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    pub const NONE: Self = Self(0);
    pub const NULL: Self = Self(1);
    pub const BOOLEAN: Self = Self(2);
    pub const NUMBER: Self = Self(4);
    pub const TEXT: Self = Self(8);
    pub const LIST: Self = Self(16);
    pub const OBJECT: Self = Self(32);
    pub const ANY: Self = Self(63);

    /// The kind of a value.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::TEXT,
            Value::Array(_) => Self::LIST,
            Value::Object(_) => Self::OBJECT,
        }
    }

    /// The kind that a word of JSON Schema names.
    pub fn of_word(word: &str) -> Self {
        match word {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "number" | "integer" => Self::NUMBER,
            "string" => Self::TEXT,
            "array" => Self::LIST,
            "object" => Self::OBJECT,
            _ => Self::ANY,
        }
    }

    /// The kinds that a schema's `type` allows; all of them if it has none.
    pub fn of_schema(schema: &Value) -> Self {
        match schema.get("type") {
            Some(Value::String(word)) => Self::of_word(word),
            Some(Value::Array(words)) => {
                words.iter().filter_map(Value::as_str).map(Self::of_word).fold(Self::NONE, Self::or)
            }
            _ => Self::ANY,
        }
    }

    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Words for people: `a text`, `a number or a list`; what only may be null is not worth a word.
    pub fn words(self) -> String {
        let named = [
            (Self::BOOLEAN, "true or false"),
            (Self::NUMBER, "a number"),
            (Self::TEXT, "a text"),
            (Self::LIST, "a list"),
            (Self::OBJECT, "an object"),
        ];
        let words: Vec<&str> = named.iter().filter(|(kind, _)| self.meets(*kind)).map(|(_, word)| *word).collect();
        if words.is_empty() { "null".to_owned() } else { words.join(" or ") }
    }
}

/// A bound of numbers; `open`: the number itself is outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bound {
    pub at: f64,
    pub open: bool,
}

/// The set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Possible {
    /// Every kind that it can have.
    pub kinds: Kinds,
    /// Every value that it can have, where that is a short list.
    pub values: Option<Vec<Value>>,
    /// Values that it does not have.
    excluded: Vec<Value>,
    /// If it is a number: not under this.
    least: Option<Bound>,
    /// If it is a number: not over this.
    most: Option<Bound>,
}

/// More values than a person lists make every comparison a long one, and say little.
const VALUES_MAX: usize = 64;
/// Whole numbers up to here are exact as floats, so bounds compare as the numbers do.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

impl Possible {
    /// Of these kinds, and nothing else is known.
    pub fn of_kinds(kinds: Kinds) -> Self {
        Self { kinds, values: None, excluded: Vec::new(), least: None, most: None }
    }

    /// Anything.
    pub fn anything() -> Self {
        Self::of_kinds(Kinds::ANY)
    }

    /// Exactly this.
    pub fn only(value: Value) -> Self {
        Self::among(vec![value])
    }

    /// One of these.
    pub fn among(mut values: Vec<Value>) -> Self {
        let kinds = values.iter().map(Kinds::of).fold(Kinds::NONE, Kinds::or);
        values.dedup();
        let values = (values.len() <= VALUES_MAX).then_some(values);
        Self { values, ..Self::of_kinds(kinds) }
    }

    /// The outcome of a test; both, if neither is possible: then it is an error, which says nothing.
    pub fn boolean(can_be_true: bool, can_be_false: bool) -> Self {
        match (can_be_true, can_be_false) {
            (true, false) => Self::only(Value::Bool(true)),
            (false, true) => Self::only(Value::Bool(false)),
            (true, true) | (false, false) => Self::among(vec![Value::Bool(false), Value::Bool(true)]),
        }
    }

    /// What can be said of a value that fits `schema`.
    pub fn of_schema(schema: &Value) -> Self {
        let kinds = Kinds::of_schema(schema);
        let listed = schema.get("enum").and_then(Value::as_array).cloned();
        let listed = listed.or_else(|| schema.get("const").map(|only| vec![only.clone()]));
        if let Some(mut values) = listed {
            values.retain(|value| Kinds::of(value).meets(kinds));
            return Self::among(values);
        }
        let bound = |key: &str, open: bool| schema.get(key).and_then(exact).map(|at| Bound { at, open });
        let least = bound("minimum", false).or_else(|| bound("exclusiveMinimum", true));
        let most = bound("maximum", false).or_else(|| bound("exclusiveMaximum", true));
        Self { least, most, ..Self::of_kinds(kinds) }
    }

    /// This, or null.
    pub fn or_null(self) -> Self {
        self.or(Self::only(Value::Null))
    }

    /// One of both.
    pub fn or(self, other: Self) -> Self {
        let kinds = self.kinds.or(other.kinds);
        let numbers = (self.kinds.meets(Kinds::NUMBER), other.kinds.meets(Kinds::NUMBER));
        let (least, most) = match numbers {
            (true, false) => (self.least, self.most),
            (false, true) => (other.least, other.most),
            (true, true) | (false, false) => (None, None),
        };
        let values = match (self.values, other.values) {
            (Some(mut values), Some(more)) => {
                values.extend(more);
                (values.len() <= VALUES_MAX).then_some(values)
            }
            _ => None,
        };
        Self { values, least, most, ..Self::of_kinds(kinds) }
    }

    /// True if it may be `value`.
    pub fn can_be(&self, value: &Value) -> bool {
        self.kinds.meets(Kinds::of(value))
            && self.values.as_ref().is_none_or(|values| values.iter().any(|other| same(other, value)))
            && !self.excluded.iter().any(|other| same(other, value))
            && exact(value).is_none_or(|number| self.has_within(number))
    }

    fn has_within(&self, number: f64) -> bool {
        let above = |bound: Bound| number > bound.at || (number == bound.at && !bound.open);
        let below = |bound: Bound| number < bound.at || (number == bound.at && !bound.open);
        self.least.is_none_or(above) && self.most.is_none_or(below)
    }

    /// True if it can be nothing: what led here cannot happen.
    pub fn is_impossible(&self) -> bool {
        let empty_range = match (self.least, self.most) {
            (Some(least), Some(most)) => least.at > most.at || (least.at == most.at && (least.open || most.open)),
            _ => false,
        };
        let kinds = if empty_range { self.kinds.without(Kinds::NUMBER) } else { self.kinds };
        kinds == Kinds::NONE
            || self.values.as_ref().is_some_and(|values| values.iter().all(|value| !self.can_be(value)))
    }

    /// The only value that it can be.
    pub fn single(&self) -> Option<&Value> {
        match self.values.as_deref() {
            Some([only]) => Some(only),
            Some(_) | None => None,
        }
    }

    /// The same, known to be among `values`.
    pub fn narrowed(&self, values: &[Value]) -> Self {
        let kept: Vec<Value> = values.iter().filter(|value| self.can_be(value)).cloned().collect();
        Self { excluded: self.excluded.clone(), least: self.least, most: self.most, ..Self::among(kept) }
    }

    /// The same, known not to be `value`.
    pub fn excluding(&self, value: &Value) -> Self {
        let mut narrower = self.clone();
        match &mut narrower.values {
            Some(values) => values.retain(|other| !same(other, value)),
            None if narrower.excluded.len() < VALUES_MAX => narrower.excluded.push(value.clone()),
            None => {}
        }
        if value.is_null() {
            narrower.kinds = narrower.kinds.without(Kinds::NULL);
        }
        narrower
    }

    /// The same, known to be of these kinds.
    pub fn of_kind(&self, kinds: Kinds) -> Self {
        let mut narrower = self.clone();
        narrower.kinds = narrower.kinds.and(kinds);
        if let Some(values) = &mut narrower.values {
            values.retain(|value| Kinds::of(value).meets(kinds));
        }
        narrower
    }

    /// The same, known to be a number on this side of `bound`.
    pub fn bounded(&self, bound: Bound, below: bool) -> Self {
        let mut narrower = self.of_kind(Kinds::NUMBER);
        let side = if below { &mut narrower.most } else { &mut narrower.least };
        let is_tighter = side.is_none_or(|known| match known.at.partial_cmp(&bound.at) {
            Some(Ordering::Equal) => bound.open,
            Some(Ordering::Greater) => below,
            Some(Ordering::Less) => !below,
            None => false,
        });
        if is_tighter {
            *side = Some(bound);
        }
        narrower
    }
}

/// A number as a float that compares as the number does.
pub(crate) fn exact(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.abs() <= EXACT_MAX)
}

/// Equality as expressions have it.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    crate::expr::operations::same(left, right)
}
