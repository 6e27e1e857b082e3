//! Arguments of actions that get an expression of the wrong type.
//!
//! What is written down is checked against the whole schema elsewhere; here only what an expression can give is
//! compared with the `type` and the `enum` of its argument, and refused if no value of it would do.

use serde_json::Value;
use skep_model::Map;
use skep_model::catalogue::Catalogue;

use super::sources::{Sources, has_expression};
use super::value::{Kinds, Possible};
use crate::check::codes;
use crate::check::effects;
use crate::check::report::{Finding, Report};
use crate::check::slots::Scope;
use crate::lower::settings::SideWork;
use crate::outline::{Outline, pointer_part};
use crate::suggest;
use crate::workflow::{Kind, Workflow};

/// Checks every use of an action that the catalogue knows.
pub(super) fn check(
    workflow: &Workflow,
    outline: &Outline<'_>,
    catalogue: &Catalogue,
    sources: &Sources<'_, '_>,
    report: &mut Report<'_>,
) {
    let mut check = |pointer: &str, scope: Scope, action: &str, with: &Map<Value>| {
        let Some(known) = catalogue.actions.get(action) else { return };
        let mut fitting = Fitting { action, scope, sources, report: &mut *report };
        for (name, value) in with {
            if let Some(schema) = known.schema.get("properties").and_then(|properties| properties.get(name)) {
                fitting.value(&format!("{pointer}/{}", pointer_part(name)), name, value, schema);
            }
        }
    };
    for (number, entry) in outline.steps.iter().enumerate() {
        if let Kind::Uses { action, with } = &entry.step.kind {
            check(&format!("{}/with", entry.pointer), Scope::Step(number), action, with);
        }
        if entry.step.rollback.is_none() && !entry.step.later.contains_key("verify") {
            continue;
        }
        for (pointer, side) in effects::sides(workflow, entry) {
            if let SideWork::Uses { action, with } = &side.work {
                check(&format!("{pointer}/with"), Scope::Compensation(number), action, with);
            }
        }
    }
}

struct Fitting<'a, 's, 'w, 'r> {
    action: &'a str,
    scope: Scope,
    sources: &'a Sources<'s, 'w>,
    report: &'a mut Report<'r>,
}

impl Fitting<'_, '_, '_, '_> {
    fn value(&mut self, pointer: &str, subject: &str, value: &Value, schema: &Value) {
        if !has_expression(value) {
            return;
        }
        match value {
            Value::String(_) => self.expression(pointer, subject, value, schema),
            Value::Array(items) => {
                let Some(of_items) = schema.get("items") else { return };
                for (index, item) in items.iter().enumerate() {
                    self.value(&format!("{pointer}/{index}"), &format!("{subject}[{index}]"), item, of_items);
                }
            }
            Value::Object(map) => {
                for (name, inner) in map {
                    let Some(of_inner) = schema.get("properties").and_then(|known| known.get(name)) else { continue };
                    let at = format!("{pointer}/{}", pointer_part(name));
                    self.value(&at, &format!("{subject}.{name}"), inner, of_inner);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn expression(&mut self, pointer: &str, subject: &str, template: &Value, schema: &Value) {
        let allowed = Kinds::of_schema(schema);
        let listed = schema.get("enum").and_then(Value::as_array);
        if allowed == Kinds::ANY && listed.is_none() {
            return;
        }
        let possible = self.sources.of_template(self.scope, template);
        let (subject, action) = (format!("`{subject}`"), self.action);
        if !possible.kinds.meets(allowed) {
            let (got, wanted) = (possible.kinds.without(Kinds::NULL).words(), allowed.words());
            let message = format!("the argument {subject} of `{action}` is {wanted}, and this expression gives {got}");
            self.report.add(pointer, Finding::error(codes::TYPE_UNFIT, message).hint(remedy(allowed)));
        } else if let Some(listed) = listed
            && is_outside(&possible, listed)
        {
            let words = suggest::list_names(listed.iter().filter_map(Value::as_str));
            let message = format!("the argument {subject} of `{action}` takes none of what this expression can give");
            self.report.add(pointer, Finding::error(codes::TYPE_UNFIT, message).hint(format!("it takes {words}")));
        }
    }
}

fn is_outside(possible: &Possible, listed: &[Value]) -> bool {
    possible.values.is_some() && !listed.iter().any(|value| possible.can_be(value))
}

fn remedy(allowed: Kinds) -> &'static str {
    if allowed.meets(Kinds::NUMBER) {
        "declare the input as `type: integer`, or make a number of it: `.. | int`"
    } else if allowed.meets(Kinds::TEXT) {
        "make a text of it: `.. | string`, or `.. | tojson`"
    } else if allowed.meets(Kinds::LIST) {
        "declare the input as `type: array`, or make a list: `.. | split(',')`, `.. | lines`"
    } else {
        "declare the input with the type that is wanted"
    }
}
