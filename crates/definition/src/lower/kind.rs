//! What a step does.

use serde_json::{Value, json};
use skep_model::plan::{Join, Order};

use super::read::{Field, Fields, Lowering};
use crate::codes;
use crate::keys::{BRANCH, CASE, REPEAT, SWITCH};
use crate::tree::{Content, Entry, Node};
use crate::workflow::{Branch, Case, Kind, Step};

impl Lowering {
    /// The kind that `field` says, of a step of a list at `depth`; `None` after a reported error.
    pub fn kind(&mut self, field: Field<'_>, step: Fields<'_>, depth: usize) -> Option<Kind> {
        if field.node.is_null() && field.key.name != "approval" {
            self.wrong_type(field);
            return None;
        }
        match field.key.name {
            "run" => Some(Kind::Run { script: self.text(step, "run")?, shell: self.text(step, "shell") }),
            "uses" => Some(Kind::Uses { action: self.text(step, "uses")?, with: self.value_map(step, "with") }),
            "agent" => self.agent(field, step).map(Kind::Agent),
            "ai" => self.object_or(field, "prompt").map(Kind::Ai),
            "workflow" => self.child(field).map(Kind::Workflow),
            "approval" => self.approval(field, step).map(Kind::Approval),
            "input" => self.input(step),
            "wait" => self.wait(field).map(Kind::Wait),
            "switch" => self.switch(field, depth),
            "parallel" => self.parallel(field, step, depth),
            "foreach" => self.foreach(field, step, depth),
            "while" => self.while_loop(step, depth),
            "repeat" => self.repeat(field, step, depth),
            other => unreachable!("the table of keys has no kind `{other}` that is not read here"),
        }
    }

    /// A mapping as written, or a text that stands for a mapping with this one key.
    fn object_or(&mut self, field: Field<'_>, key: &str) -> Option<Value> {
        if !self.check_shape(field) {
            return None;
        }
        Some(match field.node.scalar_text() {
            Some(text) => json!({ key: text }),
            None => field.node.to_value(),
        })
    }

    /// `workflow`; a version that reads as a number keeps its text (`1.10`).
    fn child(&mut self, field: Field<'_>) -> Option<Value> {
        let mut child = self.object_or(field, "name")?;
        for key in ["name", "version"] {
            let written = field.node.get(key).and_then(Node::scalar_text);
            if let (Some(object), Some(text)) = (child.as_object_mut(), written) {
                object.insert(key.to_owned(), Value::String(text));
            }
        }
        Some(child)
    }

    /// `agent`, with the step's `with` inside.
    fn agent(&mut self, field: Field<'_>, step: Fields<'_>) -> Option<Value> {
        let mut agent = self.object_or(field, "name")?;
        let Some(with) = step.get("with") else { return Some(agent) };
        let arguments = self.value(step, "with")?;
        if let Some(object) = agent.as_object_mut()
            && object.insert("with".to_owned(), arguments).is_some()
        {
            self.conflict(with.key_place, "`with` is said twice: on the step and inside `agent`", "keep one of them");
        }
        Some(agent)
    }

    fn input(&mut self, step: Fields<'_>) -> Option<Kind> {
        let field = step.get("input")?;
        let fields = self.value_map(step, "input");
        if field.node.as_map().is_some_and(<[Entry]>::is_empty) {
            let message = "the form has no fields";
            self.error(&codes::MISSING_KEY, field.node.place, message, format!("for example `{}`", field.key.example));
        }
        Some(Kind::Input { fields, message: self.text(step, "message"), assignee: self.text(step, "assignee") })
    }

    fn switch(&mut self, field: Field<'_>, depth: usize) -> Option<Kind> {
        let fields = self.fields(field.node, SWITCH, "`switch`")?;
        let default = fields.get("default").map(|field| self.list(field.node, Order::Sequence, depth + 1));
        let mut cases = Vec::new();
        if let Some(field) = fields.get("cases") {
            match field.node.as_list() {
                Some([]) | None => self.wrong_type(field),
                Some(items) => cases.extend(items.iter().filter_map(|item| self.case(item, depth))),
            }
        }
        Some(Kind::Switch { cases, default })
    }

    fn case(&mut self, node: &Node, depth: usize) -> Option<Case> {
        let fields = self.fields(node, CASE, "a case")?;
        let when = self.text(fields, "when").unwrap_or_default();
        let order = self.order(fields);
        Some(Case { when, order, steps: self.body(fields, order, depth) })
    }

    fn parallel(&mut self, field: Field<'_>, step: Fields<'_>, depth: usize) -> Option<Kind> {
        let Some(entries) = field.node.as_map().filter(|entries| !entries.is_empty()) else {
            self.wrong_type(field);
            return None;
        };
        let branches: Vec<Branch> = entries.iter().map(|entry| self.branch(entry, depth)).collect();
        let join = step.get("join").and_then(|field| self.join(field, branches.len()));
        Some(Kind::Parallel { branches, join, fail_fast: self.boolean(step, "fail_fast") })
    }

