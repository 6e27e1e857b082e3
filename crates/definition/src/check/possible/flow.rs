//! Conditions that can never hold, and what therefore never runs.

use std::collections::HashMap;

use serde_json::Value;
use skep_model::catalogue::Catalogue;

use super::findings;
use super::fitting;
use super::judge::Facts;
use super::sources::Sources;
use super::value::{Kinds, Possible};
use crate::check::codes;
use crate::check::dependencies::Graph;
use crate::check::expressions;
use crate::check::report::{Finding, Report};
use crate::check::slots::{self, Form, Scope};
use crate::expr::{Examined, examine};
use crate::outline::{Outline, StepEntry, StepNumber};
use crate::workflow::{Case, Kind, Workflow};

/// Checks the whole workflow.
pub(crate) fn check(
    workflow: &Workflow,
    outline: &Outline<'_>,
    graphs: &[Option<Graph>],
    catalogue: &Catalogue,
    report: &mut Report<'_>,
) {
    let names = expressions::known_names(workflow, outline, catalogue);
    let sources = Sources::new(workflow, outline, names);
    comparisons(workflow, outline, &sources, report);
    let mut flow = Flow { outline, sources: &sources, report, never: HashMap::new() };
    for number in 0..outline.steps.len() {
        flow.step(number);
    }
    flow.dependents(graphs);
    fitting::check(workflow, outline, catalogue, &sources, report);
}

fn comparisons(workflow: &Workflow, outline: &Outline<'_>, sources: &Sources<'_, '_>, report: &mut Report<'_>) {
    slots::each(workflow, outline, &mut |slot| {
        let is_condition = matches!(slot.form, Form::If | Form::Condition);
        for examined in examine(slot.text, &sources.names, is_condition) {
            let found = sources.judged(slot.scope, &examined, |judge| {
                let mut found = Vec::new();
                findings::find(judge, &examined.expr, slot.text, &mut found);
                found
            });
            for (span, finding) in found {
                report.add_within(&slot.pointer, slot.text, span.start, span.end - span.start, finding);
            }
        }
    });
}

/// Cases that each case is compared with: longer switches are made by programs.
const CASES_COMPARED_MAX: usize = 32;

/// How a condition can come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It may hold and may not.
    Open,
    Always,
    Never,
    /// It gives no boolean, so it is an error: the kinds that it gives.
    Unfit(Kinds),
}

struct Flow<'a, 's, 'w, 'r> {
    outline: &'a Outline<'w>,
    sources: &'a Sources<'s, 'w>,
    report: &'a mut Report<'r>,
    /// Steps that never run, with the one whose condition says so.
    never: HashMap<StepNumber, StepNumber>,
}

impl Flow<'_, '_, '_, '_> {
    fn step(&mut self, number: StepNumber) {
        let entry = &self.outline.steps[number];
        let id = &entry.step.id;
        if let Some(condition) = &entry.step.condition {
            let verdict = self.verdict(Scope::Step(number), condition);
            self.unfit(&format!("{}/if", entry.pointer), verdict);
            if verdict == Verdict::Never {
                self.constant(&format!("{}/if", entry.pointer), format!("`{id}` never runs"), condition);
                self.never.insert(number, number);
            }
        }
        self.kind(number, entry);
    }

    fn kind(&mut self, number: StepNumber, entry: &StepEntry<'_>) {
        let id = &entry.step.id;
        let at = |part: &str| format!("{}{part}", entry.pointer);
        match &entry.step.kind {
            Kind::While { condition, max_iterations, .. } => {
                let verdict = self.verdict(Scope::Rounds(number), condition);
                self.unfit(&at("/while"), verdict);
                match (verdict, max_iterations) {
                    (Verdict::Always, None) => self.endless(&at("/while"), id),
                    (Verdict::Never, _) => self.constant(&at("/while"), format!("`{id}` never begins"), condition),
                    (Verdict::Always | Verdict::Open | Verdict::Unfit(_), _) => {}
                }
            }
            Kind::Repeat { until: Some(until), max_iterations, .. } => {
                let verdict = self.verdict(Scope::Rounds(number), until);
                self.unfit(&at("/repeat/until"), verdict);
                if verdict == Verdict::Never && max_iterations.is_none() {
                    self.endless(&at("/repeat/until"), id);
                }
            }
            Kind::Repeat { times: Some(times), .. } => self.times(&at("/repeat/times"), number, id, times),
            Kind::Foreach { items, .. } => self.items(&at("/foreach"), number, id, items),
            Kind::Switch { cases, default } => self.switch(number, entry, cases, default.is_some()),
            Kind::Run { .. }
            | Kind::Uses { .. }
            | Kind::Agent(_)
            | Kind::Ai(_)
            | Kind::Workflow(_)
            | Kind::Approval(_)
            | Kind::Input { .. }
            | Kind::Wait(_)
            | Kind::Parallel { .. }
            | Kind::Repeat { .. } => {}
        }
    }

