//! Settings that a workflow keeps as written, read into what they mean.
//!
//! Printing gives back what was written, so [`Workflow`](crate::workflow::Workflow) holds these as plain values;
//! `check` reads them to judge them, `plan` reads them again to lower them. Places come from the workflow, so that a
//! mistake is reported where it stands, however the value came about.

use serde_json::Value;
use skep_model::Map;
use skep_model::plan::{OnUnknown, Priority, WhenFull};
use skep_model::problem::Problem;
use skep_model::rollback::Strategy;

use super::read::{Fields, Lowering};
use crate::codes;
use crate::keys::{CIRCUIT_BREAKER, CONCURRENCY, IDEMPOTENCY, ROLLBACK};
use crate::outline::pointer_part;
use crate::tree::{Content, Entry, Node};
use crate::workflow::{Places, Retry};

/// Priorities by their words (seeds 000 and 001).
const PRIORITIES: [(&str, i32); 4] = [("critical", 100), ("high", 75), ("medium", 50), ("low", 25)];
/// Bound of a priority as a number, on both sides of zero: room around the words, and no overflow anywhere.
const PRIORITY_MAX: i64 = 1_000;
/// The strategies of a rollback that have a name.
const STRATEGIES: &[&str] = &["graceful", "immediate", "checkpoint", "manual"];

/// A value as written, and where.
pub(crate) struct Written<'w> {
    /// The value.
    pub value: &'w Value,
    /// Its JSON pointer in the canonical document.
    pub pointer: String,
    /// Places of that document.
    pub places: &'w Places,
}

/// A compensation or a verification: a step in short form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Side {
    /// What it does.
    pub work: SideWork,
    /// Text templates.
    pub env: Map<String>,
    /// Text template.
    pub working_dir: Option<String>,
    /// Name of a sandbox policy.
    pub policy: Option<String>,
    /// Bound of one attempt.
    pub timeout_ms: Option<u64>,
    /// How failed attempts are repeated.
    pub retry: Option<Retry>,
    /// Tells whether it worked; only compensations have one.
    pub verify: Option<Box<Side>>,
}

/// What a compensation or verification does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SideWork {
    /// A script.
    Run {
        /// As written.
        script: String,
        /// Interpreter, if written.
        shell: Option<String>,
    },
    /// An action.
    Uses {
        /// Its name.
        action: String,
        /// Its arguments.
        with: Map<Value>,
    },
    /// Work for an agent: no plan has a place for it yet.
    Agent,
    /// A turn of a model: no plan has a place for it yet.
    Ai,
}

/// `concurrency`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Concurrency {
    /// Text template.
    pub group: Option<String>,
    /// How many at a time.
    pub limit: Option<u32>,
    /// What becomes of the next one.
    pub when_full: WhenFull,
}

/// `circuit_breaker`, switched on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Breaker {
    /// Text template.
    pub name: Option<String>,
    /// So many failures open it.
    pub failures: Option<u32>,
    /// Share of failures, over 0 and at most 1.
    pub threshold: Option<f64>,
    /// Over how long outcomes are counted.
    pub window_ms: Option<u64>,
    /// How long it stays open.
    pub reset_ms: Option<u64>,
}

/// `rollback` of a workflow.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rollback {
    /// A failure is not undone by itself.
    pub keeps_effects: bool,
    /// How, if it says so.
    pub strategy: Option<Strategy>,
    /// A rollback point after so many steps.
    pub checkpoint_interval: Option<u32>,
    /// Who is told that a step could not be undone.
    pub escalation_target: Option<String>,
}

impl Written<'_> {
    /// Reads the value; whatever is wrong comes with its place.
    pub fn read<T>(&self, read: impl FnOnce(&mut Lowering, &Node) -> Option<T>) -> (Option<T>, Vec<Problem>) {
        let node = self.node(self.value, &mut self.pointer.clone());
        let mut lowering = Lowering::default();
        let found = read(&mut lowering, &node);
        let mut problems = lowering.problems.finish();
        if self.places.0.is_empty() {
            problems.iter_mut().for_each(|problem| problem.place = None);
        }
        (found, problems)
    }

    fn node(&self, value: &Value, pointer: &mut String) -> Node {
        let place = self.places.find(pointer).unwrap_or_default();
        let length = pointer.len();
        let content = match value {
            Value::Array(items) => {
                let item = |(index, item): (usize, &Value)| {
                    pointer.push_str(&format!("/{index}"));
                    let node = self.node(item, pointer);
                    pointer.truncate(length);
                    node
                };
                Content::List(items.iter().enumerate().map(item).collect())
            }
            Value::Object(map) => {
                let entry = |(key, item): (&String, &Value)| {
                    pointer.push_str(&format!("/{}", pointer_part(key)));
                    let value = self.node(item, pointer);
                    pointer.truncate(length);
                    Entry { key: key.clone(), key_place: value.place, value }
                };
                Content::Map(map.iter().map(entry).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Node::from_value(value, place);
            }
        };
        Node::new(content, place)
    }
}

