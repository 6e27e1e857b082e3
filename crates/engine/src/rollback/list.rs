//! What a rollback would do, for people: nothing is decided here.

use serde_json::Value;
use skep_model::effect::Work;
use skep_model::error::Failure;
use skep_model::ids::StepPath;
use skep_model::payload::BlobRef;
use skep_model::rollback::Part;

use crate::outstanding::{part_of, work_of};
use crate::payload::{Blobs, load};
use crate::program::Program;
use crate::rollback::{Kept, Stays};
use crate::state::State;

/// An effect that can be undone.
#[derive(Clone, Debug, PartialEq)]
pub struct Undoable {
    /// The step.
    pub path: StepPath,
    /// What undoing it does; `None` if that could not be worked out, see `problem`.
    pub work: Option<Work>,
    /// Whether the step's work was done is not known: it is looked at, or a person is asked, before.
    pub unsure: bool,
    /// Undoing it is verified.
    pub verified: bool,
    /// Why it cannot be worked out.
    pub problem: Option<Failure>,
    /// Why undoing it failed in the last rollback.
    pub failure: Option<Failure>,
    /// In the last rollback, undoing something failed that came after it.
    pub below: bool,
}

impl State {
    /// What a rollback down to this point (`None`: of everything) undoes, in that order; `None` if there is no such
    /// point.
    ///
    /// # Errors
    /// The reference of a blob that has to be fetched first.
    pub fn undoable(
        &self,
        program: &Program,
        to: Option<u32>,
        blobs: &dyn Blobs,
    ) -> Result<Option<Vec<Undoable>>, BlobRef> {
        let depth = match to {
            None => 0,
            Some(number) => match self.undo.points.find(number) {
                Some(point) => point.depth,
                None => return Ok(None),
            },
        };
        let above = self.undo.kept.iter().skip(depth).rev();
        above.map(|kept| undoable(self, program, kept, blobs)).collect::<Result<_, _>>().map(Some)
    }

    /// The newest point that something came after which can be undone.
    pub fn latest_point(&self) -> Option<u32> {
        self.undo.points.latest_below(self.undo.kept.len()).map(|point| point.number)
    }
}

fn undoable(state: &State, program: &Program, kept: &Kept, blobs: &dyn Blobs) -> Result<Undoable, BlobRef> {
    let step = program.split_path(&kept.path).map(|(_, step)| program.step(step));
    let first = step.is_some_and(|step| step.compensation_only);
    let arguments = match &kept.arguments {
        Some(payload) => load(payload, &|hash| blobs.get(hash))?,
        None => Value::Object(serde_json::Map::new()),
    };
    let work = match (step, &state.start, &kept.problem) {
        (Some(step), Some(start), None) => {
            let does = part_of(step, if first { Part::Step } else { Part::Rollback });
            Some(work_of(does.kind, arguments, start))
        }
        (Some(_) | None, _, _) => None,
    };
    let verified = step.and_then(|step| step.compensation.as_ref()).is_some_and(|undo| undo.verify.is_some());
    let failure = match &kept.stays {
        Some(Stays::Failed(failure)) => Some(failure.clone()),
        Some(Stays::Below) | None => None,
    };
    let below = kept.stays == Some(Stays::Below);
    let (path, problem) = (kept.path.clone(), kept.problem.clone());
    Ok(Undoable { path, work, unsure: kept.unsure, verified, problem, failure, below })
}