    fn examined(&self, condition: &str) -> Option<Examined> {
        let mut all = examine(condition, &self.sources.names, true);
        if all.len() == 1 { all.pop().filter(|only| only.alone) } else { None }
    }

    fn verdict(&self, scope: Scope, condition: &str) -> Verdict {
        let Some(examined) = self.examined(condition) else { return Verdict::Open };
        let value = self.sources.judged(scope, &examined, |judge| judge.value(&examined.expr, &Facts::new()));
        if !value.kinds.meets(Kinds::BOOLEAN) {
            return Verdict::Unfit(value.kinds);
        }
        match (value.can_be(&Value::Bool(true)), value.can_be(&Value::Bool(false))) {
            (true, true) | (false, false) => Verdict::Open,
            // What may be no boolean at all may also fail.
            (true, false) if value.kinds == Kinds::BOOLEAN => Verdict::Always,
            (true, false) => Verdict::Open,
            (false, true) => Verdict::Never,
        }
    }

    fn unfit(&mut self, pointer: &str, verdict: Verdict) {
        if let Verdict::Unfit(kinds) = verdict {
            let message = format!("this condition is {}, not true or false", kinds.words());
            let hint = "a condition compares: `.. == 'yes'`, `.. > 0`, `.. is not none`, `.. | length > 0`";
            self.report.add(pointer, Finding::error(codes::TYPE_UNFIT, message).hint(hint));
        }
    }

    fn constant(&mut self, pointer: &str, message: String, condition: &str) {
        let finding = Finding::warning(codes::CONDITION_CONSTANT, message);
        let is_literal = !condition.contains(['.', '=', '<', '>']);
        let why = (!is_literal).then(|| "its condition can never hold, whatever the inputs are".to_owned());
        self.report.add(pointer, finding.maybe_hint(why));
    }

    fn endless(&mut self, pointer: &str, id: &str) {
        let finding = Finding::warning(codes::CONDITION_CONSTANT, format!("`{id}` never ends by itself"));
        self.report.add(pointer, finding.hint("name a limit: `max_iterations: 100`"));
    }

    fn times(&mut self, pointer: &str, number: StepNumber, id: &str, times: &Value) {
        let possible = self.sources.of_template(Scope::Step(number), times);
        if !possible.kinds.meets(Kinds::NUMBER) {
            let message = format!("`times` is a whole number, and this is {}", possible.kinds.words());
            self.report
                .add(pointer, Finding::error(codes::TYPE_UNFIT, message).hint("`| int` makes a number of a text"));
        } else if times.as_u64() == Some(0) {
            self.never_inside(pointer, id, "it is to run zero times");
        }
    }

    fn items(&mut self, pointer: &str, number: StepNumber, id: &str, items: &Value) {
        let possible = self.sources.of_template(Scope::Step(number), items);
        if !possible.kinds.meets(Kinds::LIST) {
            // What is written down and no list is refused before.
            if items.as_str().is_some_and(|text| text.contains("${{")) {
                let message = format!("`foreach` needs a list, and this is {}", possible.kinds.words());
                let hint = "declare the input as `type: array`, or make a list: `.. | split(',')`, `.. | lines`";
                self.report.add(pointer, Finding::error(codes::TYPE_UNFIT, message).hint(hint));
            }
        } else if items.as_array().is_some_and(Vec::is_empty) {
            self.never_inside(pointer, id, "its list is empty");
        }
    }

