//! Lists of steps: limits, and the order in which they run.

use skep_model::limits::{NESTING_MAX, STEPS_MAX};
use skep_model::plan::Order;

use super::read::{Fields, Lowering};
use crate::codes;
use crate::tree::Node;
use crate::workflow::Step;

impl Lowering {
    /// The steps of a list. `depth` is 1 for the list of the workflow.
    pub fn list(&mut self, node: &Node, order: Order, depth: usize) -> Vec<Step> {
        let Some(items) = node.as_list() else {
            let message = format!("a list of steps is wanted here, this is {}", node.describe());
            self.error(&codes::WRONG_TYPE, node.place, message, "begin each step with `- `");
            return Vec::new();
        };
        if items.is_empty() {
            self.error(
                &codes::EMPTY_STEPS,
                node.place,
                "this list of steps is empty",
                "add a step, or leave the list out",
            );
        }
        if depth > NESTING_MAX {
            let message = format!("steps nest deeper than {NESTING_MAX} levels here (NESTING_MAX)");
            let hint = "move the inner part into a workflow of its own: `workflow: {name: inner}`";
            self.error(&codes::NESTING, node.place, message, hint);
            return Vec::new();
        }
        let mut steps = Vec::new();
        for item in items {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                self.too_many_steps(item);
                break;
            }
            steps.extend(self.step(item, depth));
        }
        if order == Order::Sequence {
            self.refuse_dependencies(items);
        }
        steps
    }

    fn too_many_steps(&mut self, item: &Node) {
        if self.steps == STEPS_MAX + 1 {
            let message = format!("the workflow has more than {STEPS_MAX} steps (STEPS_MAX)");
            let hint = "let a `foreach` run over the data, or split the workflow";
            self.error(&codes::TOO_MANY_STEPS, item.place, message, hint);
        }
    }

    /// One error for a list, at its first `depends_on`: the cure is one line for all of them.
    fn refuse_dependencies(&mut self, items: &[Node]) {
        let first = items.iter().filter_map(|item| item.entry("depends_on")).find(|entry| !entry.value.is_null());
        if let Some(entry) = first {
            let message = "`depends_on` stands in a list whose steps run one after another";
            let hint = "write `order: graph` beside `steps:`; then only `depends_on` decides what waits for what";
            self.error(&codes::DEPENDS_ON_ORDER, entry.key_place, message, hint);
        }
    }

    /// `order`, a sequence if not written.
    pub fn order(&mut self, fields: Fields<'_>) -> Order {
        match self.word(fields, "order") {
            Some("graph") => Order::Graph,
            Some(_) | None => Order::Sequence,
        }
    }
}
