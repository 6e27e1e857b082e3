//! Transitions between the steps of one list become conditions.
//!
//! A list is read as a chain of paths. Each step leads, after it succeeded, to `conditions.success`, else
//! to the next step that no transition names; after it failed, to `conditions.failure`, else nowhere: then
//! the execution fails. The word `next_step` is the next step of the list. From that:
//!
//! | step | canonical |
//! |---|---|
//! | a transition names it | `if`: one of the transitions into it was taken |
//! | no transition names it, and none leads past it | no `if`: every path comes by |
//! | no transition names it, but one leads past it | `if`: one of the paths into it was taken |
//! | every path leads past it | `if: false`, and a warning |
//! | its failure leads to a step | `on_error: {strategy: skip}`: the failure counts as handled |
//!
//! "Taken" is `steps.X.status == 'completed'` after a success, `steps.X.error != null` after a failure, and
//! the answer for a decision that only asks. So `success: next_step` with `failure: error_handler` never
//! runs the next step after a failure, and a step after both runs in either case. A step whose own `if` says
//! no has not succeeded: where several paths exist, its path ends there.

use std::collections::BTreeSet;

use skep_model::problem::Place;

use super::workflow::Fallbacks;
use crate::dialect::codes;
use crate::dialect::make::Report;

/// The word for the next step of the list.
const NEXT_STEP: &str = "next_step";

/// A step as transitions see it.
pub(super) struct Stop {
    /// Its id.
    pub(super) id: String,
    /// Its name as written.
    pub(super) name: String,
    /// `conditions.success`.
    pub(super) success: Option<Word>,
    /// `conditions.failure`.
    pub(super) failure: Option<Word>,
    /// A decision without steps: success and failure are its yes and no.
    pub(super) asks: bool,
    /// Where it stands.
    pub(super) place: Place,
}

/// A target as written.
pub(super) struct Word {
    /// The target.
    pub(super) text: String,
    /// Where it stands.
    pub(super) place: Place,
}

/// What the transitions mean for a step.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Flow {
    /// It runs only if this expression holds.
    pub(super) condition: Option<String>,
    /// Its failure leads to a step.
    pub(super) is_handled: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum After {
    Success,
    Failure,
}

#[derive(Clone, Copy, PartialEq)]
enum Target {
    /// A step of the list, by its index; the length of the list is its end.
    Step(usize),
    /// A fallback action.
    Fallback,
    /// Nowhere: a problem was reported.
    Wrong,
}

struct Edge {
    from: usize,
    to: usize,
    after: After,
}

/// The meaning of all transitions of a list, by step.
pub(super) fn flows(stops: &[Stop], fallbacks: &Fallbacks, report: &mut Report) -> Vec<Flow> {
    let mut targets = Vec::new();
    let mut named = BTreeSet::new();
    for index in 0..stops.len() {
        let mut resolve = |word: &Option<Word>, after: After| {
            let word = word.as_ref()?;
            let target = target(stops, index, word, after, fallbacks, report);
            if let Target::Step(to) = target
                && word.text != NEXT_STEP
            {
                named.insert(to);
            }
            Some(target)
        };
        let success = resolve(&stops[index].success, After::Success);
        targets.push((success, resolve(&stops[index].failure, After::Failure)));
    }
    let edges = edges(stops, &targets, &named);
    let mut flows: Vec<Flow> = Vec::new();
    for (index, (_, failure)) in targets.iter().enumerate() {
        let is_handled = matches!(failure, Some(Target::Step(_))) && !stops[index].asks;
        flows.push(Flow { condition: None, is_handled });
    }
    let conditional = conditional_steps(stops.len(), &edges, &named);
    let mut reasons: Vec<Vec<String>> = vec![Vec::new(); stops.len()];
    for edge in &edges {
        if conditional.contains(&edge.to) {
            reasons[edge.to].push(taken(&stops[edge.from], edge.after));
        }
    }
    for (index, reasons) in reasons.into_iter().enumerate() {
        if conditional.contains(&index) && reasons.is_empty() {
            let message = format!("no transition leads to `{}`: the steps before it lead past it", stops[index].name);
            let hint = "name it in `conditions` of a step before it, or remove it";
            report.warning(codes::UNREACHABLE, stops[index].place, message, hint);
            flows[index].condition = Some("false".to_owned());
        } else if !reasons.is_empty() {
            flows[index].condition = Some(reasons.join(" or "));
        }
    }
    flows
}

