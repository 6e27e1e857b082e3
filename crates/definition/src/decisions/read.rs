//! From text to table.

use std::collections::HashSet;

use skep_model::decision::{Action, Pattern, Range, Rule, Rules, Weight, When};
use skep_model::error::{Class, Kind};
use skep_model::limits::PROBLEMS_MAX;
use skep_model::problem::{Place, Problem, Severity};

use crate::codes;
use crate::keys::{ASKING, DECISIONS, PATTERN, RANGE, RULE, WHEN};
use crate::lower::read::{Field, Fields, Lowering};
use crate::plan::{of_asking, of_retry};
use crate::tree::{self, Content, Node};

/// Rules and patterns that a table has at most.
const ROWS_MAX: usize = 200;
/// Bytes of a compiled expression: room for long alternatives, none for a table that fills the memory.
const REGEX_BYTES_MAX: usize = 256 * 1024;

/// The table of `text` over `base`.
pub fn read(text: &str, base: &Rules) -> Result<Rules, Vec<Problem>> {
    let parsed = tree::parse_all(text);
    let mut problems = parsed.problems;
    let mut lowering = Lowering::default();
    let rules = parsed.node.and_then(|node| lowering.decisions(&node, base));
    problems.extend(lowering.problems.finish());
    problems.sort_by_key(|problem| problem.place.map_or(usize::MAX, |place| place.start));
    let is_wrong = problems.iter().any(|problem| problem.severity == Severity::Error);
    problems.truncate(PROBLEMS_MAX);
    rules.filter(|_| !is_wrong).ok_or(problems)
}

impl Lowering {
    fn decisions(&mut self, node: &Node, base: &Rules) -> Option<Rules> {
        let fields = self.fields(node, DECISIONS, "the table of decisions")?;
        let mut rules = base.clone();
        let patterns = self.rows(fields, "errors", Self::pattern);
        rules.errors = patterns.unwrap_or_default().into_iter().chain(rules.errors).collect();
        if let Some(own) = self.rows(fields, "rules", Self::rule) {
            self.refuse_twins(&own);
            rules.rules = own.into_iter().map(|(_, rule)| rule).collect();
        }
        if let Some(field) = fields.get("retry") {
            self.refuse_on(field.node);
            rules.retry = self.long_retry(field.node).map(|retry| of_retry(&retry));
        }
        if let Some(field) = fields.get("escalation") {
            let fields = self.fields(field.node, ASKING, "`escalation`")?;
            let asking = self.asking(fields);
            self.refuse_templates(fields, &asking);
            rules.escalation = of_asking(&asking);
        }
        Some(rules)
    }

