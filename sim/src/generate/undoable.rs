//! Makes a drawn workflow one whose work changes something outside and says how that is undone, and takes out of it
//! what needs a person's judgement or never ends.

use super::make::SIGNALS;
use super::tree::{Effect, List, Shape, Step, Workflow};
use crate::random::Random;

/// The workflow with work that can be undone. `wrong`: one compensation in it takes back something else.
pub fn undoable(mut workflow: Workflow, random: &mut Random, wrong: bool) -> Workflow {
    workflow.timeout_seconds = None;
    workflow.on_cancel = None;
    workflow.concurrency = None;
    let strategy = random.pick(&["immediate", "graceful", "checkpoint"]);
    workflow.rollback = Some((strategy, random.between(1, 4) as u32));
    let mut maker = Maker { random, lists: 0, wrong };
    maker.list(&mut workflow.steps);
    workflow
}

struct Maker<'a> {
    random: &'a mut Random,
    lists: u32,
    wrong: bool,
}

impl Maker<'_> {
    fn list(&mut self, list: &mut List) {
        self.lists += 1;
        let number = self.lists;
        for step in &mut list.steps {
            // Steps of a sequence write to one register, one over the other; those of a graph may run at one time.
            let register = if list.graph { format!("s{}", step.number) } else { format!("l{number}") };
            self.step(step, register);
        }
    }

    fn step(&mut self, step: &mut Step, register: String) {
        if step.on_error == Some("escalate") {
            step.on_error = None;
        }
        match &mut step.shape {
            Shape::Work(work) => {
                // The action that is drawn changes nothing, as the plan knows.
                work.script = true;
                work.extras.clear();
                work.gate = None;
                work.read_only = false;
                work.total_timeout_seconds = None;
                let undo = if std::mem::take(&mut self.wrong) { "another".to_owned() } else { register.clone() };
                let script = self.random.percent(50);
                let checked = self.random.percent(20);
                work.effect = Some(Effect { register, undo, script, checked });
                for (extra, percent) in [("checkpoint: true", 20), ("critical: true", 15), ("priority: high", 10)] {
                    if self.random.percent(percent) {
                        work.extras.push((skep_model::catalogue::Feature::Rollback, extra));
                    }
                }
            }
            Shape::Listen(name) => *name = SIGNALS[0],
            Shape::Approval { .. }
            | Shape::Form
            | Shape::Sleep(_)
            | Shape::Until(_)
            | Shape::Condition
            | Shape::Child(_)
            | Shape::Switch { .. }
            | Shape::Parallel { .. }
            | Shape::Foreach { .. }
            | Shape::While(..)
            | Shape::Repeat(..)
            | Shape::RepeatUntil(..) => {}
        }
        for list in step.lists_mut() {
            self.list(list);
        }
    }
}
