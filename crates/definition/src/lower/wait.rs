//! `wait`.

use skep_model::span::parse_duration_ms;

use super::read::{Field, Fields, Lowering};
use crate::codes;
use crate::keys::WAIT;
use crate::tree::Node;
use crate::workflow::Wait;

impl Wait {
    /// The end of the wait, if it is said inside.
    pub(super) fn timeout_ms(&self) -> Option<u64> {
        match self {
            Self::Duration(_) | Self::Moment(_) => None,
            Self::Signal { timeout_ms, .. } | Self::Condition { timeout_ms, .. } => *timeout_ms,
        }
    }
}

impl Lowering {
    /// `wait: 10m`, or a mapping with one of `for, until, signal, condition`.
    pub fn wait(&mut self, field: Field<'_>) -> Option<Wait> {
        if field.node.as_map().is_none() {
            return self.wait_for(field.node, "wait").map(Wait::Duration);
        }
        let fields = self.fields(field.node, WAIT, "`wait`")?;
        let ways: Vec<Field<'_>> =
            ["for", "until", "signal", "condition"].into_iter().filter_map(|name| fields.get(name)).collect();
        match ways.as_slice() {
            [one] => self.one_wait(*one, fields),
            [] => {
                let hint = "add `for: 10m`, `until: 2026-12-01T00:00:00Z`, `signal: name` or `condition: ${{ .. }}`";
                self.error(&codes::MISSING_KEY, field.key_place, "`wait` does not say what it waits for", hint);
                None
            }
            [first, second, ..] => {
                let message =
                    format!("one `wait` waits for one thing, not `{}` and `{}`", first.key.name, second.key.name);
                self.conflict(second.key_place, message, "make two steps, or a `parallel` with `join: any`");
                None
            }
        }
    }

    fn one_wait(&mut self, way: Field<'_>, fields: Fields<'_>) -> Option<Wait> {
        let name = way.key.name;
        self.refuse_unused(fields, name);
        match name {
            "for" => self.wait_for(way.node, "for").map(Wait::Duration),
            "until" => self.moment(way),
            "signal" => Some(Wait::Signal { name: self.text(fields, "signal")?, timeout_ms: self.timeout(fields) }),
            _ => Some(Wait::Condition {
                condition: self.text(fields, "condition")?,
                every_ms: self.duration(fields, "every"),
                timeout_ms: self.timeout(fields),
            }),
        }
    }

    fn refuse_unused(&mut self, fields: Fields<'_>, way: &str) {
        for (name, owners) in [
            ("every", &["condition"] as &[&str]),
            ("timeout", &["signal", "condition"]),
            ("timeout_seconds", &["signal", "condition"]),
        ] {
            if let Some(field) = fields.get(name)
                && !owners.contains(&way)
            {
                let message = format!("`{name}` does nothing beside `{way}`");
                self.error(
                    &codes::MISPLACED_KEY,
                    field.key_place,
                    message,
                    format!("it belongs to `{}`", owners.join("`, `")),
                );
            }
        }
    }

    /// A length of time, or a template of one.
    fn wait_for(&mut self, node: &Node, name: &str) -> Option<String> {
        let template = node.as_text().filter(|text| text.contains("${{") || parse_duration_ms(text).is_some());
        if template.is_none() {
            self.duration_of(node, name)?;
        }
        template.map(str::to_owned)
    }

    /// A moment, or a template of one.
    fn moment(&mut self, field: Field<'_>) -> Option<Wait> {
        let Some(text) = field.node.scalar_text() else {
            self.wrong_type(field);
            return None;
        };
        if !text.contains("${{") && text.parse::<jiff::Timestamp>().is_err() {
            let message = format!("`until` is a moment with its offset, this is {}", field.node.describe());
            self.error(&codes::WRONG_TYPE, field.node.place, message, "for example `until: 2026-12-01T08:00:00+01:00`");
        }
        Some(Wait::Moment(text))
    }
}
