//! What an execution is and has been: the view of its events.

use serde_json::{Value, json};
use skep_model::event::Turn;
use skep_model::limits;
use skep_model::payload::{BlobRef, Payload};
use skep_store::blobs::{Blobs, FolderBlobs};
use skep_views::execution::Execution;

use super::Reading;
use crate::error::Error;
use crate::fold;

/// Turns that one call of [`Reading::turns`] gives at most.
const TURNS_PER_CALL: usize = 1_000;

impl Reading {
    /// The answer of the outer contract, with times in RFC 3339.
    ///
    /// # Errors
    /// Unknown execution, trouble with the store.
    pub fn status(&self, execution: &str, all_iterations: bool) -> Result<Value, Error> {
        let (view, _) = self.folded(execution, all_iterations)?;
        let mut answer = self.answer(&view);
        // One in the archive is over and waits for nothing.
        if answer["waiting"].as_array().is_some_and(|waits| !waits.is_empty()) {
            self.add_places(self.find(execution)?.local, &mut answer)?;
        }
        Ok(answer)
    }

    /// The view of an execution and the number of its last turn, to be followed with [`Reading::turns`].
    ///
    /// # Errors
    /// Unknown execution, trouble with the store.
    pub fn view(&self, execution: &str) -> Result<(Execution, u64), Error> {
        self.folded(execution, false)
    }

    /// The turns of an execution from number `from_seq` on, a thousand at most; empty if there are none yet.
    ///
    /// # Errors
    /// Unknown execution, trouble with the store.
    pub fn turns(&self, execution: &str, from_seq: u64) -> Result<Vec<Turn>, Error> {
        let located = self.locate(execution)?;
        let stored = located.reader().turns(located.row.local, from_seq, TURNS_PER_CALL)?;
        stored.iter().map(fold::turn).collect()
    }

    fn folded(&self, execution: &str, all_iterations: bool) -> Result<(Execution, u64), Error> {
        let located = self.locate(execution)?;
        let plan = fold::plan(located.reader(), located.row.plan_hash)?;
        let mut view = if all_iterations { Execution::with_all_iterations(&plan) } else { Execution::new(&plan) };
        let mut last = 0;
        fold::each_turn(located.reader(), located.row.local, 1, |turn| {
            view.apply(turn);
            last = turn.seq;
            Ok(())
        })?;
        Ok((view, last))
    }

    pub(super) fn answer(&self, view: &Execution) -> Value {
        let blobs = FolderBlobs::new(self.directory());
        skep_views::answer::answer(view, &mut |payload| value_of(&blobs, payload), &skep_definition::moment::print)
    }
}

/// A payload as a person or a program sees it.
fn value_of(blobs: &dyn Blobs, payload: &Payload) -> Value {
    match payload.as_blob() {
        Some(reference) if reference.size_bytes <= limits::ANSWER_VALUE_BYTES_MAX => {
            blob_value(blobs, reference).unwrap_or_else(|| json!(reference))
        }
        Some(reference) => json!(reference),
        None => payload.value.clone(),
    }
}

fn blob_value(blobs: &dyn Blobs, reference: BlobRef) -> Option<Value> {
    let bytes = blobs.get(reference.blob).ok().flatten()?;
    serde_json::from_slice(&bytes).ok()
}

impl Reading {
    /// The fields of the form that waits at `step`, or of the only one that waits.
    pub(super) fn form_fields(
        &self,
        execution: &str,
        step: Option<&str>,
    ) -> Result<skep_model::Map<skep_model::plan::Input>, Error> {
        let row = self.find(execution)?;
        let plan = fold::plan(self.reader(), row.plan_hash)?;
        let (view, _) = self.view(execution)?;
        let waiting = view.waiting().find(|entry| match step {
            Some(step) => &*entry.path == step,
            None => matches!(entry.waiting, Some(skep_views::step::Waiting::Form { .. })),
        });
        let id = waiting.and_then(|entry| entry.path.rsplit("].").next().map(str::to_owned));
        let found = id.and_then(|id| plan.step_by_id(&id)).map(|index| plan.steps[index as usize].kind.clone());
        match found {
            Some(skep_model::plan::Kind::Input(form)) => Ok(form.fields),
            // The engine says better what is wrong with such a request.
            Some(_) | None => Ok(skep_model::Map::new()),
        }
    }
}
