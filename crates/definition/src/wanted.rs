//! What the expressions of a plan want of the values that they name: which keys they read, what they compare with,
//! what kind of value they can work with. For those who make up values where nobody knows the real ones.
//!
//! It must not evaluate anything. That a value is wanted does not mean that it is right: whoever makes one up tries.

use serde_json::{Number, Value, json};
use skep_model::plan::{Kind, Plan, Side, Step, StepIndex, Wait};

use crate::expr::syntax::{Arithmetic, Comparison, Expr, ExprKind, KeyKind, Missing};
use crate::expr::{Examined, Names, Reference, examine};

/// Values that one comparison may name; a longer list is read so far.
const VALUES_MAX: usize = 16;

/// One place where an expression names a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The step whose expression it is; `None`: the workflow's own `vars`, `env` or `outputs`.
    pub by: Option<StepIndex>,
    /// The name, as in [`Reference`]: `["steps", "a", "outputs", "json"]`, `["inputs", "host"]`, `["stdout"]`.
    pub path: Vec<String>,
    /// Keys that are read of it, one inside the other.
    pub keys: Vec<String>,
    /// What it is compared with, and the neighbours of numbers.
    pub values: Vec<Value>,
    /// What the expression can work with, if that follows from it.
    pub shape: Option<Shape>,
}

/// A kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A number.
    Number,
    /// A text.
    Text,
    /// A text that reads as a number.
    Numeral,
    /// A text that reads as JSON.
    Json,
    /// A list.
    List,
    /// True or false.
    Boolean,
}

/// Everything that the expressions of `plan` name, in the order of the text.
pub fn wanted(plan: &Plan) -> Vec<Wanted> {
    let names = Names::of_plan(plan);
    let mut reader = Reader { names: &names, by: None, found: Vec::new() };
    for value in plan.vars.values().chain(plan.outputs.values()) {
        reader.value(value, None);
    }
    plan.env.values().for_each(|text| reader.text(text, None));
    for (index, step) in plan.steps.iter().enumerate() {
        reader.by = StepIndex::try_from(index).ok();
        reader.step(step);
    }
    reader.found
}

struct Reader<'a> {
    names: &'a Names,
    by: Option<StepIndex>,
    found: Vec<Wanted>,
}

impl Reader<'_> {
    fn step(&mut self, step: &Step) {
        let condition = step.condition.iter().map(|condition| &condition.expression);
        for text in condition.chain(&step.success_criteria) {
            self.text(text, Some(Shape::Boolean));
        }
        step.outputs.iter().flat_map(|outputs| outputs.values()).for_each(|value| self.value(value, None));
        step.env.values().chain(&step.working_dir).for_each(|text| self.text(text, None));
        self.kind(&step.kind);
        let undo = step.compensation.iter().flat_map(|undo| std::iter::once(&undo.work).chain(&undo.verify));
        undo.chain(step.verify.as_deref()).for_each(|side| self.side(side));
        let groups = step.concurrency.iter().map(|group| &group.group);
        let breakers = step.circuit_breaker.iter().map(|breaker| &breaker.name);
        groups.chain(breakers).for_each(|text| self.text(text, None));
        if let Some(gate) = &step.approve {
            self.text(&gate.approval.message, None);
        }
    }

    fn side(&mut self, side: &Side) {
        side.env.values().chain(&side.working_dir).for_each(|text| self.text(text, None));
        self.kind(&side.kind);
    }

    fn kind(&mut self, kind: &Kind) {
        match kind {
            Kind::Run { values, .. } => values.values().for_each(|text| self.text(text, None)),
            Kind::Uses { with, .. } => self.value(with, None),
            Kind::Approval(approval) => {
                [&approval.message, &approval.assignee].into_iter().for_each(|text| self.text(text, None));
            }
            Kind::Input(form) => [&form.message, &form.assignee].into_iter().for_each(|text| self.text(text, None)),
            Kind::Wait(Wait::Duration { duration: text } | Wait::Moment { until: text }) => self.text(text, None),
            Kind::Wait(Wait::Signal { name, .. }) => self.text(name, None),
            Kind::Wait(Wait::Condition { condition, .. }) | Kind::While { condition, .. } => {
                self.text(condition, Some(Shape::Boolean));
            }
            Kind::Switch { cases, .. } => {
                cases.iter().for_each(|case| self.text(&case.when, Some(Shape::Boolean)));
            }
            Kind::Foreach { items, .. } => self.value(items, Some(Shape::List)),
            Kind::Repeat { times, until, .. } => {
                times.iter().for_each(|times| self.value(times, Some(Shape::Number)));
                until.iter().for_each(|until| self.text(until, Some(Shape::Boolean)));
            }
            Kind::Workflow { inputs, .. } => self.value(inputs, None),
            Kind::Parallel { .. } => {}
            Kind::Agent { config } | Kind::Ai { config } => self.value(config, None),
        }
    }

    /// Every text in a template.
    fn value(&mut self, value: &Value, shape: Option<Shape>) {
        match value {
            Value::String(text) => self.text(text, shape),
            Value::Array(items) => items.iter().for_each(|item| self.value(item, None)),
            Value::Object(entries) => entries.values().for_each(|entry| self.value(entry, None)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&mut self, text: &str, shape: Option<Shape>) {
        let condition = shape == Some(Shape::Boolean);
        for Examined { expr, references, alone } in examine(text, self.names, condition) {
            let shape = shape.filter(|_| alone);
            Walk { references: &references, by: self.by, found: &mut self.found }.expr(&expr, &[], shape);
        }
    }
}

struct Walk<'a> {
    references: &'a [Reference],
    by: Option<StepIndex>,
    found: &'a mut Vec<Wanted>,
}

