//! What the workflow declares: inputs and the fields of forms.

use serde_json::Value;
use skep_model::Map;

use super::codes;
use super::report::{Finding, Report};
use crate::inputs;
use crate::outline::{Outline, pointer_part};
use crate::workflow::{Kind, Workflow};

/// Checks every entry under `inputs` and every field of every form.
pub(crate) fn check(workflow: &Workflow, outline: &Outline<'_>, report: &mut Report<'_>) {
    entries("/inputs", "input", &workflow.inputs, report);
    for entry in &outline.steps {
        if let Kind::Input { fields, .. } = &entry.step.kind {
            entries(&format!("{}/input", entry.pointer), "field", fields, report);
        }
    }
}

fn entries(pointer: &str, what: &str, entries: &Map<Value>, report: &mut Report<'_>) {
    for (name, entry) in entries {
        let pointer = format!("{pointer}/{}", pointer_part(name));
        match inputs::declare(entry) {
            Ok(input) => {
                if input.default.is_some() {
                    default(&pointer, what, name, &input, report);
                }
            }
            Err(faults) => {
                for fault in faults {
                    let finding =
                        Finding::error(codes::INPUT_INVALID, format!("the {what} `{name}`: {}", fault.message));
                    report.add(&below(&pointer, &fault.key), finding.maybe_hint(fault.hint));
                }
            }
        }
    }
}

fn below(pointer: &str, key: &str) -> String {
    if key.is_empty() { pointer.to_owned() } else { format!("{pointer}/{}", pointer_part(key)) }
}

fn default(pointer: &str, what: &str, name: &str, input: &skep_model::plan::Input, report: &mut Report<'_>) {
    let default = input.default.as_ref().expect("asked only where there is one");
    if let Err(problems) = inputs::check_value(name, input, default) {
        let problem = problems.into_iter().next().expect("a failed check lists at least one problem");
        let message = format!("the default does not fit its own declaration: {}", problem.message);
        report.add(
            &format!("{pointer}/default"),
            Finding::error(codes::DEFAULT_INVALID, message).maybe_hint(problem.hint),
        );
    }
    if input.required {
        let finding = Finding::warning(
            codes::REQUIRED_WITH_DEFAULT,
            format!("the {what} `{name}` is required and has a default, so it is never missing"),
        );
        report.add(&format!("{pointer}/required"), finding.hint("remove `required` or `default`"));
    }
}