    /// The rows that could be read; `None` if the key was not written.
    fn rows<T>(
        &mut self,
        fields: Fields<'_>,
        name: &str,
        read: impl Fn(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let field = fields.get(name)?;
        let Some(items) = field.node.as_list() else {
            self.wrong_type(field);
            return None;
        };
        if items.len() > ROWS_MAX {
            let message = format!("`{name}` has {} entries, more than {ROWS_MAX}", items.len());
            self.error(&codes::OUT_OF_RANGE, field.node.place, message, "put several words into one entry");
        }
        Some(items.iter().take(ROWS_MAX).filter_map(|item| read(self, item)).collect())
    }

    fn pattern(&mut self, node: &Node) -> Option<Pattern> {
        let fields = self.fields(node, PATTERN, "an entry of `errors`")?;
        let text = self.text(fields, "text");
        if let (Some(text), Some(field)) = (&text, fields.get("text"))
            && let Err(error) = regex::RegexBuilder::new(text).size_limit(REGEX_BYTES_MAX).build()
        {
            let why = error.to_string();
            let message = format!("`text` is no regular expression: {}", why.lines().last().unwrap_or_default().trim());
            self.error(&codes::WRONG_TYPE, field.node.place, message, "for example `text: \"(?i)connection refused\"`");
        }
        if !["text", "exit_codes", "statuses"].iter().any(|name| fields.has(name)) {
            let hint = "add `text`, `exit_codes` or `statuses`";
            self.error(&codes::MISSING_KEY, node.place, "this entry fits nothing", hint);
        }
        let kind = fields.get("kind").and_then(|field| self.one_of(field.node, "kind", &KINDS, Kind::parse));
        Some(Pattern {
            text,
            exit_codes: self.numbers(fields, "exit_codes", 0, 255),
            statuses: self.numbers(fields, "statuses", 100, 599),
            kind: kind?,
        })
    }

    fn rule(&mut self, node: &Node) -> Option<(Place, Rule)> {
        let fields = self.fields(node, RULE, "an entry of `rules`")?;
        let when = fields.get("when").and_then(|field| self.when(field.node)).unwrap_or_default();
        let (name, then) = (self.text(fields, "name"), self.word(fields, "then").and_then(Action::parse));
        Some((node.place, Rule { name: name?, when, then: then? }))
    }

    fn when(&mut self, node: &Node) -> Option<When> {
        let fields = self.fields(node, WHEN, "`when`")?;
        Some(When {
            priority: self.words(fields, "priority", &Weight::ALL.map(Weight::as_str), Weight::parse),
            class: self.words(fields, "class", &Class::ALL.map(Class::as_str), Class::parse),
            kind: self.words(fields, "kind", &KINDS, Kind::parse),
            attempts_left: self.boolean(fields, "attempts_left"),
            progress: self.range(fields, "progress"),
            health: self.range(fields, "health"),
            critical: self.boolean(fields, "critical"),
            read_only: self.boolean(fields, "read_only"),
            irreversible: self.boolean(fields, "irreversible"),
        })
    }

    fn range(&mut self, fields: Fields<'_>, name: &str) -> Option<Range> {
        let field = fields.get(name)?;
        let fields = self.fields(field.node, RANGE, &format!("`{name}`"))?;
        let range = Range { above: self.bound(fields, "above"), below: self.bound(fields, "below") };
        if let (Some(above), Some(below)) = (range.above, range.below)
            && above >= below
        {
            let hint = "`above` is the smaller one";
            self.conflict(field.node.place, format!("no `{name}` is above {above} and below {below}"), hint);
        }
        Some(range)
    }

    fn bound(&mut self, fields: Fields<'_>, name: &str) -> Option<f64> {
        let field = fields.get(name)?;
        let share = self.number_of(field)?;
        if (0.0..=1.0).contains(&share) {
            return Some(share);
        }
        let message = format!("`{name}` is a share from 0 to 1, this is {share}");
        self.error(&codes::OUT_OF_RANGE, field.node.place, message, format!("for example `{}`", field.key.example));
        None
    }

    fn numbers<T: TryFrom<i64>>(&mut self, fields: Fields<'_>, name: &str, min: i64, max: i64) -> Vec<T> {
        let Some(field) = fields.get(name) else { return Vec::new() };
        let Some(items) = field.node.as_list() else {
            self.wrong_type(field);
            return Vec::new();
        };
        items.iter().filter_map(|item| self.number(item, field, min, max)).collect()
    }

    fn number<T: TryFrom<i64>>(&mut self, node: &Node, field: Field<'_>, min: i64, max: i64) -> Option<T> {
        let number = if let Content::Integer(number) = node.content { Some(number) } else { None };
        let fitting = number.filter(|number| (min..=max).contains(number)).and_then(|number| T::try_from(number).ok());
        if fitting.is_none() {
            let message =
                format!("`{}` holds whole numbers from {min} to {max}, this is {}", field.key.name, node.describe());
            self.error(&codes::OUT_OF_RANGE, node.place, message, format!("for example `{}`", field.key.example));
        }
        fitting
    }

    fn words<T>(&mut self, fields: Fields<'_>, name: &str, known: &[&str], parse: fn(&str) -> Option<T>) -> Vec<T> {
        let Some(field) = fields.get(name) else { return Vec::new() };
        let nodes = field.node.as_list().unwrap_or(std::slice::from_ref(field.node));
        nodes.iter().filter_map(|node| self.one_of(node, name, known, parse)).collect()
    }

    fn refuse_twins(&mut self, rules: &[(Place, Rule)]) {
        let mut seen = HashSet::new();
        for (place, rule) in rules {
            if !seen.insert(rule.name.as_str()) {
                let message = format!("two rules are called `{}`", rule.name);
                self.conflict(*place, message, "each decision names its rule: give one of them another name");
            }
        }
    }

    fn refuse_on(&mut self, retry: &Node) {
        if let Some(on) = retry.get("on") {
            let message = "the rules say what is tried again, not `retry`";
            self.conflict(on.place, message, "write a rule: `{name: mine, when: {kind: network}, then: retry}`");
        }
    }

    /// The table stands outside of every workflow: there are no values that a template could ask for.
    fn refuse_templates(&mut self, fields: Fields<'_>, asking: &crate::workflow::Asking) {
        let mut texts = asking.target.iter().chain(asking.escalate.iter().map(|(_, to)| to));
        if texts.any(|text| text.contains("${{")) {
            let message = "the table of decisions has no expressions: it holds for all workflows";
            self.error(&codes::WRONG_TYPE, fields.place, message, "write the address itself");
        }
    }
}

const KINDS: [&str; Kind::ALL.len()] = {
    let mut words = [""; Kind::ALL.len()];
    let mut index = 0;
    while index < words.len() {
        words[index] = Kind::ALL[index].as_str();
        index += 1;
    }
    words
};
