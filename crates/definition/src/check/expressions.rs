//! Every expression is compiled, and every name in it must exist where it is spoken.

use std::collections::{HashMap, HashSet};

use skep_model::catalogue::Catalogue;
use skep_model::problem::Severity;

use super::codes;
use super::dependencies::Graph;
use super::report::{Finding, Report};
use super::slots::{self, Form, Scope, ScriptOf, Slot};
use super::visibility::{Hidden, View, Visibility};
use crate::expr::{self, Names, Reference, Template};
use crate::outline::{Outline, StepNumber};
use crate::outputs;
use crate::script::{self, Placed, ScriptProblem};
use crate::suggest;
use crate::workflow::{Kind, Workflow};

/// `steps.ID.FIELD`.
const STEP_FIELDS: [&str; 3] = ["outputs", "status", "error"];
/// `execution.FIELD`.
const EXECUTION_FIELDS: [&str; 4] = ["id", "workflow", "status", "started_at"];
/// What expressions of steps can begin with.
const ROOTS: [&str; 10] =
    ["inputs", "steps", "item", "index", "event", "execution", "errors", "secrets", "vars", "env"];
/// The same before there is an execution.
const ROOTS_AT_START: [&str; 1] = ["inputs"];
/// The same where no step has run.
const ROOTS_WITHOUT_STEPS: [&str; 6] = ["inputs", "event", "execution", "secrets", "vars", "env"];

/// What the expressions of a workflow say, for those who come after.
#[derive(Default)]
pub(crate) struct Understood {
    /// Inputs that are named.
    pub inputs: HashSet<String>,
    /// All inputs at once are named, or one that only the execution tells.
    pub any_input: bool,
    /// The steps whose `if` asks for the status of what came before.
    pub status_aware: HashSet<StepNumber>,
    /// The scripts that hold values.
    pub placed: HashMap<(StepNumber, ScriptOf), Placed>,
}

/// Checks them all.
pub(crate) fn check(
    workflow: &Workflow,
    outline: &Outline<'_>,
    graphs: &[Option<Graph>],
    catalogue: &Catalogue,
    report: &mut Report<'_>,
) -> Understood {
    let names = known_names(workflow, outline, catalogue);
    let mut speaker = Speaker {
        workflow,
        outline,
        catalogue,
        visibility: Visibility::new(outline, graphs),
        report,
        understood: Understood::default(),
    };
    slots::each(workflow, outline, &mut |slot| speaker.slot(&slot, &names));
    speaker.understood
}

/// Every name that the workflow declares: expressions need them to tell hyphens from subtractions.
pub(crate) fn known_names(workflow: &Workflow, outline: &Outline<'_>, catalogue: &Catalogue) -> Names {
    let plain = workflow.inputs.keys().chain(workflow.vars.keys()).chain(workflow.env.keys());
    let steps = outline.steps.iter().flat_map(|entry| {
        let mut names = outputs::visible(entry.step, catalogue).known().to_vec();
        names.extend_from_slice(outputs::own(entry.step, catalogue).known());
        names.extend(entry.step.env.keys().map(String::as_str));
        names.push(&entry.step.id);
        names
    });
    Names::new(plain.map(String::as_str).chain(steps))
}

/// What compiling a slot gives.
pub(crate) struct Compiled {
    /// The templates, each with the offset of its text in the slot's text.
    pub templates: Vec<(usize, Template)>,
    /// What is wrong: offset and length in the slot's text, and the finding.
    pub faults: Vec<(usize, usize, Finding)>,
    /// The script with its values in place, if it is one.
    pub placed: Option<Placed>,
}

/// Compiles the templates of a slot; a script is placed first, and each of its values is a template.
pub(crate) fn compile(slot: &Slot<'_>, names: &Names) -> Compiled {
    let mut compiled = Compiled { templates: Vec::new(), faults: Vec::new(), placed: None };
    match slot.form {
        Form::Template => compiled.add(0, Template::compile_text(slot.text, names)),
        Form::If | Form::Condition => compiled.add(0, Template::compile_condition(slot.text, names)),
        Form::Script(shell, _) => {
            let mut placed = script::place(slot.text, shell);
            for problem in std::mem::take(&mut placed.problems) {
                let ScriptProblem { code, severity, message, hint, offset, length } = problem;
                compiled.faults.push((offset, length, Finding { code, severity, message, hint }));
            }
            for value in placed.values.values() {
                let base = slot.text.find(value.as_str()).unwrap_or(0);
                compiled.add(base, Template::compile_text(value, names));
            }
            compiled.placed = Some(placed);
        }
    }
    compiled
}

