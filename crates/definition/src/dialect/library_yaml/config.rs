//! `config` of decisions, parallel steps and loops.

use super::step::rewrite_list;
use super::workflow::Fallbacks;
use crate::dialect::make::{self, Fields, Report, bare_expression, entry, scalar_text};
use crate::dialect::{codes, keys};
use crate::tree::{Content, Entry, Node};

/// The output of a decision that only asks.
const DECISION_OUTPUT: &str = "decision";

/// True if a decision has a condition and no steps of its own.
pub(super) fn only_asks(config: &Fields) -> bool {
    config.has("condition") && !["then", "else", "value", "cases", "default"].iter().any(|key| config.has(key))
}

/// A decision that only asks: a step that sets its answer.
pub(super) fn question(mut config: Fields, out: &mut Vec<Entry>, report: &mut Report) {
    if let Some(condition) = config.take_value("condition") {
        let place = condition.place;
        let answer = match scalar_text(&condition).as_deref().and_then(bare_expression) {
            // A bare word is a condition here and would be a mere text in `with`.
            Some(expression) => make::text(format!("${{{{ {expression} }}}}"), place),
            None => condition,
        };
        out.push(entry("uses", make::text("set", place)));
        out.push(entry("with", make::map(vec![entry(DECISION_OUTPUT, answer)], place)));
    }
    finish(config, &["condition"], "a decision", out, report);
}

/// `{condition, then, else}` or `{value, cases, default}`.
pub(super) fn decision(mut config: Fields, fallbacks: &Fallbacks, out: &mut Vec<Entry>, report: &mut Report) {
    let condition = config.take("condition");
    let value = config.take("value");
    let place = config.place;
    let (cases, default) = match (condition, value) {
        (Some(condition), None) => {
            let then = steps(&mut config, "then", fallbacks, report);
            let other = steps(&mut config, "else", fallbacks, report);
            two_ways(condition, then, other, report)
        }
        (None, Some(value)) => {
            let cases = cases(&mut config, &value, fallbacks, report);
            (cases, steps(&mut config, "default", fallbacks, report))
        }
        (None, None) => {
            let hint = "write `{condition, then, else}` or `{value, cases, default}`";
            report.error(codes::CONFIG, place, "a decision has neither a `condition` nor a `value`", hint);
            (Vec::new(), None)
        }
        (Some(_), Some(value)) => {
            let hint = "keep `condition` with `then` and `else`, or `value` with `cases` and `default`";
            report.error(codes::CONFLICT, value.key_place, "a decision has a `condition` and a `value`", hint);
            (Vec::new(), None)
        }
    };
    if cases.is_empty() {
        out.push(make::placeholder(place));
    } else {
        let mut entries = vec![entry("cases", make::list(cases, place))];
        entries.extend(default.map(|default| entry("default", default)));
        out.push(entry("switch", make::map(entries, place)));
    }
    finish(config, &["condition", "then", "else", "value", "cases", "default"], "a decision", out, report);
}

/// The cases and the default of a decision by a condition.
fn two_ways(
    condition: Entry,
    then: Option<Node>,
    other: Option<Node>,
    report: &mut Report,
) -> (Vec<Node>, Option<Node>) {
    let place = condition.key_place;
    let (when, steps, default) = match (then, other) {
        (Some(then), other) => (condition.value, then, other),
        (None, Some(other)) => (negated(condition.value, report), other, None),
        (None, None) => {
            let hint = "add `then` or `else`, or say in `conditions` where a yes and a no lead";
            report.error(codes::CONFIG, place, "this decision decides nothing", hint);
            return (Vec::new(), None);
        }
    };
    let when = Entry { key: "when".to_owned(), key_place: place, value: when };
    (vec![make::map(vec![when, entry("steps", steps)], place)], default)
}

fn negated(condition: Node, report: &mut Report) -> Node {
    match scalar_text(&condition).as_deref().and_then(bare_expression) {
        Some(expression) => make::text(format!("${{{{ not ({expression}) }}}}"), condition.place),
        None => {
            let message = "`condition` of a decision is one expression";
            report.error(codes::CONFIG, condition.place, message, "for example `condition: ${{ inputs.size > 10 }}`");
            condition
        }
    }
}

fn steps(config: &mut Fields, key: &str, fallbacks: &Fallbacks, report: &mut Report) -> Option<Node> {
    config.take_value(key).map(|node| rewrite_list(node, fallbacks, report))
}

/// One canonical case per key: `VALUE == 'KEY'`.
fn cases(config: &mut Fields, value: &Entry, fallbacks: &Fallbacks, report: &mut Report) -> Vec<Node> {
    let written = scalar_text(&value.value);
    let Some(expression) = written.as_deref().and_then(bare_expression) else {
        let message = "`value` of a decision is one expression";
        report.error(codes::CONFIG, value.value.place, message, "for example `value: ${{ inputs.environment }}`");
        return Vec::new();
    };
    let cases = config.take_value("cases").unwrap_or_else(|| make::map(Vec::new(), config.place));
    let mut nodes = Vec::new();
    for case in Fields::of(cases, "`cases`", report).rest() {
        let place = case.key_place;
        let when = format!("${{{{ {} }}}}", equals(expression, &case.key));
        let steps = rewrite_list(case.value, fallbacks, report);
        nodes.push(make::map(vec![entry("when", make::text(when, place)), entry("steps", steps)], place));
    }
    if nodes.is_empty() {
        let hint = "add `cases:` with a list of steps for each value";
        report.error(codes::CONFIG, value.key_place, "a decision with a `value` has no cases", hint);
    }
    nodes
}

