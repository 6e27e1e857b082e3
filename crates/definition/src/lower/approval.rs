//! `approval`, and `approve` on a step that does something.

use skep_model::plan::{OnReject, OnTimeout};
use skep_model::span::print_duration_ms;

use super::read::{Field, Fields, Lowering};
use crate::codes;
use crate::keys::{APPROVAL, ESCALATION, GATE};
use crate::tree::Node;
use crate::workflow::{Approval, Gate};

impl Lowering {
    /// `approval`: nothing, a text (the message), or a mapping.
    pub fn approval(&mut self, field: Field<'_>, step: Fields<'_>) -> Option<Approval> {
        let mut approval = if field.node.is_null() {
            Approval::default()
        } else if let Some(message) = field.node.scalar_text() {
            Approval { message: Some(message), ..Approval::default() }
        } else {
            let fields = self.fields(field.node, APPROVAL, "`approval`")?;
            self.approval_fields(fields)
        };
        self.on_reject_of_step(step, &mut approval);
        Some(approval)
    }

    /// `approve`: `before`, `after`, or the long form.
    pub fn gate(&mut self, step: Fields<'_>) -> Option<Gate> {
        let field = step.get("approve")?;
        let mut gate = match field.node.as_map() {
            None => {
                let when = self.word_of(field.node, "approve", &["before", "after"])?;
                Gate { before: when == "before", approval: Approval::default() }
            }
            Some(_) => {
                let fields = self.fields(field.node, GATE, "`approve`")?;
                let approval = self.approval_fields(fields);
                let before = self.word(fields, "when") == Some("before");
                self.check_escalation(
                    &approval.escalate,
                    approval.timeout_ms,
                    field.node.get("escalate").unwrap_or(field.node),
                );
                Gate { before, approval }
            }
        };
        self.on_reject_of_step(step, &mut gate.approval);
        Some(gate)
    }

    fn approval_fields(&mut self, fields: Fields<'_>) -> Approval {
        Approval {
            message: self.text(fields, "message"),
            assignee: self.text(fields, "assignee"),
            timeout_ms: self.timeout(fields),
            escalate: fields.get("escalate").map(|field| self.escalations(field)).unwrap_or_default(),
            on_timeout: self.word(fields, "on_timeout").map(|word| match word {
                "approve" => OnTimeout::Approve,
                "fail" => OnTimeout::Fail,
                _ => OnTimeout::Reject,
            }),
            on_reject: self.word(fields, "on_reject").map(on_reject),
        }
    }

    /// `escalate`: who is told after how many milliseconds.
    pub fn escalations(&mut self, field: Field<'_>) -> Vec<(u64, String)> {
        let Some(items) = field.node.as_list() else {
            self.wrong_type(field);
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| {
                let fields = self.fields(item, ESCALATION, "an entry of `escalate`")?;
                let (after, to) = (self.duration(fields, "after"), self.text(fields, "to"));
                Some((after?, to?))
            })
            .collect()
    }

    /// `on_reject` may stand on the step, beside `approval` or `approve`.
    fn on_reject_of_step(&mut self, step: Fields<'_>, approval: &mut Approval) {
        let Some(word) = self.word(step, "on_reject") else { return };
        if let (Some(_), Some(field)) = (approval.on_reject, step.get("on_reject")) {
            self.conflict(field.key_place, "`on_reject` is said twice: on the step and inside", "keep one of them");
        }
        approval.on_reject.get_or_insert(on_reject(word));
    }

    /// Escalations have to come before the end of the wait.
    pub fn check_escalation(&mut self, escalate: &[(u64, String)], timeout_ms: Option<u64>, node: &Node) {
        let Some(timeout_ms) = timeout_ms else { return };
        for (index, (after_ms, to)) in escalate.iter().enumerate() {
            if *after_ms >= timeout_ms {
                let entry = node.as_list().and_then(|items| items.get(index));
                let message = format!(
                    "{to} would be told after {}, when the wait has ended (after {})",
                    print_duration_ms(*after_ms),
                    print_duration_ms(timeout_ms)
                );
                let hint = "both count from the start of the wait: make `after` shorter, or `timeout` longer";
                self.error(&codes::ESCALATION, entry.unwrap_or(node).place, message, hint);
            }
        }
    }
}

fn on_reject(word: &'static str) -> OnReject {
    match word {
        "continue" => OnReject::Continue,
        _ => OnReject::Fail,
    }
}