    fn never_inside(&mut self, pointer: &str, id: &str, why: &str) {
        let finding = Finding::warning(codes::UNREACHABLE, format!("the steps of `{id}` never run: {why}"));
        self.report.add(pointer, finding.hint("remove the loop, or give it something to do"));
    }

    /// Each case by itself, and beside those before it.
    fn switch(&mut self, number: StepNumber, entry: &StepEntry<'_>, cases: &[Case], has_default: bool) {
        let at = |part: &str| format!("{}/switch/{part}", entry.pointer);
        let whens: Vec<Option<Examined>> = cases.iter().map(|case| self.examined(&case.when)).collect();
        let mut always = None;
        for (index, case) in cases.iter().enumerate() {
            let verdict = self.verdict(Scope::Step(number), &case.when);
            self.unfit(&at(&format!("cases/{index}/when")), verdict);
            if verdict == Verdict::Never {
                self.constant(&at(&format!("cases/{index}/when")), "this case is never taken".to_owned(), &case.when);
            } else if always.is_none() && self.is_taken_before(number, &whens[..=index]) {
                let finding = Finding::warning(codes::UNREACHABLE, "this case can never be reached");
                let hint = "a case before it holds whenever this one would";
                self.report.add(&at(&format!("cases/{index}")), finding.hint(hint));
            }
            if verdict == Verdict::Always && always.is_none() {
                always = Some(index);
            }
        }
        if let Some(always) = always {
            self.after_always(&at, always, cases.len(), has_default);
        }
    }

    fn after_always(&mut self, at: &dyn Fn(&str) -> String, always: usize, cases: usize, has_default: bool) {
        let hint = format!("case {} is always taken if none before it is", always + 1);
        if always + 1 < cases {
            let finding = Finding::warning(codes::UNREACHABLE, "this case can never be reached");
            self.report.add(&at(&format!("cases/{}", always + 1)), finding.hint(&hint));
        }
        if has_default {
            let finding = Finding::warning(codes::UNREACHABLE, "`default` can never be reached");
            self.report.add(&at("default"), finding.hint(&hint));
        }
    }

    /// Where the last of `whens` holds, one of those before it holds for certain.
    fn is_taken_before(&self, number: StepNumber, whens: &[Option<Examined>]) -> bool {
        let Some((Some(own), before)) = whens.split_last() else { return false };
        let scope = Scope::Step(number);
        let facts = self.sources.judged(scope, own, |judge| judge.assume(&own.expr, true, &Facts::new()));
        let Some(facts) = facts else { return false };
        before.iter().take(CASES_COMPARED_MAX).flatten().any(|earlier| {
            let value = self.sources.judged(scope, earlier, |judge| judge.value(&earlier.expr, &facts));
            value == Possible::only(Value::Bool(true))
        })
    }

    /// In a graph, what waits for a step that never runs is skipped as well, unless its own `if` says otherwise.
    fn dependents(&mut self, graphs: &[Option<Graph>]) {
        for (list, graph) in self.outline.lists.iter().zip(graphs) {
            for position in graph.iter().flat_map(Graph::in_order) {
                let waits_for = graph.iter().flat_map(|graph| &graph.waits_for[*position]);
                let dead = waits_for.map(|other| list.steps[*other]).find(|other| self.never.contains_key(other));
                if let Some(dead) = dead {
                    self.dependent(list.steps[*position], dead);
                }
            }
        }
    }

    fn dependent(&mut self, step: StepNumber, dead: StepNumber) {
        let entry = &self.outline.steps[step];
        if self.never.contains_key(&step) || entry.step.condition.is_some() {
            return;
        }
        let root = self.never[&dead];
        self.never.insert(step, root);
        let id_of = |step: StepNumber| self.outline.steps[step].step.id.as_str();
        let message = format!("`{}` can never run: `{}`, which it waits for, never runs", id_of(step), id_of(dead));
        let hint = format!("mend the `if` of `{}`, or remove both", id_of(root));
        self.report.add(&entry.pointer, Finding::warning(codes::UNREACHABLE, message).hint(hint));
    }
}
