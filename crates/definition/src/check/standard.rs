//! Level standard: numbers that are unusual, arguments against schemas, inputs that nobody uses.
//!
//! What expressions can give is worked out in `possible`.

use std::collections::HashMap;

use jsonschema::Validator;
use serde_json::Value;
use skep_model::Map;
use skep_model::catalogue::Catalogue;

use super::arguments;
use super::codes;
use super::effects;
use super::expressions::Understood;
use super::report::{Finding, Report};
use crate::inputs;
use crate::lower::settings::SideWork;
use crate::outline::{Outline, StepEntry, pointer_part};
use crate::workflow::{Kind, Retry, Workflow};

/// A timeout under this is unusual, in milliseconds (seed 000's rule).
const TIMEOUT_MS_LOW: u64 = 10_000;
/// A timeout over this is unusual, in milliseconds (seed 000's rule).
const TIMEOUT_MS_HIGH: u64 = 3_600_000;
/// More attempts than this are unusual (seed 000's rule).
const ATTEMPTS_HIGH: u32 = 10;

/// Checks the whole workflow.
pub(crate) fn check(workflow: &Workflow, outline: &Outline<'_>, catalogue: &Catalogue, report: &mut Report<'_>) {
    if workflow.timeout_ms == Some(0) {
        report.add("/timeout", timeout_zero("the workflow"));
    }
    if let Some(timeout_ms) = workflow.defaults.timeout_ms {
        timeout("/defaults/timeout", "the default", timeout_ms, true, report);
    }
    attempts("/defaults/retry", workflow.defaults.retry.as_ref(), report);
    let mut validators = HashMap::new();
    for entry in &outline.steps {
        step(entry, report);
        let mut uses: Vec<(String, String, Map<Value>)> = Vec::new();
        if let Kind::Uses { action, with } = &entry.step.kind {
            uses.push((format!("{}/with", entry.pointer), action.clone(), with.clone()));
        }
        for (pointer, side) in effects::sides(workflow, entry) {
            if let SideWork::Uses { action, with } = side.work {
                uses.push((format!("{pointer}/with"), action, with));
            }
        }
        for (pointer, action, with) in uses {
            let Some(known) = catalogue.actions.get(&action) else { continue };
            // One compilation per action, however many steps use it.
            let validator: &Option<Validator> =
                validators.entry(action.clone()).or_insert_with(|| inputs::compile(&known.schema).ok());
            if let Some(validator) = validator {
                arguments::check(&pointer, &action, &known.schema, validator, &with, report);
            }
        }
    }
}

fn timeout_zero(whose: &str) -> Finding {
    Finding::error(codes::TIMEOUT_ZERO, format!("{whose} has a timeout of zero"))
        .hint("remove it for no limit, or write a duration such as `10m`")
}

fn timeout(pointer: &str, whose: &str, timeout_ms: u64, works: bool, report: &mut Report<'_>) {
    if timeout_ms == 0 {
        report.add(pointer, timeout_zero(whose));
    } else if works && !(TIMEOUT_MS_LOW..=TIMEOUT_MS_HIGH).contains(&timeout_ms) {
        let word = if timeout_ms < TIMEOUT_MS_LOW { "under 10 seconds" } else { "over an hour" };
        let written = skep_model::span::print_duration_ms(timeout_ms);
        report.add(
            pointer,
            Finding::warning(codes::TIMEOUT_UNUSUAL, format!("{whose} has an unusual timeout of {written}, {word}")),
        );
    }
}

fn step(entry: &StepEntry<'_>, report: &mut Report<'_>) {
    let step = entry.step;
    let whose = format!("`{}`", step.id);
    let works = matches!(step.kind, Kind::Run { .. } | Kind::Uses { .. } | Kind::Agent(_) | Kind::Ai(_));
    if let Some(timeout_ms) = step.timeout_ms {
        timeout(&format!("{}/timeout", entry.pointer), &whose, timeout_ms, works, report);
    }
    if step.total_timeout_ms == Some(0) {
        report.add(&format!("{}/total_timeout", entry.pointer), timeout_zero(&whose));
    }
    if let Kind::Approval(approval) = &step.kind
        && approval.timeout_ms == Some(0)
    {
        report.add(&format!("{}/approval/timeout", entry.pointer), timeout_zero(&whose));
    }
    attempts(&format!("{}/retry", entry.pointer), step.retry.as_ref(), report);
}

fn attempts(pointer: &str, retry: Option<&Retry>, report: &mut Report<'_>) {
    let Some(attempts) = retry.and_then(|retry| retry.max_attempts) else { return };
    let pointer = format!("{pointer}/max_attempts");
    if attempts == 0 {
        let finding = Finding::error(codes::RETRY_ZERO, "`max_attempts: 0` means that it never runs");
        report.add(&pointer, finding.hint("the first attempt counts, too: 1 is \"no retry\""));
    } else if attempts > ATTEMPTS_HIGH {
        let finding = Finding::warning(codes::RETRY_MANY, format!("{attempts} attempts are unusually many"));
        report.add(&pointer, finding.hint("to wait for something, use `wait` or `repeat: {until: ..}`"));
    }
}

/// Inputs that no expression names and no script reads.
pub(crate) fn unused_inputs(workflow: &Workflow, understood: &Understood, report: &mut Report<'_>) {
    if understood.any_input {
        return;
    }
    let unused: Vec<&String> = workflow.inputs.keys().filter(|name| !understood.inputs.contains(*name)).collect();
    if unused.is_empty() {
        return;
    }
    let elsewhere = Elsewhere::of(workflow);
    for name in unused {
        if !elsewhere.may_use(name) {
            let finding = Finding::warning(codes::INPUT_UNUSED, format!("nothing uses the input `{name}`"));
            report.add(&format!("/inputs/{}", pointer_part(name)), finding.hint("use it, or remove it"));
        }
    }
}

/// Text that is not compiled but may still name inputs: keys of later features, and scripts that read the
/// file of all inputs.
struct Elsewhere {
    texts: Vec<String>,
    reads_file: bool,
}

impl Elsewhere {
    fn of(workflow: &Workflow) -> Self {
        let mut elsewhere = Self { texts: Vec::new(), reads_file: false };
        let annotations = workflow.annotations.values().chain(&workflow.fallback_actions);
        for value in annotations.chain(&workflow.rollback).chain(&workflow.idempotency) {
            elsewhere.add(value);
        }
        for entry in &Outline::of(workflow).steps {
            for value in entry.step.later.values().chain(entry.step.annotations.values()) {
                elsewhere.add(value);
            }
            if let Kind::Run { script, .. } = &entry.step.kind {
                elsewhere.reads_file |= script.contains("SKEP_INPUTS");
            }
        }
        elsewhere
    }

    fn add(&mut self, value: &Value) {
        let text = value.to_string();
        if text.contains("inputs") {
            self.texts.push(text);
        }
    }

    fn may_use(&self, name: &str) -> bool {
        self.reads_file || self.texts.iter().any(|text| text.contains(name))
    }
}
