//! Prints a tree as a definition in the canonical spelling, one step of the main list per line.

use std::fmt::Write as _;

use super::tree::{Condition, Effect, List, Shape, Step, Work, Workflow};

/// The definition. `base` is the moment from which [`Shape::Until`] counts, as seconds since the epoch.
pub fn print(workflow: &Workflow, base_seconds: i64) -> String {
    let mut printer = Printer { text: String::new(), base_seconds };
    printer.head(workflow);
    printer.list(&workflow.steps, true);
    if !workflow.finally.is_empty() {
        printer.text.push_str("finally:\n");
        printer.steps(&List { graph: false, steps: workflow.finally.clone() }, true);
    }
    printer.text
}

struct Printer {
    text: String,
    base_seconds: i64,
}

impl Printer {
    fn put(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.text.write_fmt(arguments).expect("a String takes all");
    }

    fn head(&mut self, workflow: &Workflow) {
        let name = workflow.name();
        self.put(format_args!("name: {name}\ndescription: Drawn by the simulator.\n"));
        self.put(format_args!("inputs: {{n: {{type: integer, default: 3}}}}\n"));
        self.put(format_args!("outputs: {{n: '${{{{ inputs.n }}}}'}}\n"));
        if let Some(seconds) = workflow.timeout_seconds {
            self.put(format_args!("timeout: {seconds}s\n"));
        }
        if let Some(at_a_time) = workflow.max_parallel {
            self.put(format_args!("max_parallel: {at_a_time}\n"));
        }
        if let Some(on_cancel) = workflow.on_cancel {
            self.put(format_args!("on_cancel: {on_cancel}\n"));
        }
        if let Some((strategy, interval)) = workflow.rollback {
            self.put(format_args!("rollback: {{strategy: {strategy}, checkpoint_interval: {interval}}}\n"));
        }
        if let Some(autonomy) = workflow.autonomy {
            self.put(format_args!("autonomy: {autonomy}\n"));
        }
        if let Some((limit, when_full)) = workflow.concurrency {
            self.put(format_args!("concurrency: {{group: {name}, limit: {limit}, when_full: {when_full}}}\n"));
        }
    }

    /// `order` and `steps`, as lines or inside braces.
    fn list(&mut self, list: &List, lines: bool) {
        if list.graph {
            self.text.push_str(if lines { "order: graph\n" } else { "order: graph, " });
        }
        self.text.push_str(if lines { "steps:\n" } else { "steps: " });
        self.steps(list, lines);
    }

    fn steps(&mut self, list: &List, lines: bool) {
        if !lines {
            self.text.push('[');
        }
        for (at, step) in list.steps.iter().enumerate() {
            if lines {
                self.text.push_str("  - ");
            } else if at > 0 {
                self.text.push_str(", ");
            }
            self.step(step, list, at);
            if lines {
                self.text.push('\n');
            }
        }
        if !lines {
            self.text.push(']');
        }
    }

    fn step(&mut self, step: &Step, list: &List, at: usize) {
        self.put(format_args!("{{id: s{}, ", step.number));
        let before = &list.steps[..at];
        let is_there = |number: &u32| before.iter().any(|other| other.number == *number);
        let depends_on: Vec<String> =
            step.depends_on.iter().filter(|number| is_there(number)).map(|number| format!("s{number}")).collect();
        if list.graph && !depends_on.is_empty() {
            self.put(format_args!("depends_on: [{}], ", depends_on.join(", ")));
        }
        let depends = |number: &u32| !list.graph || step.depends_on.contains(number);
        match step.condition {
            Some(Condition::Text(text)) => self.put(format_args!("if: '${{{{ {text} }}}}', ")),
            Some(Condition::Completed(number)) if is_there(&number) && depends(&number) => {
                self.put(format_args!("if: \"${{{{ steps.s{number}.status == 'completed' }}}}\", "));
            }
            Some(Condition::Completed(_)) | None => {}
        }
        if let Some(strategy) = step.on_error {
            self.put(format_args!("on_error: {strategy}, "));
        }
        if let Some(seconds) = step.timeout_seconds {
            self.put(format_args!("timeout: {seconds}s, "));
        }
        let uses = match &step.shape {
            Shape::Work(work) => work.uses.filter(|number| is_there(number) && depends(number)),
            _ => None,
        };
        let source = uses.and_then(|number| before.iter().find(|other| other.number == number));
        self.shape(&step.shape, source);
        self.text.push('}');
    }