impl Walk<'_> {
    /// `values` are what the whole of `expr` is compared with. The parser bounds the height of trees.
    fn expr(&mut self, expr: &Expr, values: &[Value], shape: Option<Shape>) {
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Status(_) => {}
            ExprKind::Reference(number) => self.add(*number, Vec::new(), values, shape),
            ExprKind::Access(access) => {
                if let Missing::Default(value) = &access.missing {
                    self.expr(value, &[], None);
                }
                let names = access.keys.iter().map_while(|key| match &key.at {
                    KeyKind::Name(name) => Some(name.clone()),
                    KeyKind::Position(_) => None,
                });
                let keys: Vec<String> = names.collect();
                match &access.base.kind {
                    ExprKind::Reference(number) if keys.len() == access.keys.len() => {
                        self.add(*number, keys, values, shape);
                    }
                    ExprKind::Reference(number) => self.add(*number, keys, &[], Some(Shape::List)),
                    _ => self.expr(&access.base, &[], None),
                }
            }
            ExprKind::Index(base, index) => {
                self.expr(base, &[], None);
                self.expr(index, &[], None);
            }
            ExprKind::Slice { base, from, to } => {
                self.expr(base, &[], None);
                from.iter().chain(to).for_each(|end| self.expr(end, &[], Some(Shape::Number)));
            }
            ExprKind::List(items) => items.iter().for_each(|item| self.expr(item, &[], None)),
            ExprKind::Map(entries) => entries.iter().for_each(|(_, value)| self.expr(value, &[], None)),
            ExprKind::Negate(operand) => self.expr(operand, &[], Some(Shape::Number)),
            ExprKind::Not(operand) => self.expr(operand, &[], Some(Shape::Boolean)),
            ExprKind::And(operands) | ExprKind::Or(operands) => {
                operands.iter().for_each(|operand| self.expr(operand, &[], Some(Shape::Boolean)));
            }
            ExprKind::Chain(first, rest) => self.chain(first, rest),
            ExprKind::Compare(how, left, right) => self.compare(*how, left, right),
            ExprKind::If { condition, yes, no } => {
                self.expr(condition, &[], Some(Shape::Boolean));
                [yes, no].into_iter().for_each(|branch| self.expr(branch, values, shape));
            }
            ExprKind::Call { operation, arguments } => self.call(operation.name, arguments, values),
        }
    }

    fn add(&mut self, number: usize, keys: Vec<String>, values: &[Value], shape: Option<Shape>) {
        let Some(reference) = self.references.get(number) else { return };
        let (path, values) = (reference.path.clone(), values.iter().take(VALUES_MAX).cloned().collect());
        self.found.push(Wanted { by: self.by, path, keys, values, shape });
    }

    fn chain(&mut self, first: &Expr, rest: &[(Arithmetic, Expr)]) {
        let joins = rest.iter().all(|(sign, _)| *sign == Arithmetic::Concatenate);
        let is_text = |expr: &Expr| matches!(&expr.kind, ExprKind::Literal(Value::String(_)));
        let shape = match joins {
            true => None,
            false if is_text(first) || rest.iter().any(|(_, operand)| is_text(operand)) => Some(Shape::Text),
            false => Some(Shape::Number),
        };
        std::iter::once(first).chain(rest.iter().map(|(_, operand)| operand)).for_each(|operand| {
            self.expr(operand, &[], shape);
        });
    }

    fn compare(&mut self, how: Comparison, left: &Expr, right: &Expr) {
        for (this, other) in [(left, right), (right, left)] {
            let values = near(literals(other));
            let shape = match how {
                Comparison::In | Comparison::NotIn if std::ptr::eq(this, right) => None,
                _ => values.first().and_then(shape_of),
            };
            self.expr(this, &values, shape);
        }
    }

    fn call(&mut self, name: &str, arguments: &[(usize, Expr)], values: &[Value]) {
        let Some(((_, subject), rest)) = arguments.split_first() else { return };
        let parts: Vec<Value> = rest.iter().flat_map(|(_, argument)| literals(argument)).collect();
        let texts = || values.iter().map(as_text).collect::<Vec<_>>();
        let (values, shape) = match name {
            "int" | "float" => (texts(), Some(Shape::Numeral)),
            "fromjson" => (texts(), Some(Shape::Json)),
            "trim" | "strip" | "lower" | "upper" | "string" => (texts(), Some(Shape::Text)),
            "split" | "splitlines" | "lines" | "replace" => (Vec::new(), Some(Shape::Text)),
            "startswith" | "endswith" | "contains" | "startingwith" | "endingwith" | "containing" => (parts, None),
            "abs" | "round" | "even" | "odd" => (Vec::new(), Some(Shape::Number)),
            "join" | "first" | "last" | "sort" | "reverse" | "unique" | "min" | "max" | "sum" | "map"
            | "selectattr" | "rejectattr" => (Vec::new(), Some(Shape::List)),
            _ => (Vec::new(), None),
        };
        self.expr(subject, &values, shape);
        rest.iter().for_each(|(_, argument)| self.expr(argument, &[], None));
    }
}