impl Compiled {
    fn add(&mut self, base: usize, result: Result<Template, Vec<expr::Error>>) {
        match result {
            Ok(template) => self.templates.push((base, template)),
            Err(errors) => self.faults.extend(errors.into_iter().map(|error| {
                let expr::Error { code, message, hint, offset, length, .. } = error;
                (base + offset, length, Finding { code, severity: Severity::Error, message, hint })
            })),
        }
    }
}

struct Speaker<'a, 'w, 'r> {
    workflow: &'a Workflow,
    outline: &'a Outline<'w>,
    catalogue: &'a Catalogue,
    visibility: Visibility<'a, 'w>,
    report: &'a mut Report<'r>,
    understood: Understood,
}

impl Speaker<'_, '_, '_> {
    fn slot(&mut self, slot: &Slot<'_>, names: &Names) {
        let compiled = compile(slot, names);
        for (offset, length, finding) in compiled.faults {
            self.report.add_within(&slot.pointer, slot.text, offset, length, finding);
        }
        for (base, template) in &compiled.templates {
            for reference in template.references() {
                self.reference(slot, *base, reference);
            }
        }
        let Some(step) = slot.scope.step() else { return };
        if slot.form == Form::If && compiled.templates.iter().any(|(_, template)| template.is_status_aware()) {
            self.understood.status_aware.insert(step);
        }
        if let (Form::Script(_, of), Some(placed)) = (slot.form, compiled.placed) {
            self.understood.placed.insert((step, of), placed);
        }
    }

    fn reference(&mut self, slot: &Slot<'_>, base: usize, reference: &Reference) {
        let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
        if let Err(finding) = self.path(slot.scope, &path) {
            let written = path.join(".");
            let offset = base + reference.offset;
            let as_written = slot.text.get(offset..).is_some_and(|rest| rest.starts_with(&written));
            let length = if as_written { written.len() } else { path[0].len() };
            self.report.add_within(&slot.pointer, slot.text, offset, length, finding);
        }
    }

    fn path(&mut self, scope: Scope, path: &[&str]) -> Result<(), Finding> {
        let root = path.first().copied().unwrap_or_default();
        if self.is_own_output(scope, root) {
            return Ok(());
        }
        let roots: &[&str] = match scope {
            Scope::Start => &ROOTS_AT_START,
            Scope::Workflow | Scope::Trigger => &ROOTS_WITHOUT_STEPS,
            Scope::Step(_) | Scope::Waiting(_) | Scope::Rounds(_) => &ROOTS,
            Scope::OwnOutputs(_) | Scope::Compensation(_) | Scope::End => &ROOTS,
        };
        if !roots.contains(&root) {
            return Err(self.unknown_root(scope, root, roots));
        }
        match (root, path.get(1)) {
            ("steps", Some(id)) => self.step(scope, id, &path[2..]),
            ("inputs", name) => self.input(name.copied()),
            ("vars", Some(name)) if !self.workflow.vars.contains_key(*name) => {
                Err(Finding::error(codes::VARIABLE_UNKNOWN, format!("there is no variable `{name}`")).maybe_hint(
                    suggest::meant_or_known(name, "the variables", self.workflow.vars.keys().map(String::as_str)),
                ))
            }
            ("execution", Some(field)) if !EXECUTION_FIELDS.contains(field) => {
                Err(unknown_field("execution", field, &EXECUTION_FIELDS))
            }
            ("item" | "index", _) => self.item(scope, root),
            _ => Ok(()),
        }
    }

    /// A name of the step's own result, in the step's `outputs`, `success_criteria` and `rollback`.
    fn is_own_output(&self, scope: Scope, root: &str) -> bool {
        let (Scope::OwnOutputs(step) | Scope::Compensation(step)) = scope else { return false };
        match outputs::own(self.outline.steps[step].step, self.catalogue) {
            outputs::Names::Known(names) => names.contains(&root),
            outputs::Names::Open => !ROOTS.contains(&root),
        }
    }

    fn unknown_root(&self, scope: Scope, root: &str, roots: &[&str]) -> Finding {
        if ROOTS.contains(&root) {
            return Finding::error(codes::NAME_UNKNOWN, format!("`{root}` is not known here"))
                .hint(format!("known here: {}", suggest::list_names(roots.iter().copied())));
        }
        let own = scope.step().map(|step| (step, outputs::own(self.outline.steps[step].step, self.catalogue)));
        let is_own = own.as_ref().is_some_and(|(_, names)| names.known().contains(&root));
        if is_own || outputs::OF_RUN.contains(&root) {
            return Finding::error(
                codes::OWN_OUTPUT_OUTSIDE,
                format!("`{root}` is known only in the `outputs` of a step"),
            )
            .hint(format!("write `steps.ID.outputs.{root}` to name the output of an earlier step"));
        }
        Finding::error(codes::NAME_UNKNOWN, format!("there is no name `{root}`")).maybe_hint(self.meant(root, roots))
    }

    fn meant(&self, root: &str, roots: &[&str]) -> Option<String> {
        if self.workflow.inputs.contains_key(root) {
            return Some(format!("did you mean `inputs.{root}`?"));
        }
        if self.workflow.vars.contains_key(root) {
            return Some(format!("did you mean `vars.{root}`?"));
        }
        if self.outline.by_id.contains_key(root) {
            return Some(format!("did you mean `steps.{root}.outputs`?"));
        }
        suggest::meant_or_known(root, "known here (text needs quotes)", roots.iter().copied())
    }

    fn input(&mut self, name: Option<&str>) -> Result<(), Finding> {
        let Some(name) = name else {
            self.understood.any_input = true;
            return Ok(());
        };
        if self.workflow.inputs.contains_key(name) {
            self.understood.inputs.insert(name.to_owned());
            return Ok(());
        }
        let known = self.workflow.inputs.keys().map(String::as_str);
        Err(Finding::error(codes::INPUT_UNKNOWN, format!("there is no input `{name}`")).hint(
            suggest::meant_or_known(name, "the inputs", known)
                .unwrap_or_else(|| format!("declare it: `inputs: {{{name}: {{type: string}}}}`")),
        ))
    }

    /// `item` needs a `foreach` around it, `index` any loop.
    fn item(&self, scope: Scope, root: &str) -> Result<(), Finding> {
        let Some(step) = scope.step() else {
            return Err(Finding::error(codes::ITEM_OUTSIDE_LOOP, format!("`{root}` is known only inside a loop")));
        };
        let own = matches!(scope, Scope::Rounds(_)).then_some(step);
        let around = std::iter::successors(self.outline.loop_around(step), |outer| self.outline.loop_around(*outer));
        let mut loops = own.into_iter().chain(around).peekable();
        let in_a_loop = loops.peek().is_some();
        let in_a_foreach = loops.any(|outer| matches!(self.outline.steps[outer].step.kind, Kind::Foreach { .. }));
        match (root, in_a_loop, in_a_foreach) {
            ("index", true, _) | (_, _, true) => Ok(()),
            (_, true, false) => Err(Finding::error(
                codes::ITEM_OUTSIDE_LOOP,
                "`item` is known only inside a `foreach`: `while` and `repeat` have no items",
            )
            .hint("use `index`, the number of the round from 0")),
            (_, false, _) => {
                Err(Finding::error(codes::ITEM_OUTSIDE_LOOP, format!("`{root}` is known only inside a loop"))
                    .hint("put the step into the `steps` of a `foreach`"))
            }
        }
    }

    fn step(&self, scope: Scope, id: &str, rest: &[&str]) -> Result<(), Finding> {
        let Some(&target) = self.outline.by_id.get(id) else {
            let ids = self.outline.steps.iter().map(|entry| entry.step.id.as_str());
            return Err(Finding::error(codes::STEP_UNKNOWN, format!("there is no step `{id}`"))
                .maybe_hint(suggest::meant_or_known(id, "the steps", ids)));
        };
        let view = scope.view().expect("the root `steps` is known only where there is a view on them");
        if view == View::Before(target) {
            return Err(self.hidden(view, target, Hidden::Itself));
        }
        for view in self.views(scope, view) {
            if let Err(hidden) = self.visibility.see(view, target)
                && !may_be_awaited(scope, hidden)
            {
                return Err(self.hidden(view, target, hidden));
            }
        }
        match rest {
            ["outputs", name, ..] => self.output(target, name),
            [field, ..] if !STEP_FIELDS.contains(field) => Err(self.unknown_step_field(target, field)),
            _ => Ok(()),
        }
    }

    /// From where a scope really looks: a step that runs only as a compensation runs when one of those failed that
    /// name it, so it sees what they see, and them.
    fn views(&self, scope: Scope, view: View) -> Vec<View> {
        match scope.step().and_then(|step| self.outline.compensators.get(&step).map(|failing| (step, failing))) {
            Some((step, failing)) if matches!(view, View::Before(_)) => {
                failing.iter().filter(|other| **other != step).map(|other| View::After(*other)).collect()
            }
            Some(_) | None => vec![view],
        }
    }

    fn output(&self, target: StepNumber, name: &str) -> Result<(), Finding> {
        let step = self.outline.steps[target].step;
        let outputs::Names::Known(known) = outputs::visible(step, self.catalogue) else { return Ok(()) };
        if known.contains(&name) {
            return Ok(());
        }
        let id = &step.id;
        let hint = suggest::did_you_mean(name, known.iter().copied()).unwrap_or_else(|| {
            if known.is_empty() {
                format!("`{id}` has no outputs; give it some under its `outputs`")
            } else if step.outputs.is_none() && known.contains(&"json") {
                let listed = suggest::list_names(known.iter().copied());
                format!(
                    "`{id}` has {listed}; `outputs: {{{name}: \"${{{{ json.{name} }}}}\"}}` on it would add this one"
                )
            } else {
                format!("`{id}` has {}", suggest::list_names(known.iter().copied()))
            }
        });
        Err(Finding::error(codes::OUTPUT_UNKNOWN, format!("the step `{id}` has no output `{name}`")).hint(hint))
    }

    fn unknown_step_field(&self, target: StepNumber, field: &str) -> Finding {
        let step = self.outline.steps[target].step;
        let finding = unknown_field(&format!("steps.{}", step.id), field, &STEP_FIELDS);
        if outputs::visible(step, self.catalogue).known().contains(&field) {
            return finding.hint(format!("did you mean `steps.{}.outputs.{field}`?", step.id));
        }
        finding
    }

    fn hidden(&self, view: View, target: StepNumber, hidden: Hidden) -> Finding {
        let id_of = |step: StepNumber| self.outline.steps[step].step.id.as_str();
        let id = id_of(target);
        let not_yet = |message: String| Finding::error(codes::STEP_NOT_YET, message);
        let unseen = |message: String| Finding::error(codes::STEP_HIDDEN, message);
        match hidden {
            Hidden::Itself => not_yet(format!("`{id}` names itself, and has no result before it has ended"))
                .hint("its own result is known under its `outputs` only: `stdout`, `json` .."),
            Hidden::Around => not_yet(format!("`{id}` encloses this step, and ends after it")),
            Hidden::InsideLoop(owner) => {
                let owner = id_of(owner);
                unseen(format!("`{id}` is inside the loop `{owner}`, where it runs once per round"))
                    .hint(format!("use `steps.{owner}.outputs.results`, a list with `.outputs.{id}` in each entry"))
            }
            Hidden::OtherBranch(owner) => {
                unseen(format!("`{id}` is in another branch of `{}`, which runs at the same time", id_of(owner)))
                    .hint(format!("use it in a step after `{}`", id_of(owner)))
            }
            Hidden::OtherCase(owner) => {
                unseen(format!("`{id}` is in another case of `{}`, and only one case runs", id_of(owner)))
            }
            Hidden::Later => not_yet(format!("`{id}` runs later, so it has no result here"))
                .hint("name a step that runs before this one, or change the order"),
            Hidden::Unordered(own, other) => self.unordered(view, own, other, id),
            Hidden::AtTheEnd => not_yet(format!("`{id}` runs only at the end, in `finally`")),
        }
    }

    fn unordered(&self, view: View, own: StepNumber, other: StepNumber, id: &str) -> Finding {
        let (own_step, other_id) = (self.outline.steps[own].step, &self.outline.steps[other].step.id);
        let mut waits_for: Vec<&str> = own_step.depends_on.iter().map(String::as_str).collect();
        waits_for.push(other_id);
        let speaker = match view {
            View::Before(step) | View::Rounds(step) | View::After(step) => &self.outline.steps[step].step.id,
            View::End => &own_step.id,
        };
        Finding::error(
            codes::STEP_NOT_YET,
            format!("`{id}` may not have ended yet: nothing says that `{speaker}` runs after it"),
        )
        .hint(format!("add it: `depends_on: [{}]` on `{}`", waits_for.join(", "), own_step.id))
    }
}

/// A `wait` may look at what runs beside it: until that has a result, its outputs are null.
fn may_be_awaited(scope: Scope, hidden: Hidden) -> bool {
    let beside = matches!(hidden, Hidden::Unordered(..) | Hidden::OtherBranch(_));
    matches!(scope, Scope::Waiting(_)) && beside
}

fn unknown_field(subject: &str, field: &str, known: &[&str]) -> Finding {
    Finding::error(codes::FIELD_UNKNOWN, format!("`{subject}` has no field `{field}`"))
        .maybe_hint(suggest::meant_or_known(field, &format!("the fields of `{subject}`"), known.iter().copied()))
}