fn target(
    stops: &[Stop],
    from: usize,
    word: &Word,
    after: After,
    fallbacks: &Fallbacks,
    report: &mut Report,
) -> Target {
    if word.text == NEXT_STEP {
        return Target::Step(from + 1);
    }
    match stops.iter().position(|stop| stop.name == word.text || stop.id == word.text) {
        Some(to) if to > from => Target::Step(to),
        Some(to) => {
            let whereto = if to == from { "to itself" } else { "backwards" };
            let message = format!("the transition from `{}` to `{}` leads {whereto}", stops[from].name, word.text);
            let hint = "write a step of type `loop`, or `retry` in its `config` to repeat it after a failure";
            report.error(codes::BACKWARDS, word.place, message, hint);
            Target::Wrong
        }
        None if after == After::Failure && fallbacks.contains(&word.text) => Target::Fallback,
        None => {
            report.error(
                codes::UNKNOWN_TARGET,
                word.place,
                unknown_message(stops, from, word),
                &unknown_hint(stops, word, after),
            );
            Target::Wrong
        }
    }
}

fn unknown_message(stops: &[Stop], from: usize, word: &Word) -> String {
    format!("the transition from `{}` leads to `{}`, and its list has no such step", stops[from].name, word.text)
}

fn unknown_hint(stops: &[Stop], word: &Word, after: After) -> String {
    match (crate::suggest::nearest(&word.text, stops.iter().map(|stop| stop.name.as_str())), after) {
        (Some(meant), _) => format!("did you mean `{meant}`?"),
        (None, After::Success) => "name a later step of the same list, or write `next_step`".to_owned(),
        (None, After::Failure) => {
            format!("add a step `{0}` behind it, or name `{0}` under `error_handling.fallback_actions`", word.text)
        }
    }
}

fn edges(stops: &[Stop], targets: &[(Option<Target>, Option<Target>)], named: &BTreeSet<usize>) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (from, (success, failure)) in targets.iter().enumerate() {
        let falls_through = (from + 1..stops.len()).find(|index| !named.contains(index)).unwrap_or(stops.len());
        // `failure: next_step` alone says "go on whatever happens": then success goes the same way.
        let goes_on = stops[from].failure.as_ref().is_some_and(|word| word.text == NEXT_STEP) && !stops[from].asks;
        let success = success.unwrap_or(Target::Step(if goes_on { from + 1 } else { falls_through }));
        let failure = failure.or_else(|| stops[from].asks.then_some(Target::Step(falls_through)));
        for (target, after) in [(Some(success), After::Success), (failure, After::Failure)] {
            if let Some(Target::Step(to)) = target {
                edges.push(Edge { from, to, after });
            }
        }
    }
    edges
}

/// The steps that need a condition: those that are named, and those that a path leads past.
fn conditional_steps(count: usize, edges: &[Edge], named: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut furthest = vec![0; count];
    for edge in edges {
        furthest[edge.from] = furthest[edge.from].max(edge.to);
    }
    let mut conditional = BTreeSet::new();
    let mut furthest_before = 0;
    for (index, furthest) in furthest.into_iter().enumerate() {
        if named.contains(&index) || furthest_before > index {
            conditional.insert(index);
        }
        furthest_before = furthest_before.max(furthest);
    }
    conditional
}

