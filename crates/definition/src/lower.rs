//! From a canonical tree to a [`Workflow`]: every key read once, all problems collected.
//!
//! This module must not know other spellings (dialects rewrite those before) and must not judge expressions,
//! references or cycles (`check` does). What it cannot read it reports and leaves out, so that one mistake
//! hides no other.
//!
//! ```text
//! workflow -> list -> step -> kind -> list ..      read: typed values      shape: what is kept as written
//! ```

mod approval;
mod errors;
mod kind;
mod list;
mod places;
pub(crate) mod read;
pub(crate) mod settings;
mod shape;
mod side;
mod step;
#[cfg(test)]
mod tests;
mod wait;
mod whole;

use skep_model::problem::Problem;

use crate::tree::Node;
use crate::workflow::Workflow;

/// Reads a canonical tree.
///
/// The workflow is there whenever the tree is a mapping, as far as it could be read, so that later checks can
/// list their problems, too: **nothing may start from it if one of the problems is an error**. A step whose
/// kind could not be read is a `uses: noop`.
pub fn workflow(node: &Node) -> (Option<Workflow>, Vec<Problem>) {
    let mut lowering = read::Lowering::default();
    let workflow = lowering.whole(node);
    (workflow, lowering.problems.finish())
}
