//! `retry` and `on_error`.

use skep_model::error::{Class, Kind as FailureKind};
use skep_model::plan::{Backoff, OnSilence, RetryOn};

use super::read::{Fields, Lowering};
use crate::codes;
use crate::keys::{self, ON_ERROR, RETRY};
use crate::tree::{Content, Node};
use crate::workflow::{Asking, OnError, Retry, Step};

const STRATEGIES: &[&str] = &["retry", "compensate", "escalate", "skip", "fail"];

impl Lowering {
    /// `retry`, or `retries`/`max_retries` in short.
    pub fn retry(&mut self, fields: Fields<'_>) -> Option<Retry> {
        let short = self.short_retries(fields);
        let long = fields.get("retry").and_then(|field| self.long_retry(field.node));
        match (long, short) {
            (Some(mut retry), Some(attempts)) => {
                retry.max_attempts.get_or_insert(attempts);
                Some(retry)
            }
            (Some(retry), None) => Some(retry),
            (None, Some(attempts)) => Some(Retry { max_attempts: Some(attempts), ..Retry::default() }),
            (None, None) => None,
        }
    }

    /// Attempts in all, from `retries` or `max_retries` beside `retry` (`defaults` has no such keys).
    fn short_retries(&mut self, fields: Fields<'_>) -> Option<u32> {
        let name = ["retries", "max_retries"].into_iter().find(|name| fields.has(name))?;
        if let Some(field) = fields.get("retry").filter(|_| name == "retries" || name == "max_retries")
            && ["max_attempts", "max_retries", "retries"].iter().any(|key| field.node.get(key).is_some())
        {
            self.conflict(field.key_place, format!("`{name}` and `retry` both count the attempts"), "keep one of them");
        }
        self.integer(fields, name).map(|retries| retries + 1)
    }

    /// `retry` in its long form.
    pub fn long_retry(&mut self, node: &Node) -> Option<Retry> {
        let fields = self.fields(node, RETRY, "`retry`")?;
        let on = fields.get("on").map(|field| self.retry_on(field.node)).unwrap_or_default();
        Some(Retry {
            max_attempts: self.attempts(fields),
            delay_ms: self.duration(fields, "delay"),
            max_delay_ms: self.duration(fields, "max_delay"),
            backoff: self.word(fields, "backoff").map(|word| match word {
                "fixed" => Backoff::Fixed,
                "linear" => Backoff::Linear,
                _ => Backoff::Exponential,
            }),
            jitter: self.boolean(fields, "jitter"),
            on,
        })
    }

    fn attempts(&mut self, fields: Fields<'_>) -> Option<u32> {
        let written: Vec<&str> =
            ["max_attempts", "max_retries", "retries"].into_iter().filter(|name| fields.has(name)).collect();
        if let [_, second, ..] = written.as_slice()
            && let Some(field) = fields.get(second)
        {
            let message = format!("`{}` both count the attempts", written.join("` and `"));
            self.conflict(field.key_place, message, "keep `max_attempts`, which counts the first one, too");
        }
        match *written.first()? {
            "max_attempts" => self.integer(fields, "max_attempts"),
            name => self.integer(fields, name).map(|retries| retries + 1),
        }
    }

    fn retry_on(&mut self, node: &Node) -> Vec<RetryOn> {
        match node.as_list() {
            Some(items) => items.iter().filter_map(|item| self.one_retry_on(item)).collect(),
            None => self.one_retry_on(node).into_iter().collect(),
        }
    }

    fn one_retry_on(&mut self, node: &Node) -> Option<RetryOn> {
        let read = match &node.content {
            Content::Integer(number) => retry_on_number(*number),
            Content::Text(word) => {
                Class::parse(word).map(RetryOn::Class).or_else(|| FailureKind::parse(word).map(RetryOn::Kind))
            }
            Content::Null | Content::Bool(_) | Content::Float(..) | Content::List(_) | Content::Map(_) => None,
        };
        if read.is_none() {
            let words: Vec<&str> = Class::ALL
                .iter()
                .map(|class| class.as_str())
                .chain(FailureKind::ALL.iter().map(|kind| kind.as_str()))
                .collect();
            let hint = match crate::suggest::nearest(node.as_text().unwrap_or_default(), words.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("{}, an exit code (0 to 255) or an HTTP status (300 to 599)", keys::one_of(&words)),
            };
            let message = format!("`retry.on` does not know {}", node.describe());
            self.error(&codes::UNKNOWN_WORD, node.place, message, hint);
        }
        read
    }

    /// `on_error`, short or long. The strategy `retry` is a `retry` with its defaults.
    pub fn on_error(&mut self, fields: Fields<'_>, step: &mut Step) {
        let Some(field) = fields.get("on_error") else { return };
        let (strategy, inner) = match field.node.as_map() {
            None => (self.word_of(field.node, "on_error", STRATEGIES), None),
            Some(_) => match self.fields(field.node, ON_ERROR, "`on_error`") {
                Some(inner) => (self.word(inner, "strategy"), Some(inner)),
                None => (None, None),
            },
        };
        let asking = inner.map(|inner| self.asking(inner)).unwrap_or_default();
        let compensation = inner.and_then(|inner| self.text(inner, "compensation_step"));
        if let Some(inner) = inner {
            self.refuse_foreign(inner, strategy);
        }
        step.on_error = match strategy {
            Some("retry") => {
                step.retry.get_or_insert_default();
                None
            }
            Some("compensate") => Some(OnError::Compensate { step: compensation }),
            Some("escalate") => Some(OnError::Escalate(asking)),
            Some("skip") => Some(OnError::Skip),
            Some(_) => Some(OnError::Fail),
            None => None,
        };
    }

    /// Who is asked about a failure, and until when.
    pub fn asking(&mut self, fields: Fields<'_>) -> Asking {
        let asking = Asking {
            target: self.text(fields, "escalation_target"),
            escalate: fields.get("escalate").map(|field| self.escalations(field)).unwrap_or_default(),
            timeout_ms: self.timeout(fields),
            on_timeout: self.word(fields, "on_timeout").map(|word| match word {
                "retry" => OnSilence::Retry,
                _ => OnSilence::Fail,
            }),
        };
        if let Some(field) = fields.get("escalate") {
            self.check_escalation(&asking.escalate, asking.timeout_ms, field.node);
        }
        if let Some(field) = fields.get("on_timeout").filter(|_| asking.timeout_ms.is_none()) {
            let message = "`on_timeout` says what the end of the wait means, and the wait has no end";
            self.conflict(field.key_place, message, "add `timeout: 8h`, or remove the key");
        }
        asking
    }

    fn refuse_foreign(&mut self, inner: Fields<'_>, strategy: Option<&'static str>) {
        let of_escalate = ["escalation_target", "escalate", "timeout", "timeout_seconds", "on_timeout"]
            .map(|name| (name, "escalate"));
        for (name, owner) in [("compensation_step", "compensate")].into_iter().chain(of_escalate) {
            if let Some(field) = inner.get(name)
                && strategy.is_some_and(|strategy| strategy != owner)
            {
                let message = format!("`{name}` belongs to `strategy: {owner}`");
                self.conflict(field.key_place, message, "change the strategy, or remove the key");
            }
        }
    }
}

/// Below 256 an exit code, from 300 an HTTP status: those between are no failures.
fn retry_on_number(number: i64) -> Option<RetryOn> {
    match number {
        0..=255 => Some(RetryOn::ExitCode(number as i32)),
        300..=599 => Some(RetryOn::HttpStatus(number as u16)),
        _ => None,
    }
}