/// The expression that holds if the way out of a step was taken.
fn taken(stop: &Stop, after: After) -> String {
    let id = &stop.id;
    match (stop.asks, after) {
        (true, After::Success) => format!("steps.{id}.outputs.decision == true"),
        (true, After::Failure) => format!("steps.{id}.outputs.decision == false"),
        (false, After::Success) => format!("steps.{id}.status == 'completed'"),
        (false, After::Failure) => format!("steps.{id}.error != null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps as `name success failure`, `-` for none, `?` before the name for a decision that only asks.
    fn stops(table: &str) -> Vec<Stop> {
        let word = |text: &str| (text != "-").then(|| Word { text: text.to_owned(), place: Place::default() });
        let row = |line: &str| {
            let mut words = line.split_whitespace();
            let name = words.next().unwrap();
            let id = name.trim_start_matches('?').to_owned();
            let success = word(words.next().unwrap_or("-"));
            let failure = word(words.next().unwrap_or("-"));
            Stop { name: id.clone(), id, success, failure, asks: name.starts_with('?'), place: Place::default() }
        };
        table.split(';').map(row).collect()
    }

    fn check(table: &str, expect: &[&str]) {
        let mut report = Report::default();
        let flows = flows(&stops(table), &Fallbacks::from(["fallback".to_owned()]), &mut report);
        assert_eq!(report.problems, [], "{table}");
        let shown = flows.iter().map(|flow| {
            let condition = flow.condition.as_deref().unwrap_or("-");
            let condition = condition.replace(".status == 'completed'", "+").replace(".error != null", "!");
            let condition =
                condition.replace(".outputs.decision == true", "=yes").replace(".outputs.decision == false", "=no");
            format!("{}{}", condition.replace("steps.", ""), if flow.is_handled { " skip" } else { "" })
        });
        assert_eq!(shown.collect::<Vec<_>>(), expect, "{table}");
    }

    #[test]
    fn transitions_become_conditions() {
        check("a;b;c", &["-", "-", "-"]);
        check("a next_step;b next_step;c", &["-", "-", "-"]);
        check("a b;b", &["-", "a+"]);
        check("a - next_step;b", &["- skip", "-"]);
        check("a - fallback;b", &["-", "-"]);
        // The seed's own shape: after a failure only the handler runs, and what follows both runs anyway.
        check("a next_step handler;b next_step handler;c;handler", &["- skip", "a+ skip", "b+", "a! or b!"]);
        check("a - fix;fix;report", &["- skip", "a!", "-"]);
        check("a - fix;b;fix;report", &["- skip", "a+", "a!", "-"]);
        check("a ok bad;ok;bad", &["- skip", "a+", "a!"]);
        check("?a yes no;yes;no;end", &["-", "a=yes", "a=no", "-"]);
        check("?a yes;yes;end", &["-", "a=yes", "-"]);
    }

    #[test]
    fn a_step_that_every_path_leads_past_is_pointed_out() {
        let mut report = Report::default();
        let flows = flows(&stops("a c;b;c"), &Fallbacks::new(), &mut report);
        assert_eq!(flows[1].condition.as_deref(), Some("false"));
        assert_eq!(report.problems[0].code, codes::UNREACHABLE);
    }

    #[test]
    fn wrong_targets_are_refused() {
        for (table, code, fragment) in [
            ("a;b a", codes::BACKWARDS, "leads backwards"),
            ("a - a", codes::BACKWARDS, "leads to itself"),
            ("a nobody", codes::UNKNOWN_TARGET, "no such step"),
            ("a fallback", codes::UNKNOWN_TARGET, "no such step"),
            ("a - error_handler", codes::UNKNOWN_TARGET, "leads to `error_handler`"),
        ] {
            let mut report = Report::default();
            flows(&stops(table), &Fallbacks::from(["fallback".to_owned()]), &mut report);
            let problem = report.problems.first().expect(table);
            assert_eq!(problem.code, code, "{table}");
            assert!(problem.message.contains(fragment), "{}", problem.message);
        }
    }
}
