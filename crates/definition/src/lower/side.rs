//! `rollback` and `verify` of a step: steps in short form.

use super::read::{Fields, Lowering};
use super::settings::{Side, SideWork};
use crate::codes;
use crate::keys::{COMPENSATION, Key, VERIFICATION};
use crate::tree::Node;

/// The keys that say what a step in short form does.
const KINDS: [&str; 4] = ["run", "uses", "agent", "ai"];

impl Lowering {
    /// `rollback` of a step.
    pub fn compensation_side(&mut self, node: &Node) -> Option<Side> {
        self.side(node, COMPENSATION, "`rollback`")
    }

    /// `verify`, of a step or of its `rollback`.
    pub fn verification_side(&mut self, node: &Node) -> Option<Side> {
        self.side(node, VERIFICATION, "`verify`")
    }

    fn side(&mut self, node: &Node, table: &'static [Key], what: &str) -> Option<Side> {
        if let Some(script) = node.scalar_text() {
            return Some(Side {
                work: SideWork::Run { script, shell: None },
                env: Default::default(),
                working_dir: None,
                policy: None,
                timeout_ms: None,
                retry: None,
                verify: None,
            });
        }
        let fields = self.fields(node, table, what)?;
        let work = self.side_work(fields, what);
        let (env, working_dir) = (self.text_map(fields, "env"), self.text(fields, "working_dir"));
        let (policy, timeout_ms, retry) = (self.text(fields, "policy"), self.timeout(fields), self.retry(fields));
        let verify = fields.get("verify").and_then(|field| self.verification_side(field.node)).map(Box::new);
        Some(Side { work: work?, env, working_dir, policy, timeout_ms, retry, verify })
    }

    fn side_work(&mut self, fields: Fields<'_>, what: &str) -> Option<SideWork> {
        let written: Vec<&str> = KINDS.iter().copied().filter(|kind| fields.has(kind)).collect();
        let kind = match written.as_slice() {
            [kind] => *kind,
            [] => {
                if !fields.misspells(|meant| KINDS.contains(&meant.name)) {
                    let message = format!("{what} says nowhere what it does");
                    self.error(&codes::STEP_KIND, fields.place, message, "add `run: SCRIPT`, or `uses: ACTION`");
                }
                return None;
            }
            several => {
                let message = format!("{what} does one thing, this one has `{}`", several.join("` and `"));
                let place = fields.get(several[1]).map_or(fields.place, |field| field.key_place);
                self.error(&codes::STEP_KIND, place, message, "keep one of them");
                return None;
            }
        };
        for (name, owner) in [("with", "uses"), ("shell", "run")] {
            if let Some(field) = fields.get(name).filter(|_| kind != owner) {
                let message = format!("`{name}` does nothing in {what} with `{kind}`");
                self.error(&codes::MISPLACED_KEY, field.key_place, message, format!("it belongs to `{owner}`"));
            }
        }
        Some(match kind {
            "run" => SideWork::Run { script: self.text(fields, "run")?, shell: self.text(fields, "shell") },
            "uses" => SideWork::Uses { action: self.text(fields, "uses")?, with: self.value_map(fields, "with") },
            "agent" => SideWork::Agent,
            _ => SideWork::Ai,
        })
    }
}