    fn branch(&mut self, entry: &Entry, depth: usize) -> Branch {
        let name = entry.key.clone();
        if entry.value.as_map().is_none() {
            return Branch { name, order: Order::Sequence, steps: self.list(&entry.value, Order::Sequence, depth + 1) };
        }
        let Some(fields) = self.fields(&entry.value, BRANCH, "a branch") else {
            return Branch { name, order: Order::Sequence, steps: Vec::new() };
        };
        let order = self.order(fields);
        Branch { name, order, steps: self.body(fields, order, depth) }
    }

    fn join(&mut self, field: Field<'_>, branches: usize) -> Option<Join> {
        match &field.node.content {
            Content::Integer(_) => {
                let count = self.integer_of(field)?;
                if count as usize > branches {
                    let message = format!("`join: {count}` can never be reached: there are {branches} branches");
                    let hint = format!("write `join: all`, or a number from 1 to {branches}");
                    self.error(&codes::OUT_OF_RANGE, field.node.place, message, hint);
                }
                Some(Join::Count(count))
            }
            Content::Null
            | Content::Bool(_)
            | Content::Float(..)
            | Content::Text(_)
            | Content::List(_)
            | Content::Map(_) => match self.word_of(field.node, "join", &["all", "any"])? {
                "any" => Some(Join::Any),
                _ => Some(Join::All),
            },
        }
    }

    fn foreach(&mut self, field: Field<'_>, step: Fields<'_>, depth: usize) -> Option<Kind> {
        let items = match &field.node.content {
            Content::Text(text) if text.contains("${{") => Some(Value::String(text.clone())),
            Content::List(_) => Some(field.node.to_value()),
            Content::Text(text) => {
                let message = "`foreach` is a list, or an expression that gives one; this text is neither";
                let hint =
                    format!("for an expression: `foreach: ${{{{ {text} }}}}`; for a list of one: `foreach: [{text}]`");
                self.error(&codes::WRONG_TYPE, field.node.place, message, hint);
                None
            }
            Content::Null | Content::Bool(_) | Content::Integer(_) | Content::Float(..) | Content::Map(_) => {
                self.wrong_type(field);
                None
            }
        };
        let (order, steps) = self.loop_body(field, step, depth);
        Some(Kind::Foreach {
            items: items.unwrap_or(Value::Null),
            max_parallel: self.integer(step, "max_parallel"),
            fail_fast: self.boolean(step, "fail_fast"),
            max_iterations: self.integer(step, "max_iterations"),
            order,
            steps,
        })
    }

    fn while_loop(&mut self, step: Fields<'_>, depth: usize) -> Option<Kind> {
        let field = step.get("while")?;
        let condition = self.text(step, "while").unwrap_or_default();
        let (order, steps) = self.loop_body(field, step, depth);
        Some(Kind::While { condition, max_iterations: self.integer(step, "max_iterations"), order, steps })
    }

    fn repeat(&mut self, field: Field<'_>, step: Fields<'_>, depth: usize) -> Option<Kind> {
        let (times, until) = match field.node.as_map() {
            None => (self.times(field.node), None),
            Some(_) => {
                let fields = self.fields(field.node, REPEAT, "`repeat`")?;
                if fields.has("times") == fields.has("until") {
                    let hint = "write `repeat: {times: 3}`, or `repeat: {until: ${{ .. }}}`";
                    self.conflict(field.key_place, "`repeat` has either `times` or `until`", hint);
                }
                (fields.get("times").and_then(|times| self.times(times.node)), self.text(fields, "until"))
            }
        };
        let (order, steps) = self.loop_body(field, step, depth);
        Some(Kind::Repeat { times, until, max_iterations: self.integer(step, "max_iterations"), order, steps })
    }

    /// A number of rounds, or a template that gives one.
    fn times(&mut self, node: &Node) -> Option<Value> {
        let fits = match &node.content {
            Content::Integer(number) => *number >= 0,
            Content::Text(text) => text.contains("${{"),
            Content::Null | Content::Bool(_) | Content::Float(..) | Content::List(_) | Content::Map(_) => false,
        };
        if !fits {
            let message = format!("`times` is a whole number from 0, or an expression, this is {}", node.describe());
            self.error(&codes::WRONG_TYPE, node.place, message, "for example `repeat: {times: 3}`");
        }
        fits.then(|| node.to_value())
    }

    /// `order` and `steps` of a loop.
    fn loop_body(&mut self, field: Field<'_>, step: Fields<'_>, depth: usize) -> (Order, Vec<Step>) {
        let order = self.order(step);
        if !step.has("steps") {
            let message = format!("`{}` needs `steps`, which it repeats", field.key.name);
            let hint = "add `steps:` beside it, with at least one step";
            self.error(&codes::MISSING_KEY, field.key_place, message, hint);
        }
        (order, self.body(step, order, depth))
    }

    /// `steps` inside a step of a list at `depth`.
    fn body(&mut self, fields: Fields<'_>, order: Order, depth: usize) -> Vec<Step> {
        fields.get("steps").map(|field| self.list(field.node, order, depth + 1)).unwrap_or_default()
    }
}