/// Keys of a mapping are text, the value may be a number or a truth value that looks the same.
fn equals(expression: &str, key: &str) -> String {
    let quoted = key.replace('\\', "\\\\").replace('\'', "\\'");
    let as_text = format!("({expression}) == '{quoted}'");
    let is_literal =
        key == "true" || key == "false" || key.parse::<i64>().is_ok_and(|number| number.to_string() == key);
    if is_literal { format!("{as_text} or ({expression}) == {key}") } else { as_text }
}

/// `{branches: [{name, steps}], join}`.
pub(super) fn parallel(mut config: Fields, fallbacks: &Fallbacks, out: &mut Vec<Entry>, report: &mut Report) {
    let place = config.place;
    let mut branches = Vec::new();
    match config.take_value("branches") {
        Some(Node { content: Content::List(nodes), .. }) => {
            branches.extend(nodes.into_iter().enumerate().map(|(index, node)| branch(index, node, fallbacks, report)));
        }
        Some(Node { content: Content::Map(entries), .. }) => {
            let rewritten =
                entries.into_iter().map(|entry| Entry { value: rewrite_list(entry.value, fallbacks, report), ..entry });
            branches.extend(rewritten);
        }
        Some(_) | None => {}
    }
    if branches.is_empty() {
        let hint = "write `branches: [{name: .., steps: [..]}]`";
        report.error(codes::CONFIG, place, "a parallel step has no `branches`", hint);
        out.push(make::placeholder(place));
        return;
    }
    if let Some(bound) = config.take_value("max_parallel") {
        let bound_value = make::count(&bound, "`max_parallel`", report);
        if bound_value.is_some_and(|bound| (bound as usize) < branches.len()) {
            let message = "`max_parallel` of a parallel step is smaller than its number of branches";
            let hint = "branches all run side by side: use a `loop` with `max_parallel`, or `max_parallel` at the top";
            report.error(codes::CONFIG, bound.place, message, hint);
        }
    }
    out.push(entry("parallel", make::map(branches, place)));
    config.pass(&["join", "fail_fast"], out);
    finish(config, &["branches", "max_parallel", "join", "fail_fast"], "a parallel step", out, report);
}

fn branch(index: usize, node: Node, fallbacks: &Fallbacks, report: &mut Report) -> Entry {
    let place = node.place;
    let mut fields = Fields::of(node, "a branch", report);
    let name = fields.take_value("name");
    let written = name.as_ref().and_then(scalar_text).unwrap_or_else(|| format!("branch-{}", index + 1));
    let steps = steps(&mut fields, "steps", fallbacks, report).unwrap_or_else(|| {
        report.error(codes::CONFIG, place, format!("the branch `{written}` has no `steps`"), "add `steps: [..]`");
        make::list(Vec::new(), place)
    });
    let spelling = crate::dialect::Spelling::LibraryYaml;
    keys::refuse_rest(fields.rest(), &["name", "steps"], "a branch", spelling, report);
    Entry { key: written, key_place: name.map_or(place, |name| name.place), value: steps }
}

/// `{over | items | while | until | times, steps, max_parallel}`.
pub(super) fn repetition(mut config: Fields, fallbacks: &Fallbacks, out: &mut Vec<Entry>, report: &mut Report) {
    const WAYS: [&str; 5] = ["over", "items", "while", "until", "times"];
    const LOOP_TERMS: [&str; 4] = ["max_parallel", "max_iterations", "fail_fast", "order"];
    let place = config.place;
    let ways: Vec<Entry> = WAYS.iter().filter_map(|way| config.take(way)).collect();
    if ways.len() > 1 {
        let names: Vec<&str> = ways.iter().map(|way| way.key.as_str()).collect();
        let message = format!("a loop has {} at once", names.join(" and "));
        report.error(codes::CONFLICT, ways[1].key_place, message, "keep one of them");
    }
    let way = ways.into_iter().next();
    if way.is_none() {
        let hint = "add one of `over`, `items`, `while`, `until`, `times`";
        report.error(codes::CONFIG, place, "a loop does not say how often it runs", hint);
    }
    let steps = steps(&mut config, "steps", fallbacks, report);
    if steps.is_none() {
        report.error(codes::CONFIG, place, "a loop has no `steps`", "add `steps: [..]`");
    }
    match (way, steps) {
        (Some(way), Some(steps)) => {
            out.push(canonical_loop(way));
            config.pass(&LOOP_TERMS, out);
            out.push(entry("steps", steps));
        }
        (_, _) => out.push(make::placeholder(place)),
    }
    let known = [&WAYS[..], &LOOP_TERMS[..], &["steps"]].concat();
    finish(config, &known, "a loop", out, report);
}

fn canonical_loop(way: Entry) -> Entry {
    let place = way.value.place;
    match way.key.as_str() {
        "while" => way,
        "until" | "times" => entry("repeat", make::map(vec![way], place)),
        _over_or_items => Entry { key: "foreach".to_owned(), ..way },
    }
}

/// The common keys of steps pass, others are refused.
fn finish(mut config: Fields, own: &[&str], what: &str, out: &mut Vec<Entry>, report: &mut Report) {
    let common: Vec<&str> = keys::canonical_common().collect();
    config.pass(&common, out);
    let known: Vec<&str> = own.iter().copied().chain(common).collect();
    let what = format!("`config` of {what}");
    keys::refuse_rest(config.rest(), &known, &what, crate::dialect::Spelling::LibraryYaml, report);
}