/// The values of a literal, or of a list of them.
fn literals(expr: &Expr) -> Vec<Value> {
    match &expr.kind {
        ExprKind::Literal(value) => vec![value.clone()],
        ExprKind::List(items) => items.iter().flat_map(literals).collect(),
        ExprKind::Negate(operand) => literals(operand).iter().filter_map(negated).collect(),
        _ => Vec::new(),
    }
}

fn negated(value: &Value) -> Option<Value> {
    match value.as_i64() {
        Some(number) => number.checked_neg().map(Value::from),
        None => Number::from_f64(-value.as_f64()?).map(Value::Number),
    }
}

/// The values, and the whole numbers beside them.
fn near(values: Vec<Value>) -> Vec<Value> {
    let mut all = values;
    let beside: Vec<Value> = all
        .iter()
        .filter_map(Value::as_i64)
        .flat_map(|number| [number.saturating_add(1), number.saturating_sub(1)])
        .map(Value::from)
        .collect();
    for value in beside {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    all
}

fn as_text(value: &Value) -> Value {
    match value {
        Value::String(_) => value.clone(),
        other => json!(other.to_string()),
    }
}

fn shape_of(value: &Value) -> Option<Shape> {
    match value {
        Value::Number(_) => Some(Shape::Number),
        Value::String(_) => Some(Shape::Text),
        Value::Bool(_) => Some(Shape::Boolean),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `path.keys=values:shape` of everything that step `b` names.
    fn told(step: &str) -> Vec<String> {
        let text = format!("name: x\ndescription: x\nsteps:\n  - {{id: a, run: x}}\n  - {step}\n");
        let workflow = crate::load::load(&text).workflow.expect("it can be read");
        let plan = crate::plan::plan(&workflow, &crate::samples::catalogue());
        let plan = plan.unwrap_or_else(|found| panic!("{found:#?}"));
        let line = |wanted: &Wanted| {
            let path = wanted.path.iter().chain(&wanted.keys).map(String::as_str).collect::<Vec<_>>().join(".");
            let shape = wanted.shape.map(|shape| format!(":{shape:?}")).unwrap_or_default();
            format!("{path}={}{shape}", json!(wanted.values))
        };
        wanted(&plan).iter().map(line).collect()
    }

    #[test]
    fn keys_comparands_and_kinds_are_read_from_expressions() {
        for (expression, expect) in [
            ("steps.a.outputs.json.n > 5", "steps.a.outputs.json.n=[5,6,4]:Number"),
            ("steps.a.outputs.stdout == 'go'", "steps.a.outputs.stdout=[\"go\"]:Text"),
            ("'go' == steps.a.outputs.stdout", "steps.a.outputs.stdout=[\"go\"]:Text"),
            ("steps.a.outputs.stdout in ['x', 'y']", "steps.a.outputs.stdout=[\"x\",\"y\"]:Text"),
            ("(steps.a.outputs.stdout | int) >= 3", "steps.a.outputs.stdout=[\"3\",\"4\",\"2\"]:Numeral"),
            ("steps.a.outputs.stdout.startswith('v')", "steps.a.outputs.stdout=[\"v\"]"),
            ("steps.a.outputs.json.ok", "steps.a.outputs.json.ok=[]:Boolean"),
            ("not steps.a.outputs.json.ok", "steps.a.outputs.json.ok=[]:Boolean"),
            ("(steps.a.outputs.json.items | length) == 0", "steps.a.outputs.json.items=[]"),
            ("steps.a.outputs.json.hosts[0] == 'x'", "steps.a.outputs.json.hosts=[]:List"),
            ("steps.a.outputs.exit_code + 1 > -2", "steps.a.outputs.exit_code=[]:Number"),
        ] {
            assert_eq!(told(&format!("{{id: b, if: \"${{{{ {expression} }}}}\", run: x}}")), [expect], "{expression}");
        }
    }

    #[test]
    fn the_place_of_an_expression_says_what_it_must_give() {
        for (step, expect) in [
            ("{id: b, foreach: '${{ steps.a.outputs.json }}', steps: [{id: c, run: x}]}", ":List"),
            ("{id: b, repeat: {times: '${{ steps.a.outputs.json }}'}, steps: [{id: c, run: x}]}", ":Number"),
            ("{id: b, wait: {condition: '${{ steps.a.outputs.json }}'}}", ":Boolean"),
            ("{id: b, run: 'echo \"${{ steps.a.outputs.json }}\"'}", ""),
        ] {
            assert_eq!(told(step), [format!("steps.a.outputs.json=[]{expect}")], "{step}");
        }
    }
}