impl Lowering {
    /// `concurrency`.
    pub fn concurrency(&mut self, node: &Node) -> Option<Concurrency> {
        let fields = self.fields(node, CONCURRENCY, "`concurrency`")?;
        Some(Concurrency {
            group: self.text(fields, "group"),
            limit: self.integer(fields, "limit"),
            when_full: match self.word(fields, "when_full") {
                Some("skip") => WhenFull::Skip,
                Some("cancel_old") => WhenFull::CancelOld,
                Some("fail") => WhenFull::Fail,
                Some(_) | None => WhenFull::Queue,
            },
        })
    }

    /// `circuit_breaker`; `None` if it is switched off.
    pub fn breaker(&mut self, node: &Node) -> Option<Breaker> {
        if let Content::Bool(on) = node.content {
            return on.then(Breaker::default);
        }
        let fields = self.fields(node, CIRCUIT_BREAKER, "`circuit_breaker`")?;
        let breaker = Breaker {
            name: self.text(fields, "name"),
            failures: self.integer(fields, "failures"),
            threshold: self.share(fields, "threshold"),
            window_ms: self.duration_over_zero(fields, "window"),
            reset_ms: self.duration_over_zero(fields, "reset"),
        };
        if let (Some(field), false) = (fields.get("threshold"), fields.has("window")) {
            let message = "`threshold` is a share of the outcomes within a window, and there is no `window`";
            self.error(&codes::MISSING_KEY, field.key_place, message, "add `window: 10m`, for example");
        }
        (self.boolean(fields, "enabled") != Some(false)).then_some(breaker)
    }

    /// A number over 0 and at most 1.
    fn share(&mut self, fields: Fields<'_>, name: &str) -> Option<f64> {
        let field = fields.get(name)?;
        let number = self.number_of(field)?;
        if number > 0.0 && number <= 1.0 {
            return Some(number);
        }
        let message = format!("`{name}` is a share, over 0 and at most 1, this is {number}");
        self.error(&codes::OUT_OF_RANGE, field.node.place, message, format!("write `{name}: 0.5` for one half"));
        None
    }

    fn duration_over_zero(&mut self, fields: Fields<'_>, name: &str) -> Option<u64> {
        let milliseconds = self.duration(fields, name)?;
        if milliseconds == 0 {
            let place = fields.get(name).map_or(fields.place, |field| field.node.place);
            let message = format!("`{name}` is longer than nothing");
            self.error(&codes::OUT_OF_RANGE, place, message, format!("for example `{name}: 1m`"));
        }
        Some(milliseconds)
    }

    /// `priority`: a word or a number.
    pub fn priority(&mut self, node: &Node) -> Option<Priority> {
        let written = node.scalar_text().unwrap_or_default();
        if let Some((_, number)) = PRIORITIES.iter().find(|(word, _)| *word == written) {
            return Some(Priority(*number));
        }
        let words: Vec<&str> = PRIORITIES.iter().map(|(word, _)| *word).collect();
        let Ok(number) = written.trim().parse::<i64>() else {
            let message = format!(
                "`priority` is {}, or a whole number, this is {}",
                crate::keys::one_of(&words),
                node.describe()
            );
            let hint = match crate::suggest::nearest(&written, words.iter().copied()) {
                _ if written.contains("${{") => "it is fixed before the start: no expression can stand here".to_owned(),
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "higher is served first; `medium`, or 50, is the middle".to_owned(),
            };
            self.error(&codes::UNKNOWN_WORD, node.place, message, hint);
            return None;
        };
        if number.abs() > PRIORITY_MAX {
            let message = format!("`priority` is from -{PRIORITY_MAX} to {PRIORITY_MAX}, this is {number}");
            self.error(&codes::OUT_OF_RANGE, node.place, message, "the words lie between 25 (low) and 100 (critical)");
            return None;
        }
        i32::try_from(number).ok().map(Priority)
    }

    /// `on_unknown`.
    pub fn on_unknown(&mut self, node: &Node) -> Option<OnUnknown> {
        Some(match self.word_of(node, "on_unknown", &["retry", "verify", "ask"])? {
            "verify" => OnUnknown::Verify,
            "ask" => OnUnknown::Ask,
            _ => OnUnknown::Retry,
        })
    }

    /// `rollback` of a workflow.
    pub fn rollback_settings(&mut self, node: &Node) -> Option<Rollback> {
        if let Content::Bool(enabled) = node.content {
            return Some(Rollback { keeps_effects: !enabled, ..Rollback::default() });
        }
        let fields = self.fields(node, ROLLBACK, "`rollback`")?;
        let is_off = [self.boolean(fields, "enabled"), self.boolean(fields, "auto")].contains(&Some(false));
        let strategy = fields.get("strategy").and_then(|field| self.word_of(field.node, "strategy", STRATEGIES));
        let strategy = strategy.and_then(Strategy::from_word);
        Some(Rollback {
            keeps_effects: is_off,
            strategy,
            checkpoint_interval: self.integer(fields, "checkpoint_interval"),
            escalation_target: self.text(fields, "escalation_target"),
        })
    }

    /// `idempotency` of a workflow: a text, or `{key: TEXT}`.
    pub fn idempotency_key(&mut self, node: &Node) -> Option<String> {
        if let Some(text) = node.scalar_text() {
            return Some(text);
        }
        let fields = self.fields(node, IDEMPOTENCY, "`idempotency`")?;
        self.text(fields, "key")
    }
}