    fn shape(&mut self, shape: &Shape, source: Option<&Step>) {
        match shape {
            Shape::Work(work) => self.work(work, source),
            Shape::Approval { on_timeout, on_reject, escalates } => {
                let escalate = if *escalates { ", escalate: [{after: 3s, to: grace}]" } else { "" };
                self.put(format_args!(
                    "approval: {{message: ok, on_timeout: {on_timeout}, on_reject: {on_reject}{escalate}}}"
                ));
            }
            Shape::Form => self.text.push_str("input: {answer: {type: text}}"),
            Shape::Sleep(seconds) => self.put(format_args!("wait: {{for: {seconds}s}}")),
            Shape::Until(seconds) => {
                let moment = self.base_seconds + i64::try_from(*seconds).expect("it is a few minutes");
                let moment = skep_definition::moment::print(skep_model::time::Timestamp(moment * 1_000_000));
                self.put(format_args!("wait: {{until: '{moment}'}}"));
            }
            Shape::Listen(name) => self.put(format_args!("wait: {{signal: {name}}}")),
            Shape::Condition => self.text.push_str("wait: {condition: '${{ inputs.n > 2 }}', every: 2s, timeout: 30s}"),
            Shape::Switch { holds, case, other } => self.switch(*holds, case, other),
            Shape::Parallel { join, fail_fast, branches } => {
                self.put(format_args!("join: {join}, fail_fast: {fail_fast}, parallel: {{"));
                for (at, branch) in branches.iter().enumerate() {
                    self.put(format_args!("{}b{at}: {{", if at > 0 { ", " } else { "" }));
                    self.list(branch, false);
                    self.text.push('}');
                }
                self.text.push('}');
            }
            Shape::Foreach { items, max_parallel, fail_fast, body } => {
                let items: Vec<String> = (0..*items).map(|item| item.to_string()).collect();
                self.put(format_args!(
                    "foreach: [{}], max_parallel: {max_parallel}, fail_fast: {fail_fast}, ",
                    items.join(", ")
                ));
                self.list(body, false);
            }
            Shape::While(rounds, body) => {
                self.put(format_args!("while: '${{{{ index < {rounds} }}}}', "));
                self.list(body, false);
            }
            Shape::Repeat(rounds, body) => {
                self.put(format_args!("repeat: {{times: {rounds}}}, "));
                self.list(body, false);
            }
            Shape::RepeatUntil(round, body) => {
                self.put(format_args!("repeat: {{until: '${{{{ index >= {round} }}}}'}}, "));
                self.list(body, false);
            }
            Shape::Child(number) => self.put(format_args!("workflow: {{name: w{number}}}")),
        }
    }

    fn switch(&mut self, holds: bool, case: &List, other: &List) {
        let expression = if holds { "inputs.n > 2" } else { "inputs.n < 0" };
        self.put(format_args!("switch: {{cases: [{{when: '${{{{ {expression} }}}}', "));
        self.list(case, false);
        self.text.push_str("}]");
        if !other.steps.is_empty() && !other.graph {
            self.text.push_str(", default: ");
            self.steps(other, false);
        }
        self.text.push('}');
    }

    fn work(&mut self, work: &Work, source: Option<&Step>) {
        if let Some((attempts, delay, growth)) = work.retry {
            let on = work.retry_on.map_or(String::new(), |on| format!(", on: {on}"));
            self.put(format_args!(
                "retry: {{max_attempts: {attempts}, delay: {delay}s, backoff: {growth}, jitter: true{on}}}, "
            ));
        }
        if let Some(seconds) = work.total_timeout_seconds {
            self.put(format_args!("total_timeout: {seconds}s, "));
        }
        if let Some(when) = work.gate {
            self.put(format_args!("approve: {{when: {when}, message: ok}}, "));
        }
        if work.read_only {
            self.text.push_str("read_only: true, ");
        }
        for (_, extra) in &work.extras {
            self.put(format_args!("{extra}, "));
        }
        if let Some(effect) = &work.effect {
            self.undo(effect);
        }
        let value = source.map(|step| match &step.shape {
            Shape::Work(other) if other.script => format!("${{{{ steps.s{}.outputs.stdout }}}}", step.number),
            Shape::Work(_) => format!("${{{{ steps.s{}.outputs.v }}}}", step.number),
            _ => format!("${{{{ steps.s{}.status }}}}", step.number),
        });
        let value = value.unwrap_or_else(|| "${{ inputs.n }}".to_owned());
        match &work.effect {
            Some(effect) => self.put(format_args!("run: 'write {}; echo {value}'", effect.register)),
            None if work.script => self.put(format_args!("run: 'echo {value}'")),
            None => self.put(format_args!("uses: set, with: {{v: '{value}'}}")),
        }
    }

    fn undo(&mut self, effect: &Effect) {
        let undo = &effect.undo;
        self.text.push_str("rollback: {");
        if effect.script {
            self.put(format_args!("run: 'take_back {undo}', "));
        } else {
            self.put(format_args!("uses: set, with: {{order: take_back {undo}}}, "));
        }
        if effect.checked {
            self.text.push_str("verify: {run: 'is it gone'}, ");
        }
        self.text.push_str("retry: {max_attempts: 3, delay: 1s}}, ");
    }
}
